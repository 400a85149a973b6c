internal import Glibc
internal import Synchronization

extension Surroundings {
  /// Those of this process.
  static func process() -> Surroundings {
    Surroundings(
      now: { Int64(time(nil)) },
      variable: { name in unsafe getenv(name).map { unsafe String(cString: $0) } },
      loginName: { loginNameOfProcess() },
      write: { writeAll($0, to: STDOUT_FILENO) },
      writeError: { _ = writeAll(Array($0.utf8), to: STDERR_FILENO) },
      read: { try readSome(STDIN_FILENO, bytesMax: $0, name: "standard input") },
      askSecret: { try SecretPrompt.ask($0) },
      isTerminal: { isatty(STDOUT_FILENO) == 1 })
  }
}

private func loginNameOfProcess() -> String {
  let user = getuid()
  if let entry = unsafe getpwuid(user), let name = unsafe entry.pointee.pw_name {
    return unsafe String(cString: name)
  }
  return "uid \(user)"
}

/// What the system calls error number `code`.
func errorText(_ code: Int32) -> String {
  unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}

/// Writes all of `bytes`, however often that takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Surroundings.WriteOutcome {
  var done = 0
  while done < bytes.count {
    let written = unsafe bytes.withUnsafeBytes { buffer in
      // SAFETY: `done` is below the buffer's count.
      unsafe Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
    }
    if written < 0 && errno == EINTR { continue }
    if written < 0 && errno == EAGAIN {
      // Somebody else made the terminal or pipe non-blocking.
      var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      unsafe poll(&ready, 1, -1)
      continue
    }
    guard written > 0 else { return .failed(errorText(written < 0 ? errno : EIO)) }
    done += written
  }
  return .written
}

/// What is there to be read, at most `bytesMax` bytes; empty at the end.
func readSome(_ descriptor: Int32, bytesMax: Int, name: String) throws(CommandFailure) -> [UInt8] {
  while true {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, count in
      // SAFETY: read writes at most the buffer's count of bytes.
      let result = unsafe read(descriptor, buffer.baseAddress, buffer.count)
      failure = result < 0 ? errno : 0
      count = max(0, result)
    }
    if failure == EINTR { continue }
    guard failure == 0 else {
      throw CommandFailure("cannot read \(name): \(errorText(failure))")
    }
    return bytes
  }
}

/// Whether ``writeOutput(_:)`` could not write something.
let outputHasFailed = Atomic(false)

/// Writes to standard output, for what is no command of this module.
///
/// What can't be written is told on standard error, and by the process's exit status.
public func writeOutput(_ text: String) {
  guard case .failed(let reason) = writeAll(Array(text.utf8), to: STDOUT_FILENO) else { return }
  outputHasFailed.store(true, ordering: .relaxed)
  writeError("gatehouse: cannot write to standard output: \(reason)\n")
}

/// Writes to standard error; what can't be written is lost.
public func writeError(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
