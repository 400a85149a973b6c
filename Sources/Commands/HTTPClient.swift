internal import Glibc

/// A request to the management API and its answer, over a connection of its own: HTTP/1.0
/// (RFC 1945), so that the answer ends where the connection does.
struct HTTPClient {
  var host: String
  var port: UInt16
  /// Sent as a bearer token (RFC 6750 section 2.1).
  var token: String

  struct Answer: Equatable {
    var status: Int
    var body: [UInt8]
  }

  /// The longest answer that is read, in bytes: ten thousand sessions and room to spare.
  static let answerBytesMax = 64 << 20
  /// How long one step may take: connecting, and each wait for more, in seconds.
  var stepSecondsMax = 15

  /// Why there is no answer.
  enum Failure: Error, Equatable {
    /// Nobody listens there; in the system's words.
    case notRunning(String)
    case broken(String)
  }

  /// - Parameter body: JSON; empty when there is none.
  func request(
    _ method: String, _ target: String, body: [UInt8] = []
  ) throws(Failure) -> Answer {
    let descriptor = try connected()
    defer { close(descriptor) }
    var head =
      "\(method) \(target) HTTP/1.0\r\nHost: \(authority)\r\nAuthorization: Bearer \(token)\r\n"
      + "Connection: close\r\n"
    if !body.isEmpty {
      head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
    }
    if case .failed(let reason) = writeAll(Array((head + "\r\n").utf8) + body, to: descriptor) {
      throw .broken("cannot send to \(authority): \(reason)")
    }
    var bytes: [UInt8] = []
    while bytes.count <= Self.answerBytesMax {
      let piece: [UInt8]
      do throws(CommandFailure) {
        piece = try readSome(descriptor, bytesMax: 65_536, name: "the answer of \(authority)")
      } catch {
        throw .broken(error.message)
      }
      if piece.isEmpty { return try Self.parse(bytes, from: authority) }
      bytes += piece
    }
    throw .broken("\(authority) answers with more than \(Self.answerBytesMax) bytes")
  }

  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Status and body; of the headers in between the length alone is looked at.
  static func parse(_ bytes: [UInt8], from authority: String) throws(Failure) -> Answer {
    let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? 0
    let words = String(decoding: bytes[..<lineEnd], as: UTF8.self).split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1].prefix(3)),
      (100...599).contains(status), let bodyStart = bodyStart(of: bytes)
    else { throw .broken("\(authority) does not answer in HTTP") }
    let body = Array(bytes[bodyStart...])
    if let announced = contentLength(bytes[..<bodyStart]), body.count < announced {
      throw .broken("\(authority) has gone in the middle of its answer")
    }
    return Answer(status: status, body: body)
  }

  /// Nil when it is not there, or no number.
  private static func contentLength(_ head: ArraySlice<UInt8>) -> Int? {
    for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
      return Int(parts[1].drop { $0 == " " })
    }
    return nil
  }

  private static func bodyStart(of bytes: [UInt8]) -> Int? {
    let end = Array("\r\n\r\n".utf8)
    var index = 0
    while index + end.count <= bytes.count {
      if bytes[index..<index + end.count].elementsEqual(end) { return index + end.count }
      index += 1
    }
    return nil
  }

  private func connected() throws(Failure) -> Int32 {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_NUMERICSERV
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(host, String(port), &hints, &found)
    guard result == 0 else {
      let problem =
        unsafe result == EAI_SYSTEM ? errorText(errno) : String(cString: gai_strerror(result))
      throw .broken("cannot resolve \(quoted(host)): \(problem)")
    }
    defer { unsafe freeaddrinfo(found) }
    var problem = "no address"
    var candidate = unsafe found
    while let address = unsafe candidate {
      let type = unsafe address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
      let descriptor = unsafe socket(
        address.pointee.ai_family, type, address.pointee.ai_protocol)
      if descriptor >= 0 {
        bound(descriptor)
        if unsafe connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
          return descriptor
        }
      }
      problem = errorText(errno)
      if descriptor >= 0 { close(descriptor) }
      unsafe candidate = address.pointee.ai_next
    }
    throw .notRunning(problem)
  }

  /// On Linux the time to send bounds connecting as well (socket(7)).
  private func bound(_ descriptor: Int32) {
    var limit = timeval(tv_sec: stepSecondsMax, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
  }
}
