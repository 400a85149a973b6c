internal import Glibc

/// Signals by which an operator ends a command that would go on: held back, for a good end.
///
/// Ctrl-C (SIGINT), SIGTERM and SIGHUP. Without a handler: a command asks for them while it waits.
struct Interruption {
  private var signals = sigset_t()

  /// From here on they do not end the process.
  init() {
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Waits so long, unless one comes first.
  ///
  /// - Returns: true when one has come.
  func comes(withinMilliseconds milliseconds: Int) -> Bool {
    var time = timespec(
      tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var signals = signals
    return unsafe sigtimedwait(&signals, nil, &time) > 0
  }

  /// From here on they do again.
  func end() {
    var signals = signals
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
