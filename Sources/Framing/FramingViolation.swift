/// What is wrong with a byte stream; the session that sent it is closed as `framing-violation`.
public enum FramingViolation: Error, Equatable, Sendable {
  /// The length field names a packet longer than the framer's maximum. Both in bytes, of the whole
  /// packet; `announced` saturates at 2^64 - 1.
  case packetTooLong(announced: UInt64, maximum: Int)
  /// The length field names a packet shorter than its own header. Both in bytes, of the whole
  /// packet; `announced` is negative when the adjustment takes more than the field gives.
  case packetTooShort(announced: Int64, minimum: Int)
  /// No delimiter stands in as many bytes as the longest packet has.
  case noDelimiter(maximum: Int)
}
