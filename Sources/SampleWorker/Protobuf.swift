/// What is wrong with bytes that should have been a message of the contract.
public enum ContractError: Error, Equatable, Sendable {
  /// A field reaches past the end of its message.
  case truncated
  /// A varint has more than ten bytes.
  case varintTooLong
  /// Field number 0, a number above 2^29 - 1, or a wire type that does not exist.
  case invalidTag
  /// A string field is not UTF-8.
  case invalidText
  /// Groups are nested deeper than ``ProtobufReader/groupDepthMax``, or end without a beginning.
  case invalidGroup
}

/// Reads the fields of one message, front to back.
///
/// Source: protobuf.dev/programming-guides/encoding. Never reads outside its range, whatever the
/// bytes say.
package struct ProtobufReader {
  /// How deep unknown groups may be nested; the contract itself has none.
  package static let groupDepthMax = 16

  package enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case groupStart = 3
    case groupEnd = 4
    case fixed32 = 5
  }

  package struct Tag: Equatable {
    package var field: UInt32
    package var type: WireType
  }

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = 0
    end = bytes.count
  }

  private init(_ bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field's tag, or nil at the end of the message.
  package mutating func nextTag() throws(ContractError) -> Tag? {
    guard position < end else { return nil }
    let raw = try varint()
    guard raw <= UInt64(UInt32.max), raw >> 3 != 0, let type = WireType(rawValue: UInt8(raw & 7))
    else { throw .invalidTag }
    return Tag(field: UInt32(raw >> 3), type: type)
  }

  /// One varint; bits above the 64th are dropped, as every implementation does.
  package mutating func varint() throws(ContractError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw .truncated }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw .varintTooLong
  }

  /// A length-delimited field's bytes.
  package mutating func payload() throws(ContractError) -> [UInt8] {
    Array(bytes[try payloadRange()])
  }

  /// A string field.
  package mutating func text() throws(ContractError) -> String {
    let range = try payloadRange()
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw .invalidText }
    return text
  }

  /// A reader of an embedded message.
  package mutating func message() throws(ContractError) -> ProtobufReader {
    ProtobufReader(bytes, range: try payloadRange())
  }

  /// Steps over a field that nobody asked for.
  package mutating func skip(_ tag: Tag) throws(ContractError) {
    try skip(tag, depth: 0)
  }

  private mutating func skip(_ tag: Tag, depth: Int) throws(ContractError) {
    switch tag.type {
    case .varint: _ = try varint()
    case .fixed64: try advance(8)
    case .bytes: _ = try payloadRange()
    case .groupStart: try skipGroup(tag.field, depth: depth + 1)
    case .groupEnd: throw .invalidGroup
    case .fixed32: try advance(4)
    }
  }

  private mutating func skipGroup(_ field: UInt32, depth: Int) throws(ContractError) {
    guard depth <= Self.groupDepthMax else { throw .invalidGroup }
    while let tag = try nextTag() {
      if tag.type == .groupEnd {
        guard tag.field == field else { throw .invalidGroup }
        return
      }
      try skip(tag, depth: depth)
    }
    throw .truncated
  }

  private mutating func advance(_ count: Int) throws(ContractError) {
    guard count <= end - position else { throw .truncated }
    position += count
  }

  private mutating func payloadRange() throws(ContractError) -> Range<Int> {
    let length = try varint()
    guard length <= UInt64(end - position) else { throw .truncated }
    let start = position
    position += Int(length)
    return start..<position
  }
}

/// Writes the fields of one message.
///
/// Fields that have their default value are left out, as proto3 says.
package struct ProtobufWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func field(_ number: UInt32, text: String) {
    field(number, bytes: Array(text.utf8))
  }

  package mutating func field(_ number: UInt32, bytes payload: [UInt8]) {
    guard !payload.isEmpty else { return }
    field(number, message: payload)
  }

  package mutating func field(_ number: UInt32, varint value: UInt64) {
    guard value != 0 else { return }
    self.varint(UInt64(number) << 3)
    self.varint(value)
  }

  /// A field that is written even when it is empty: a message, or the chosen case of a oneof.
  package mutating func field(_ number: UInt32, message payload: [UInt8]) {
    varint(UInt64(number) << 3 | 2)
    varint(UInt64(payload.count))
    bytes += payload
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
