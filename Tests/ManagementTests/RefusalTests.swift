import Foundation
@testable import Gateway
import Management
import Testing

/// Requests that get nowhere, and clients that do not speak HTTP.
@Suite struct RefusalTests {
  private let health = Reply.health(
    HealthStatus(ready: true, poolsWithoutWorker: [], shuttingDown: false))

  @Test(arguments: [
    nil, "", "wrong", FakeGateway.token + "x", String(FakeGateway.token.dropLast()),
  ])
  func aTokenIsNeeded(token: String?) throws {
    let gateway = try FakeGateway(.workers([]))
    for target in ["/", "/upstream", "/metrics", "/sessions", "/why", "/nowhere"] {
      let answer = try gateway.request("GET", target, token: token)
      #expect(answer.status == 401)
      #expect(answer.headers["www-authenticate"] == #"Bearer realm="gatehouse""#)
      #expect(try answer.errorCode == "unauthorized")
    }
    let add = try gateway.request(
      "POST", "/upstream/add", body: AddWorkerTests.body, token: token)
    #expect(add.status == 401)
    #expect(gateway.asked.isEmpty)
  }

  @Test func theSchemeIsCaseInsensitiveAndBearerOnly() throws {
    let gateway = try FakeGateway(.workers([]))
    for (scheme, status) in [("bearer", 200), ("BEARER", 200), ("Basic", 401), ("", 401)] {
      let connection = try RawConnection(port: gateway.server.port)
      connection.send(
        "GET /upstream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
          + "Authorization: \(scheme) \(FakeGateway.token)\r\n\r\n")
      #expect(try Answer(connection.receive()).status == status, "\(scheme)")
    }
  }

  @Test(arguments: [
    "/nowhere", "/upstream/3/x", "/upstream/3/drain/x", "/sessions/a/b", "/livez/x", "//", "/a//b",
  ])
  func unknownPathsAreNotFound(path: String) throws {
    let gateway = try FakeGateway(health)
    let answer = try gateway.request("GET", path)
    #expect(answer.status == 404)
    #expect(try answer.errorCode == "unknown-path")
  }

  @Test(arguments: [
    ("POST", "/", "GET, HEAD"), ("DELETE", "/livez", "GET, HEAD"), ("PUT", "/readyz", "GET, HEAD"),
    ("POST", "/metrics", "GET, HEAD"), ("POST", "/upstream", "GET, HEAD"),
    ("GET", "/upstream/add", "POST"), ("GET", "/upstream/3/drain", "POST"),
    ("GET", "/upstream/3", "DELETE"), ("GET", "/upstream/delete/3", "POST"),
    ("POST", "/sessions", "GET, HEAD, DELETE"), ("POST", "/why", "GET, HEAD"),
    ("GET", "/sessions/\(sessionUUID)", "DELETE"),
    ("OPTIONS", "/upstream/add", "POST"),
  ])
  func wrongMethodsAreTold(method: String, path: String, allowed: String) throws {
    let gateway = try FakeGateway(health)
    let answer = try gateway.request(method, path)
    #expect(answer.status == 405)
    #expect(answer.headers["allow"] == allowed)
    #expect(try answer.errorCode == "method-not-allowed")
    #expect(gateway.asked.isEmpty)
  }

  @Test(arguments: ["x", "-1", "+1", "4294967296", "1.0"])
  func wrongWorkerIDsAreRefused(id: String) throws {
    let gateway = try FakeGateway(.done)
    for (method, path) in [("POST", "/upstream/\(id)/drain"), ("DELETE", "/upstream/\(id)")] {
      let answer = try gateway.request(method, path)
      #expect(answer.status == 400)
      #expect(try answer.errorCode == "invalid-worker-id")
    }
    #expect(gateway.asked.isEmpty)
  }

  @Test func wrongSessionUUIDsAreRefused() throws {
    let gateway = try FakeGateway(.done)
    let answer = try gateway.request("DELETE", "/sessions/%22%0a")
    #expect(answer.status == 400)
    #expect(try answer.errorMessage == "\"\n is not a UUID")
  }

  @Test(arguments: [
    ("GET", "/livez"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/upstream"),
    ("GET", "/sessions"), ("POST", "/upstream/1/drain"), ("DELETE", "/upstream/1"),
    ("DELETE", "/sessions/\(sessionUUID)"), ("POST", "/upstream/add"),
  ])
  func aShardThatDoesNotAnswerIsUnavailable(method: String, path: String) throws {
    let gateway = try FakeGateway(nil)
    let body = method == "POST" ? AddWorkerTests.body : ""
    let answer = try gateway.request(method, path, body: body)
    #expect(answer.status == 503)
    #expect(try answer.errorCode == "shard-timeout")
  }

  @Test func anAnswerToAnotherQuestionIsAnInternalError() throws {
    let gateway = try FakeGateway(.done)
    #expect(try gateway.request("GET", "/upstream").status == 500)
  }

  @Test func longBodiesAreRefused() throws {
    let gateway = try FakeGateway(.done)
    let limit = 64 << 10
    let fits = try gateway.request(
      "POST", "/upstream/add", body: String(repeating: " ", count: limit))
    #expect(try fits.errorCode == "malformed-json")
    let tooLong = try gateway.request(
      "POST", "/upstream/add", body: String(repeating: " ", count: limit + 1))
    #expect(tooLong.status == 413)
    #expect(try tooLong.errorCode == "body-too-large")
  }

  /// A body whose length is not announced.
  @Test func longChunkedBodiesAreRefused() throws {
    let gateway = try FakeGateway(.done)
    let connection = try RawConnection(port: gateway.server.port)
    connection.send(
      "POST /upstream/add HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        + "Authorization: Bearer \(FakeGateway.token)\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<17 {
      connection.send("1000\r\n" + String(repeating: " ", count: 4096) + "\r\n")
    }
    connection.send("0\r\n\r\n")
    #expect(try Answer(connection.receive()).status == 413)
  }

  @Test func endlessBodiesAreCut() throws {
    let gateway = try FakeGateway(.done)
    let connection = try RawConnection(port: gateway.server.port)
    connection.send(
      "POST /upstream/add HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<1024 {
      connection.send("1000\r\n" + String(repeating: " ", count: 4096) + "\r\n")
    }
    #expect(!connection.receive().contains("200 OK"))
    #expect(try gateway.request("GET", "/").status == 200)
  }
}
