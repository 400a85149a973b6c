internal import CLinux
internal import Glibc

/// SIGTERM, SIGINT and SIGHUP, as something to read.
enum Signals {
  /// Blocks them in this thread.
  ///
  /// SIGPIPE is ignored from here on: a write to a gone peer is an error like others.
  static func block() {
    signal(SIGPIPE, SIG_IGN)
    var set = stopSignals()
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// A descriptor that becomes readable when one comes.
  static func open() throws(SystemError) -> Int32 {
    var set = stopSignals()
    let fd = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    if fd < 0 { throw SystemError("signalfd") }
    return fd
  }

  private static func stopSignals() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
    // A terminal that is closed is no reason to end less orderly.
    unsafe sigaddset(&set, SIGHUP)
    return set
  }

  /// How many came since the last call.
  static func take(_ fd: Int32) -> Int {
    var count = 0
    var info = signalfd_siginfo()
    while unsafe read(fd, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { count += 1 }
    return count
  }
}
