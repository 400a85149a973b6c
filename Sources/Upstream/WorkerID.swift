/// Names one worker for as long as the gateway runs; never given twice.
@frozen
public struct WorkerID: Hashable, BitwiseCopyable, Sendable {
  public var rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
}
