internal import Glibc

/// What a new thread runs; the one object that crosses over to it.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a detached thread that takes no signals; false when the system gives none.
public func startThread(_ run: @escaping @Sendable () -> Void) -> Bool {
  var all = sigset_t()
  var before = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
  defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
  var thread = pthread_t()
  let body = unsafe Unmanaged.passRetained(ThreadBody(run))
  let code = unsafe pthread_create(
    &thread, nil,
    { argument in
      unsafe Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
      return nil
    }, unsafe body.toOpaque())
  guard code == 0 else {
    unsafe body.release()
    return false
  }
  pthread_detach(thread)
  return true
}
