internal import JSON
internal import Gateway
internal import Upstream

extension ManagementAPI {
  func listWorkers() -> HTTPResponse {
    switch perform(.listWorkers, Self.timeoutMilliseconds) {
    case .workers(let workers):
      HTTPResponse(200) { json in
        json.key("workers")
        json.array { for worker in workers { $0.worker(worker) } }
      }
    case let reply: Self.unexpected(reply)
    }
  }

  func addWorker(_ body: [UInt8]) -> HTTPResponse {
    let request: AddWorkerRequest
    do { request = try AddWorkerRequest(parsing: body) } catch { return Self.response(error) }
    let command = Command.addWorker(pool: request.pool, request.worker)
    switch perform(command, request.timeoutMilliseconds) {
    case .workerAdded(let status): return Self.added(status)
    case let reply: return Self.unexpected(reply)
    }
  }

  /// Drains a worker, or drains and forgets it: both go on after the answer.
  func retire(_ id: WorkerID, _ command: Command, state: String) -> HTTPResponse {
    switch perform(command, Self.timeoutMilliseconds) {
    case .done:
      HTTPResponse(202) { json in
        json.member("id", id.rawValue)
        json.member("state", state)
      }
    case let reply: Self.unexpected(reply)
    }
  }

  /// Says what the first probe found: a worker that is no use yet is not called a success.
  private static func added(_ status: WorkerStatus) -> HTTPResponse {
    if status.state == .ready { return HTTPResponse(201) { $0.member("worker", status) } }
    guard status.state != .notReady, let reason = status.lastEnd else {
      return HTTPResponse(202) { $0.member("worker", status) }
    }
    let detail = status.lastEndDetail.isEmpty ? "" : " (\(status.lastEndDetail))"
    return .error(
      502, "probe-failed",
      "\(status.endpoint) is not usable: \(reason.name)\(detail); "
        + "it stays in pool \(status.pool) as worker \(status.id.rawValue) and is tried again",
      detail: { error in
        error.member("reason", reason.name)
        error.member("detail", status.lastEndDetail)
      },
      beside: { $0.member("worker", status) })
  }

  static func response(_ problem: AddWorkerRequest.Problem) -> HTTPResponse {
    switch problem {
    case .malformed(.syntax(let line, let column, let text)):
      .error(
        400, "malformed-json", "line \(line), column \(column): \(text)",
        detail: { error in
          error.member("line", line)
          error.member("column", column)
        })
    case .malformed(.notAnObject(let kind)):
      .error(400, "malformed-json", "the body must be an object, not \(kind)")
    case .fields(let fields):
      .error(
        400, "invalid-fields",
        fields.map { "\($0.name) \($0.problem)" }.joined(separator: "; "),
        detail: { error in
          error.key("fields")
          error.object { for field in fields { $0.member(field.name, field.problem) } }
        })
    }
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: String, _ status: WorkerStatus) {
    key(name)
    worker(status)
  }

  fileprivate mutating func worker(_ status: WorkerStatus) {
    object { json in
      json.member("id", status.id.rawValue)
      json.member("pool", status.pool)
      json.member("endpoint", status.endpoint)
      json.member("state", status.state.rawValue)
      json.member("sessions", status.sessions)
      json.member("queued_bytes", status.queuedBytes)
      json.member("packets_sent", status.packetsSent)
      json.member("messages_received", status.messagesReceived)
      json.member("reconnects", status.reconnects)
      json.key("last_end")
      guard let reason = status.lastEnd else { return json.null() }
      json.object { end in
        end.member("reason", reason.name)
        end.member("detail", status.lastEndDetail)
      }
    }
  }
}
