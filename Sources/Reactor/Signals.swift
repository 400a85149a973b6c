internal import CLinux
internal import Glibc

/// SIGTERM and SIGINT, as something to read.
enum Signals {
  /// Blocks both in this thread.
  ///
  /// SIGPIPE is ignored from here on: a write to a gone peer is an error like others.
  static func block() {
    signal(SIGPIPE, SIG_IGN)
    var set = both()
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// A descriptor that becomes readable when one comes.
  static func open() throws(SystemError) -> Int32 {
    var set = both()
    let fd = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    if fd < 0 { throw SystemError("signalfd") }
    return fd
  }

  private static func both() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTERM)
    unsafe sigaddset(&set, SIGINT)
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
