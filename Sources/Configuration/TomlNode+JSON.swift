internal import JSON

extension TomlNode {
  /// The same value as a configuration file would have it; its position is not known.
  ///
  /// - Parameters:
  ///   - path: where it stands, for problems; empty for the root.
  ///   - problems: gets what no configuration can hold.
  init(_ json: JSONValue, path: String, problems: inout [ConfigurationProblem]) {
    position = .unknown
    switch json {
    case .object(let members):
      let entries = members.compactMap { member -> TomlTable.Entry? in
        let key = shownKey(member.name)
        let node = TomlNode(
          member.value, path: path.isEmpty ? key : "\(path).\(key)", problems: &problems)
        // What was said of it is enough.
        guard member.value != .null else { return nil }
        return TomlTable.Entry(key: member.name, keyPosition: .unknown, node: node)
      }
      value = .table(TomlTable(entries: entries))
    case .array(let elements):
      value = .array(
        elements.enumerated().map {
          TomlNode($1, path: "\(path)[\($0 + 1)]", problems: &problems)
        })
    case .string(let text): value = .string(text)
    case .integer(let number): value = .integer(number)
    case .bool(let flag): value = .boolean(flag)
    case .real: value = .float
    case .null:
      problems.append(
        ConfigurationProblem(
          at: .unknown, key: path, "null is no value", expected: "a value, or no such key"))
      value = .table(TomlTable(entries: []))
    }
  }

  /// The same value in JSON; nil for what only TOML has: dates, times, and numbers with a fraction,
  /// which no key of a listener takes.
  ///
  /// - Parameter problems: gets each of them.
  func json(path: String, problems: inout [ConfigurationProblem]) -> JSONValue {
    switch value {
    case .table(let table):
      return .object(
        table.entries.map { entry in
          let key = shownKey(entry.key)
          return JSONValue.Member(
            entry.key,
            entry.node.json(path: path.isEmpty ? key : "\(path).\(key)", problems: &problems))
        })
    case .array(let elements):
      return .array(
        elements.enumerated().map { $1.json(path: "\(path)[\($0 + 1)]", problems: &problems) })
    case .string(let text): return .string(text)
    case .integer(let number): return .integer(number)
    case .boolean(let flag): return .bool(flag)
    case .float, .dateOrTime:
      problems.append(
        ConfigurationProblem(
          at: position, key: path, "no key of a listener takes \(typeName)"))
      return .null
    }
  }
}
