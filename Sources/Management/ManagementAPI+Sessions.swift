internal import Auth
internal import Gateway
internal import JSON
internal import Primitives
internal import Upstream

extension ManagementAPI {
  /// How many sessions a page has when the query does not say.
  private static let sessionsPerPageDefault = 100
  /// How many sessions a page has at most; a shard accepts no more.
  private static let sessionsPerPageMax = 10_000

  func listSessions(_ head: HTTPRequestHead) -> HTTPResponse {
    let command: Command
    do { command = try Self.page(head.query) } catch { return Self.invalid(error) }
    switch perform(command, Self.timeoutMilliseconds) {
    case .sessions(let sessions, let next):
      return HTTPResponse(200) { json in
        json.key("sessions")
        json.array { for session in sessions { $0.session(session) } }
        json.member("next_cursor", next)
      }
    case let reply: return Self.unexpected(reply)
    }
  }

  private static func page(_ query: Query) throws(Query.Problem) -> Command {
    try query.allow(["limit", "cursor", "account", "address"])
    let limit = try query.value("limit").map { Int($0) } ?? sessionsPerPageDefault
    guard let limit, limit >= 1, limit <= sessionsPerPageMax else {
      throw Query.Problem(
        name: "limit", text: "must be a whole number from 1 to \(sessionsPerPageMax)")
    }
    guard let cursor = try query.value("cursor").map({ UInt32($0) }) ?? 0 else {
      throw Query.Problem(name: "cursor", text: "must be the next_cursor of the page before")
    }
    return .listSessions(of: try query.subject(), cursor: cursor, limit: limit)
  }

  /// Closes the sessions of one account or prefix: all sessions are not closed by leaving it out.
  func closeSessions(_ head: HTTPRequestHead) -> HTTPResponse {
    let subject: Subject
    do {
      try head.query.allow(["account", "address"])
      subject = try head.query.requiredSubject()
    } catch { return Self.invalid(error) }
    switch perform(.closeSessions(of: subject), Self.timeoutMilliseconds) {
    case .closed(let sessions): return HTTPResponse(200) { $0.member("closed", sessions) }
    case let reply: return Self.unexpected(reply)
    }
  }

  func closeSession(_ uuid: SessionUUID) -> HTTPResponse {
    switch perform(.closeSession(uuid), Self.timeoutMilliseconds) {
    case .done:
      HTTPResponse(200) { json in
        json.member("uuid", uuid.description)
        json.member("state", "closed")
      }
    case let reply: Self.unexpected(reply)
    }
  }

  /// The refusal of a query.
  static func invalid(_ problem: Query.Problem) -> HTTPResponse {
    .error(
      400, "invalid-fields", "\(problem.name) \(problem.text)",
      detail: { error in
        error.key("fields")
        error.object { $0.member(problem.name, problem.text) }
      })
  }
}

extension JSONWriter {
  fileprivate mutating func session(_ status: SessionStatus) {
    object { json in
      json.member("uuid", status.uuid.description)
      json.member("client", status.client.description)
      json.member("account", optional: status.account?.text)
      json.member("pending", status.isPending)
      json.member("listener", status.listener)
      json.member("worker_id", status.worker?.rawValue)
      json.member("age_ms", status.age.milliseconds)
      json.member("idle_ms", status.idle.milliseconds)
      json.member("packets_in", status.packetsIn)
      json.member("bytes_in", status.bytesIn)
      json.member("messages_out", status.messagesOut)
      json.member("bytes_out", status.bytesOut)
      json.member("queued_bytes", status.queuedBytes)
    }
  }
}
