internal import Glibc
internal import Primitives

/// Sockets of sessions that are over, read and forgotten until their clients have ended too.
///
/// A socket closed with unread bytes in it is reset, and the reset can overtake what was written
/// last: a refusal, a farewell.
struct LingeringSockets: ~Copyable {
  private static let longest = Interval.seconds(1)
  /// Beyond it sockets are closed at once: they count against the process's descriptors.
  private static let socketsMax = 1024

  private struct Socket {
    var fd: Int32
    var deadline: Instant
  }

  /// In the order of their deadlines.
  private var sockets: [Socket] = []

  var count: Int { sockets.count }
  var nextDeadline: Instant? { sockets.first?.deadline }

  /// Ends our direction; `fd` is still registered with `epoll`, as something else.
  mutating func add(_ fd: Int32, epoll: borrowing Epoll, now: Instant) {
    guard sockets.count < Self.socketsMax, shutdown(fd, Int32(SHUT_WR)) == 0 else {
      return Sockets.close(fd, abort: false)
    }
    epoll.change(fd, .lingering(fd), .readable)
    sockets.append(Socket(fd: fd, deadline: now + Self.longest))
  }

  /// Reads and forgets; closes when there is nothing more to come.
  mutating func readable(_ fd: Int32, buffer: UnsafeMutableRawBufferPointer) {
    // A stale event of a turn in which the socket was closed names none of ours.
    guard let place = sockets.firstIndex(where: { $0.fd == fd }) else { return }
    let count = unsafe recv(fd, buffer.baseAddress!, buffer.count, 0)
    if count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR)) { return }
    Sockets.close(fd, abort: false)
    sockets.remove(at: place)
  }

  /// Closes those whose time is over.
  mutating func closeExpired(now: Instant) {
    var expired = 0
    while expired < sockets.count, sockets[expired].deadline <= now {
      Sockets.close(sockets[expired].fd, abort: false)
      expired += 1
    }
    if expired > 0 { sockets.removeFirst(expired) }
  }
}
