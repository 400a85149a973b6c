/// What is wrong with a byte stream; the session that sent it is closed as `framing-violation`.
public enum FramingViolation: Error, Equatable, Sendable {
  /// The packet is longer than the framer's maximum. Both in bytes, of the whole packet;
  /// `announced` saturates at 2^64 - 1.
  case packetTooLong(announced: UInt64, maximum: Int)
  /// The packet is shorter than its own header, or than the framer's minimum. Both in bytes, of the
  /// whole packet; `announced` is negative when the adjustment takes more than the field gives.
  case packetTooShort(announced: Int64, minimum: Int)
  /// No delimiter stands in as many bytes as the longest packet has.
  case noDelimiter(maximum: Int)
  /// The constant bytes that belong at this offset from the packet's start are not there.
  case wrongConstant(offset: Int)
  /// The bytes at this offset from the packet's start are no length in the framer's encoding.
  case malformedLength(offset: Int)
  /// The table has no size for this opcode.
  case unknownOpcode(UInt16)
  /// None of a switch's cases begins like this.
  case noCase
  /// A plugin refused the bytes, with a code of its own.
  case plugin(code: UInt64)
  /// What a plugin answered is out of bounds.
  case pluginFault

  /// All values of ``name``.
  public static let names = [
    "packet-too-long", "packet-too-short", "no-delimiter", "wrong-constant", "malformed-length",
    "unknown-opcode", "no-case", "plugin", "plugin-fault",
  ]

  /// What logs, metrics and test vectors call it.
  public var name: String {
    switch self {
    case .packetTooLong: "packet-too-long"
    case .packetTooShort: "packet-too-short"
    case .noDelimiter: "no-delimiter"
    case .wrongConstant: "wrong-constant"
    case .malformedLength: "malformed-length"
    case .unknownOpcode: "unknown-opcode"
    case .noCase: "no-case"
    case .plugin: "plugin"
    case .pluginFault: "plugin-fault"
    }
  }
}

extension FramingViolation: CustomStringConvertible {
  /// What is wrong, in words, without a full stop.
  public var description: String {
    switch self {
    case .packetTooLong(let announced, let maximum):
      "a packet of \(announced) bytes, and \(maximum) are the most"
    case .packetTooShort(let announced, let minimum):
      "a packet of \(announced) bytes, and \(minimum) are the least"
    case .noDelimiter(let maximum): "no delimiter in \(maximum) bytes"
    case .wrongConstant(let offset): "not the constant bytes that belong at offset \(offset)"
    case .malformedLength(let offset): "no length at offset \(offset)"
    case .unknownOpcode(let opcode): "opcode 0x\(String(opcode, radix: 16)) is not in the table"
    case .noCase: "no case begins with these bytes"
    case .plugin(let code): "the plugin refused the bytes with code \(code)"
    case .pluginFault: "the plugin gave an answer out of bounds"
    }
  }
}
