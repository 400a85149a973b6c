internal import Gateway
internal import Glibc
internal import JSON
internal import Upstream

/// What a request brings, apart from its body.
struct HTTPRequestHead {
  var method: String
  /// Decoded, without the query.
  var path: String
  /// The `Authorization` header as it came.
  var authorization: String?
  var query = Query()
  /// Address and port; for the log.
  var client = ""
}

/// Turns requests into commands and replies into responses; knows nothing of sockets.
struct ManagementAPI: Sendable {
  /// The longest body, in bytes.
  static let bodyBytesMax = 64 << 10
  /// How long a shard may take over anything but adding a worker, in milliseconds.
  static let timeoutMilliseconds: UInt32 = 5_000
  /// How long a shard may take to show that it is alive, in milliseconds.
  static let liveTimeoutMilliseconds: UInt32 = 1_000

  let token: Token
  let logLinesDropped: @Sendable () -> UInt64
  let moreMetrics: @Sendable () -> [ExtraMetric]
  let log: ManagementServer.Log
  let listeners: ListenerOperations
  let perform: @Sendable (Command, _ timeoutMilliseconds: UInt32) -> Reply?
  /// What players send may be recorded.
  let isRecordingAllowed: Bool
  private let wrongTokens = WrongTokens()

  init(
    token: Token, isRecordingAllowed: Bool, logLinesDropped: @escaping @Sendable () -> UInt64,
    moreMetrics: @escaping @Sendable () -> [ExtraMetric], log: @escaping ManagementServer.Log,
    listeners: ListenerOperations,
    perform: @escaping @Sendable (Command, _ timeoutMilliseconds: UInt32) -> Reply?
  ) {
    self.token = token
    self.isRecordingAllowed = isRecordingAllowed
    self.logLinesDropped = logLinesDropped
    self.moreMetrics = moreMetrics
    self.log = log
    self.listeners = listeners
    self.perform = perform
  }

  /// What a request's head decides: a route to follow once the body is there, or a refusal.
  enum Admission {
    case admitted(Route)
    case refused(HTTPResponse)
  }

  func admit(_ head: HTTPRequestHead) -> Admission {
    let route: Result<Route, Route.Problem>
    do { route = .success(try Route(method: head.method, path: head.path)) } catch {
      route = .failure(error)
    }
    if case .success(let route) = route, route.isPublic { return .admitted(route) }
    // Before anything about paths is told.
    guard token.authorizes(header: head.authorization) else {
      // One that is not there at all is an oversight, not an attempt.
      if head.authorization != nil { report(wrongTokenOf: head.client) }
      return .refused(unauthorized(head))
    }
    switch route {
    case .success(let route): return .admitted(route)
    case .failure(let problem): return .refused(response(problem, head))
    }
  }

  /// Blocks until the shard has answered, or its time is over.
  func respond(to route: Route, head: HTTPRequestHead, body: [UInt8]) -> HTTPResponse {
    switch route {
    case .index: index()
    case .live: live()
    case .ready: ready()
    case .metrics: metrics()
    case .listWorkers: listWorkers()
    case .addWorker: addWorker(body)
    case .drainWorker(let id): retire(id, .drainWorker(id), state: "draining")
    case .removeWorker(let id): retire(id, .removeWorker(id), state: "removing")
    case .listSessions: listSessions(head)
    case .closeSessions: closeSessions(head)
    case .closeSession(let uuid): closeSession(uuid)
    case .listListeners: listListeners()
    case .addListener: addListener(body)
    case .removeListener(let name): removeListener(name, head)
    case .explain: explain(head)
    case .startRecording: startRecording(body)
    case .takeRecorded(let id): takeRecorded(id)
    case .stopRecording(let id): stopRecording(id)
    }
  }

  /// The refusal of a body of more than ``bodyBytesMax``.
  static var bodyTooLarge: HTTPResponse {
    .error(413, "body-too-large", "the body is longer than \(bodyBytesMax) bytes")
  }

  private func report(wrongTokenOf client: String) {
    guard let count = wrongTokens.note(at: now(CLOCK_MONOTONIC)) else { return }
    log(.warning, "wrong-token", ["client": client, "requests": "\(count)"])
  }

