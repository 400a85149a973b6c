internal import Auth
package import Primitives
internal import Synchronization
internal import Threading

/// The thread that asks the database who may come in, and writes what is to be kept.
///
/// - SAFETY: whoever made it lets its thread begin and does nothing else with it.
@safe
package final class LoginVerifier: @unchecked Sendable {
  /// Requests, or records, of one transaction: others get in between.
  private static let groupMax = 256
  /// Until records that could not be written are tried again.
  private static let writeRetry = Interval.milliseconds(250)
  private static let pruneEvery = Interval.seconds(3600)
  private static let pruneRest = Interval.milliseconds(50)

  private let shared: StoreServiceShared
  private let pool: HashPool
  private let clock: StoreClock
  private let connection: StoreConnection
  // What was taken from the inbox and is not written yet.
  private var records: [StoreServiceInbox.Record] = []
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
      _ = shared.inbox.wakeUp.wait(milliseconds: UInt32(clamping: milliseconds))
    }
  }

  /// Does all that waits, and what is due.
  ///
  /// - Returns: when the next turn is due if nothing comes in before; it may lie in the past, and a
  ///   millisecond is rested all the same. Nil after the last turn of a service that stops.
  package func turn() -> Instant? {
    var taken = shared.inbox.take()
    records += taken.records
    if !taken.isStopping { verify(&taken.requests) }
    write()
    if taken.isStopping { return nil }
    keepHouse()
    return idleUntil
  }

  /// Lets go of the database, after the last turn.
  package func close() { connection.close() }

  private var isFailing: Bool {
    shared.health.isFailing(.reading) || shared.health.isFailing(.writing)
  }

  /// Until the database is to be tried again, or the history to be pruned.
  private var idleUntil: Instant {
    let until = connection.failure == nil ? nextPrune : connection.retryAt
    guard !records.isEmpty || isFailing else { return until }
    return min(until, clock.monotonic() + Self.writeRetry)
  }

  /// Does `work` with the database and tells the log when that begins or ceases to fail.
  private func perform<R>(
    _ part: StoreHealth.Part, _ work: (Database) throws(StoreError) -> R
  ) throws(StoreError) -> R {
    do throws(StoreError) {
      let result = try connection.perform(work)
      shared.health.works(part)
      return result
    } catch {
      // What is said of one row or one secret is no failure of the store.
      if connection.failure != nil { shared.health.failed(part, error) }
      shared.count { $0.lastError = error.description }
      throw error
    }
  }
}

// Requests.
extension LoginVerifier {
  private enum Claim {
    case token(hash: [UInt8])
    case ticket(Ticket, TicketConfiguration)
  }

  private func verify(_ requests: inout [LoginRequest]) {
    for start in stride(from: 0, to: requests.count, by: Self.groupMax) {
      verify(&requests, start..<min(start + Self.groupMax, requests.count))
    }
  }

  /// Takes the secrets out of a group's requests, so that no copy of them outlives their use.
  private func verify(_ requests: inout [LoginRequest], _ group: Range<Int>) {
    let now = clock.unixSeconds()
    var jobs: [HashPool.Job] = []
    var claims: [(request: LoginRequest, claim: Claim)] = []
    for index in group {
      switch requests[index].kind {
      case .password:
        jobs.append(.init(request: requests[index], question: .nobody))
        requests[index].credentials.secret = []
      case .token:
        let hash = TokenSecret.hash(of: requests[index].credentials.secret)
        SecretBytes.wipe(&requests[index].credentials.secret)
        claims.append((requests[index], .token(hash: hash)))
      case .ticket(let configuration):
        let finding = TicketVerifier.check(
          requests[index].credentials.secret, configuration, now: now)
        SecretBytes.wipe(&requests[index].credentials.secret)
        switch finding {
        case .refused(let refusal): shared.answer(requests[index], .refused(refusal))
        case .good(let ticket) where isNamed(ticket.account, requests[index]):
          claims.append((requests[index], .ticket(ticket, configuration)))
        case .good: shared.answer(requests[index], .refused(.wrongSecret))
        }
      }
    }
    settle(claims, now: now)
    lookUp(jobs)
  }

  /// Decides on tokens and tickets in one transaction; answers go out when it is committed.
  private func settle(_ claims: [(request: LoginRequest, claim: Claim)], now: Int64) {
    guard !claims.isEmpty else { return }
    var verdicts: [LoginVerdict] = []
    do throws(StoreError) {
      try perform(.writing) { database throws(StoreError) in
        try database.inTransaction { () throws(StoreError) in
          for (request, claim) in claims {
            verdicts.append(try verdict(on: claim, request, database, now: now))
          }
        }
      }
    } catch {
      verdicts = claims.map { _ in .unavailable(error.description) }
    }
    for ((request, _), verdict) in zip(claims, verdicts) { shared.answer(request, verdict) }
  }

