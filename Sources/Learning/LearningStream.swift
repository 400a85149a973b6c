/// The bytes of one direction of one connection, from which framers are learnt.
public struct LearningStream: Equatable, Sendable {
  /// What was sent, in order.
  public var bytes: [UInt8]
  /// Where writes of the sender ended, as offsets in ``bytes``, ascending; empty when not known.
  ///
  /// A capture's segments will do: most programs write whole packets.
  public var writeEnds: [Int]
  /// Whether the recording stopped before the sender did, so that half a packet at the end says
  /// nothing.
  public var isCut: Bool

  public init(bytes: [UInt8], writeEnds: [Int] = [], isCut: Bool = false) {
    self.bytes = bytes
    self.writeEnds = writeEnds
    self.isCut = isCut
  }

  /// The stream's first `byteCount` bytes.
  func prefix(_ byteCount: Int) -> LearningStream {
    guard byteCount < bytes.count else { return self }
    return LearningStream(
      bytes: Array(bytes[..<byteCount]), writeEnds: writeEnds.filter { $0 <= byteCount },
      isCut: true)
  }
}
