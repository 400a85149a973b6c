package import Auth
internal import Primitives
internal import Synchronization
internal import Threading

/// Keeps a ``BanTable`` in step with the store, whichever process changes it; and copies the
/// store's write-ahead log into its file when it has grown long.
///
/// - SAFETY: whoever made it uses it until its thread begins, and that thread alone from there on.
@safe
package final class BanWatcher: @unchecked Sendable {
  /// How long a change may stay unseen.
  package static let turnMilliseconds: UInt32 = 100
  /// Beyond so many events it takes less time to read all bans.
  private static let eventsMax: Int64 = 16_384
  /// Allowances of the configuration have ids from here on, which neither the store nor rules give.
  private static let firstConfiguredID = Int64.min

  private let shared: StoreServiceShared
  private let connection: StoreConnection
  private var table = BanTable.empty
  /// What the shard may still have: it goes here, on this thread, once the shard has the next one.
  private var previous = BanTable.empty
  /// The last event that is in ``table``.
  private var seq: Int64 = 0
  private var version: Int64 = 0
  /// The connection's ``StoreConnection/openCount`` when all bans were read.
  private var loadedOpening = 0

  package init(_ shared: StoreServiceShared) {
    self.shared = shared
    connection = StoreConnection(shared.configuration)
  }

  /// Opens the database, or makes it, and reads all bans.
  package func load() throws(StoreError) -> (BanTable, event: Int64) {
    try connection.perform(mayCreate: true) { database throws(StoreError) in
      version = try database.dataVersion
      try reload(database)
    }
    loadedOpening = connection.openCount
    return (table, seq)
  }

  /// What its thread does until the end.
  func run() {
    defer { close() }
    while true {
      _ = shared.watcherWakeUp.wait(milliseconds: Self.turnMilliseconds)
      if shared.isStopping.load(ordering: .acquiring) { return }
      turn()
    }
  }

  /// Looks once, and tells what has changed; due every ``turnMilliseconds``.
  package func turn() {
    previous = table
    do throws(StoreError) {
      let isChanged = try connection.perform { database throws(StoreError) in
        // Here nobody waits for the disk but news of bans.
        if shared.isLogLong.exchange(false, ordering: .acquiring) { try database.copyLog() }
        return try look(database)
      }
      shared.health.works(.bans)
      if isChanged { shared.callbacks.bans(table, seq) }
    } catch {
      shared.health.failed(.bans, error)
      shared.count { $0.lastError = error.description }
    }
  }

  /// Lets go of the database, after the last turn.
  package func close() { connection.close() }

  /// - Returns: whether the table is another one.
  private func look(_ database: Database) throws(StoreError) -> Bool {
    let current = try database.dataVersion
    // After an opening it may be another file, with other bans under the same numbers.
    if loadedOpening != connection.openCount {
      let before = (seq: seq, count: table.count)
      // Made by whoever, in the place of the one with the bans: nobody is let in for that.
      let newest = try database.newestBanEvent()
      guard before.seq == 0 || newest > 0 else {
        throw .cannotOpen(
          path: shared.configuration.path,
          problem:
            "an empty database is in the place of the one with \(before.count) bans; put that "
            + "or a backup back, or restart the gateway to go on without")
      }
      try reload(database)
      if seq < before.seq { shared.callbacks.replaced(before.count, table.count) }
    } else {
      guard current != version else { return false }
      guard try update(database) else {
        version = current
        return false
      }
    }
    loadedOpening = connection.openCount
    version = current
    return true
  }

  /// Takes over what happened since ``seq``.
  ///
  /// - Returns: false when nothing has.
  private func update(_ database: Database) throws(StoreError) -> Bool {
    let newest = try database.newestBanEvent()
    if newest == seq { return false }
    // Fewer events than before: the file's content was replaced.
    guard newest > seq, newest - seq <= Self.eventsMax else {
      try reload(database)
      return true
    }
    let changes = try database.banChanges(
      after: seq, now: shared.configuration.clock.unixSeconds(), limit: Int(Self.eventsMax))
    let added = changes.added.map { (ban: $0.ban, allows: $0.effect == .allow) }
    guard let updated = table.applying(added: added, lifted: changes.lifted) else {
      try reload(database)
      return true
    }
    table = updated
    seq = changes.seq
    shared.count { $0.banUpdates += 1 }
    return true
  }

  private func reload(_ database: Database) throws(StoreError) {
    var builder = BanTable.Builder(listeners: shared.configuration.listeners)
    for (index, subject) in shared.configuration.allow.enumerated() {
      let id = Self.firstConfiguredID + Int64(index)
      builder.add(Ban(id: id, subject: subject), allows: true)
    }
    seq = try database.liveBans(now: shared.configuration.clock.unixSeconds()) { ban, effect in
      builder.add(ban, allows: effect == .allow)
    }
    table = builder.finish()
    shared.count { $0.banReloads += 1 }
  }
}
