internal import Glibc

/// Runs `body` with signals blocked: threads that it starts inherit that.
///
/// Signals are for the thread that waits for them, and SIGPIPE becomes EPIPE. Those that tell of
/// the thread's own crash stay as they are, so that a backtrace is still written.
func withSignalsBlocked<Result>(_ body: () -> Result) -> Result {
  var blocked = sigset_t()
  var before = sigset_t()
  unsafe sigfillset(&blocked)
  for crash in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP] {
    unsafe sigdelset(&blocked, crash)
  }
  unsafe pthread_sigmask(SIG_SETMASK, &blocked, &before)
  defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
  return body()
}
