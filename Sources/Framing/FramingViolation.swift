/// What is wrong with a byte stream; the session that sent it is closed as `framing-violation`.
public enum FramingViolation: Error, Equatable, Sendable {
  /// The length field names a packet longer than the framer's maximum. Both in bytes.
  case packetTooLong(announced: UInt64, maximum: Int)
  /// The length field names a packet shorter than its own header. Both in bytes.
  case packetTooShort(announced: Int64, minimum: Int)
}
