internal import Framing
internal import Primitives

/// How a gateway cuts the shapes' packets.
extension PacketShape {
  var framer: Framer {
    do throws(FramerDefinitionError) {
      return try makeFramer()
    } catch {
      preconditionFailure("\(self): \(error.key) must be \(error.expected)")
    }
  }

  private func makeFramer() throws(FramerDefinitionError) -> Framer {
    let bounds = byteCounts
    switch self {
    case .raw: return .raw
    case .short:
      return .lengthPrefix(
        try LengthPrefixFramer(
          packetBytesMin: bounds.lowerBound, packetBytesMax: bounds.upperBound))
    case .long:
      return .lengthPrefix(
        try LengthPrefixFramer(
          lengthWidth: 4, endianness: .little, counts: .packet,
          packetBytesMin: bounds.lowerBound, packetBytesMax: bounds.upperBound))
    case .byte:
      return .lengthPrefix(
        try LengthPrefixFramer(
          lengthWidth: 1, packetBytesMin: bounds.lowerBound, packetBytesMax: bounds.upperBound))
    case .varint:
      return .lengthPrefix(
        try LengthPrefixFramer(
          encoding: .leb128, lengthWidth: 3, packetBytesMin: bounds.lowerBound,
          packetBytesMax: bounds.upperBound))
    case .line, .bareLine: return .delimiter(try lines(bounds))
    case .fixed:
      return .fixed(
        try FixedFramer(size: bounds.upperBound, leading: ConstantBytes([Stamp.Kind.play.rawValue]))
      )
    case .table: return .table(try table(bounds))
    case .choice: return .switch(try choice(bounds))
    }
  }

  private func lines(
    _ bounds: ClosedRange<Int>
  ) throws(FramerDefinitionError) -> DelimiterFramer {
    try DelimiterFramer(
      delimiters: [[UInt8(ascii: "\n")]], keepsDelimiter: !dropsDelimiter,
      packetBytesMin: bounds.lowerBound, packetBytesMax: bounds.upperBound)
  }

  private func table(_ bounds: ClosedRange<Int>) throws(FramerDefinitionError) -> TableFramer {
    var entries = Self.tableSizes.enumerated().map {
      TableFramer.Entry(opcode: UInt16($0.offset + 1), length: .fixed($0.element))
    }
    let field = try PlainLength(
      field: LengthField(offset: 1, width: 2, endianness: .little), counts: .packet,
      adjustment: 0, minimum: bounds.lowerBound, maximum: bounds.upperBound)
    entries.append(TableFramer.Entry(opcode: 3, length: .field(field)))
    return try TableFramer(
      opcode: LengthField(offset: 0, width: 1, endianness: .big), entries: entries,
      packetBytesMax: bounds.upperBound)
  }

  private func choice(_ bounds: ClosedRange<Int>) throws(FramerDefinitionError) -> SwitchFramer {
    let binary = try LengthPrefixFramer(
      lengthOffset: 1, packetBytesMin: bounds.lowerBound, packetBytesMax: bounds.upperBound)
    return try SwitchFramer(cases: [
      SwitchFramer.Case(
        matches: [Self.constant(UInt8(ascii: "{"))], framer: .delimiter(lines(bounds))),
      SwitchFramer.Case(matches: [Self.constant(1)], framer: .lengthPrefix(binary)),
    ])
  }

  private static func constant(_ byte: UInt8) -> ConstantBytes { ConstantBytes([byte])! }

  /// Bytes that the framer must refuse where a packet begins; none when it takes everything.
  func violation(_ random: inout SeededRandom) -> [UInt8] {
    let isShort = random.chance(400)
    switch self {
    case .raw: return []
    case .short: return isShort ? [0, UInt8(random.draw(0...8))] : [0xff, 0xff]
    case .long: return isShort ? [12, 0, 0, 0] : [0xff, 0xff, 0xff, 0xff]
    case .byte: return isShort ? [UInt8(random.draw(0...8))] : [0xff]
    case .varint:
      if isShort { return [UInt8(random.draw(0...8))] }
      return random.chance(500) ? [0xff, 0xff, 0xff, 0xff] : [0xff, 0x7f]
    case .line, .bareLine:
      if isShort { return [UInt8](repeating: 0x78, count: random.draw(0...15)) + [0x0a] }
      return [UInt8](repeating: 0x78, count: byteCounts.upperBound)
    case .fixed, .table, .choice: return [UInt8(random.draw(0xf0...0xff))]
    }
  }
}

extension Answer {
  /// Cuts what workers send.
  static var framer: Framer {
    do throws(FramerDefinitionError) {
      return .lengthPrefix(
        try LengthPrefixFramer(packetBytesMin: headByteCount, packetBytesMax: 0xffff + 2))
    } catch {
      preconditionFailure("an answer's \(error.key) must be \(error.expected)")
    }
  }
}
