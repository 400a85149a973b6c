import Foundation
import Testing

/// A connection that sends what it is told, HTTP or not.
final class RawConnection {
  struct Refused: Error {}

  private let descriptor: Int32

  /// - Throws: ``Refused`` when nobody listens.
  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    // A bound on a test that would otherwise hang, not a moment that it waits for.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Refused() }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let result = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard result > 0 else { return }
      sent += result
    }
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Ends this direction; the other one stays open.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// What comes until `isEnough` says so, or the other side ends.
  func receive(until isEnough: (String) -> Bool = { _ in false }) -> String {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !isEnough(String(decoding: all, as: UTF8.self)) {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      all += buffer[0..<count]
    }
    return String(decoding: all, as: UTF8.self)
  }
}

/// One response, taken apart.
struct Answer {
  var status: Int
  var headers: [String: String] = [:]
  var body: String

  init(_ text: String) throws {
    let end = try #require(text.range(of: "\r\n\r\n"), "no response: \(text)")
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    status = try #require(Int(lines[0].split(separator: " ")[1]))
    for line in lines.dropFirst() {
      let colon = try #require(line.firstIndex(of: ":"))
      headers[line[..<colon].lowercased()] =
        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    body = String(text[end.upperBound...])
  }

  /// The body as JSON.
  var json: [String: Any] {
    get throws {
      let value = try JSONSerialization.jsonObject(with: Data(body.utf8))
      return try #require(value as? [String: Any])
    }
  }

  var error: [String: Any] {
    get throws { try #require(try json["error"] as? [String: Any]) }
  }

  var errorCode: String {
    get throws { try #require(try error["code"] as? String) }
  }

  var errorMessage: String {
    get throws { try #require(try error["message"] as? String) }
  }
}
