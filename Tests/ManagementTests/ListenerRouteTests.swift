import Gateway
import JSON
import Management
import Synchronization
import Testing

private func status(sessions: Int = 0, state: ListenerStatus.State = .listening) -> ListenerStatus {
  ListenerStatus(
    name: "arena", host: "::1", port: 7171, framer: "lines", authentication: "token",
    pool: "main", sessions: sessions, state: state, origin: .saved)
}

private let shown =
  #"{"name":"arena","address":"[::1]:7171","framer":"lines","auth":"token","pool":"main","#

/// What was asked of the operations.
private final class Asked: Sendable {
  let added = Mutex<[(json: JSONValue, saves: Bool)]>([])
  let removed = Mutex<[String]>([])
}

@Suite struct ListenerRouteTests {
  private func gateway(
    _ asked: Asked = Asked(), add: Result<AddedListener, ListenerFailure> = .failure(.unanswered),
    remove: Result<RemovedListener, ListenerFailure> = .failure(.unanswered)
  ) throws -> FakeGateway {
    try FakeGateway(
      listeners: ListenerOperations(
        add: { json, saves in
          asked.added.withLock { $0.append((json, saves)) }
          return add
        },
        remove: { name, closes in
          asked.removed.withLock { $0.append("\(name) \(closes)") }
          return remove
        })
    ) { _ in .listeners([status(sessions: 2, state: .draining)]) }
  }

  @Test func listenersAreListed() throws {
    let gateway = try gateway()
    let answer = try gateway.request("GET", "/listeners")
    #expect(answer.status == 200)
    #expect(
      answer.body
        == #"{"listeners":[\#(shown)"sessions":2,"state":"draining","origin":"saved"}]}"# + "\n")
    #expect(try gateway.request("GET", "/listeners", token: nil).status == 401)
    #expect(try gateway.request("POST", "/listeners", body: "{}", token: nil).status == 401)
    #expect(try gateway.request("DELETE", "/listeners/x", token: nil).status == 401)
    #expect(try gateway.request("PUT", "/listeners").headers["allow"] == "GET, HEAD, POST")
    #expect(try gateway.request("GET", "/listeners/arena").headers["allow"] == "DELETE")
  }

  @Test func whatIsAddedIsHandedOnAndTold() throws {
    let asked = Asked()
    let gateway = try gateway(
      asked, add: .success(AddedListener(status: status(), warnings: ["framer: mind this"])))
    let answer = try gateway.request(
      "POST", "/listeners", body: #"{"address": "0.0.0.0:7171", "save": true, "a": [1]}"#)
    #expect(answer.status == 201)
    #expect(
      answer.body == #"{"listener":\#(shown)"sessions":0,"state":"listening","origin":"saved"},"#
        + #""warnings":["framer: mind this"]}"# + "\n")
    _ = try gateway.request("POST", "/listeners", body: #"{"save": false}"#)
    let added = asked.added.withLock { $0 }
    #expect(added.map(\.saves) == [true, false])
    #expect(
      added[0].json
        == .object([
          JSONValue.Member("address", .string("0.0.0.0:7171")),
          JSONValue.Member("a", .array([.integer(1)])),
        ]))
    #expect(added[1].json == .object([]))
  }

  @Test(arguments: [
    ("{", "malformed-json"), ("", "malformed-json"), ("[1]", "malformed-json"),
    (#"{"save": 1}"#, "invalid-fields"), (#"{"a": 1, "a": 2}"#, "malformed-json"),
    (String(repeating: "[", count: 40), "malformed-json"),
    (
      String(repeating: #"{"a":"#, count: 40) + "1" + String(repeating: "}", count: 40),
      "malformed-json"
    ),
  ]) func garbageIsRefused(body: String, code: String) throws {
    let asked = Asked()
    let answer = try gateway(asked).request("POST", "/listeners", body: body)
    #expect(answer.status == 400)
    #expect(try answer.errorCode == code)
    #expect(asked.added.withLock { $0.isEmpty })
  }

  @Test func problemsComeAsAList() throws {
    let problems = [
      ListenerFailure.Problem(key: "pool", message: "missing"),
      ListenerFailure.Problem(key: "", message: "found a string"),
    ]
    let answer = try gateway(add: .failure(.invalid(problems)))
      .request("POST", "/listeners", body: "{}")
    #expect(answer.status == 422)
    #expect(try answer.errorCode == "invalid-listener")
    #expect(try answer.errorMessage == "pool: missing; found a string")
    let listed = try #require(try answer.error["problems"] as? [[String: String]])
    #expect(
      listed == [
        ["key": "pool", "message": "missing"], ["key": "", "message": "found a string"],
      ])
  }

  @Test(arguments: [
    (ListenerFailure.cannotListen(.portInUse, "no"), 409, "port-in-use"),
    (.cannotListen(.portNotPermitted, "no"), 409, "port-not-permitted"),
    (.cannotSave("disk full"), 500, "cannot-save"),
    (.refused(.listenerNameTaken(sessions: 3)), 409, "listener-name-taken"),
    (.refused(.tooManyListeners), 409, "too-many-listeners"),
    (.refused(.unknownListener("x")), 404, "unknown-listener"),
    (.refused(.systemRefused("no memory")), 500, "system-refused"),
    (.refused(.shuttingDown), 503, "shutting-down"), (.unanswered, 503, "shard-timeout"),
  ]) func failuresHaveTheirStatus(failure: ListenerFailure, status: Int, code: String) throws {
    let gateway = try gateway(add: .failure(failure), remove: .failure(failure))
    for answer in [
      try gateway.request("POST", "/listeners", body: "{}"),
      try gateway.request("DELETE", "/listeners/x"),
    ] {
      #expect(answer.status == status)
      #expect(try answer.errorCode == code)
    }
  }

  @Test func removalsSayWhatIsLeft() throws {
    let asked = Asked()
    let gone = try gateway(
      asked,
      remove: .success(RemovedListener(status: status(state: .draining), comesBack: true)))
    let answer = try gone.request("DELETE", "/listeners/arena?close=true")
    #expect(answer.status == 200)
    #expect(
      answer.body == #"{"listener":\#(shown)"sessions":0,"state":"draining","origin":"saved"},"#
        + #""comes_back":true}"# + "\n")
    let left = try gateway(
      asked,
      remove: .success(
        RemovedListener(status: status(sessions: 4, state: .draining), comesBack: false)))
    #expect(try left.request("DELETE", "/listeners/a%20b").status == 202)
    #expect(try left.request("DELETE", "/listeners/c?close=false").status == 202)
    #expect(asked.removed.withLock { $0 } == ["arena true", "a b false", "c false"])
    for query in ["close=yes", "close", "closed=true", "close=true&close=true"] {
      #expect(try left.request("DELETE", "/listeners/c?\(query)").status == 400)
    }
    #expect(asked.removed.withLock { $0.count } == 3)
  }
}
