internal import Primitives

/// What packets of one kind of game look like on the wire, and how to tell that they are whole.
///
/// Every packet says whose it is and which one; all its other bytes follow from that.
///
/// ```
/// binary: header | kind (1) | visit (4, big endian) | number (4, big endian) | padding
/// text:   kind, visit and number in hexadecimal, padding in hexadecimal, between spaces | LF
/// ```
enum PacketShape: String, CaseIterable {
  /// No packets: bytes that follow from their place.
  case raw
  /// A length of 2 bytes, big endian, of what follows.
  case short
  /// A length of 4 bytes, little endian, of the whole packet.
  case long
  /// A length of 1 byte of what follows.
  case byte
  /// A length in LEB128 of what follows.
  case varint
  /// Text up to LF.
  case line
  /// The same, but workers get it without its LF.
  case bareLine
  /// 32 bytes.
  case fixed
  /// An opcode, which says the size or where it stands.
  case table
  /// Text after `{`, or a length of 2 bytes after 01.
  case choice

  static let fixedByteCount = 32
  /// The sizes of a table's opcodes 1 and 2.
  static let tableSizes = [16, 64]
  /// Kind, visit and number.
  static let headByteCount = 9

  /// The bytes that a packet has on the wire, at the least and at the most.
  var byteCounts: ClosedRange<Int> {
    switch self {
    case .raw: 1...20_000
    case .short: 2 + Self.headByteCount...4096
    case .long: 4 + Self.headByteCount...20_000
    case .byte: 1 + Self.headByteCount...200
    case .varint: 1 + Self.headByteCount...1500
    case .line, .bareLine: Self.emptyLineByteCount...2000
    case .fixed: Self.fixedByteCount...Self.fixedByteCount
    case .table: 3 + Self.headByteCount...1200
    case .choice: 3 + Self.headByteCount...2100
    }
  }

  private static let emptyLineByteCount = 20

  /// Whether the longest login packet has room.
  var takesLogins: Bool {
    switch self {
    case .short, .long, .varint, .line, .bareLine, .table, .choice: true
    case .raw, .byte, .fixed: false
    }
  }

  /// Workers get packets without their last byte.
  var dropsDelimiter: Bool { self == .bareLine }

  // MARK: Packets

  /// A packet of play, of `byteCount` bytes or as near to that as the shape comes.
  func packet(visit: Int, number: Int, byteCount: Int) -> [UInt8] {
    precondition(self != .raw)
    let bounds = byteCounts
    let wanted = min(max(byteCount, bounds.lowerBound), bounds.upperBound)
    let stamp = Stamp(kind: .play, visit: UInt32(visit), number: UInt32(number))
    if isText(stamp) { return line(stamp, byteCount: wanted) }
    let header = binaryHeaderByteCount(ofPacket: wanted)
    return wrapped(stamp.body(byteCount: wanted - header))
  }

  /// What a worker got: nil when a byte of it is not as it was sent.
  func read(_ payload: ArraySlice<UInt8>) -> Stamp? {
    guard self != .raw, payload.count >= Self.headByteCount, let stamp = stamp(of: payload) else {
      return nil
    }
    var whole = payload
    if dropsDelimiter { whole.append(UInt8(ascii: "\n")) }
    switch stamp.kind {
    case .play:
      guard byteCounts.contains(whole.count) else { return nil }
      let expected = packet(
        visit: Int(stamp.visit), number: Int(stamp.number), byteCount: whole.count)
      return expected.elementsEqual(whole) ? stamp : nil
    case .login:
      guard let login = LoginPacket(whole, self) else { return nil }
      return login.bytes(self).elementsEqual(whole) ? stamp : nil
    case .question: return nil
    }
  }

  /// Kind, visit and number as they stand in a packet, true or not.
  private func stamp(of packet: ArraySlice<UInt8>) -> Stamp? {
    let brace = self == .choice && packet.first == UInt8(ascii: "{") ? 1 : 0
    if self == .line || self == .bareLine || brace == 1 {
      return Stamp(text: packet.dropFirst(brace))
    }
    return Stamp(packet.dropFirst(headerByteCount(of: packet)))
  }

  // MARK: Text

  private func isText(_ stamp: Stamp) -> Bool {
    switch self {
    case .line, .bareLine: true
    case .choice: stamp.kind == .play && stamp.number % 2 == 1
    case .raw, .short, .long, .byte, .varint, .fixed, .table: false
    }
  }

  /// A padding of n bytes takes a space and 2n digits.
  private func line(_ stamp: Stamp, byteCount: Int) -> [UInt8] {
    var bytes: [UInt8] = self == .choice ? [UInt8(ascii: "{")] : []
    bytes += stamp.text
    let room = byteCount - bytes.count - 1
    if room >= 3 {
      bytes.append(UInt8(ascii: " "))
      var padding = stamp.padding
      for _ in 0..<(room - 1) / 2 { HexText.append(padding.next(), to: &bytes) }
    }
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  // MARK: Headers

  /// A body with the shape's header in front.
  func wrapped(_ body: [UInt8]) -> [UInt8] {
    let count = body.count
    func byte(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value) }
    switch self {
    case .raw, .line, .bareLine: preconditionFailure("no binary packets")
    case .short: return [byte(count >> 8), byte(count)] + body
    case .long:
      let total = count + 4
      return [byte(total), byte(total >> 8), byte(total >> 16), byte(total >> 24)] + body
    case .byte: return [byte(count)] + body
    case .varint:
      return (count < 128 ? [byte(count)] : [byte(count | 0x80), byte(count >> 7)]) + body
    case .fixed: return body
    case .table:
      if let opcode = Self.tableSizes.firstIndex(of: count + 1) { return [byte(opcode + 1)] + body }
      return [3, byte(count + 3), byte((count + 3) >> 8)] + body
    case .choice: return [1, byte(count >> 8), byte(count)] + body
    }
  }

  /// How long the header of a packet of so many bytes is.
  private func binaryHeaderByteCount(ofPacket byteCount: Int) -> Int {
    switch self {
    case .varint: byteCount <= 128 ? 1 : 2
    case .table: Self.tableSizes.contains(byteCount) ? 1 : 3
    default: headerByteCountMax
    }
  }

  /// How long the header at the front of a packet says that it is.
  private func headerByteCount(of packet: ArraySlice<UInt8>) -> Int {
    switch self {
    case .varint: packet.first! < 0x80 ? 1 : 2
    case .table: packet.first! == 3 ? 3 : 1
    default: headerByteCountMax
    }
  }

  var headerByteCountMax: Int {
    switch self {
    case .raw, .fixed, .line, .bareLine: 0
    case .byte: 1
    case .short, .varint: 2
    case .table, .choice: 3
    case .long: 4
    }
  }
}

/// Digits of bytes.
enum HexText {
  static func append(_ byte: UInt8, to text: inout [UInt8]) {
    for digit in [byte >> 4, byte & 15] {
      text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  static func text(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    for byte in bytes { append(byte, to: &text) }
    return text
  }

  /// - Returns: nil when there is an odd number of them, or one that is no small digit.
  static func bytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }
}
