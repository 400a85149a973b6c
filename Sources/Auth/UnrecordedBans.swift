public import Primitives

/// Bans that rules made and that are not in the store's table of bans yet: they hold at once,
/// whatever the store is doing.
///
/// The store says when it has recorded one, by the number of its event, and a table says up to
/// which event it goes. From there on the table alone counts: the ban may be lifted there already.
public struct UnrecordedBans: Sendable {
  /// The most at one time; beyond it the store alone makes a ban hold.
  public static let countMax = 65_536

  private var byPrefix: [AddressPrefix: Ban] = [:]
  private var byAccount: [AccountName: Ban] = [:]
  /// Recorded with these events, which no table has shown yet.
  private var recorded: [(subject: Subject, until: Int64, event: Int64)] = []
  /// The last event that the table in use shows.
  private var lastEvent = Int64.min
  private var lastID: Int64 = 0
  private var purgedAt = Int64.min

  public init() {}

  public var isEmpty: Bool { byPrefix.isEmpty && byAccount.isEmpty }
  public var count: Int { byPrefix.count + byAccount.count }

  /// Adds a ban, with a number below zero.
  ///
  /// - Returns: false when there is no room.
  @discardableResult
  public mutating func add(_ ban: TemporaryBan, at now: Int64) -> Bool {
    if count >= Self.countMax, now > purgedAt {
      // Once a second at most: it looks at all of them.
      purgedAt = now
      removeAll { ($0.until ?? .max) <= now }
    }
    guard count < Self.countMax else { return false }
    lastID -= 1
    let held = Ban(
      id: lastID, subject: ban.subject, listener: ban.listener, shownReason: ban.shownReason,
      until: ban.until)
    switch ban.subject {
    case .addresses(let prefix): byPrefix[prefix] = held
    case .account(let name): byAccount[name] = held
    }
    return true
  }

  public func ban(of prefix: AddressPrefix, at now: Int64) -> BanMatch? {
    byPrefix[prefix].flatMap { Self.match($0, at: now) }
  }

  public func ban(of account: AccountName, at now: Int64) -> BanMatch? {
    byAccount[account].flatMap { Self.match($0, at: now) }
  }

  /// Those of an account, or of any of some prefixes.
  public func bans(of subject: Subject, prefixes: [AddressPrefix], at now: Int64) -> [Ban] {
    var found: [Ban] = []
    switch subject {
    case .account(let name): if let ban = byAccount[name] { found.append(ban) }
    case .addresses:
      for prefix in Set(prefixes) { if let ban = byPrefix[prefix] { found.append(ban) } }
    }
    return found.filter { ($0.until ?? .max) > now }
  }

  /// The store has recorded a ban, with this event.
  public mutating func record(_ ban: TemporaryBan, event: Int64) {
    recorded.append((ban.subject, ban.until, event))
    settle()
  }

  /// A table is in use that shows all events up to this one.
  public mutating func show(eventsTo event: Int64) {
    lastEvent = event
    if Fault.forgetRuleBan.isOn { removeAll { _ in true } }
    settle()
  }

  private mutating func settle() {
    guard recorded.contains(where: { $0.event <= lastEvent }) else { return }
    for (subject, until, event) in recorded where event <= lastEvent {
      // A newer ban of the same subject waits for its own event.
      switch subject {
      case .addresses(let prefix):
        if byPrefix[prefix]?.until == until { byPrefix[prefix] = nil }
      case .account(let name): if byAccount[name]?.until == until { byAccount[name] = nil }
      }
    }
    recorded.removeAll { $0.event <= lastEvent }
  }

  private mutating func removeAll(where isOver: (Ban) -> Bool) {
    byPrefix = byPrefix.filter { !isOver($0.value) }
    byAccount = byAccount.filter { !isOver($0.value) }
  }

  private static func match(_ ban: Ban, at now: Int64) -> BanMatch? {
    guard (ban.until ?? .max) > now else { return nil }
    return BanMatch(id: ban.id, until: ban.until, shownReason: ban.shownReason)
  }
}
