internal import Auth
internal import Framing
internal import Gateway
internal import Primitives
internal import Upstream

/// A line of a gateway's log, taken apart into what a trace can digest and show.
struct LogNote {
  enum Value {
    case integer(Int)
    case text(String)

    static func number(_ number: some FixedWidthInteger) -> Value {
      .integer(Int(truncatingIfNeeded: number))
    }
  }

  let what: StaticString
  let fields: [(name: StaticString, value: Value)]

  var text: String {
    fields.reduce("\(what)") { text, field in
      switch field.value {
      case .integer(let number): "\(text) \(field.name)=\(number)"
      case .text(let value): "\(text) \(field.name)=\(value)"
      }
    }
  }

  private init(_ what: StaticString, _ fields: (name: StaticString, value: Value)...) {
    self.what = what
    self.fields = fields
  }

  private init(
    _ what: StaticString, _ worker: WorkerID, _ place: String,
    _ last: (name: StaticString, value: Value)...
  ) {
    self.what = what
    fields = [("worker", .number(worker.rawValue)), ("at", .text(place))] + last
  }

  init(_ event: LogEvent) {
    switch event {
    case .sessionOpened(let opened): self.init(opened)
    case .sessionClosed(let closed): self.init(closed)
    case .sessionRefused(let refused): self.init(refused)
    case .framingViolation(let violation): self.init(violation)
    case .temporaryBan(let ban, let unlogged):
      self.init(
        "temporary-ban", ("subject", .text("\(ban.subject)")), ("rule", .text(ban.rule)),
        ("until", .number(ban.until)), ("unlogged", .number(unlogged)))
    case .bansApplied(let bans, let closed):
      self.init("bans-applied", ("bans", .number(bans)), ("closed", .number(closed)))
    case .workerReady(let worker, _, let endpoint): self.init("worker-ready", worker, endpoint)
    case .workerNotReady(let worker, _, let endpoint, let wait):
      self.init("worker-not-ready", worker, endpoint, ("retry-in", .number(wait.nanoseconds)))
    case .workerLost(let worker, _, let endpoint, let reason, let detail, let moved, let wait):
      self.init(
        "worker-lost", worker, endpoint, ("reason", .text(reason.name)),
        ("detail", .text(detail)), ("moved", .number(moved)),
        ("retry-in", .number(wait?.nanoseconds ?? 0)))
    case .workerDraining(let worker, _, let endpoint):
      self.init("worker-draining", worker, endpoint)
    case .workerAdded(let worker, _, let endpoint): self.init("worker-added", worker, endpoint)
    case .workerRemoved(let worker, _, let endpoint):
      self.init("worker-removed", worker, endpoint)
    case .broadcastRefused(let worker, _, let listener, let bytes):
      self.init("broadcast-refused", worker, listener, ("bytes", .number(bytes)))
    case .listenerAdded(let listener, let address, _, let framer):
      self.init(
        "listener-added", ("listener", .text(listener)), ("address", .text(address)),
        ("framer", .text(framer)))
    case .listenerRemoved(let listener, _, let sessions, let closes):
      self.init(
        "listener-removed", ("listener", .text(listener)), ("sessions", .number(sessions)),
        ("closes", .number(closes ? 1 : 0)))
    case .listenerGone(let listener): self.init("listener-gone", ("listener", .text(listener)))
    case .acceptPaused(let listener, let detail):
      self.init("accept-paused", ("listener", .text(listener)), ("detail", .text(detail)))
    case .acceptResumed(let listener): self.init("accept-resumed", ("listener", .text(listener)))
    case .shutdownStarted(let sessions, let grace):
      self.init(
        "shutdown-started", ("sessions", .number(sessions)),
        ("grace", .number(grace.nanoseconds)))
    case .shutdownFinished(let cut): self.init("shutdown-finished", ("cut", .number(cut)))
    case .recordingStarted(let id, let request):
      self.init(
        "recording-started", ("id", .number(id.rawValue)), ("listener", .text(request.listener)))
    case .recordingEnded(let summary): self.init(summary)
    }
  }

  private init(_ event: SessionOpenedEvent) {
    self.init(
      "session-opened", ("uuid", .text("\(event.uuid)")),
      ("client", .text(event.client.description)), ("listener", .text(event.listener)),
      ("account", .text(event.account?.text ?? "")))
  }

  private init(_ event: SessionClosedEvent) {
    self.init(
      "session-closed", ("uuid", .text("\(event.uuid)")),
      ("client", .text(event.client.description)), ("reason", .text(event.reason.name)),
      ("duration", .number(event.duration.nanoseconds)), ("packets-in", .number(event.packetsIn)),
      ("bytes-in", .number(event.bytesIn)), ("messages-out", .number(event.messagesOut)),
      ("bytes-out", .number(event.bytesOut)))
  }

  private init(_ event: SessionRefusedEvent) {
    self.init(
      "session-refused", ("client", .text(event.client.description)),
      ("listener", .text(event.listener)), ("reason", .text(event.reason.name)),
      ("account", .text(event.account ?? "")), ("detail", .text(event.detail)),
      ("unlogged", .number(event.unlogged)))
  }

  private init(_ event: FramingViolationEvent) {
    self.init(
      "framing-violation", ("uuid", .text("\(event.uuid)")),
      ("client", .text(event.client.description)), ("listener", .text(event.listener)),
      ("violation", .text(event.violation.name)), ("unlogged", .number(event.unlogged)))
  }

  private init(_ summary: RecordingSummary) {
    self.init(
      "recording-ended", ("id", .number(summary.id.rawValue)),
      ("sessions", .number(summary.sessions)), ("bytes", .number(summary.bytes)),
      ("end", .text(summary.end?.rawValue ?? "")))
  }
}
