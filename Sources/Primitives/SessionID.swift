/// A session's place in its shard, with a count that tells it from earlier ones in the same place.
@frozen
public struct SessionID: Hashable, BitwiseCopyable, Sendable {
  public var index: UInt32
  public var generation: UInt32

  @inlinable public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}
