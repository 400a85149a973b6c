internal import JSON
internal import Gateway
internal import Primitives
internal import Upstream

extension ManagementAPI {
  /// How many sessions a page has when the query does not say.
  private static let sessionsPerPageDefault = 100
  /// How many sessions a page has at most; a shard accepts no more.
  private static let sessionsPerPageMax = 10_000

  func listSessions(_ head: HTTPRequestHead) -> HTTPResponse {
    let limit = head.limit.map { Int($0) } ?? Self.sessionsPerPageDefault
    guard let limit, limit >= 1, limit <= Self.sessionsPerPageMax else {
      return Self.invalid("limit", "must be a whole number from 1 to \(Self.sessionsPerPageMax)")
    }
    guard let cursor = head.cursor.map({ UInt32($0) }) ?? 0 else {
      return Self.invalid("cursor", "must be the next_cursor of the page before")
    }
    switch perform(.listSessions(of: nil, cursor: cursor, limit: limit), Self.timeoutMilliseconds) {
    case .sessions(let sessions, let next):
      return HTTPResponse(200) { json in
        json.key("sessions")
        json.array { for session in sessions { $0.session(session) } }
        json.member("next_cursor", next)
      }
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

  private static func invalid(_ name: String, _ problem: String) -> HTTPResponse {
    .error(
      400, "invalid-fields", "\(name) \(problem)",
      detail: { error in
        error.key("fields")
        error.object { $0.member(name, problem) }
      })
  }
}

extension JSONWriter {
  fileprivate mutating func session(_ status: SessionStatus) {
    object { json in
      json.member("uuid", status.uuid.description)
      json.member("client", status.client.description)
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
