public import Auth
internal import Primitives

/// Bans take effect on who comes and on who is in; rules make some of their own.
extension Shard {
  /// Sessions that are looked at in one turn after the bans have changed.
  static let sweptPerTurn = 2048
  /// Between two such turns: a hundred thousand sessions take a tenth of a second, and bans without
  /// end no more than some percent of the time.
  static let sweepPause = Interval.milliseconds(2)

  /// The bans in force have changed.
  ///
  /// New clients are judged by them from here on; open sessions are looked at in the next turns, so
  /// many in each that nobody has to wait for it.
  ///
  /// - Parameter event: the store's last event that the table shows.
  public mutating func bansChanged(_ table: BanTable, event: Int64) {
    bans = table
    renumberListeners()
    unrecorded.show(eventsTo: event)
    if !Fault.ignoreBanOfOpen.isOn { beginSweep() }
  }

  /// The store has recorded a ban that a rule made, with this event.
  public mutating func banRecorded(_ ban: TemporaryBan, event: Int64) {
    unrecorded.record(ban, event: event)
  }

  /// The accounts that logged in lately, as the store knows them when the gateway starts.
  public mutating func accountsKnown(_ accounts: [AccountName]) {
    for account in accounts { known.insert(account, at: time.unixSeconds) }
  }

  func ban(of client: SocketAddress, listener: Int) -> BanMatch? {
    let second = time.unixSeconds
    let number = listeners[listener].banNumber
    if let ban = bans.ban(of: client, listener: number, at: second) { return ban }
    guard !unrecorded.isEmpty else { return nil }
    return unrecorded.ban(of: prefixes.banned(of: client), at: second)
  }

  func ban(of account: AccountName, listener: Int) -> BanMatch? {
    if allows(account, listener: listener) { return nil }
    let number = listeners[listener].banNumber
    return bans.ban(of: account, listener: number, at: time.unixSeconds)
      ?? unrecorded.ban(of: account, at: time.unixSeconds)
  }

  func allows(_ client: SocketAddress, listener: Int) -> Bool {
    bans.allows(client, listener: listeners[listener].banNumber, at: time.unixSeconds)
  }

  func allows(_ account: AccountName, listener: Int) -> Bool {
    bans.allows(account, listener: listeners[listener].banNumber, at: time.unixSeconds)
  }

  // MARK: Open sessions

  /// Has all open sessions looked at; while they are, once more from the start behind that.
  mutating func beginSweep() {
    if sweep == nil {
      sweep = Sweep(place: live.count)
    } else {
      sweep!.isToBeginAnew = true
    }
  }

  /// Looks at some of the sessions that a change of bans has left to look at.
  mutating func continueSweep(now: Instant, effects: inout Effects) {
    guard var sweep, sweep.due <= now else { return }
    var closed = 0
    var place = min(sweep.place, live.count)
    let end = max(0, place - Self.sweptPerTurn)
    // Backwards: a session that closes is replaced by one that has been looked at.
    while place > end {
      place -= 1
      if place < live.count, endIfBanned(live[place], now: now, effects: &effects) { closed += 1 }
    }
    access.sessionsBanned += UInt64(closed)
    sweep.closed += closed
    sweep.place = end
    sweep.due = now + Self.sweepPause
    // Ending sessions may have made rules ban others meanwhile.
    if self.sweep?.isToBeginAnew == true { sweep.isToBeginAnew = true }
    if end > 0 {
      self.sweep = sweep
      return
    }
    effects.log.append(.bansApplied(bans: bans.count, sessionsClosed: sweep.closed))
    self.sweep = sweep.isToBeginAnew ? Sweep(place: live.count, due: sweep.due) : nil
  }

  private mutating func endIfBanned(
    _ index: UInt32, now: Instant, effects: inout Effects
  ) -> Bool {
    let listener = Int(sessions[index].listener)
    guard sessions[index].phase != .closing, !isEndingAway(index) else { return false }
    let account = identities.account(at: sessions[index].identity)
    let wasAllowed = sessions[index].isAllowed
    sessions[index].isAllowed =
      allows(sessions[index].client, listener: listener)
      || account.map { allows($0, listener: listener) } ?? false
    if sessions[index].phase == .away, sessions[index].isAllowed != wasAllowed {
      effects.tell(
        Int(sessions[index].shard), .allow(sessions[index].uuid, sessions[index].isAllowed))
    }
    guard !sessions[index].isAllowed else { return false }
    let found =
      ban(of: sessions[index].client, listener: listener)
      ?? account.flatMap { ban(of: $0, listener: listener) }
    guard let found else { return false }
    // What waits for it is not worth waiting for: it may be a client that takes nothing.
    let flushes = sessions[index].queue.isEmpty
    close(index, .banned, flush: flushes, ban: found, now: now, effects: &effects)
    return true
  }

