import Auth
@testable import Gateway
import Management
import Primitives
import Testing
import Upstream

@Suite struct RouteTests {
  @Test func livezNeedsNoTokenAndAsksTheShardForASecond() throws {
    let gateway = try FakeGateway(
      .health(HealthStatus(ready: false, poolsWithoutWorker: ["main"], shuttingDown: false)))
    let answer = try gateway.request("GET", "/livez", token: nil)
    #expect(answer.status == 200)
    #expect(answer.body == "{\"live\":true}\n")
    #expect(answer.headers["content-type"] == "application/json; charset=utf-8")
    #expect(gateway.asked.map(\.timeoutMilliseconds) == [1_000])
  }

  @Test func readyzTellsWhatIsMissing() throws {
    let ready = try FakeGateway(
      .health(HealthStatus(ready: true, poolsWithoutWorker: [], shuttingDown: false)))
    #expect(try ready.request("GET", "/readyz", token: nil).body == "{\"ready\":true}\n")

    let lacking = try FakeGateway(
      .health(HealthStatus(ready: false, poolsWithoutWorker: ["lobby"], shuttingDown: false)))
    let answer = try lacking.request("GET", "/readyz", token: nil)
    #expect(answer.status == 503)
    #expect(try answer.errorCode == "not-ready")
    #expect(try answer.json["pools_without_worker"] as? [String] == ["lobby"])

    let stopping = try FakeGateway(
      .health(HealthStatus(ready: false, poolsWithoutWorker: [], shuttingDown: true)))
    let last = try stopping.request("GET", "/readyz", token: nil)
    #expect(try last.errorMessage == "the gateway is shutting down")
    #expect(try last.json["shutting_down"] as? Bool == true)
  }

  @Test func indexListsRoutes() throws {
    let gateway = try FakeGateway(nil)
    let answer = try gateway.request("GET", "/")
    #expect(answer.status == 200)
    let routes = try #require(try answer.json["routes"] as? [String: String])
    #expect(routes["POST /upstream/add"] != nil)
    #expect(gateway.asked.isEmpty)
  }

  @Test func metricsAreInPrometheusFormat() throws {
    let gateway = try FakeGateway(.metrics(emptySnapshot()))
    let answer = try gateway.request("GET", "/metrics")
    #expect(answer.status == 200)
    #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    let metrics = try PrometheusText(parsing: answer.body)
    #expect(metrics.value("gatehouse_log_lines_dropped_total") == 7)
    #expect(metrics.value("gatehouse_store_busy") == 8)
    #expect(metrics.types["gatehouse_store_busy"] == "gauge")
    #expect(try #require(metrics.value("process_open_fds")) > 3)
  }

  @Test func workersAreListed() throws {
    let gateway = try FakeGateway(
      .workers([worker(), worker(.backingOff, id: 4, lastEnd: .goAway, detail: "a \"b\"")]))
    for target in ["/upstream", "/upstream/"] {
      let answer = try gateway.request("GET", target)
      #expect(answer.status == 200)
      let counts =
        #""sessions":2,"queued_bytes":10,"packets_sent":11,"messages_received":12,"reconnects":13"#
      #expect(
        answer.body == #"{"workers":[{"id":3,"pool":"main","endpoint":"127.0.0.1:45888","#
          + #""state":"ready",\#(counts),"last_end":null},"#
          + #"{"id":4,"pool":"main","endpoint":"127.0.0.1:45888","state":"backing-off",\#(counts),"#
          + #""last_end":{"reason":"go-away","detail":"a \"b\""}}]}"# + "\n")
    }
  }

  @Test func workersAreDrainedAndRemoved() throws {
    let gateway = try FakeGateway(.done)
    let drained = try gateway.request("POST", "/upstream/3/drain")
    #expect(drained.status == 202)
    #expect(drained.body == "{\"id\":3,\"state\":\"draining\"}\n")
    for (method, target) in [("DELETE", "/upstream/4"), ("POST", "/upstream/delete/5")] {
      let removed = try gateway.request(method, target)
      #expect(removed.status == 202)
      #expect(try removed.json["state"] as? String == "removing")
    }
    let asked = gateway.asked.map(\.command)
    guard case .drainWorker(let first) = asked[0], case .removeWorker(let second) = asked[1],
      case .removeWorker(let third) = asked[2]
    else {
      Issue.record("other commands: \(asked)")
      return
    }
    #expect([first, second, third].map(\.rawValue) == [3, 4, 5])
  }

  @Test func sessionsAreListedAPageAtATime() throws {
    let known = session(account: AccountName("Åsa"))
    let gateway = try FakeGateway(.sessions([known, session(isPending: true)], next: 17))
    let answer = try gateway.request("GET", "/sessions?limit=1&cursor=16")
    #expect(answer.status == 200)
    let begin =
      #"{"uuid":"0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b","client":"192.0.2.7:50112","#
    let end =
      #""listener":"game","worker_id":3,"age_ms":1500,"idle_ms":20,"packets_in":1,"bytes_in":2,"#
      + #""messages_out":3,"bytes_out":4,"queued_bytes":5}"#
    #expect(
      answer.body == #"{"sessions":["# + begin + #""account":"Åsa","pending":false,"# + end + ","
        + begin + #""account":null,"pending":true,"# + end + #"],"next_cursor":17}"# + "\n")
    _ = try gateway.request("GET", "/sessions")
    let pages = gateway.asked.map { asked in
      guard case .listSessions(nil, let cursor, let limit) = asked.command else { return [-1] }
      return [Int(cursor), limit]
    }
    #expect(pages == [[16, 1], [0, 100]])
  }

  @Test func lastPageHasNoCursor() throws {
    let gateway = try FakeGateway(.sessions([], next: nil))
    #expect(
      try gateway.request("GET", "/sessions").body == "{\"sessions\":[],\"next_cursor\":null}\n")
  }

  @Test(arguments: [
    ("limit=0", "limit"), ("limit=10001", "limit"), ("limit=ten", "limit"), ("limit=-1", "limit"),
    ("cursor=x", "cursor"), ("cursor=4294967296", "cursor"),
  ])
  func wrongPagesAreRefused(query: String, field: String) throws {
    let gateway = try FakeGateway(.sessions([], next: nil))
    let answer = try gateway.request("GET", "/sessions?\(query)")
    #expect(answer.status == 400)
    #expect(try answer.errorCode == "invalid-fields")
    #expect(try (answer.error["fields"] as? [String: String])?.keys.first == field)
    #expect(gateway.asked.isEmpty)
  }

  @Test func sessionsAreClosed() throws {
    let gateway = try FakeGateway(.done)
    let answer = try gateway.request("DELETE", "/sessions/\(sessionUUID.description.uppercased())")
    #expect(answer.status == 200)
    #expect(
      answer.body
        == "{\"uuid\":\"0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b\",\"state\":\"closed\"}\n")
    guard case .closeSession(let uuid) = gateway.asked[0].command else {
      Issue.record("another command")
      return
    }
    #expect(uuid == sessionUUID)
  }

  @Test func headIsAnsweredWithoutABody() throws {
    let gateway = try FakeGateway(
      .health(HealthStatus(ready: true, poolsWithoutWorker: [], shuttingDown: false)))
    let answer = try gateway.request("HEAD", "/readyz")
    #expect(answer.status == 200)
    #expect(answer.body.isEmpty)
  }
}
