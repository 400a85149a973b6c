/// Something that must hold for a packet to be the one that is meant.
public enum LoginCondition: Equatable, Sendable {
  /// These bytes stand at `offset`, which counts from the packet's end when it is negative.
  case bytes([UInt8], offset: Int)
  /// The integer at `offset`, with only the bits of `mask` kept, is `value`.
  case integer(LoginInteger, offset: Int, mask: UInt64 = .max, value: UInt64)
  /// The packet begins with this; `ignoresCase` makes ASCII letters match in either case.
  case text(String, ignoresCase: Bool = false)
  /// The packet has so many bytes.
  case byteCount(ClosedRange<Int>)

  func holds(for packet: [UInt8]) -> Bool {
    switch self {
    case .bytes(let bytes, let offset):
      guard let start = place(offset, in: packet.count) else { return false }
      return packet[start...].starts(with: bytes)
    case .integer(let integer, let offset, let mask, let value):
      guard let start = place(offset, in: packet.count),
        let found = integer.value(in: packet[start...])
      else { return false }
      return found & mask == value
    case .text(let text, let ignoresCase):
      let wanted = text.utf8
      guard packet.count >= wanted.count else { return false }
      return zip(packet, wanted).allSatisfy {
        $0 == $1 || ignoresCase && foldedASCII($0) == foldedASCII($1)
      }
    case .byteCount(let range): return range.contains(packet.count)
    }
  }
}

/// An unsigned integer as it stands in a packet.
public struct LoginInteger: Equatable, Sendable {
  public enum Endianness: String, CaseIterable, Sendable { case big, little }

  /// In bytes, 1 to 8.
  public let width: Int
  public let endianness: Endianness

  /// - Precondition: `width` is 1 to 8.
  public init(width: Int, endianness: Endianness = .big) {
    precondition((1...8).contains(width))
    self.width = width
    self.endianness = endianness
  }

  /// The value of the first ``width`` bytes; nil when there are not so many.
  func value(in bytes: ArraySlice<UInt8>) -> UInt64? {
    guard bytes.count >= width else { return nil }
    let bytes = bytes.prefix(width)
    return switch endianness {
    case .big: bytes.reduce(0) { $0 << 8 | UInt64($1) }
    case .little: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}

/// The index for an offset from the start or, when it is negative, from the end.
///
/// - Returns: 0 to `count`; nil when there is no such place.
func place(_ offset: Int, in count: Int) -> Int? {
  let index = offset < 0 ? count + offset : offset
  return (0...count).contains(index) ? index : nil
}

/// An ASCII letter in lower case; any other byte as it is.
func foldedASCII(_ byte: UInt8) -> UInt8 {
  (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
}
