internal import CLinux
internal import Glibc

/// Asks for a secret on the process's terminal.
enum SecretPrompt {
  /// The longest answer, in bytes; what the terminal itself takes as a line is about as long.
  static let byteCountMax = 4096

  /// Shows `prompt` and reads a line that is not shown.
  ///
  /// The terminal is as it was afterwards, also when a signal ends the process meanwhile: signals
  /// are held back and taken one by one, so no handler has to do it.
  /// - Throws: ``CommandFailure`` when there is no terminal.
  static func ask(_ prompt: String) throws(CommandFailure) -> [UInt8] {
    let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
    guard terminal >= 0 else {
      throw CommandFailure(
        "there is no terminal to ask on; use --password-stdin and give it by standard input",
        .wrongCommandLine)
    }
    defer { close(terminal) }
    var signals = heldSignals()
    var before = sigset_t()
    unsafe sigprocmask(SIG_BLOCK, &signals, &before)
    defer { unsafe sigprocmask(SIG_SETMASK, &before, nil) }
    let arrivals = unsafe signalfd(-1, &signals, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard arrivals >= 0 else { throw CommandFailure("signalfd: \(errorText(errno))") }
    defer { close(arrivals) }
    while true {
      let outcome = try askOnce(prompt, terminal, arrivals)
      switch outcome {
      case .answer(let bytes): return bytes
      case .signal(let number):
        // With its usual effect: the process ends or stops here, or goes on and asks again.
        unsafe sigprocmask(SIG_SETMASK, &before, nil)
        raise(number)
        unsafe sigprocmask(SIG_BLOCK, &signals, nil)
      }
    }
  }

  private enum Outcome {
    case answer([UInt8])
    case signal(Int32)
  }

  private static func askOnce(
    _ prompt: String, _ terminal: Int32, _ arrivals: Int32
  ) throws(CommandFailure) -> Outcome {
    var settings = termios()
    guard unsafe tcgetattr(terminal, &settings) == 0 else {
      throw CommandFailure("cannot read the terminal's settings: \(errorText(errno))")
    }
    var silent = settings
    silent.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK)
    silent.c_lflag |= tcflag_t(ICANON | ISIG)
    // Never shown, so never asked for, unless the echo is really off.
    guard unsafe tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
      throw CommandFailure("cannot switch the terminal's echo off: \(errorText(errno))")
    }
    defer {
      unsafe tcsetattr(terminal, TCSAFLUSH, &settings)
      _ = writeAll([UInt8(ascii: "\n")], to: terminal)
    }
    _ = writeAll(Array(prompt.utf8), to: terminal)
    return try readLine(terminal, arrivals)
  }

  private static func readLine(
    _ terminal: Int32, _ arrivals: Int32
  ) throws(CommandFailure) -> Outcome {
    var line: [UInt8] = []
    while true {
      var waiting = [
        pollfd(fd: terminal, events: Int16(POLLIN), revents: 0),
        pollfd(fd: arrivals, events: Int16(POLLIN), revents: 0),
      ]
      guard unsafe poll(&waiting, 2, -1) > 0 else { continue }
      var info = signalfd_siginfo()
      if unsafe read(arrivals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
        wipe(&line)
        return .signal(Int32(info.ssi_signo))
      }
      guard waiting[0].revents != 0 else { continue }
      var piece = try readSome(terminal, bytesMax: 1024, name: "the terminal")
      defer { wipe(&piece) }
      guard !piece.isEmpty else { throw CommandFailure("no answer was given") }
      for byte in piece {
        if byte == UInt8(ascii: "\n") { return .answer(line) }
        line.append(byte)
      }
      guard line.count <= byteCountMax else {
        throw CommandFailure("longer than \(byteCountMax) bytes", .wrongCommandLine)
      }
    }
  }

  private static func heldSignals() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { unsafe sigaddset(&set, number) }
    return set
  }
}

/// Overwrites a secret that is not needed any more.
func wipe(_ secret: inout [UInt8]) {
  unsafe secret.withUnsafeMutableBytes { buffer in
    guard let start = buffer.baseAddress else { return }
    // SAFETY: the whole buffer and nothing else.
    unsafe explicit_bzero(start, buffer.count)
  }
  secret.removeAll()
}