  private func unauthorized(_ head: HTTPRequestHead) -> HTTPResponse {
    let message =
      head.authorization == nil
      ? "send the management token: Authorization: Bearer <token>"
      : "the management token is not the right one"
    var response = HTTPResponse.error(401, "unauthorized", message)
    response.headers.append(("WWW-Authenticate", #"Bearer realm="gatehouse""#))
    return response
  }

  private func response(_ problem: Route.Problem, _ head: HTTPRequestHead) -> HTTPResponse {
    switch problem {
    case .unknownPath:
      return .error(404, "unknown-path", "there is no \(head.path); GET / lists the routes")
    case .wrongMethod(let allowed):
      var response = HTTPResponse.error(
        405, "method-not-allowed", "\(head.path) takes \(allowed), not \(head.method)")
      response.headers.append(("Allow", allowed))
      return response
    case .notAWorkerID(let text):
      return .error(
        400, "invalid-worker-id", "\(text) is not a worker's id, a number that GET /upstream lists")
    case .notASessionUUID(let text):
      return .error(400, "invalid-session-uuid", "\(text) is not a UUID")
    case .notARecordingID(let text):
      return .error(
        400, "invalid-recording-id",
        "\(text) is not a recording's id, a number that POST /recordings answers with")
    }
  }

  private func index() -> HTTPResponse {
    let routes = [
      ("GET /", "this list"),
      ("GET /livez", "does the gateway answer at all; no token needed"),
      ("GET /readyz", "does every pool have a worker; no token needed"),
      ("GET /metrics", "Prometheus text format"),
      ("GET /upstream", "all workers"),
      ("POST /upstream/add", "add a worker"),
      ("POST /upstream/{id}/drain", "take a worker out of rotation"),
      ("DELETE /upstream/{id}", "drain a worker and forget it"),
      ("POST /upstream/delete/{id}", "the same"),
      (
        "GET /sessions?limit=&cursor=&account=&address=",
        "sessions, a page at a time; all, or those of an account, an address or a prefix"
      ),
      ("DELETE /sessions?account=", "close all sessions of an account"),
      ("DELETE /sessions?address=", "close all sessions of an address or a prefix"),
      ("DELETE /sessions/{uuid}", "close a session"),
      ("GET /listeners", "all listeners"),
      ("POST /listeners", "add a listener, for as long as the gateway runs or for good"),
      (
        "DELETE /listeners/{name}?close=",
        "stop accepting; its sessions stay until they end, or are closed with close=true"
      ),
      ("GET /why?account=", "what applies to an account now"),
      ("GET /why?address=", "what applies to an address or a prefix now"),
      ("POST /recordings", "record what new sessions of a listener send and are sent"),
      ("GET /recordings/{id}", "what was recorded since the last time, as .pcap"),
      ("DELETE /recordings/{id}", "stop a recording and forget it"),
    ]
    return HTTPResponse(200) { json in
      json.key("routes")
      json.object { for (route, meaning) in routes { $0.member(route, meaning) } }
    }
  }
}

// What every command may come back with.
extension ManagementAPI {
  /// The shard did not answer in time.
  static var shardTimeout: HTTPResponse {
    .error(
      503, "shard-timeout",
      "the gateway did not answer in time; a change that was asked for may still be made")
  }

  /// Turns what is not the expected reply into a response.
  static func unexpected(_ reply: Reply?) -> HTTPResponse {
    switch reply {
    case nil: shardTimeout
    case .failed(let error): response(error)
    case .workerAdded, .workers, .sessions, .listeners, .listenerAdded, .listenerRemoved,
      .metrics, .health, .done, .closed, .explanation, .recordingStarted, .recorded,
      .recordingStopped:
      .error(500, "internal", "the gateway answered another question than the one asked")
    }
  }

  private static func response(_ error: CommandError) -> HTTPResponse {
    switch error {
    case .unknownPool(let name): .error(404, "unknown-pool", "there is no pool \(name)")
    case .poolNotNamed(let names):
      .error(
        400, "pool-not-named", "there are several pools; name one of them in pool",
        detail: { $0.member("pools", names) })
    case .unknownWorker: .error(404, "unknown-worker", "there is no such worker")
    case .unknownSession: .error(404, "unknown-session", "there is no such session")
    case .duplicateWorker(let id):
      .error(
        409, "duplicate-worker", "the pool has this host and port as worker \(id.rawValue)",
        detail: { $0.member("worker_id", id.rawValue) })
    case .listenerIsRecorded(let name):
      .error(409, "listener-is-recorded", "somebody records listener \(name) already")
    case .tooManyRecordings:
      .error(409, "too-many-recordings", "4 recordings at a time are the most")
    case .unknownRecording:
      .error(
        404, "unknown-recording",
        "there is no such recording; one that nobody takes for 10 s is forgotten")
    case .tooManyWorkers:
      .error(409, "too-many-workers", "4,096 workers of one shard are the most")
    case .unknownListener(let name):
      .error(404, "unknown-listener", "there is no listener \(name)")
    case .listenerNameTaken(let sessions):
      .error(
        409, "listener-name-taken",
        sessions.map {
          "the listener that had this name is gone but for \($0) sessions; the name is free with "
            + "the last of them, or once they are closed"
        } ?? "another listener has this name")
    case .poolIsSpread(let name):
      .error(
        409, "pool-is-spread",
        "the workers of pool \(name) are on several shards; such a listener needs a pool of its own"
      )
    case .tooManyListeners:
      .error(
        409, "too-many-listeners",
        "\(Shard.listenersMax) listeners are the most, those included that wait for their last "
          + "sessions")
    case .systemRefused(let detail): .error(500, "system-refused", "the system refused: \(detail)")
    case .shuttingDown: .error(503, "shutting-down", "the gateway is shutting down")
    }
  }
}
