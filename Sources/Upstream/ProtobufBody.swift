/// Appends fields to a Protobuf message.
///
/// Source: Protocol Buffers encoding specification. As proto3 has it, a field with its default
/// value is left out.
extension [UInt8] {
  mutating func append(text: String, field: UInt64) {
    guard !text.isEmpty else { return }
    appendDelimited(text.utf8, field: field)
  }

  mutating func append(bytes: [UInt8], field: UInt64) {
    guard !bytes.isEmpty else { return }
    appendDelimited(bytes, field: field)
  }

  mutating func append(integer: UInt64, field: UInt64) {
    guard integer != 0 else { return }
    append(varint: field << 3 | 0)
    append(varint: integer)
  }

  /// A `map<string, string>`: one entry each, in which the runtimes leave out nothing.
  mutating func append(map: [(name: String, value: String)], field: UInt64) {
    for (name, value) in map {
      var entry: [UInt8] = []
      entry.appendDelimited(name.utf8, field: 1)
      entry.appendDelimited(value.utf8, field: 2)
      appendDelimited(entry, field: field)
    }
  }

  /// A value of a field that is there even when it is empty.
  mutating func appendDelimited(_ bytes: some Collection<UInt8>, field: UInt64) {
    append(varint: field << 3 | 2)
    append(varint: UInt64(bytes.count))
    append(contentsOf: bytes)
  }

  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}
