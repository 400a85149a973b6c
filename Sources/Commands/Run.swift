internal import Glibc

/// The commands that run a gateway; they live beside the reactor, which this module does not know.
///
/// Each returns the process's exit status.
public struct GatewayPrograms: Sendable {
  public var serve: @Sendable (_ configurationPath: String) -> Int32
  public var check: @Sendable (_ configurationPath: String) -> Int32
  public var demo: @Sendable () -> Int32

  public init(
    serve: @escaping @Sendable (String) -> Int32, check: @escaping @Sendable (String) -> Int32,
    demo: @escaping @Sendable () -> Int32
  ) {
    self.serve = serve
    self.check = check
    self.demo = demo
  }
}

/// Does what a command line asks for.
///
/// - Parameter arguments: the first is the program's own name.
/// - Returns: the exit status: 0 when it went well, 1 when not, 2 when the command line is wrong, 3
///   when there was nothing that matched.
public func run(_ arguments: [String], _ programs: GatewayPrograms) -> Int32 {
  // A reader that went away is an error like others, not the end of the process.
  signal(SIGPIPE, SIG_IGN)
  signal(SIGXFSZ, SIG_IGN)
  return run(arguments, SubcommandTable(programs), .process())
}

/// As ``run(_:_:)``, with surroundings of the caller's choice.
func run(_ arguments: [String], _ table: SubcommandTable, _ surroundings: Surroundings) -> Int32 {
  let console = Console(surroundings)
  var program = "gatehouse"
  do {
    var status = ExitStatus.done
    switch parseInvocation(arguments, table) {
    case .help(let text): try console.write(text)
    case .version: try console.write("gatehouse \(gatehouseVersion)\n")
    case .wrong(let message, let help):
      surroundings.writeError("\(message)\nTry \"\(help)\".\n")
      status = .wrongCommandLine
    case .run(let command, let operands, let options):
      program = command.program
      status = try command.run(
        Call(command: command, operands: operands, options: options, console: console))
    }
    try console.flush()
    return status.rawValue
  } catch let status as ProgramStatus {
    return status.code
  } catch {
    let failure = CommandFailure(error)
    surroundings.writeError("\(program): \(failure.message)\n")
    return failure.status.rawValue
  }
}
