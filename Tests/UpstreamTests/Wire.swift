/// A small Protobuf encoder and decoder, written apart from the code under test.
///
/// Source: Protocol Buffers, "Encoding".
enum Wire {
  static func varint(_ value: UInt64) -> [UInt8] {
    value < 128
      ? [UInt8(value)] : [UInt8(value % 128) + 128] + varint(value / 128)
  }

  /// A varint with more bytes than it needs.
  static func varint(_ value: UInt64, byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { index in
      let bits = index < 10 ? UInt8(truncatingIfNeeded: value >> UInt64(7 * index)) & 127 : 0
      return index == byteCount - 1 ? bits : bits + 128
    }
  }

  static func tag(_ number: UInt64, _ wireType: UInt64) -> [UInt8] { varint(number * 8 + wireType) }

  static func integer(_ number: UInt64, _ value: UInt64) -> [UInt8] {
    tag(number, 0) + varint(value)
  }

  static func bytes(_ number: UInt64, _ value: [UInt8]) -> [UInt8] {
    tag(number, 2) + varint(UInt64(value.count)) + value
  }

  static func text(_ number: UInt64, _ value: String) -> [UInt8] {
    bytes(number, Array(value.utf8))
  }

  static func fixed64(_ number: UInt64) -> [UInt8] { tag(number, 1) + [1, 2, 3, 4, 5, 6, 7, 8] }

  static func fixed32(_ number: UInt64) -> [UInt8] { tag(number, 5) + [1, 2, 3, 4] }

  static func group(_ number: UInt64, _ fields: [UInt8]) -> [UInt8] {
    tag(number, 3) + fields + tag(number, 4)
  }

  /// The message behind gRPC's prefix.
  static func framed(_ message: [UInt8], compressed: UInt8 = 0) -> [UInt8] {
    let count = message.count
    return [
      compressed, UInt8(count >> 24 & 255), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255),
      UInt8(count & 255),
    ] + message
  }

  /// The whole messages at the front of a stream's bytes, without their prefixes.
  static func messages(_ bytes: [UInt8]) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var at = 0
    while bytes.count - at >= 5 {
      let length = bytes[at + 1..<at + 5].reduce(0) { $0 * 256 + Int($1) }
      guard bytes.count - at >= 5 + length else { break }
      messages.append(Array(bytes[at + 5..<at + 5 + length]))
      at += 5 + length
    }
    return messages
  }

  enum Value: Equatable {
    case integer(UInt64)
    case bytes([UInt8])
  }

  /// The fields of a well-formed message of varints and bytes, in their order.
  static func fields(_ message: [UInt8]) -> [(number: UInt64, value: Value)]? {
    var rest = message[...]
    var fields: [(UInt64, Value)] = []
    while !rest.isEmpty {
      guard let tag = takeVarint(&rest), let value = takeVarint(&rest) else { return nil }
      switch tag % 8 {
      case 0: fields.append((tag / 8, .integer(value)))
      case 2:
        guard rest.count >= value else { return nil }
        fields.append((tag / 8, .bytes(Array(rest.prefix(Int(value))))))
        rest = rest.dropFirst(Int(value))
      default: return nil
      }
    }
    return fields
  }

  private static func takeVarint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var scale: UInt64 = 1
    while let byte = rest.popFirst() {
      value += UInt64(byte % 128) * scale
      if byte < 128 { return value }
      scale *= 128
    }
    return nil
  }
}
