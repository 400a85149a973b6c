internal import Auth
internal import Gateway
internal import Primitives
internal import Store

/// A gateway's store, which has threads of its own: what it finds comes by the mailbox.
extension VirtualGateway {
  /// Opens the database and reads the bans, as the program does before it listens.
  ///
  /// - Throws: ``StoreError``; a gateway whose bans can't be read does not start.
  func openStore() throws(StoreError) {
    guard let disk = simulation.disk else { return }
    let scenario = simulation.scenario
    var settings = StoreServiceConfiguration(
      path: StoreFixture.path, listeners: configuration.listeners.map(\.name))
    settings.knownFor = configuration.access.logins.knownFor
    settings.allow = configuration.access.allow
    let store = VirtualStore(
      disk: disk, configuration: settings, seed: door.random.next(),
      hashThreads: scenario.hashThreads,
      hashTime: .milliseconds(UInt64(scenario.hashMilliseconds)))
    let (bans, event) = try store.start(
      now: now, unixMilliseconds: Int64(simulation.unixMilliseconds))
    door.shard.bansChanged(bans, event: event)
    self.store = store
    deliverStoreOutputs()
    planStoreTurn()
  }

  func storeTurn(serial: UInt64) {
    guard serial == storeSerial, let store else { return }
    storeDueAt = .distantFuture
    store.turn(now: now, unixMilliseconds: Int64(simulation.unixMilliseconds))
    deliverStoreOutputs()
    planStoreTurn()
  }

  /// The store was given something, or has done something.
  func planStoreTurn() {
    guard let due = store?.nextDeadline, max(due, now) < storeDueAt else { return }
    storeDueAt = max(due, now)
    storeSerial = simulation.nextSerial()
    simulation.add(.storeTurn(gateway: number, serial: storeSerial), at: storeDueAt)
  }

  private func deliverStoreOutputs() {
    guard let store else { return }
    for output in store.takeOutputs() {
      if case .stateChanged(let failure) = output.output { storeFailure = failure }
      guard let mail = Mail(output.output) else { continue }
      simulation.add(.mail(gateway: number, instance: instance, shard: 0, mail), at: output.at)
    }
  }

  /// Writes what waits, once the gateway has finished.
  func closeStore() {
    store?.stop()
    store = nil
  }
}

extension Mail {
  /// Nil for what the log alone is told.
  fileprivate init?(_ output: VirtualStore.Output) {
    switch output {
    case .verdict(let session, let verdict): self = .verdict(session, verdict)
    case .bans(let table, let event): self = .bans(table, event: event)
    case .recorded(let ban, let event): self = .banRecorded(ban, event: event)
    case .known(let accounts): self = .accountsKnown(accounts)
    case .stateChanged, .replaced: return nil
    }
  }
}
