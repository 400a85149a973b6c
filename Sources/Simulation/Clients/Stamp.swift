internal import Primitives

/// What every packet of a client begins with, behind its header.
struct Stamp: Equatable {
  enum Kind: UInt8 {
    /// `P`
    case play = 0x50
    /// `L`: says who the client is.
    case login = 0x4c
    /// `Q`: asks for something that the gateway answers by itself.
    case question = 0x51
  }

  var kind: Kind
  var visit: UInt32
  /// Counts a visit's packets from 0.
  var number: UInt32

  init(kind: Kind, visit: UInt32, number: UInt32) {
    self.kind = kind
    self.visit = visit
    self.number = number
  }

  /// Reads the front of a body.
  init?(_ body: ArraySlice<UInt8>) {
    guard body.count >= PacketShape.headByteCount, let kind = Kind(rawValue: body.first!) else {
      return nil
    }
    func number(at offset: Int) -> UInt32 {
      body.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
    self.init(kind: kind, visit: number(at: 1), number: number(at: 5))
  }

  /// Reads the front of a line.
  init?(text: ArraySlice<UInt8>) {
    guard text.count >= Self.textByteCount else { return nil }
    let start = text.startIndex
    guard let visit = HexText.bytes(text[start + 2..<start + 10]),
      let number = HexText.bytes(text[start + 11..<start + 19])
    else { return nil }
    self.init([text[start]] + visit + number)
  }

  private static let textByteCount = 19

  /// One letter, visit and number, without a space behind.
  var text: [UInt8] {
    let space = UInt8(ascii: " ")
    return [kind.rawValue, space] + HexText.text(Self.bytes(visit)) + [space]
      + HexText.text(Self.bytes(number))
  }

  var bytes: [UInt8] { [kind.rawValue] + Self.bytes(visit) + Self.bytes(number) }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
  }

  var padding: Padding { Padding(visit, number, UInt32(kind.rawValue)) }

  /// The stamp and as much padding as makes `byteCount` bytes.
  func body(byteCount: Int) -> [UInt8] {
    var body = bytes
    body.reserveCapacity(byteCount)
    var padding = padding
    while body.count < byteCount { body.append(padding.next()) }
    return body
  }
}
