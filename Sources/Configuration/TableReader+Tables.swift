extension TableReader {
  /// How many entries a list of tables may have.
  static let tablesMax = 256

  /// A table under `key`; nil when absent or not a table.
  mutating func subtable(_ key: String) -> TableReader? {
    guard let node = take(key) else { return nil }
    guard case .table(let table) = node.value else {
      noteWrongType(key, node, expected: "a table: [\(path(of: key))]")
      return nil
    }
    return TableReader(table, path: path(of: key), position: node.position)
  }

  /// The tables of a list, written `[[key]]`; empty when absent.
  ///
  /// - Parameter isRequired: whether there must be one.
  mutating func subtables(_ key: String, isRequired: Bool = false) -> [TableReader] {
    let header = "[[\(path(of: key).replacing(/\[[0-9]+\]/, with: ""))]]"
    let taken =
      isRequired ? takeRequired(key, expected: "at least one \(header)") : take(key)
    guard let node = taken else { return [] }
    guard case .array(let elements) = node.value else {
      var isTable = false
      if case .table = node.value { isTable = true }
      noteWrongType(
        key, node, expected: isTable ? "\(header), in double brackets" : "tables: \(header)")
      return []
    }
    if elements.isEmpty && isRequired {
      note(key, "the list is empty", expected: "at least one \(header)")
    }
    if elements.count > Self.tablesMax {
      problems(add: elements[Self.tablesMax], key, "more than \(Self.tablesMax) tables")
    }
    var readers: [TableReader] = []
    for (index, element) in elements.prefix(Self.tablesMax).enumerated() {
      let elementKey = "\(key)[\(index + 1)]"
      guard case .table(let table) = element.value else {
        noteWrongType(elementKey, element, expected: "a table: \(header)")
        continue
      }
      readers.append(
        TableReader(table, path: path(of: elementKey), position: element.position))
    }
    return readers
  }

  private mutating func problems(add node: TomlNode, _ key: String, _ message: String) {
    add([ConfigurationProblem(at: node.position, key: path(of: key), message)])
  }
}
