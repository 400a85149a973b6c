import Testing

@testable import Commands

/// Goal: a command line is understood as it was meant, or answered with what it may have meant.
@Suite struct CommandLineTests {
  private func outcome(_ words: String) -> String {
    let arguments = ["gatehouse"] + words.split(separator: " ").map(String.init)
    switch parseInvocation(arguments, World.table) {
    case .help(let text): return "help: " + text.prefix { $0 != "\n" }
    case .version: return "version"
    case .wrong(let message, let help): return "\(message) | \(help)"
    case .run(let command, let operands, let options):
      let sorted = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return "\(command.name) \(operands) \(sorted.joined(separator: " "))"
    }
  }

  @Test(arguments: [
    ("", "gatehouse: no command | gatehouse --help"),
    ("--version", "version"), ("-V", "version"),
    ("--help", "help: Usage: gatehouse COMMAND [OPTION]..."),
    ("help", "help: Usage: gatehouse COMMAND [OPTION]..."),
    ("help ban", "help: Usage: gatehouse ban SUBJECT [OPTION]..."),
    ("help ban import", "help: Usage: gatehouse ban import FILE [OPTION]..."),
    ("help account", "help: Usage: gatehouse account COMMAND [OPTION]..."),
    ("account --help", "help: Usage: gatehouse account COMMAND [OPTION]..."),
    ("ban --help", "help: Usage: gatehouse ban SUBJECT [OPTION]..."),
    ("ban x --for 1d --help", "help: Usage: gatehouse ban SUBJECT [OPTION]..."),
    ("bna", #"gatehouse: unknown command "bna" (did you mean "ban"?) | gatehouse --help"#),
    (
      "account",
      "gatehouse account: which of add, passwd, disable, enable, list, remove, import?"
        + " | gatehouse account --help"
    ),
    (
      "account ad anna",
      #"gatehouse account: unknown command "ad" (did you mean "add"?) "#
        + "| gatehouse account --help"
    ),
    ("ban", "gatehouse ban: SUBJECT is missing | gatehouse ban --help"),
    ("ban a b", #"gatehouse ban: unexpected argument "b" | gatehouse ban --help"#),
    (
      "ban a --fro 1d",
      #"gatehouse ban: unknown option "--fro" (did you mean "--for"?) | gatehouse ban --help"#
    ),
    ("ban a --for", "gatehouse ban: --for needs an argument | gatehouse ban --help"),
    ("bans --all=x", "gatehouse bans: --all takes no argument | gatehouse bans --help"),
    ("bans -x", #"gatehouse bans: unknown option "-x" | gatehouse bans --help"#),
  ])
  func wrongLinesAndHelp(words: String, expected: String) { #expect(outcome(words) == expected) }

  @Test(arguments: [
    ("ban a --for 1d --reason r", #"ban ["a"] for=1d reason=r"#),
    ("ban --for=1d a --reason=r", #"ban ["a"] for=1d reason=r"#),
    ("ban --for 1d --for 2d a", #"ban ["a"] for=2d"#),
    ("ban -- -a", #"ban ["-a"] "#),
    ("ban import - --format p2p", #"ban import ["-"] format=p2p"#),
    ("ban account:import", #"ban ["account:import"] "#),
    ("bans list -n 5 --json", "bans [] json= limit=5"),
    ("bans -n5", "bans [] limit=5"),
    ("bans --lim 5", "bans [] limit=5"),
    ("check -c x", "check [] config=x"),
  ])
  func goodLines(words: String, expected: String) { #expect(outcome(words) == expected) }

  /// Goal: what may be a password is not repeated: messages end in logs and on shared screens.
  @Test(arguments: [
    "account add anna hunter2", "account passwd anna hunter2",
    "account add anna --password hunter2",
    "account add anna --password=hunter2", "account add anna --pasword=hunter2",
    "token add anna hunter2", "token add anna --stdin=hunter2",
  ])
  func whatMayBeASecretIsNotRepeated(words: String) {
    let text = outcome(words)
    #expect(text.hasPrefix("gatehouse ") && text.contains("--help"))
    #expect(!text.contains("hunter2"))
  }

  @Test func controlCharactersOfArgumentsDoNotReachTheTerminal() {
    guard
      case .wrong(let message, _) = parseInvocation(["gatehouse", "a\u{1b}[2J"], World.table)
    else {
      Issue.record("not refused")
      return
    }
    #expect(message == #"gatehouse: unknown command "a\u001b[2J""#)
  }

  /// Goal: no command without its help, and no help that a terminal would break.
  @Test func everyCommandHasHelp() {
    for command in World.table.commands {
      #expect(!command.summary.isEmpty && command.summary.first?.isLowercase == true)
      let help = command.help
      #expect(help.hasPrefix("Usage: gatehouse \(command.name)"))
      #expect(command.words == ["demo"] || !command.examples.isEmpty, "\(command.name)")
      for line in help.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
      for option in command.options { #expect(help.contains("--\(option.name)")) }
      #expect(World.table.help.contains("\n  \(command.name) "))
      #expect(
        Set(command.options.map(\.name)).count == command.options.count, "\(command.name)")
    }
  }
}
