@testable import Gateway
import Management
import Testing
import Upstream

@Suite struct AddWorkerTests {
  static let body = #"{"host": "127.0.0.1", "port": 45888, "alive_timeout": 30}"#

  @Test func aReadyWorkerIsCreated() throws {
    let gateway = try FakeGateway(.workerAdded(worker()))
    let answer = try gateway.request("POST", "/upstream/add", body: Self.body)
    #expect(answer.status == 201)
    let status = try #require(try answer.json["worker"] as? [String: Any])
    #expect(status["id"] as? Int == 3)
    #expect(status["state"] as? String == "ready")
    guard case .addWorker(nil, let configuration) = gateway.asked[0].command else {
      Issue.record("another command")
      return
    }
    var expected = WorkerConfiguration(host: "127.0.0.1", port: 45_888)
    expected.aliveTimeout = .seconds(30)
    #expect(configuration == expected)
    // Twice 2 s to connect, 5 s for ready, 5 s to spare.
    #expect(gateway.asked[0].timeoutMilliseconds == 14_000)
  }

  @Test func everyFieldIsTaken() throws {
    let gateway = try FakeGateway(.workerAdded(worker()))
    let body =
      #"{"host":"::1","port":65535,"alive_timeout":3600,"ready_timeout":60,"connect_timeout":1,"#
      + #""pool":"lobby"}"#
    #expect(try gateway.request("POST", "/upstream/add", body: body).status == 201)
    guard case .addWorker("lobby", let configuration) = gateway.asked[0].command else {
      Issue.record("another command")
      return
    }
    var expected = WorkerConfiguration(host: "::1", port: 65_535)
    expected.aliveTimeout = .seconds(3600)
    expected.readyTimeout = .seconds(60)
    expected.connectTimeout = .seconds(1)
    #expect(configuration == expected)
    #expect(gateway.asked[0].timeoutMilliseconds == 67_000)
  }

  @Test(arguments: [WorkerStatus.State.notReady, .probing])
  func aWorkerThatIsNotReadyIsAccepted(state: WorkerStatus.State) throws {
    let gateway = try FakeGateway(.workerAdded(worker(state)))
    let answer = try gateway.request("POST", "/upstream/add", body: Self.body)
    #expect(answer.status == 202)
    let status = try #require(try answer.json["worker"] as? [String: Any])
    #expect(status["state"] as? String == state.rawValue)
  }

  @Test func aFailedProbeIsToldWithItsReason() throws {
    let gateway = try FakeGateway(
      .workerAdded(worker(.backingOff, lastEnd: .connectFailed, detail: "Connection refused")))
    let answer = try gateway.request("POST", "/upstream/add", body: Self.body)
    #expect(answer.status == 502)
    #expect(try answer.errorCode == "probe-failed")
    #expect(try answer.error["reason"] as? String == "connect-failed")
    #expect(try answer.error["detail"] as? String == "Connection refused")
    #expect(
      try answer.errorMessage
        == "127.0.0.1:45888 is not usable: connect-failed (Connection refused); "
        + "it stays in pool main as worker 3 and is tried again")
    #expect(try (answer.json["worker"] as? [String: Any])?["state"] as? String == "backing-off")
  }

  @Test(arguments: [
    ("{}", "host is missing; port is missing"),
    (
      #"{"host":"a"}"#, "port is missing"
    ),
    (
      #"{"host":"a","port":0}"#, "port must be a whole number from 1 to 65535"
    ),
    (
      #"{"host":"a","port":65536}"#, "port must be a whole number from 1 to 65535"
    ),
    (
      #"{"host":"a","port":"80"}"#, "port must be a whole number from 1 to 65535, not a string"
    ),
    (
      #"{"host":"a","port":8.5}"#,
      "port must be a whole number from 1 to 65535, not a number with a fraction"
    ),
    (
      #"{"host":"a","port":-1}"#, "port must be a whole number from 1 to 65535"
    ),
    (
      #"{"host":17,"port":1}"#, "host must be a string, not a whole number"
    ),
    (
      #"{"host":null,"port":1}"#, "host must be a string, not null"
    ),
    (
      #"{"host":"","port":1}"#,
      "host must be a host name or an IP address without brackets or port"
    ),
    (
      #"{"host":"[::1]","port":1}"#,
      "host must be a host name or an IP address without brackets or port"
    ),
    (
      #"{"host":"a","port":1,"alive_timeout":0}"#,
      "alive_timeout must be a whole number from 1 to 3600"
    ),
    (
      #"{"host":"a","port":1,"ready_timeout":61}"#,
      "ready_timeout must be a whole number from 1 to 60"
    ),
    (
      #"{"host":"a","port":1,"connect_timeout":true}"#,
      "connect_timeout must be a whole number from 1 to 60, not a boolean"
    ),
    (
      #"{"host":"a","port":1,"pool":["x"]}"#, "pool must be a string, not an array"
    ),
    (
      #"{"host":"a","port":1,"alive_timeot":3}"#,
      "alive_timeot is not a field of this request"
    ),
  ])
  func wrongFieldsAreNamed(body: String, message: String) throws {
    let gateway = try FakeGateway(.workerAdded(worker()))
    let answer = try gateway.request("POST", "/upstream/add", body: body)
    #expect(answer.status == 400)
    #expect(try answer.errorCode == "invalid-fields")
    #expect(try answer.errorMessage == message)
    #expect(gateway.asked.isEmpty)
  }

  @Test(arguments: [
    ("", "line 1, column 1: "), ("{\"host\":", "line 1, column 8: "),
    ("{\n  \"host\": nope}", "line 2, column 14: "),
    ("[]", "the body must be an object, not an array"),
    ("\"x\"", "the body must be an object, not a string"), ("{} {}", "line 1, column 4: "),
    (#"{"host":"a","host":"b"}"#, "line 1, column "), (#"{"host":"\u0000"}"#, "line 1, column "),
  ])
  func malformedBodiesAreLocated(body: String, message: String) throws {
    let gateway = try FakeGateway(.workerAdded(worker()))
    let answer = try gateway.request("POST", "/upstream/add", body: body)
    #expect(answer.status == 400)
    #expect(try answer.errorCode == "malformed-json")
    let told = try answer.errorMessage
    #expect(told.hasPrefix(message), "\(told)")
    #expect(gateway.asked.isEmpty)
  }

  @Test func depthIsBounded() throws {
    let gateway = try FakeGateway(.workerAdded(worker()))
    let body = #"{"host":"# + String(repeating: "[", count: 60_000)
    let answer = try gateway.request("POST", "/upstream/add", body: body)
    #expect(try answer.errorCode == "malformed-json")
  }

  @Test func commandErrorsHaveTheirStatus() throws {
    let cases: [(CommandError, Int, String)] = [
      (.unknownPool("x"), 404, "unknown-pool"),
      (.poolNotNamed(["a", "b"]), 400, "pool-not-named"),
      (.unknownWorker, 404, "unknown-worker"),
      (.unknownSession, 404, "unknown-session"),
      (.duplicateWorker(WorkerID(rawValue: 9)), 409, "duplicate-worker"),
      (.shuttingDown, 503, "shutting-down"),
    ]
    for (error, status, code) in cases {
      let gateway = try FakeGateway(.failed(error))
      let answer = try gateway.request("POST", "/upstream/add", body: Self.body)
      #expect(answer.status == status)
      #expect(try answer.errorCode == code)
      switch error {
      case .poolNotNamed: #expect(try answer.error["pools"] as? [String] == ["a", "b"])
      case .duplicateWorker: #expect(try answer.error["worker_id"] as? Int == 9)
      default: break
      }
    }
  }
}
