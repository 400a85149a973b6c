extension FramerDefinition {
  static var lengthPrefix: FramerDefinition {
    FramerDefinition(
      summary: "Packets that say how long they are in an integer at a fixed place",
      keys: [
        FramerKey(
          "offset", .integer(0...64), default: .integer(0),
          summary: "Where the length field begins, in bytes from the packet's start"),
        FramerKey(
          "width", .integerAmong([1, 2, 3, 4, 8]), default: .integer(2),
          summary: "Size of the length field, in bytes"),
        FramerKey(
          "endian", .choice(LengthPrefixFramer.Endianness.allCases.map(\.rawValue)),
          default: .text("big"), summary: "Byte order of the length field"),
        FramerKey(
          "counts", .choice(LengthPrefixFramer.Counts.allCases.map(\.rawValue)),
          default: .text("rest"),
          summary: "What the length counts: what follows the field, the field and what follows "
            + "it, or the whole packet"),
        FramerKey(
          "adjustment", .integer(-65_536...65_536), default: .integer(0),
          summary: "Bytes to add to the length on top of what `counts` implies"),
        FramerKey(
          "max", .byteCount(1...(64 << 20)), default: .integer(65_536),
          summary: "The longest whole packet, in bytes, header included"),
      ],
      maker: makeLengthPrefix)
  }
}

@Sendable private func makeLengthPrefix(
  _ values: FramerValues
) throws(FramerDefinitionError) -> Framer {
  do {
    return .lengthPrefix(
      try LengthPrefixFramer(
        lengthOffset: values.integer("offset"), lengthWidth: values.integer("width"),
        endianness: LengthPrefixFramer.Endianness(rawValue: values.text("endian")) ?? .big,
        counts: LengthPrefixFramer.Counts(rawValue: values.text("counts")) ?? .rest,
        adjustment: values.integer("adjustment"), packetBytesMax: values.integer("max")))
  } catch {
    switch error {
    case .maximumOutOfRange(_, let minimum):
      throw FramerDefinitionError(
        key: "max", expected: "at least the \(minimum) bytes of the packet's header")
    case .offsetOutOfRange: throw FramerDefinitionError(key: "offset", expected: "0 to 64")
    case .widthNotSupported:
      throw FramerDefinitionError(key: "width", expected: "1, 2, 3, 4 or 8")
    case .adjustmentOutOfRange:
      throw FramerDefinitionError(key: "adjustment", expected: "-65536 to 65536")
    }
  }
}

extension LengthPrefixFramer {
  /// What an operator sees of it.
  var settings: String {
    let field = "\(lengthWidth)-byte \(endianness.rawValue)-endian length at \(lengthOffset)"
    let sign = adjustment < 0 ? "-" : "+"
    return "\(field), packet = length \(sign) \(adjustment.magnitude), max \(packetBytesMax) bytes"
  }
}
