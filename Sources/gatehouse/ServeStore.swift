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
    deliver: { session, verdict in mailbox.post(verdict, for: session) },
    bans: { mailbox.post($0) },
    known: { mailbox.post(accountsKnown: $0) },
    stateChanged: { failure in
      guard let failure else { return log.log(.info, "store-recovered", ["path": store.path]) }
      log.log(.error, "store-unavailable", ["path": store.path, "reason": "\(failure)"])
    })
  let (service, bans) = try StoreService.start(settings, callbacks)
  log.log(.info, "store-opened", ["path": store.path, "bans": "\(bans.count)"])
  return StartedStore(
    service: service,
    connection: StoreConnection(
      bans: bans, verify: { service.verify($0) }, record: { service.record($0) }))
}

/// Writes what waits for the store, within a moment.
func stopStore(_ service: StoreService?, _ log: LogWriter) {
  guard let service, !service.stop(timeoutMilliseconds: 3000) else { return }
  log.log(.warning, "store-not-stopped", ["waited_ms": "3000"])
}
