internal import Commands
internal import Gateway

/// Reads and checks a configuration file; whatever is wrong with it goes to standard error, and so
/// do warnings.
///
/// - Returns: nil when it can't be used.
func loadConfiguration(path: String) -> GatewayConfiguration? {
  Commands.loadConfiguration(path: path)
}

/// Writes to standard output; what can't be written is told at the end.
func writeOutput(_ text: String) { Commands.writeOutput(text) }

/// Writes to standard error; what can't be written is lost.
func writeError(_ text: String) { Commands.writeError(text) }

let gatehouseVersion = Commands.gatehouseVersion
