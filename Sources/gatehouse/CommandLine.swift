internal import Glibc

/// Does what a command line asks for.
///
/// - Returns: the exit status: 0 when it went well, 1 when not, 2 when the command line is wrong.
func run(_ arguments: [String]) -> Int32 {
  switch parseInvocation(arguments) {
  case .generalHelp:
    writeOutput(generalHelp)
    return 0
  case .help(let command):
    writeOutput(command.help)
    return 0
  case .version:
    writeOutput("gatehouse \(gatehouseVersion)\n")
    return 0
  case .run(.serve, let path): return serve(configurationPath: path ?? "")
  case .run(.check, let path): return check(configurationPath: path ?? "")
  case .run(.demo, _): return demo()
  case .wrong(let message):
    writeError("\(message)\nTry \"gatehouse --help\".\n")
    return 2
  }
}

/// Writes to standard output; what can't be written is lost.
func writeOutput(_ text: String) { write(text, to: STDOUT_FILENO) }

/// Writes to standard error; what can't be written is lost.
func writeError(_ text: String) { write(text, to: STDERR_FILENO) }

private func write(_ text: String, to descriptor: Int32) {
  let bytes = Array(text.utf8)
  var done = 0
  while done < bytes.count {
    let written = unsafe bytes.withUnsafeBytes { buffer in
      // SAFETY: `done` is below the buffer's count.
      unsafe Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
    }
    if written < 0 && errno == EINTR { continue }
    guard written > 0 else { return }
    done += written
  }
}
