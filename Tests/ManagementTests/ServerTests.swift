import Foundation
@testable import Gateway
import Management
import Testing

/// The server as such: its threads, its port, and clients that do not speak HTTP.
@Suite struct ServerTests {
  private let health = Reply.health(
    HealthStatus(ready: true, poolsWithoutWorker: [], shuttingDown: false))

  @Test func livezIsAnsweredWhileWorkersAreProbed() throws {
    let probing = DispatchSemaphore(value: 0)
    let probed = DispatchSemaphore(value: 0)
    let health = health
    let gateway = try FakeGateway { command in
      guard case .addWorker = command else { return health }
      probing.signal()
      probed.wait()
      return .workerAdded(worker())
    }
    let connections = try (0..<8).map { _ in
      let connection = try RawConnection(port: gateway.server.port)
      let body = AddWorkerTests.body
      connection.send(
        "POST /upstream/add HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
          + "Authorization: Bearer \(FakeGateway.token)\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n"
          + body)
      return connection
    }
    for _ in connections { probing.wait() }
    #expect(try gateway.request("GET", "/livez", token: nil).status == 200)
    for _ in connections { probed.signal() }
    for connection in connections { #expect(try Answer(connection.receive()).status == 201) }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() throws {
    let gateway = try FakeGateway(health)
    let connection = try RawConnection(port: gateway.server.port)
    connection.send(
      "GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
        + "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    let text = connection.receive()
    let statuses = text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
    #expect(statuses == ["200", "401", "200"])
  }

  @Test func garbageDoesNoHarm() throws {
    let gateway = try FakeGateway(health)
    let garbage: [[UInt8]] = [
      [], [0], Array("\r\n\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
      [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], Array("GET\r\n\r\n".utf8),
      Array("GET /livez HTTP/9.9\r\n\r\n".utf8),
      Array("GET /%00%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
      Array("GET /\u{1}\u{7f} HTTP/1.1\r\nHost: \u{0}\r\n\r\n".utf8),
      Array("POST /upstream/add HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".utf8),
      Array(
        "POST /upstream/add HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"
          .utf8),
      Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".utf8),
      Array(("GET /" + String(repeating: "a", count: 100_000)).utf8),
      Array((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7919) }),
    ]
    for bytes in garbage {
      let connection = try RawConnection(port: gateway.server.port)
      connection.send(bytes)
      connection.finishSending()
      _ = connection.receive()
      #expect(try gateway.request("GET", "/livez").status == 200)
    }
  }

  @Test func aClientThatLeavesDuringACommandDoesNoHarm() throws {
    let asked = DispatchSemaphore(value: 0)
    let left = DispatchSemaphore(value: 0)
    let health = health
    let gateway = try FakeGateway { command in
      guard case .listWorkers = command else { return health }
      asked.signal()
      left.wait()
      return .workers([worker()])
    }
    var connection: RawConnection? = try RawConnection(port: gateway.server.port)
    connection?.send(
      "GET /upstream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(FakeGateway.token)\r\n\r\n")
    asked.wait()
    connection = nil
    left.signal()
    #expect(try gateway.request("GET", "/livez").status == 200)
  }

  @Test func stopClosesThePortAndMayBeRepeated() throws {
    let gateway = try FakeGateway(health)
    let port = gateway.server.port
    let idle = try RawConnection(port: port)
    #expect(try gateway.request("GET", "/livez").status == 200)
    gateway.server.stop()
    gateway.server.stop()
    #expect(idle.receive().isEmpty)
    #expect(throws: RawConnection.Refused.self) { try RawConnection(port: port) }
  }

  @Test func aTakenPortIsAnError() throws {
    let first = try FakeGateway(health)
    var configuration = ManagementConfiguration()
    configuration.token = FakeGateway.token
    configuration.port = first.server.port
    let token = try Token.load(configuration).token
    let error = #expect(throws: ManagementServerError.self) {
      try ManagementServer(configuration, token: token) { _, _ in nil }
    }
    #expect(error == .cannotBind(endpoint: "127.0.0.1:\(first.server.port)", errno: EADDRINUSE))
    #expect(
      error?.description
        == "management: cannot listen on 127.0.0.1:\(first.server.port): Address already in use")
  }

  @Test func hostsAreResolvedOrRefused() throws {
    var configuration = ManagementConfiguration()
    configuration.token = FakeGateway.token
    configuration.port = 0
    let token = try Token.load(configuration).token
    configuration.host = "localhost"
    #expect(try ManagementServer(configuration, token: token) { _, _ in nil }.port > 0)
    configuration.host = "not a host"
    let error = #expect(throws: ManagementServerError.self) {
      try ManagementServer(configuration, token: token) { _, _ in nil }
    }
    guard case .cannotResolve("not a host", _) = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
  }
}
