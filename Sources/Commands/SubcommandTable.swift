/// The version of the whole program.
public let gatehouseVersion = "0.1.0"

/// All commands, in the order in which the help lists them.
struct SubcommandTable {
  let commands: [Subcommand]

  /// The command that the longest beginning of `words` names, and how long that is.
  func command(_ words: [String]) -> (Subcommand, used: Int)? {
    var best: (Subcommand, used: Int)?
    for command in commands {
      for name in [command.words] + command.aliases
      where words.starts(with: name) && name.count > (best?.used ?? 0) {
        best = (command, name.count)
      }
    }
    return best
  }

  /// The longest beginning of `words` with which commands begin, but which is none itself.
  func group(_ words: [String]) -> [String]? {
    for count in stride(from: words.count, to: 0, by: -1) {
      let name = Array(words.prefix(count))
      if commands.contains(where: { $0.words.starts(with: name) }) { return name }
    }
    return nil
  }

  /// What may come after `group`; without doubles.
  func words(after group: [String]) -> [String] {
    var found: [String] = []
    for command in commands where command.words.starts(with: group) {
      guard command.words.count > group.count else { continue }
      let word = command.words[group.count]
      if !found.contains(word) { found.append(word) }
    }
    return found
  }

  /// The help that `gatehouse --help` shows.
  var help: String {
    """
    Usage: gatehouse COMMAND [OPTION]...

    An authenticating TCP gateway for game servers: raw TCP clients in front, gRPC workers behind.

    Commands:
    \(aligned(commands.map { ($0.name, $0.summary) }))
    Options:
      -h, --help     show this help; `gatehouse COMMAND --help` shows that of a command
      -V, --version  show the version

    """
  }

  /// The help on commands that begin with the same words.
  func help(_ group: [String]) -> String {
    let lines = commands.filter { $0.words.starts(with: group) }.map { ($0.name, $0.summary) }
    return """
      Usage: gatehouse \(group.joined(separator: " ")) COMMAND [OPTION]...

      Commands:
      \(aligned(lines))
      `gatehouse COMMAND --help` says more.

      """
  }
}
