internal import Framing

/// What is wrong with a stream, at its byte, and what can be done about it.
struct ViolationText {
  /// The byte, from the stream's first.
  var offset: Int
  /// The bytes there.
  var read: [UInt8]
  var expected: String
  var mend: [String]

  /// - Parameters:
  ///   - framer: of the whole direction.
  ///   - isAuthenticated: it was said when the client was let in.
  init(_ found: PacketStream.Break, _ framer: Framer, packets: Int, isAuthenticated: Bool) {
    let place = Place(found, framer)
    offset = found.offset + place.offset
    read = Array(found.front.dropFirst(place.offset).prefix(place.byteCount))
    expected = place.expected
    mend = place.mend
    if packets > 0 {
      mend.append(
        "what is in front of it may have been cut wrongly: look at the last packets' ends")
    }
    if framer.asksForAuthentication, !isAuthenticated {
      mend.append(
        "this framer changes once the client is let in: --authenticated-after says behind how many "
          + "packets that is")
    }
    if packets > 0 {
      mend.append(
        "if the stream is enciphered or compressed from here on, let a sequence end in raw")
    } else {
      mend.append("it is the stream's first packet: is the direction right, and the start there?")
    }
  }
}

/// The byte that is wrong, within its packet.
private struct Place {
  var offset = 0
  var byteCount = 8
  var expected: String
  var mend: [String] = []

  init(_ found: PacketStream.Break, _ framer: Framer) {
    let leaf = framer.only(for: found.violation)
    switch found.violation {
    case .packetTooLong(let announced, let maximum):
      expected = "a packet of at most \(maximum) bytes"
      look(at: leaf, found.front)
      mend.append(
        "if packets are that long (\(announced) bytes), raise max; if not, the length is read "
          + "wrongly")
    case .packetTooShort(let announced, let minimum):
      expected = "a packet of at least \(minimum) bytes"
      look(at: leaf, found.front)
      mend.append(
        "the packet would have \(announced) bytes in all: look at counts and adjustment, which say "
          + "what the length counts, and at min")
    case .noDelimiter(let maximum):
      byteCount = 16
      expected = "a delimiter within \(maximum) bytes"
      if case .delimiter(let framer)? = leaf {
        expected = framer.delimiters.map { HexDump.hex($0) }.joined(separator: " or ")
        expected += " within \(maximum) bytes"
      }
      mend.append("if packets are longer, raise max; else they end with something else")
    case .wrongConstant(let offset):
      self.offset = offset
      expected = "the constant bytes that the definition has there"
      if let constant = leaf?.constant(at: offset) { expected = "\(constant)" }
      mend.append("look at leading and trailing, and at what the length counts")
    case .malformedLength(let offset):
      self.offset = offset
      expected = "a length in the framer's encoding"
      mend.append("look at encoding, offset and width")
    case .unknownOpcode(let opcode):
      expected = "an opcode that the table has"
      if case .table(let table)? = leaf {
        offset = table.opcode.offset
        byteCount = table.opcode.width
      }
      let name = "0x" + String(opcode, radix: 16, uppercase: true)
      mend.append(
        "add \(name) to sizes or lengths, or say what unknown ones are: unknown = \"raw\"")
    case .noCase:
      expected = "what one of the cases begins with"
      mend.append("add a [[case]] for it, or otherwise")
    case .plugin(let code):
      expected = "what the plugin takes"
      mend.append("the plugin's own code for it is \(code)")
    case .pluginFault:
      expected = "an answer within the plugin's bounds"
      mend.append("it is the plugin that is wrong, not the stream")
    }
  }

  /// Points at the length field, and says what else it could be.
  private mutating func look(at leaf: Framer?, _ front: [UInt8]) {
    guard case .lengthPrefix(let framer)? = leaf else { return }
    offset = framer.lengthOffset
    byteCount = framer.lengthWidth
    let field = front.dropFirst(offset).prefix(byteCount)
    guard framer.encoding == .binary, (2...4).contains(field.count), field.count == byteCount
    else { return }
    let isBig = framer.endianness == .big
    let other = isBig ? Array(field.reversed()) : Array(field)
    let value = other.reduce(0) { $0 << 8 | Int($1) }
    mend.append(
      "in the other byte order (\(isBig ? "little" : "big")-endian) the length would be \(value)")
  }
}

extension Framer {
  /// The one framer in it that can have found this; nil when there are several.
  fileprivate func only(for violation: FramingViolation) -> Framer? {
    let found = leaves.filter { leaf in
      switch (violation, leaf) {
      case (.packetTooLong, .lengthPrefix), (.packetTooLong, .table), (.packetTooShort, _),
        (.noDelimiter, .delimiter), (.unknownOpcode, .table), (.wrongConstant, .lengthPrefix),
        (.wrongConstant, .fixed), (.malformedLength, .lengthPrefix):
        true
      default: false
      }
    }
    return found.count == 1 ? found[0] : nil
  }

  /// The framers that cut packets by themselves.
  private var leaves: [Framer] {
    switch self {
    case .raw: []
    case .lengthPrefix, .delimiter, .fixed, .table, .plugin: [self]
    case .switch(let framer):
      framer.cases.flatMap(\.framer.leaves) + (framer.otherwise?.leaves ?? [])
    case .sequence(let framer): framer.steps.flatMap(\.framer.leaves) + framer.last.leaves
    }
  }

  fileprivate func constant(at offset: Int) -> ConstantBytes? {
    switch self {
    case .lengthPrefix(let framer): offset == 0 ? framer.leading : framer.trailing
    case .fixed(let framer): framer.leading
    case .raw, .delimiter, .table, .switch, .sequence, .plugin: nil
    }
  }
}
