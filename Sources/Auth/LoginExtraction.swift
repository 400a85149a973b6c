/// Reads the fields of one packet, one behind the other.
struct LoginExtraction {
  private let packet: [UInt8]
  /// Where the previous field ended.
  private var cursor = 0

  init(_ packet: [UInt8]) { self.packet = packet }

  /// Why a field can't be had; never what stands there.
  struct Failure: Error {
    var fault: LoginFault
    /// The field's name.
    var field: String
  }

  /// Adds what the fields give; a field that came before is replaced.
  consuming func take(
    _ fields: [LoginField], into credentials: inout Credentials
  ) throws(Failure) {
    for field in fields {
      do throws(LoginFault) {
        try take(field, into: &credentials)
      } catch {
        throw Failure(fault: error, field: field.target.name)
      }
    }
  }

  private mutating func take(
    _ field: LoginField, into credentials: inout Credentials
  ) throws(LoginFault) {
    guard let raw = try bytes(of: field) else {
      guard field.isOptional else { throw .missingField }
      return
    }
    try put(field.value(of: raw), of: field, into: &credentials)
  }

  private func put(
    _ value: [UInt8], of field: LoginField, into credentials: inout Credentials
  ) throws(LoginFault) {
    switch field.target {
    case .secret:
      guard !value.isEmpty || field.isOptional else { throw .missingField }
      if !value.isEmpty { credentials.secret = value }
    case .account:
      guard !value.isEmpty || field.isOptional else { throw .missingField }
      guard !value.isEmpty else { return }
      let text = try Self.text(value)
      guard AccountName(text) != nil else { throw .badName }
      credentials.account = text
    case .attribute(let name):
      let attribute = Credentials.Attribute(name: name, value: try Self.text(value))
      if let index = credentials.attributes.firstIndex(where: { $0.name == name }) {
        credentials.attributes[index] = attribute
      } else {
        credentials.attributes.append(attribute)
      }
    }
  }

  /// Text without control characters, which would spoil logs and terminals.
  private static func text(_ value: [UInt8]) throws(LoginFault) -> String {
    guard let text = String(validating: value, as: UTF8.self), !hasControls(text.utf8.span)
    else { throw .badCharacters }
    return text
  }

  /// The field's bytes as they stand in the packet, apart from its XOR key.
  ///
  /// Leaves the cursor behind the field.
  ///
  /// - Returns: nil when the packet is too short for it, or has no such word, part or key.
  private mutating func bytes(of field: LoginField) throws(LoginFault) -> ArraySlice<UInt8>? {
    guard let start = start(of: field) else { return nil }
    switch field.form {
    case .fixed(let width, _), .bytes(let width):
      return take(width, at: start, field)
    case .integer(let integer, _):
      return take(integer.width, at: start, field)
    case .lengthPrefixed(let integer):
      guard let count = integer.value(in: packet[start...]) else { return nil }
      return take(Int(clamping: count), at: start + integer.width, field)
    case .varintPrefixed:
      guard let (count, width) = varint(at: start) else { return nil }
      return take(count, at: start + width, field)
    case .rest:
      return take(packet.count - start, at: start, field)
    case .zeroTerminated, .line, .word, .pair, .split:
      let text = LoginText(field.unmasked(packet[start...]))
      guard let (range, end) = try text.find(field) else { return nil }
      cursor = start + (end - text.bytes.startIndex)
      return text.bytes[range]
    }
  }

  private func start(of field: LoginField) -> Int? {
    switch field.start {
    case .offset(let offset): return place(offset, in: packet.count)
    case .afterPrevious(let skip):
      let (start, overflow) = cursor.addingReportingOverflow(skip)
      return overflow || !(0...packet.count).contains(start) ? nil : start
    }
  }

  /// `count` bytes at `start`, which is at most the packet's end.
  private mutating func take(_ count: Int, at start: Int, _ field: LoginField) -> ArraySlice<UInt8>?
  {
    guard count >= 0, count <= packet.count - start else { return nil }
    cursor = start + count
    return field.unmasked(packet[start..<cursor])
  }

  /// An unsigned LEB128 of at most 5 bytes and 32 bits (DWARF 5 section 7.6).
  private func varint(at start: Int) -> (value: Int, width: Int)? {
    var value: UInt64 = 0
    for (index, byte) in packet[start...].prefix(5).enumerated() {
      value |= UInt64(byte & 0x7f) << UInt64(7 * index)
      if byte < 0x80 { return value <= UInt32.max ? (Int(value), index + 1) : nil }
    }
    return nil
  }
}

extension LoginField {
  /// The bytes with the XOR key taken off; they may have other indices.
  fileprivate func unmasked(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard !xor.isEmpty else { return bytes }
    var bytes = Array(bytes)
    for index in bytes.indices { bytes[index] ^= xor[index % xor.count] }
    return bytes[...]
  }
}
