public import JSON

/// A file with one `[[listener]]` table, for a gateway that runs.
public enum ListenerFile {
  public enum Outcome: Equatable, Sendable {
    /// What ``ListenerReader`` takes.
    case read(JSONValue)
    /// All that is wrong with the file's form; never empty. What is wrong with the listener is for
    /// the gateway to say.
    case refused([ConfigurationProblem])
  }

  /// - Parameters:
  ///   - text: TOML 1.0, of at most ``ConfigurationLoader/textBytesMax`` bytes: one `[[listener]]`,
  ///     and `[framer.NAME]` tables.
  ///   - file: named in problems.
  public static func read(text: [UInt8], file: String) -> Outcome {
    let root: TomlNode
    switch TomlNode.parse(text) {
    case .failure(let problem):
      return .refused(finished([problem], file: file))
    case .success(let node): root = node
    }
    guard case .table(let table) = root.value else { preconditionFailure("a TOML root is a table") }
    var reader = TableReader(table, path: "", position: .start)
    let listeners = reader.subtables("listener", isRequired: true)
    if listeners.count > 1 {
      reader.note(
        "listener", "there are \(listeners.count) listeners", expected: "one for each command")
    }
    let framers = reader.take("framer")
    var problems = reader.finish()
    var members: [JSONValue.Member] = []
    if let listener = listeners.first {
      let node = TomlNode(position: listener.position, value: .table(listener.table))
      if case .object(let keys) = node.json(path: "listener", problems: &problems) {
        members = keys
      }
    }
    for key in ["framers", "save"] where members.contains(where: { $0.name == key }) {
      problems.append(
        ConfigurationProblem(at: .start, key: "listener.\(key)", "unknown key"))
    }
    if let framers {
      members.append(
        JSONValue.Member("framers", framers.json(path: "framer", problems: &problems)))
    }
    guard problems.isEmpty else {
      return .refused(finished(problems, file: file))
    }
    return .read(.object(members))
  }
}
