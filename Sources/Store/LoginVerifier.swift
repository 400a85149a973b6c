internal import Auth
package import Primitives
internal import Synchronization
internal import Threading

/// The thread that asks the database who may come in, and writes what is to be kept.
///
/// Verdicts come first: what is to be kept waits for more of its kind, so that a transaction takes
/// many of them, and in a long list of it those who wait come between two transactions.
///
/// - SAFETY: whoever made it lets its thread begin and does nothing else with it.
@safe
package final class LoginVerifier: @unchecked Sendable {
  /// How long records, and the uses of tokens, wait for others: what a process that is killed may
  /// lose of them.
  package static let writeDelay = Interval.milliseconds(250)
  private static let pruneEvery = Interval.seconds(3600)
  private static let pruneRest = Interval.milliseconds(50)
  /// How long whatever nobody waits for waits for others who write, because logins wait for this
  /// thread; it is tried again.
  static let momentForOthers = Interval.milliseconds(20)
  /// So many pages, 16 MiB, are written before another thread copies them: logins do not wait for
  /// the disk, and pages that were written many times are copied once.
  private static let pagesInLog = 4000

  let shared: StoreServiceShared
  let pool: HashPool
  let clock: StoreClock
  let connection: StoreConnection
  var tokens = TokenCache()
  // What was taken from the inbox and is not written yet.
  var records: ArraySlice<StoreServiceInbox.Record> = []
  /// When what waits to be written is written; nil while nothing waits.
  var writeDue: Instant?
  /// What ``Database/pagesWritten`` was when the log was last said to be long.
  private var pagesCopied = 0
  /// Since when somebody else has kept the database from being written.
  private var lockedSince: Instant?
  private var nextPrune = Instant(nanoseconds: 0)
  private var hasToldKnown = false

  package init(_ shared: StoreServiceShared, _ pool: HashPool) {
    self.shared = shared
    self.pool = pool
    clock = shared.configuration.clock
    connection = StoreConnection(shared.configuration)
  }

  /// What its thread does until the end.
  func run() {
    defer { close() }
    while let until = turn() {
      let milliseconds = max(1, until.since(clock.monotonic()).milliseconds)
      shared.inbox.sleep(milliseconds: UInt32(clamping: milliseconds))
    }
  }

  /// Does all that waits, and what is due.
  ///
  /// - Returns: when the next turn is due if nothing comes in before; it may lie in the past, and a
  ///   millisecond is rested all the same. Nil after the last turn of a service that stops, in
  ///   which the last of what is to be kept was written, or given up.
  package func turn() -> Instant? {
    let isStopping = takeRequests()
    if isStopping {
      records += shared.inbox.takeRecords()
      while isUnwritten, !shared.isGivenUp.load(ordering: .acquiring) {
        guard write() else { return writeDue }
      }
      return nil
    }
    if let writeDue, writeDue <= clock.monotonic() { write() }
    keepHouse()
    return idleUntil
  }

  /// Lets go of the database, after the last turn.
  package func close() { connection.close() }

  /// Answers what was asked, and notes what is to be written.
  ///
  /// - Returns: whether the service stops; then nothing is answered any more.
  @discardableResult
  func takeRequests() -> Bool {
    var news = shared.inbox.take()
    if !news.isStopping { verify(&news.requests) }
    if news.areRecordsUrgent {
      writeDue = Instant(nanoseconds: 0)
    } else if writeDue == nil, news.hasRecords || tokens.hasUses {
      writeDue = clock.monotonic() + Self.writeDelay
    }
    return news.isStopping
  }

  private var isFailing: Bool {
    shared.health.isFailing(.reading) || shared.health.isFailing(.writing)
  }

  /// Until the database is to be tried again, something to be written, or the history pruned.
  private var idleUntil: Instant {
    var until = connection.failure == nil ? nextPrune : connection.retryAt
    if isFailing { until = min(until, clock.monotonic() + Self.writeDelay) }
    if let writeDue { until = min(until, writeDue) }
    return until
  }

  /// Others have kept the database from being written for longer than logins wait.
  var isLocked: Bool {
    guard let lockedSince else { return false }
    return clock.monotonic() >= lockedSince + shared.configuration.busyTimeout
  }

  /// Does `work`, which writes; as ``performReading(_:)`` otherwise.
  ///
  /// - Parameter time: for which others who write are waited for, and tried again soon; the busy
  ///   timeout if it is nil. It is no failure of the store until that has passed altogether.
  func performWriting<R>(
    waiting time: Interval?, _ work: (Database) throws(StoreError) -> R
  ) throws(StoreError) -> R {
    let start = clock.monotonic()
    do throws(StoreError) {
      let result = try connection.perform { database throws(StoreError) in
        defer { watchLog(of: database) }
        guard let time else { return try work(database) }
        return try database.waiting(atMost: time) { () throws(StoreError) in try work(database) }
      }
      lockedSince = nil
      shared.health.works(.writing)
      return result
    } catch {
      if case .busy = error {
        lockedSince = lockedSince ?? start
        guard isLocked else { throw error }
      }
      tell(error, .writing)
      throw error
    }
  }

  /// Does `work` with the database and tells the log when that begins or ceases to fail.
  func performReading<R>(
    _ work: (Database) throws(StoreError) -> R
  ) throws(StoreError) -> R {
    do throws(StoreError) {
      let result = try connection.perform(work)
      shared.health.works(.reading)
      return result
    } catch {
      tell(error, .reading)
      throw error
    }
  }

  private func watchLog(of database: Database) {
    let count = database.pagesWritten
    // Less than before: it was opened again.
    if count < pagesCopied { pagesCopied = 0 }
    guard count - pagesCopied >= Self.pagesInLog else { return }
    pagesCopied = count
    shared.isLogLong.store(true, ordering: .releasing)
  }

  private func tell(_ error: StoreError, _ part: StoreHealth.Part) {
    // What is said of one row or one secret is no failure of the store.
    if connection.failure != nil { shared.health.failed(part, error) }
    shared.count { $0.lastError = error.description }
  }
}

