internal import Framing

/// A framer as a listener refers to it.
struct NamedFramer {
  /// What operators and workers see.
  var name: String
  var framer: Framer
}

/// Reads a whole table that defines a framer: `kind` and the keys of that kind.
///
/// - Returns: the framer and its kind, nil when something is wrong with it.
private func readFramer(
  _ table: TomlTable, path: String, position: TextPosition
) -> (made: (kind: FramerKind, framer: Framer)?, problems: [ConfigurationProblem]) {
  var reader = TableReader(table, path: path, position: position)
  let kinds = FramerKind.allCases.map { (name: $0.rawValue, value: $0) }
  let expected = list(kinds.map { "\"\($0.name)\"" })
  guard let node = reader.takeRequired("kind", expected: expected),
    let kind = reader.choice("kind", node, kinds)
  else {
    // Without a kind nobody knows which keys belong here.
    return (nil, reader.finish(ignoresUnknown: true))
  }
  let framer = reader.framer(kind.definition)
  let problems = reader.finish()
  return (problems.isEmpty ? framer.map { (kind, $0) } : nil, problems)
}

extension TableReader {
  /// Reads the keys of a definition; generic, so that a framer brings its keys along.
  mutating func framer(_ definition: FramerDefinition) -> Framer? {
    let problemsBefore = problems.count
    var values: [String: FramerValue] = [:]
    var isComplete = true
    for key in definition.keys {
      let taken =
        key.defaultValue == nil ? takeRequired(key.name, expected: key.summary) : take(key.name)
      if let node = taken {
        values[key.name] = value(key, node)
      } else if key.defaultValue == nil {
        isComplete = false
      }
    }
    guard isComplete, problems.count == problemsBefore else { return nil }
    do {
      return try definition.make(values)
    } catch {
      note(error.key, "it does not fit the other keys", expected: error.expected)
      return nil
    }
  }

  private mutating func value(_ key: FramerKey, _ node: TomlNode) -> FramerValue? {
    switch key.type {
    case .integer(let bounds): return integer(key.name, node, bounds).map { .integer($0) }
    case .integerAmong(let allowed):
      let expected = list(allowed.map(String.init))
      guard case .integer(let value) = node.value else {
        noteWrongType(key.name, node, expected: expected)
        return nil
      }
      guard let value = Int(exactly: value), allowed.contains(value) else {
        note(key.name, "\(value) is not one of its values", expected: expected)
        return nil
      }
      return .integer(value)
    case .byteCount(let bounds): return byteCount(key.name, node, bounds).map { .integer($0) }
    case .choice(let words):
      return choice(key.name, node, words.map { (name: $0, value: $0) }).map { .text($0) }
    case .boolean: return boolean(key.name, node).map { .boolean($0) }
    case .text(let byteCount):
      return text(key.name, node, byteCount: byteCount).map { .text($0) }
    case .byteStrings(let count, let byteCount):
      return byteStrings(key.name, node, count: count, byteCount: byteCount)
        .map { .byteStrings($0) }
    }
  }
}

/// The framers of a file, by name.
struct FramerTable {
  /// Nil for one whose definition is wrong: it exists, but can't be used.
  private var framers: [(name: String, position: TextPosition, framer: Framer?)] = []
  private var namesUsed: [String] = []

  /// Reads `[framer.NAME]` tables out of the root table; they go before those that are there.
  mutating func read(_ root: inout TableReader, key: String = "framer") {
    guard var all = root.subtable(key) else { return }
    for (index, entry) in all.table.entries.enumerated() {
      guard index < TableReader.tablesMax else {
        all.note(shownKey(entry.key), "more than \(TableReader.tablesMax) framers")
        break
      }
      read(entry, of: &all)
    }
    // Every name is allowed here, so none is unknown.
    root.add(all.finish(ignoresUnknown: true))
  }

  private mutating func read(_ entry: TomlTable.Entry, of all: inout TableReader) {
    let key = shownKey(entry.key)
    guard case .table(let table) = entry.node.value else {
      all.noteWrongType(key, entry.node, expected: "a table: [\(all.path(of: key))]")
      return
    }
    if !isName(entry.key) {
      all.noteKey(entry, key, "not a name", expected: nameExpected)
    } else if entry.key == FramerKind.raw.rawValue {
      all.noteKey(entry, key, "\"raw\" is built in", expected: "another name")
    }
    let (made, problems) = readFramer(
      table, path: all.path(of: key), position: entry.node.position)
    all.add(problems)
    framers.insert((entry.key, entry.keyPosition, made?.framer), at: 0)
  }

  /// Resolves what a listener says under `key`: a name, or a table that defines a framer in place.
  ///
  /// - Returns: nil with a problem noted, or when the framer referred to has its own.
  mutating func resolve(_ key: String, of listener: inout TableReader) -> NamedFramer? {
    guard let node = listener.take(key) else { return NamedFramer(name: "raw", framer: .raw) }
    switch node.value {
    case .string(let name):
      if name == FramerKind.raw.rawValue { return NamedFramer(name: name, framer: .raw) }
      if let found = framers.first(where: { $0.name == name }) {
        namesUsed.append(name)
        return found.framer.map { NamedFramer(name: name, framer: $0) }
      }
      listener.note(
        key, "no framer is named \"\(shown(name))\"",
        expected: "\"raw\" or the NAME of a [framer.NAME] table",
        suggestion: nearestName(to: name, among: framers.map(\.name) + ["raw"]))
      return nil
    case .table(let table):
      let (made, problems) = readFramer(
        table, path: listener.path(of: key), position: node.position)
      listener.add(problems)
      return made.map { NamedFramer(name: $0.kind.rawValue, framer: $0.framer) }
    case .integer, .boolean, .float, .dateOrTime, .array:
      listener.noteWrongType(key, node, expected: "a framer's name, or { kind = … }")
      return nil
    }
  }

  /// One warning for each framer that no listener names.
  var warnings: [ConfigurationProblem] {
    framers.filter { !namesUsed.contains($0.name) }.map {
      ConfigurationProblem(
        at: $0.position, key: "framer.\(shownKey($0.name))", "no listener uses this framer")
    }
  }
}
