internal import Glibc

/// What a system call said no with.
public struct SampleWorkerError: Error, Equatable, Sendable {
  /// The name of the call.
  public let call: String
  /// Its errno.
  public let code: Int32
}

/// Makes a listening socket on 127.0.0.1 and says which port it has.
///
/// - Parameter port: 0 for any free one.
func listenOnLoopback(
  port: UInt16
) throws(SampleWorkerError) -> (descriptor: Int32, port: UInt16) {
  let descriptor = try checked("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
  do throws(SampleWorkerError) {
    var yes: Int32 = 1
    // A worker that is started again must get its port back while old connections linger.
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // SAFETY: a sockaddr_in is a sockaddr to these calls, and its true length goes with it.
    let (bound, named) = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      let generic = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
      let bound = unsafe bind(descriptor, generic, length) == 0 ? 0 : errno
      return unsafe (bound, getsockname(descriptor, generic, &length) == 0 ? 0 : errno)
    }
    guard bound == 0 else { throw SampleWorkerError(call: "bind", code: bound) }
    guard named == 0 else { throw SampleWorkerError(call: "getsockname", code: named) }
    try checked("listen", listen(descriptor, 64))
    try setNonblocking(descriptor)
    return (descriptor, UInt16(bigEndian: address.sin_port))
  } catch {
    close(descriptor)
    throw error
  }
}

/// Accepts one connection, ready for use; nil when there is none.
func acceptConnection(_ listener: Int32) throws(SampleWorkerError) -> Int32? {
  let descriptor = accept(listener, nil, nil)
  guard descriptor >= 0 else {
    switch errno {
    case EAGAIN, EINTR, ECONNABORTED: return nil
    default: throw SampleWorkerError(call: "accept", code: errno)
    }
  }
  do throws(SampleWorkerError) {
    try setNonblocking(descriptor)
  } catch {
    close(descriptor)
    throw error
  }
  var yes: Int32 = 1
  // Chat lines are small and each is awaited by somebody.
  _ = unsafe setsockopt(
    descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  return descriptor
}

func setNonblocking(_ descriptor: Int32) throws(SampleWorkerError) {
  let flags = try checked("fcntl", fcntl(descriptor, F_GETFL, 0))
  try checked("fcntl", fcntl(descriptor, F_SETFL, flags | O_NONBLOCK))
  try checked("fcntl", fcntl(descriptor, F_SETFD, FD_CLOEXEC))
}

/// Two ends of a pipe: what is written to the second wakes a poll on the first.
func makePipe() throws(SampleWorkerError) -> (read: Int32, write: Int32) {
  var ends: (Int32, Int32) = (0, 0)
  let result = unsafe withUnsafeMutableBytes(of: &ends) {
    unsafe pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
  }
  try checked("pipe", result)
  try checked("fcntl", fcntl(ends.0, F_SETFD, FD_CLOEXEC))
  try checked("fcntl", fcntl(ends.1, F_SETFD, FD_CLOEXEC))
  return (ends.0, ends.1)
}

@discardableResult
func checked(_ call: String, _ result: Int32) throws(SampleWorkerError) -> Int32 {
  guard result >= 0 else { throw SampleWorkerError(call: call, code: errno) }
  return result
}

/// The wall clock as the contract writes it: 2026-01-31T23:59:59.123Z.
func timestamp() -> String {
  var now = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &now)
  var parts = unsafe tm()
  var seconds = now.tv_sec
  _ = unsafe gmtime_r(&seconds, &parts)
  func digits(_ value: Int, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
  let date = unsafe [
    digits(Int(parts.tm_year) + 1900, 4), digits(Int(parts.tm_mon) + 1, 2),
    digits(Int(parts.tm_mday), 2),
  ].joined(separator: "-")
  let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0), 2) }
    .joined(separator: ":")
  return "\(date)T\(time).\(digits(now.tv_nsec / 1_000_000, 3))Z"
}