// What is done now and then.
extension LoginVerifier {
  private func keepHouse() {
    // Reading can work where writing does not: as long as something can't be written, that tells.
    guard records.isEmpty else { return }
    let now = clock.monotonic()
    do throws(StoreError) {
      // Whether the database is back, though nobody asks.
      if shared.health.isFailing(.writing) {
        try performWriting(waiting: Self.momentForOthers) { database throws(StoreError) in
          try database.probeWriting()
        }
      }
      guard now >= nextPrune || connection.failure != nil || shared.health.isFailing(.reading)
      else { return }
      try performReading { database throws(StoreError) in
        _ = try database.dataVersion
        if !hasToldKnown { try tellKnown(database) }
      }
      guard now >= nextPrune else { return }
      let unixSeconds = clock.unixSeconds()
      let seconds = shared.configuration.loginHistoryDays * 86_400
      let count = try performWriting(waiting: Self.momentForOthers) { database throws(StoreError) in
        try database.pruneLogins(
          olderThan: unixSeconds - seconds, now: unixSeconds, limit: Database.pruneBatch)
      }
      // Who waits to be let in comes between two batches.
      nextPrune = now + (count < Database.pruneBatch ? Self.pruneEvery : Self.pruneRest)
    } catch {
      // It is counted and told; the next turn tries again.
      if connection.failure == nil { nextPrune = now + Self.pruneEvery }
    }
  }

  private func tellKnown(_ database: Database) throws(StoreError) {
    let configuration = shared.configuration
    let seconds = Int64(clamping: configuration.knownFor.nanoseconds / 1_000_000_000)
    var names: [AccountName] = []
    try database.knownAccounts(
      since: clock.unixSeconds() - seconds, limit: configuration.knownAccountsMax
    ) { name in names.append(name) }
    hasToldKnown = true
    shared.callbacks.known(names)
  }
}
