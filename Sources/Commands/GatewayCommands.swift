internal import Synchronization

extension SubcommandTable {
  init(_ programs: GatewayPrograms) {
    commands =
      [serve(programs.serve), check(programs.check), demo(programs.demo)]
      + banCommands + banListCommands + allowCommands + [whyCommand]
      + accountCommands + tokenCommands + ticketCommands
      + sessionCommands + listenerCommands + recordCommands + framerCommands
      + [framerLearnCommand] + storeCommands + historyCommands + [simCommand, helpCommand]
  }
}

private func serve(_ run: @escaping @Sendable (String) -> Int32) -> Subcommand {
  Subcommand(
    words: ["serve"], options: [.config], summary: "run a gateway",
    explanation: "Listens for clients, connects to workers, and runs until SIGTERM, SIGINT or "
      + "SIGHUP.",
    examples: ["gatehouse serve --config gatehouse.toml"],
    run: { call in try passedOn(run(try StoreAccess.configurationPath(call))) })
}

private func check(_ run: @escaping @Sendable (String) -> Int32) -> Subcommand {
  Subcommand(
    words: ["check"], options: [.config],
    summary: "say what is wrong with a configuration file, or what it would run",
    explanation: """
      Reads a configuration file as `gatehouse serve` would, without running anything. Everything
      that is wrong is listed on standard error as FILE:LINE:COLUMN, and the exit status is 1. A
      file that is right gets a summary on standard output, and the exit status is 0.
      """,
    examples: ["gatehouse check --config gatehouse.toml"],
    run: { call in try passedOn(run(try StoreAccess.configurationPath(call))) })
}

private func demo(_ run: @escaping @Sendable () -> Int32) -> Subcommand {
  Subcommand(
    words: ["demo"], summary: "run a gateway with a sample worker, to try it out",
    explanation: """
      Runs a gateway on loopback with a sample worker behind it; needs no configuration.
      """,
    run: { _ in try passedOn(run()) })
}

/// Is here for the list; the parser answers it.
private let helpCommand = Subcommand(
  words: ["help"], operands: "[COMMAND]...", summary: "show a command's help",
  explanation: "`gatehouse help COMMAND` is `gatehouse COMMAND --help`.",
  examples: ["gatehouse help ban import"], run: { _ in .done })

/// A gateway's own exit status, which may be one that no other command has.
struct ProgramStatus: Error {
  var code: Int32
}

private func passedOn(_ code: Int32) throws(ProgramStatus) -> ExitStatus {
  guard code == 0 else { throw ProgramStatus(code: code) }
  if outputHasFailed.load(ordering: .relaxed) { throw ProgramStatus(code: 1) }
  return .done
}
