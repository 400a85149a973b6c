internal import Gateway
internal import JSON

extension ManagementAPI {
  func listListeners() -> HTTPResponse {
    switch perform(.listListeners, Self.timeoutMilliseconds) {
    case .listeners(let listeners):
      HTTPResponse(200) { json in
        json.key("listeners")
        json.array { for listener in listeners { $0.listener(listener) } }
      }
    case let reply: Self.unexpected(reply)
    }
  }

  func addListener(_ body: [UInt8]) -> HTTPResponse {
    let request: AddListenerRequest
    do { request = try AddListenerRequest(parsing: body) } catch { return Self.response(error) }
    switch listeners.add(request.listener, request.saves) {
    case .success(let added):
      return HTTPResponse(201) { json in
        json.key("listener")
        json.listener(added.status)
        json.member("warnings", added.warnings)
      }
    case .failure(let failure): return Self.response(failure)
    }
  }

  /// What goes on after the answer: its sessions end when they do.
  func removeListener(_ name: String, _ head: HTTPRequestHead) -> HTTPResponse {
    let closesSessions: Bool
    do {
      try head.query.allow(["close"])
      closesSessions = try head.query.flag("close")
    } catch { return Self.invalid(error) }
    switch listeners.remove(name, closesSessions) {
    case .success(let removed):
      return HTTPResponse(removed.status.sessions == 0 ? 200 : 202) { json in
        json.key("listener")
        json.listener(removed.status)
        json.member("comes_back", removed.comesBack)
      }
    case .failure(let failure): return Self.response(failure)
    }
  }

  private static func response(_ failure: ListenerFailure) -> HTTPResponse {
    switch failure {
    case .invalid(let problems):
      .error(
        422, "invalid-listener",
        problems.map { $0.key.isEmpty ? $0.message : "\($0.key): \($0.message)" }
          .joined(separator: "; "),
        detail: { error in
          error.key("problems")
          error.array { list in
            for problem in problems {
              list.object {
                $0.member("key", problem.key)
                $0.member("message", problem.message)
              }
            }
          }
        })
    case .cannotListen(let place, let message): .error(409, place.rawValue, message)
    case .cannotSave(let message): .error(500, "cannot-save", message)
    case .refused(let error): unexpected(.failed(error))
    case .unanswered:
      .error(503, "shard-timeout", "the gateway did not answer in time; nothing was changed")
    }
  }

  private static func response(_ problem: AddListenerRequest.Problem) -> HTTPResponse {
    switch problem {
    case .malformed(.syntax(let line, let column, let text)):
      .error(
        400, "malformed-json", "line \(line), column \(column): \(text)",
        detail: { error in
          error.member("line", line)
          error.member("column", column)
        })
    case .malformed(let malformed): .error(400, "malformed-json", "\(malformed)")
    case .notAnObject(let kind):
      .error(400, "malformed-json", "the body must be an object, not \(kind)")
    case .save(let kind):
      .error(
        400, "invalid-fields", "save must be true or false, not \(kind)",
        detail: { error in
          error.key("fields")
          error.object { $0.member("save", "must be true or false, not \(kind)") }
        })
    }
  }
}

/// The body of `POST /listeners`.
private struct AddListenerRequest {
  enum Problem: Error {
    case malformed(JSONValue.Malformed)
    case notAnObject(kind: String)
    case save(kind: String)
  }

  /// The keys of the listener, and its framers.
  var listener: JSONValue
  var saves = false

  init(parsing body: [UInt8]) throws(Problem) {
    let root: JSONValue
    do { root = try JSONValue(parsing: body) } catch { throw .malformed(error) }
    guard case .object(let members) = root else { throw .notAnObject(kind: root.kind) }
    if let save = root["save"] {
      guard case .bool(let flag) = save else { throw .save(kind: save.kind) }
      saves = flag
    }
    listener = .object(members.filter { $0.name != "save" })
  }
}

extension Query {
  /// `true` or `false`; false when it is not there.
  func flag(_ name: String) throws(Problem) -> Bool {
    switch try value(name) {
    case nil, "false": return false
    case "true": return true
    default: throw Problem(name: name, text: "must be true or false")
    }
  }
}

extension JSONWriter {
  fileprivate mutating func listener(_ status: ListenerStatus) {
    object { json in
      json.member("name", status.name)
      json.member("address", status.address)
      json.member("framer", status.framer)
      json.member("auth", status.authentication)
      json.member("pool", status.pool)
      json.member("sessions", status.sessions)
      json.member("state", status.state.rawValue)
      json.member("origin", status.origin.rawValue)
    }
  }
}
