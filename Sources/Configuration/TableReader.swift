/// Reads the members of one table, and knows at the end which of them nobody asked for.
///
/// Whatever is wrong is noted and a usable value returned, so that one pass finds everything. The
/// names that were asked for are the names that are allowed: there is no second list of them.
struct TableReader {
  /// How many unknown keys of one table are listed.
  private static let unknownKeysMax = ConfigurationLoader.problemsMax

  let table: TomlTable
  /// The dotted path of the table; empty for the root.
  let path: String
  let position: TextPosition
  private(set) var problems: [ConfigurationProblem] = []
  private var keysKnown: [String] = []
  private var keysMissing: [(key: String, expected: String)] = []

  init(_ table: TomlTable, path: String, position: TextPosition) {
    self.table = table
    self.path = path
    self.position = position
  }

  /// The path of one of the table's keys.
  func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Where a key's value stands, or the table itself when it has no such key.
  func position(of key: String) -> TextPosition { table.entry(key)?.node.position ?? position }

  /// Asks for a key, which makes it a known one.
  mutating func take(_ key: String) -> TomlNode? {
    keysKnown.append(key)
    return table.entry(key)?.node
  }

  /// Asks for a key that must be there; ``finish(ignoresUnknown:)`` complains when it is not.
  ///
  /// - Parameter expected: reads on after "expected".
  mutating func takeRequired(_ key: String, expected: String) -> TomlNode? {
    let node = take(key)
    if node == nil { keysMissing.append((key, expected)) }
    return node
  }

  /// Notes that the value of `key` is wrong.
  mutating func note(
    _ key: String, _ message: String, expected: String? = nil, suggestion: String? = nil
  ) {
    problems.append(
      ConfigurationProblem(
        at: position(of: key), key: path(of: key), message, expected: expected,
        suggestion: suggestion))
  }

  mutating func noteWrongType(_ key: String, _ node: TomlNode, expected: String) {
    problems.append(
      ConfigurationProblem(
        at: node.position, key: path(of: key), "found \(node.typeName)", expected: expected))
  }

  /// Notes that a key itself is wrong, whatever its value.
  mutating func noteKey(
    _ entry: TomlTable.Entry, _ key: String, _ message: String, expected: String
  ) {
    problems.append(
      ConfigurationProblem(
        at: entry.keyPosition, key: path(of: key), message, expected: expected))
  }

  mutating func add(_ more: [ConfigurationProblem]) { problems += more }

  /// Notes keys that nobody asked for and keys that are missing, and hands over all that was noted.
  ///
  /// A key that is missing only because its name is misspelt is not noted twice.
  ///
  /// - Parameter ignoresUnknown: for a table of which it could not be told what belongs in it.
  mutating func finish(ignoresUnknown: Bool = false) -> [ConfigurationProblem] {
    var suggested: [String] = []
    let unknown = table.entries.lazy.filter { [keysKnown] in !keysKnown.contains($0.key) }
    let listed = ignoresUnknown ? [] : Array(unknown.prefix(Self.unknownKeysMax))
    for entry in listed {
      let absent = keysKnown.filter { table.entry($0) == nil }
      let nearest = nearestName(to: entry.key, among: absent)
      if let nearest { suggested.append(nearest) }
      problems.append(
        ConfigurationProblem(
          at: entry.keyPosition, key: path(of: shownKey(entry.key)),
          entry.node.isTabular ? "unknown table" : "unknown key",
          suggestion: nearest ?? nearestName(to: entry.key, among: keysKnown)))
    }
    for (key, expected) in keysMissing where !suggested.contains(key) {
      problems.append(
        ConfigurationProblem(
          at: position, key: path(of: key), "missing", expected: expected))
    }
    return problems
  }
}

/// A key as TOML would write it: quoted when it is not a bare one.
func shownKey(_ key: String) -> String {
  let isBare =
    !key.isEmpty
    && key.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  return isBare ? shown(key) : "\"\(shown(key))\""
}
