/// The version of the whole program.
let gatehouseVersion = "0.1.0"

/// What the program can be asked to do.
enum Command: String, CaseIterable {
  case serve, check, demo

  /// Whether it needs `--config FILE`.
  var takesConfiguration: Bool {
    switch self {
    case .serve, .check: true
    case .demo: false
    }
  }

  var summary: String {
    switch self {
    case .serve: "run a gateway"
    case .check: "say what is wrong with a configuration file, or what it would run"
    case .demo: "run a gateway with a sample worker, to try it out"
    }
  }

  var help: String {
    var text = "Usage: gatehouse \(rawValue)"
    if takesConfiguration { text += " --config FILE" }
    text += "\n\n\(explanation)\n\nOptions:\n"
    if takesConfiguration { text += "  -c, --config FILE  the configuration file, in TOML\n" }
    return text + "  -h, --help         show this help\n"
  }

  private var explanation: String {
    switch self {
    case .serve:
      """
      Listens for clients, connects to workers, and runs until SIGTERM, SIGINT or SIGHUP.
      """
    case .check:
      """
      Reads a configuration file as `gatehouse serve` would, without running anything. Everything
      that is wrong is listed on standard error as FILE:LINE:COLUMN, and the exit status is 1. A
      file that is right gets a summary on standard output, and the exit status is 0.
      """
    case .demo:
      """
      Runs a gateway on loopback with a sample worker behind it; needs no configuration.
      """
    }
  }
}

/// The help that `gatehouse --help` shows.
var generalHelp: String {
  var text = """
    Usage: gatehouse COMMAND [OPTION]...

    A TCP gateway for game servers: raw TCP clients in front, gRPC workers behind.

    Commands:

    """
  for command in Command.allCases {
    let padding = String(repeating: " ", count: 8 - command.rawValue.count)
    text += "  \(command.rawValue)\(padding)\(command.summary)\n"
  }
  return text + """

    Options:
      -h, --help     show this help; `gatehouse COMMAND --help` shows that of a command
      -V, --version  show the version

    """
}
