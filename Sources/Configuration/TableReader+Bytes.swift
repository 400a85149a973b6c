extension TableReader {
  static let bytesExpected = #"a string such as "\r\n", or { hex = "0D 0A" }"#

  static let escapesExpected = #"\n, \r, \t, \0, \\ or \x and two hexadecimal digits"#

  /// One byte string, or a list of them.
  mutating func byteStrings(
    _ key: String, _ node: TomlNode, count: ClosedRange<Int>, byteCount: ClosedRange<Int>
  ) -> [[UInt8]]? {
    guard case .array(let elements) = node.value else {
      return bytes(key, node, byteCount: byteCount).map { [$0] }
    }
    guard count.contains(elements.count) else {
      note(
        key, "the list has \(elements.count) entries",
        expected: "\(count.lowerBound) to \(count.upperBound)")
      return nil
    }
    let read = elements.enumerated().compactMap { index, element in
      bytes("\(key)[\(index + 1)]", element, byteCount: byteCount)
    }
    return read.count == elements.count ? read : nil
  }

  /// A string with escapes, as in ``bytesOfText(_:)``, or a table with `hex`; nil when wrong.
  mutating func bytes(
    _ key: String, _ node: TomlNode, byteCount: ClosedRange<Int>
  ) -> [UInt8]? {
    let bytes: [UInt8]
    switch node.value {
    case .string(let text):
      guard let escaped = bytesOfText(text) else {
        noteProblem(
          key, node, "\"\(shown(text))\" has an unknown escape",
          expected: Self.escapesExpected)
        return nil
      }
      bytes = escaped
    case .table(let table):
      var reader = TableReader(table, path: path(of: key), position: node.position)
      let hex = reader.takeRequired("hex", expected: "hexadecimal digits, as in \"0D 0A\"")
      var found: [UInt8]?
      if let hex {
        if case .string(let text) = hex.value { found = bytesOfHex(text) }
        if found == nil {
          reader.noteProblem(
            "hex", hex, "no whole bytes in hexadecimal",
            expected: "pairs of digits, as in \"0D 0A\"")
        }
      }
      add(reader.finish())
      guard let found else { return nil }
      bytes = found
    case .integer, .boolean, .float, .dateOrTime, .array:
      noteWrongType(key, node, expected: Self.bytesExpected)
      return nil
    }
    guard byteCount.contains(bytes.count) else {
      noteProblem(
        key, node, "it has \(bytes.count) bytes",
        expected: "\(byteCount.lowerBound) to \(byteCount.upperBound) bytes")
      return nil
    }
    return bytes
  }

  /// As ``note(_:_:expected:suggestion:)``, of a value that is not at the table's own level.
  mutating func noteProblem(
    _ key: String, _ node: TomlNode, _ message: String, expected: String,
    suggestion: String? = nil
  ) {
    add([
      ConfigurationProblem(
        at: node.position, key: path(of: key), message, expected: expected, suggestion: suggestion)
    ])
  }
}

/// The UTF-8 of `text` with `\n`, `\r`, `\t`, `\0`, `\\` and `\xHH` replaced by the bytes they
/// stand for; nil when another escape is in it.
///
/// TOML has resolved those of its basic strings before, so that `"\r\n"`, `'\r\n'` and `"\\r\\n"`
/// mean the same.
func bytesOfText(_ text: String) -> [UInt8]? {
  var bytes: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "\\") else {
      bytes.append(byte)
      continue
    }
    switch rest.popFirst() {
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "0"): bytes.append(0x00)
    case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
    case UInt8(ascii: "x"):
      guard let high = rest.popFirst().flatMap(hexDigit),
        let low = rest.popFirst().flatMap(hexDigit)
      else { return nil }
      bytes.append(high << 4 | low)
    default: return nil
    }
  }
  return bytes
}

/// The bytes that pairs of hexadecimal digits stand for, with any spaces between pairs; nil for
/// all else.
func bytesOfHex(_ text: String) -> [UInt8]? {
  var bytes: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: " ") { continue }
    guard let high = hexDigit(byte), let low = rest.popFirst().flatMap(hexDigit) else {
      return nil
    }
    bytes.append(high << 4 | low)
  }
  return bytes
}

func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
