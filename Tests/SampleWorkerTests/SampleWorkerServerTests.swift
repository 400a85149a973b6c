import Glibc
import Testing

@testable import SampleWorker

/// A gateway on a real socket; every wait ends after five seconds.
final class SocketClient {
  struct TimedOut: Error {}

  let http2 = TestClient()
  private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)

  init(port: UInt16) throws {
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      connect(
        descriptor, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard result == 0 else { throw SampleWorkerError(call: "connect", code: errno) }
  }

  deinit { close(descriptor) }

  func flush() {
    var rest = http2.takeOutput()[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Reads once; false at the end of the connection.
  func read() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count >= 0 || errno == ECONNRESET else { throw TimedOut() }
    guard count > 0 else { return false }
    return http2.receive(Array(buffer[..<count]))
  }

  /// Moves bytes until `condition` holds.
  func wait(until condition: () -> Bool) throws {
    flush()
    while !condition() {
      guard try read() else { throw TimedOut() }
      flush()
    }
  }
}

@Suite struct SampleWorkerServerTests {
  @Test func readyOverLoopback() throws {
    let server = try SampleWorkerServer.start()
    defer { server.stop() }
    let gateway = try SocketClient(port: server.port)
    let stream = gateway.http2.call("ready")
    gateway.http2.send([], on: stream)
    gateway.http2.end(stream)
    try gateway.wait { gateway.http2.response(stream).isClosed }
    let response = gateway.http2.response(stream)
    #expect(response.status == "0")
    // 1 tag + 1 length + "2026-01-31T23:59:59.123Z" + ready + features.
    #expect(response.messages.map(\.count) == [26 + 2 + 4])
  }

  @Test func twoGatewaysChat() throws {
    let server = try SampleWorkerServer.start()
    defer { server.stop() }
    let gateways = try [SocketClient(port: server.port), SocketClient(port: server.port)]
    let streams = gateways.map { $0.http2.call("bidirectionalStreaming") }
    func count(_ index: Int) -> Int {
      gateways[index].http2.response(streams[index]).messages.count
    }
    for (index, uuid) in ["aaaa", "bbbb"].enumerated() {
      let opened = InputStreamRequest(uuid, .opened(SessionOpened()))
      gateways[index].http2.send(opened.encoded, on: streams[index])
      try gateways[index].wait { count(index) == 1 }
    }
    gateways[1].http2.send(InputStreamRequest("bbbb", "hi\n").encoded, on: streams[1])
    gateways[1].flush()
    try gateways[0].wait { count(0) == 3 }
    let last = gateways[0].http2.response(streams[0]).messages[2]
    #expect(try OutputStreamRequest(decoding: last).text == "aaaa guest-bbbb: hi\n")
  }

  /// Goal: three megabytes to a gateway that reads late arrives whole, through many partial
  /// writes.
  @Test func aLateReaderGetsEverything() throws {
    let server = try SampleWorkerServer.start()
    defer { server.stop() }
    let gateway = try SocketClient(port: server.port)
    let stream = gateway.http2.call("bidirectionalStreaming")
    for uuid in ["aaaa", "bbbb"] {
      let opened = InputStreamRequest(uuid, .opened(SessionOpened()))
      gateway.http2.send(opened.encoded, on: stream)
    }
    let line = String(repeating: "x", count: 1000) + "\n"
    let packet = InputStreamRequest("aaaa", String(repeating: line, count: 50)).encoded
    for _ in 0..<60 { gateway.http2.send(packet, on: stream) }
    gateway.http2.end(stream)
    try gateway.wait { gateway.http2.response(stream).isClosed }
    #expect(gateway.http2.response(stream).messages.count == 3 + 60 * 4)
    #expect(gateway.http2.response(stream).body.count > 60 * 50 * 1012)
  }

  @Test func garbageClosesOneConnectionOnly() throws {
    let server = try SampleWorkerServer.start()
    defer { server.stop() }
    let good = try SocketClient(port: server.port)
    let bad = try SocketClient(port: server.port)
    _ = bad.http2.takeOutput()
    let live = good.http2.call("live")
    good.http2.send([], on: live)
    try good.wait { good.http2.response(live).messages.count == 1 }
    // Without the preface, the server sees a frame that it did not expect.
    _ = bad.http2.call("ready")
    bad.flush()
    while try bad.read() {}
    good.http2.send([], on: live)
    try good.wait { good.http2.response(live).messages.count == 2 }
  }

  @Test func stopEndsCallsAndFreesThePort() throws {
    let server = try SampleWorkerServer.start()
    let gateway = try SocketClient(port: server.port)
    let live = gateway.http2.call("live")
    gateway.http2.send([], on: live)
    try gateway.wait { gateway.http2.response(live).messages.count == 1 }
    server.stop()
    server.stop()
    while try gateway.read() {}
    #expect(gateway.http2.response(live).status == "14")
    let again = try SampleWorkerServer.start(port: server.port)
    #expect(again.port == server.port)
    #expect(throws: SampleWorkerError(call: "bind", code: EADDRINUSE)) {
      try SampleWorkerServer.start(port: again.port)
    }
    again.stop()
  }
}
