internal import Glibc

/// A counting semaphore whose waits end by the monotonic clock, so that a clock that is set
/// lengthens none.
@safe
public final class Semaphore: @unchecked Sendable {
  @safe
  private struct State {
    var mutex = unsafe pthread_mutex_t()
    var condition = pthread_cond_t()
    var count = 0
  }

  private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

  public init() {
    unsafe state.initialize(to: State())
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    // SAFETY: the state stays where it is until deinit.
    unsafe pthread_cond_init(&state.pointee.condition, &attributes)
    unsafe pthread_mutex_init(&state.pointee.mutex, nil)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(&state.pointee.condition)
    unsafe pthread_mutex_destroy(&state.pointee.mutex)
    unsafe state.deallocate()
  }

  /// Lets one wait end.
  public func signal() {
    unsafe pthread_mutex_lock(&state.pointee.mutex)
    unsafe state.pointee.count += 1
    unsafe pthread_cond_signal(&state.pointee.condition)
    unsafe pthread_mutex_unlock(&state.pointee.mutex)
  }

  /// Waits for a signal; one that came before counts.
  ///
  /// - Parameter milliseconds: nil waits for as long as it takes.
  /// - Returns: false when nobody signalled in time.
  public func wait(milliseconds: UInt32? = nil) -> Bool {
    var until = timespec()
    if let milliseconds {
      unsafe clock_gettime(CLOCK_MONOTONIC, &until)
      until.tv_sec += Int(milliseconds / 1000)
      until.tv_nsec += Int(milliseconds % 1000) * 1_000_000
      if until.tv_nsec >= 1_000_000_000 {
        until.tv_sec += 1
        until.tv_nsec -= 1_000_000_000
      }
    }
    unsafe pthread_mutex_lock(&state.pointee.mutex)
    defer { unsafe pthread_mutex_unlock(&state.pointee.mutex) }
    while unsafe state.pointee.count == 0 {
      let code =
        milliseconds == nil
        ? unsafe pthread_cond_wait(&state.pointee.condition, &state.pointee.mutex)
        : unsafe pthread_cond_timedwait(
          &state.pointee.condition, &state.pointee.mutex, &until)
      if code == ETIMEDOUT { return false }
    }
    unsafe state.pointee.count -= 1
    return true
  }
}