  // MARK: Rules

  /// Something that rules count has happened; it may ban an address or an account.
  mutating func offend(
    _ trigger: TemporaryBanRule.Trigger, _ index: UInt32, now: Instant, effects: inout Effects
  ) {
    guard !sessions[index].isAllowed else { return }
    let account =
      identities.account(at: sessions[index].identity)
      ?? claimedAccount(index).flatMap { AccountName($0) }
    let offender = Offender(
      client: sessions[index].client, account: account, listener: Int(sessions[index].listener))
    offend(trigger, offender, now: now, effects: &effects)
  }

  mutating func offend(
    _ trigger: TemporaryBanRule.Trigger, _ offender: Offender, now: Instant,
    effects: inout Effects
  ) {
    guard isDoor else { return effects.tell(0, .offence(trigger, offender)) }
    for rule in configuration.access.temporaryBans.indices
    where configuration.access.temporaryBans[rule].trigger == trigger {
      guard let subject = subject(offender, configuration.access.temporaryBans[rule].target),
        let length = offences[rule].offend(
          subject, isBanned: isBanned(subject, offender), now: now)
      else { continue }
      banByRule(subject, rule: rule, for: length, effects: &effects)
    }
  }

  private func isBanned(_ subject: Subject, _ offender: Offender) -> Bool {
    switch subject {
    case .addresses: ban(of: offender.client, listener: offender.listener) != nil
    case .account(let name): ban(of: name, listener: offender.listener) != nil
    }
  }

  /// Whom a rule counts and bans; nil when there is nobody, or one whom no rule touches.
  private func subject(_ offender: Offender, _ target: TemporaryBanRule.Target) -> Subject? {
    switch target {
    case .address: return .addresses(prefixes.banned(of: offender.client))
    case .account:
      guard let name = offender.account,
        !allows(name, listener: offender.listener)
      else { return nil }
      return .account(name)
    }
  }

  func claimedAccount(_ index: UInt32) -> String? {
    guard sessions[index].login != PendingLogin.none else { return nil }
    let place = sessions[index].login
    return pending.records[place].credentials.account
      ?? pending.records[place].ticketAccount?.text
  }

  private mutating func banByRule(
    _ subject: Subject, rule: Int, for length: Interval, effects: inout Effects
  ) {
    let rule = configuration.access.temporaryBans[rule]
    ban(
      TemporaryBan(
        subject: subject, listener: nil, rule: rule.name, shownReason: rule.shownReason,
        internalReason: "\(rule.count) \(rule.trigger.rawValue)",
        until: time.unixSeconds + Int64(length.milliseconds / 1000)), effects: &effects)
  }

  /// Bans at once, and has the store record it.
  mutating func ban(_ ban: TemporaryBan, effects: inout Effects) {
    guard isDoor else { return effects.tell(0, .ban(ban)) }
    let isHeld = unrecorded.add(ban, at: time.unixSeconds)
    // Without a store, and without room, it would be a ban in the log alone.
    guard isHeld || configuration.store != nil else { return }
    access.temporaryBans += 1
    if configuration.store != nil { effects.records.append(.temporaryBan(ban)) }
    if let unlogged = banLog.admit(second: time.unixSeconds) {
      effects.log.append(.temporaryBan(ban, unlogged: unlogged))
    }
    beginSweep()
  }

  /// Who has come in has not been guessing.
  mutating func forgiveFailures(account: AccountName) {
    for rule in configuration.access.temporaryBans.indices
    where configuration.access.temporaryBans[rule].trigger == .failedLogins
      && configuration.access.temporaryBans[rule].target == .account
    {
      offences[rule].clear(.account(account))
    }
  }
}

/// Looking at all open sessions after a change of bans, some at a time.
struct Sweep: BitwiseCopyable {
  /// So many of the live sessions are left.
  var place: Int
  /// When the next ones are looked at.
  var due = Instant(nanoseconds: 0)
  var closed = 0
  /// The bans have changed since it began.
  var isToBeginAnew = false
}

/// Who did something that rules count.
public struct Offender: Sendable {
  var client: SocketAddress
  var account: AccountName?
  var listener: Int
}