  private func verdict(
    on claim: Claim, _ request: LoginRequest, _ database: Database, now: Int64
  ) throws(StoreError) -> LoginVerdict {
    switch claim {
    case .token(let hash):
      switch try database.useToken(hash: hash, now: now, isFor: { isNamed($0, request) }) {
      case .accepted(let account):
        .accepted(account, attributes: request.credentials.attributes)
      case .unknown, .otherAccount: .refused(.wrongSecret)
      case .expired: .refused(.expired)
      case .revoked: .refused(.revoked)
      case .alreadyUsed: .refused(.alreadyUsed)
      case .accountDisabled: .refused(.accountDisabled)
      }
    case .ticket(let ticket, let configuration):
      // A ticket is good for as long after its expiry as clocks may differ; so is its nonce.
      switch try database.useTicket(
        nonce: ticket.nonce, account: ticket.account, issuedAt: ticket.issuedAt,
        expiresAt: ticket.expiresAt + TicketVerifier.clockSkewSeconds,
        isSingleUse: configuration.singleUse, now: now)
      {
      case .accepted: .accepted(ticket.account, attributes: request.credentials.attributes)
      case .alreadyUsed: .refused(.alreadyUsed)
      case .revoked: .refused(.revoked)
      case .accountDisabled: .refused(.accountDisabled)
      }
    }
  }

  /// False when the packet names another account than the secret: the game would believe the
  /// packet.
  private func isNamed(_ account: AccountName, _ request: LoginRequest) -> Bool {
    guard let name = request.credentials.account else { return true }
    return AccountName(name) == account
  }

  /// Hands passwords over to the pool with what they are compared to.
  private func lookUp(_ jobs: consuming [HashPool.Job]) {
    guard !jobs.isEmpty else { return }
    do throws(StoreError) {
      try perform(.reading) { database throws(StoreError) in
        for index in jobs.indices {
          let name = jobs[index].request.credentials.account.flatMap { AccountName($0) }
          guard let name, let found = try database.passwordRecord(of: name) else { continue }
          jobs[index].question = .account(found.account, found.record)
        }
      }
      pool.add(jobs)
    } catch {
      for index in jobs.indices {
        SecretBytes.wipe(&jobs[index].request.credentials.secret)
        shared.answer(jobs[index].request, .unavailable(error.description))
      }
    }
  }
}

// Records.
extension LoginVerifier {
  /// Writes what there is; what the database can't take now is kept for the next time.
  private func write() {
    while !records.isEmpty {
      let group = Array(records.prefix(Self.groupMax))
      do throws(StoreError) {
        try write(group)
        forget(group)
      } catch {
        guard connection.failure == nil else { return }
        // One of them is at fault, and not the database: the others are written without it.
        guard writeOneByOne(group) else { return }
      }
    }
  }

  private func write(_ group: [StoreServiceInbox.Record]) throws(StoreError) {
    let now = clock.unixSeconds()
    var recorded: [(ban: TemporaryBan, event: Int64)] = []
    try perform(.writing) { database throws(StoreError) in
      recorded = []
      try database.inTransaction { () throws(StoreError) in
        for record in group {
          switch record {
          case .login(let login, let at): try database.recordLogins([(login, at: at)])
          case .temporaryBan(let ban):
            try database.addBan(NewBan(ban), now: now)
            recorded.append((ban, try database.newestBanEvent()))
          case .upgrade(let upgrade):
            try database.upgradePassword(
              of: upgrade.account, from: upgrade.old, to: upgrade.new, now: now)
          }
        }
      }
    }
    for (ban, event) in recorded { shared.callbacks.recorded(ban, event) }
    shared.count { statistics in
      for record in group {
        if case .upgrade = record {
          statistics.upgrades += 1
        } else {
          statistics.recordsWritten += 1
        }
      }
    }
  }

  /// Writes each record in its own transaction, and drops those that are refused.
  ///
  /// - Returns: false when the database fails; what is not written is kept.
  private func writeOneByOne(_ group: [StoreServiceInbox.Record]) -> Bool {
    for record in group {
      do throws(StoreError) {
        try write([record])
      } catch {
        guard connection.failure == nil else { return false }
        shared.count { statistics in
          switch record {
          case .login: statistics.loginRecordsDropped += 1
          case .temporaryBan: statistics.temporaryBansDropped += 1
          // It is made again at the next login.
          case .upgrade: break
          }
        }
      }
      forget([record])
    }
    return true
  }

  private func forget(_ group: [StoreServiceInbox.Record]) {
    records.removeFirst(group.count)
    shared.inbox.finished(group)
  }
}

// What is done now and then.
extension LoginVerifier {
  private func keepHouse() {
    // Reading can work where writing does not: as long as records wait, they tell.
    guard records.isEmpty else { return }
    let now = clock.monotonic()
    let configuration = shared.configuration
    do throws(StoreError) {
      // Whether the database is back, though nobody asks.
      if shared.health.isFailing(.writing) {
        try perform(.writing) { database throws(StoreError) in try database.probeWriting() }
      }
      guard now >= nextPrune || connection.failure != nil || shared.health.isFailing(.reading)
      else { return }
      try perform(.reading) { database throws(StoreError) in
        _ = try database.dataVersion
        if !hasToldKnown { try tellKnown(database) }
        guard now >= nextPrune else { return }
        let seconds = configuration.loginHistoryDays * 86_400
        let count = try database.pruneLogins(
          olderThan: clock.unixSeconds() - seconds, limit: Database.pruneBatch)
        // Who waits to be let in comes between two batches.
        let isThrough = count < Database.pruneBatch
        nextPrune = now + (isThrough ? Self.pruneEvery : Self.pruneRest)
      }
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

extension NewBan {
  /// A rule's ban, with the rule as its author.
  fileprivate init(_ ban: TemporaryBan) {
    self.init(
      effect: .ban, subject: ban.subject, listener: ban.listener, shownReason: ban.shownReason,
      internalReason: ban.internalReason, author: "rule \(ban.rule)", until: ban.until)
  }
}
