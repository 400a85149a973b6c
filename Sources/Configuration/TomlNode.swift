internal import CToml

/// A value of a TOML document, with its place.
struct TomlNode: Sendable {
  enum Value: Sendable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case float
    case dateOrTime
    case array([TomlNode])
    case table(TomlTable)
  }

  /// Where the value begins; for a table with a header, where the header begins.
  let position: TextPosition
  let value: Value

  /// True for a table, and for a list of them.
  var isTabular: Bool {
    switch value {
    case .table: true
    case .array(let elements): elements.first?.isTabular ?? false
    case .string, .integer, .boolean, .float, .dateOrTime: false
    }
  }

  /// What the value is, with its article.
  var typeName: String {
    switch value {
    case .string: "a string"
    case .integer: "an integer"
    case .boolean: "a boolean"
    case .float: "a float"
    case .dateOrTime: "a date or time"
    case .array: "an array"
    case .table: "a table"
    }
  }
}

/// The members of a table, in the order of the text.
struct TomlTable: Sendable {
  struct Entry: Sendable {
    let key: String
    let keyPosition: TextPosition
    let node: TomlNode
  }

  let entries: [Entry]

  func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }
}

extension TomlNode {
  /// Parses a whole document, which is a table; the first syntax error ends it.
  static func parse(_ text: [UInt8]) -> Result<TomlNode, ConfigurationProblem> {
    guard text.count <= ConfigurationLoader.textBytesMax else {
      return .failure(
        ConfigurationProblem(
          at: .start, key: "", "the file has \(text.count) bytes",
          expected: "at most \(ConfigurationLoader.textBytesMax)"))
    }
    var scan = TomlScan()
    if let problem = scan.firstProblem(in: text) { return .failure(problem) }

    let parsed = unsafe text.withUnsafeBytes { bytes in
      // SAFETY: the parser reads `count` bytes during the call and copies what it keeps.
      unsafe ctoml_parse(bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count)
    }
    guard let document = unsafe parsed else {
      return .failure(ConfigurationProblem(at: .start, key: "", "no memory left to parse the file"))
    }
    defer { unsafe ctoml_free(document) }
    guard unsafe ctoml_is_valid(document) else {
      // SAFETY: the text belongs to the document, which lives until this function returns.
      let text = unsafe String(ctoml_error_text(document))
      return unsafe .failure(
        ConfigurationProblem(
          at: TextPosition(ctoml_error_position(document)), key: "", shown(text, scalarsMax: 400)))
    }
    var index = 0
    return unsafe .success(node(of: document, at: &index))
  }

  /// Reads the value at `index` and leaves `index` after its last descendant; recurses as deep as
  /// ``TomlScan`` and the parser's own limit let values nest.
  private static func node(of document: OpaquePointer, at index: inout Int) -> TomlNode {
    let entry = unsafe ctoml_entry(document, index)
    let position = unsafe TextPosition(entry.position)
    index += 1
    switch unsafe entry.kind {
    case CTomlKindTable:
      var members: [TomlTable.Entry] = []
      for _ in unsafe 0..<entry.child_count {
        let member = unsafe ctoml_entry(document, index)
        // SAFETY: the text belongs to the document, which the caller keeps alive.
        let key = unsafe String(member.key)
        let keyPosition = unsafe TextPosition(member.key_position)
        unsafe members.append(
          TomlTable.Entry(
            key: key, keyPosition: keyPosition, node: node(of: document, at: &index)))
      }
      // The parser sorts by name.
      members.sort { $0.keyPosition < $1.keyPosition }
      return TomlNode(position: position, value: .table(TomlTable(entries: members)))
    case CTomlKindArray:
      let children = unsafe entry.child_count
      let elements = (0..<children).map { _ in unsafe node(of: document, at: &index) }
      return TomlNode(position: position, value: .array(elements))
    case CTomlKindString:
      // SAFETY: as above.
      return TomlNode(position: position, value: .string(unsafe String(entry.string)))
    case CTomlKindInteger:
      return unsafe TomlNode(position: position, value: .integer(entry.integer))
    case CTomlKindBoolean:
      return unsafe TomlNode(position: position, value: .boolean(entry.boolean))
    case CTomlKindFloat: return TomlNode(position: position, value: .float)
    default: return TomlNode(position: position, value: .dateOrTime)
    }
  }
}

extension String {
  fileprivate init(_ text: CTomlText) {
    self = unsafe String(
      decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.count), as: UTF8.self)
  }
}

extension TextPosition {
  fileprivate init(_ position: CTomlPosition) {
    self.init(line: Int(position.line), column: Int(position.column))
  }
}
