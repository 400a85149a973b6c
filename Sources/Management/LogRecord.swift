internal import Auth
internal import Framing
internal import Gateway
internal import Primitives
internal import Upstream

/// One line of the log before it has a form.
struct LogRecord {
  enum Value {
    case text(String)
    case number(UInt64)
  }

  var level: LogLevel
  var name: String
  var fields: [(name: String, value: Value)] = []

  init(_ level: LogLevel, _ name: String) {
    self.level = level
    self.name = name
  }

  /// docs/logging.md lists these names and fields.
  init(_ event: LogEvent) {
    switch event {
    case .sessionOpened(let event):
      self.init(.info, "session-opened")
      add("session", event.uuid.description)
      add("client", event.client.description)
      add("listener", event.listener)
      if let account = event.account { add("account", account.text) }
    case .sessionClosed(let event): self.init(event)
    case .sessionRefused(let event): self.init(event)
    case .framingViolation(let event): self.init(event)
    case .temporaryBan(let ban, let unlogged): self.init(ban, unlogged: unlogged)
    case .bansApplied(let bans, let sessionsClosed):
      self.init(.debug, "bans-applied")
      add("bans", UInt64(bans))
      add("sessions_closed", UInt64(sessionsClosed))
    case .workerReady(let worker, let pool, let endpoint):
      self.init(.info, "worker-ready", worker, pool, endpoint)
    case .workerNotReady(let worker, let pool, let endpoint, let retryIn):
      self.init(.warning, "worker-not-ready", worker, pool, endpoint)
      add("retry_in_ms", retryIn.milliseconds)
    case .workerLost(
      let worker, let pool, let endpoint, let reason, let detail, let moved, let retryIn):
      self.init(.warning, "worker-lost", worker, pool, endpoint)
      add("reason", reason.name)
      add("detail", detail)
      add("sessions_moved", UInt64(moved))
      if let retryIn { add("retry_in_ms", retryIn.milliseconds) }
    case .workerDraining(let worker, let pool, let endpoint):
      self.init(.info, "worker-draining", worker, pool, endpoint)
    case .workerAdded(let worker, let pool, let endpoint):
      self.init(.info, "worker-added", worker, pool, endpoint)
    case .workerRemoved(let worker, let pool, let endpoint):
      self.init(.info, "worker-removed", worker, pool, endpoint)
    case .listenerAdded(let listener, let address, let pool, let framer):
      self.init(.info, "listener-added", listener)
      add("address", address)
      add("pool", pool)
      add("framer", framer)
    case .listenerRemoved(let listener, let address, let sessions, let closesSessions):
      self.init(.info, "listener-removed", listener)
      add("address", address)
      add(closesSessions ? "sessions_closed" : "sessions_left", UInt64(sessions))
    case .listenerGone(let listener): self.init(.info, "listener-gone", listener)
    case .acceptPaused(let listener, let detail):
      self.init(.warning, "accept-paused", listener)
      add("detail", detail)
    case .acceptResumed(let listener): self.init(.info, "accept-resumed", listener)
    case .shutdownStarted(let sessions, let grace):
      self.init(.info, "shutdown-started")
      add("sessions", UInt64(sessions))
      add("grace_ms", grace.milliseconds)
    case .shutdownFinished(let cut):
      self.init(.info, "shutdown-finished")
      add("sessions_cut", UInt64(cut))
    case .broadcastRefused(let worker, let pool, let listener, let bytes):
      self.init(.warning, "broadcast-refused")
      add("worker_id", UInt64(worker.rawValue))
      add("pool", pool)
      add("listener", listener)
      add("bytes", UInt64(bytes))
    case .recordingStarted(let id, let request): self.init(id, request)
    case .recordingEnded(let summary): self.init(summary)
    }
    level = event.level
  }

  private init(_ ban: TemporaryBan, unlogged: UInt64) {
    self.init(.warning, "temporary-ban")
    switch ban.subject {
    case .addresses(let prefix): add("address", prefix.description)
    case .account(let name): add("account", name.text)
    }
    add("rule", ban.rule)
    add("reason", ban.internalReason)
    add("until", UInt64(max(0, ban.until)))
    if unlogged > 0 { add("unlogged", unlogged) }
  }

  private init(_ level: LogLevel, _ name: String, _ listener: String) {
    self.init(level, name)
    add("listener", listener)
  }

  private init(_ id: RecordingID, _ request: RecordingRequest) {
    self.init(.warning, "recording-started")
    add("recording", UInt64(id.rawValue))
    add("listener", request.listener)
    if let client = request.client { add("client", client.description) }
    add("seconds", request.duration.nanoseconds / 1_000_000_000)
    add("bytes_max", UInt64(request.bytesMax))
    add("sessions_max", UInt64(request.sessionsMax))
  }

  private init(_ summary: RecordingSummary) {
    self.init(.info, "recording-ended")
    add("recording", UInt64(summary.id.rawValue))
    add("listener", summary.listener)
    if let end = summary.end { add("reason", end.rawValue) }
    add("sessions", UInt64(summary.sessions))
    add("sessions_cut", UInt64(summary.sessionsCut))
    add("bytes", summary.bytes)
  }

  private init(_ event: SessionRefusedEvent) {
    self.init(.warning, "session-refused")
    add("client", event.client.description)
    add("listener", event.listener)
    add("reason", event.reason.name)
    if let account = event.account { add("account", account) }
    if !event.detail.isEmpty { add("detail", event.detail) }
    if event.unlogged > 0 { add("unlogged", event.unlogged) }
  }

  private init(_ event: FramingViolationEvent) {
    self.init(.warning, "framing-violation")
    add("session", event.uuid.description)
    add("client", event.client.description)
    add("listener", event.listener)
    add("detail", event.violation.description)
    if event.unlogged > 0 { add("unlogged", event.unlogged) }
  }

  private init(_ event: SessionClosedEvent) {
    self.init(.info, "session-closed")
    add("session", event.uuid.description)
    add("client", event.client.description)
    add("listener", event.listener)
    add("reason", event.reason.name)
    add("duration_ms", event.duration.milliseconds)
    add("packets_in", event.packetsIn)
    add("bytes_in", event.bytesIn)
    add("messages_out", event.messagesOut)
    add("bytes_out", event.bytesOut)
  }

  private init(
    _ level: LogLevel, _ name: String, _ worker: WorkerID, _ pool: String, _ endpoint: String
  ) {
    self.init(level, name)
    add("worker_id", UInt64(worker.rawValue))
    add("pool", pool)
    add("worker", endpoint)
  }

  mutating func add(_ name: String, _ text: String) { fields.append((name, .text(text))) }

  mutating func add(_ name: String, _ number: UInt64) { fields.append((name, .number(number))) }
}
