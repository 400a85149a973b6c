extension FramerDefinition {
  static var delimiter: FramerDefinition {
    FramerDefinition(
      summary: "Packets that end with a delimiter, which is part of the packet",
      keys: [
        FramerKey(
          "delimiter",
          .byteStrings(
            count: 1...DelimiterFramer.delimitersMax,
            byteCount: 1...DelimiterFramer.delimiterByteCountMax),
          default: nil,
          summary: "What ends a packet: one byte string, or a list of alternatives"),
        FramerKey(
          "max", .byteCount(1...(64 << 20)), default: .integer(4_096),
          summary: "The longest whole packet, in bytes, delimiter included"),
      ],
      maker: makeDelimiter)
  }
}

@Sendable private func makeDelimiter(
  _ values: FramerValues
) throws(FramerDefinitionError) -> Framer {
  let delimiters = values.byteStrings("delimiter")
  do {
    return .delimiter(
      try DelimiterFramer(delimiters: delimiters, packetBytesMax: values.integer("max")))
  } catch {
    switch error {
    case .maximumOutOfRange(_, let minimum):
      throw FramerDefinitionError(
        key: "max", expected: "at least the \(minimum) bytes of the longest delimiter")
    case .hidden(let hidden, let other):
      let names = [hidden, other].map { shownBytes(delimiters[$0]) }
      throw FramerDefinitionError(
        key: "delimiter",
        expected: "no \(names[0]), as each packet ends at the \(names[1]) inside it")
    case .countOutOfRange: throw FramerDefinitionError(key: "delimiter", expected: "1 to 4")
    case .byteCountOutOfRange:
      throw FramerDefinitionError(key: "delimiter", expected: "1 to 8 bytes each")
    }
  }
}

extension DelimiterFramer {
  /// What an operator sees of it.
  var settings: String {
    let ends = delimiters.map(shownBytes).joined(separator: " or ")
    return "ends with \(ends), max \(packetBytesMax) bytes"
  }
}

/// Bytes in hexadecimal, as `0D 0A`.
private func shownBytes(_ bytes: [UInt8]) -> String {
  bytes.map { byte in
    let digits = String(byte, radix: 16, uppercase: true)
    return byte < 16 ? "0" + digits : digits
  }
  .joined(separator: " ")
}
