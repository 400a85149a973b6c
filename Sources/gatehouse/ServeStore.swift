internal import Auth
internal import Gateway
internal import Management
internal import Primitives
internal import Reactor
internal import Store

/// The store at work for a gateway, and the shard's way to it.
struct StartedStore {
  var service: StoreService
  var connection: StoreConnection
}

/// Opens the configured store and reads its bans; nil when there is none.
///
/// - Throws: ``StoreError``. A gateway whose bans can't be read does not start.
func startStore(
  _ configuration: GatewayConfiguration, _ mailbox: Mailbox, _ log: LogWriter
) throws(StoreError) -> StartedStore? {
  guard let store = configuration.store else { return nil }
  var settings = StoreServiceConfiguration(
    path: store.path, listeners: configuration.listeners.map(\.name))
  settings.passwords = PasswordParameters(
    opsLimit: store.passwordPasses, memoryBytes: store.passwordMemoryBytes)
  settings.passwordThreads = store.passwordThreads
  settings.loginHistoryDays = Int64(store.loginHistoryDays)
  settings.knownFor = configuration.access.logins.knownFor
  settings.allow = configuration.access.allow
  let callbacks = StoreServiceCallbacks(
    deliver: { mailbox.post($0) },
    bans: { mailbox.post($0, event: $1) },
    recorded: { mailbox.post(recorded: $0, event: $1) },
    known: { mailbox.post(accountsKnown: $0) },
    stateChanged: { failure in
      guard let failure else { return log.log(.info, "store-recovered", ["path": store.path]) }
      log.log(.error, "store-unavailable", ["path": store.path, "reason": "\(failure)"])
    },
    replaced: { before, now in
      log.log(
        .warning, "store-replaced",
        ["path": store.path, "bans_before": "\(before)", "bans": "\(now)"])
    })
  let (service, bans, event) = try StoreService.start(settings, callbacks)
  log.log(.info, "store-opened", ["path": store.path, "bans": "\(bans.count)"])
  return StartedStore(
    service: service,
    connection: StoreConnection(
      bans: bans, event: event, verify: { service.verify($0) },
      record: { service.record($0) }, wake: { service.wake() }))
}

/// Writes what waits for the store, within a moment.
func stopStore(_ service: StoreService?, _ log: LogWriter) {
  guard let service, !service.stop(timeoutMilliseconds: 3000) else { return }
  log.log(
    .warning, "store-not-stopped",
    ["waited_ms": "3000", "records_lost": "\(service.statistics().recordsWaiting)"])
}

/// What the store's own threads count, for whoever watches the gateway.
func metrics(_ statistics: StoreStatistics) -> [ExtraMetric] {
  func counter(_ name: String, _ help: String, _ value: UInt64) -> ExtraMetric {
    ExtraMetric(name: "gatehouse_store_\(name)_total", kind: .counter, help: help, value: value)
  }
  func gauge(_ name: String, _ help: String, _ value: Int) -> ExtraMetric {
    ExtraMetric(
      name: "gatehouse_store_\(name)", kind: .gauge, help: help, value: UInt64(max(0, value)))
  }
  return [
    gauge("up", "Whether the database can be used: 1 or 0.", statistics.failure == nil ? 1 : 0),
    gauge(
      "logins_waiting", "Claims that wait for the store's threads.", statistics.requestsWaiting),
    gauge("records_waiting", "Records that wait to be written.", statistics.recordsWaiting),
    counter("records_written", "Records written.", statistics.recordsWritten),
    counter(
      "login_records_dropped", "Lines of the login history for which there was no room.",
      statistics.loginRecordsDropped),
    counter(
      "temporary_bans_dropped", "Bans of rules that could not be recorded.",
      statistics.temporaryBansDropped),
    counter("password_hashes", "Argon2id computations.", statistics.hashes),
    counter(
      "password_hash_milliseconds", "Time spent in Argon2id computations.",
      statistics.hashTime.milliseconds),
    counter("password_upgrades", "Passwords hashed anew at a login.", statistics.upgrades),
    counter("ban_updates", "Changes of bans taken over.", statistics.banUpdates),
    counter("ban_reloads", "Times that all bans were read anew.", statistics.banReloads),
  ]
}
