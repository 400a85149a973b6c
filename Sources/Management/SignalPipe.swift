internal import Glibc

/// A pipe that carries nothing but the fact that something happened.
final class SignalPipe: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32

  /// Nil, with `errno` set, when there is no descriptor left.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return nil }
    readEnd = ends[0]
    writeEnd = ends[1]
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Never blocks; a full pipe has its signal already.
  func signal() {
    var byte: UInt8 = 1
    while unsafe write(writeEnd, &byte, 1) < 0 && errno == EINTR {}
  }

  /// Forgets the signals so far.
  func drain() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while unsafe read(readEnd, &bytes, 64) > 0 || errno == EINTR {}
  }

  /// - Parameter timeoutMilliseconds: negative waits for ever.
  /// - Returns: false when the time was over first.
  func wait(timeoutMilliseconds: Int32) -> Bool {
    var watched = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&watched, 1, timeoutMilliseconds) > 0
  }
}

/// Nanoseconds on a system clock.
func now(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  unsafe clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
