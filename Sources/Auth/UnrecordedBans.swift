public import Primitives

/// Bans that rules made and the store has not confirmed yet: they hold at once, whatever the store
/// is doing.
public struct UnrecordedBans: Sendable {
  /// The most at one time; beyond it the store alone makes a ban hold.
  public static let countMax = 65_536

  private var byPrefix: [AddressPrefix: Ban] = [:]
  private var byAccount: [AccountName: Ban] = [:]
  private var lastID: Int64 = 0

  public init() {}

  public var isEmpty: Bool { byPrefix.isEmpty && byAccount.isEmpty }
  public var count: Int { byPrefix.count + byAccount.count }

  /// Adds a ban, with a number below zero.
  ///
  /// - Returns: false when there is no room.
  @discardableResult
  public mutating func add(_ ban: TemporaryBan, at now: Int64) -> Bool {
    if count >= Self.countMax {
      removeAll { ($0.until ?? .max) <= now }
      guard count < Self.countMax else { return false }
    }
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

  /// Forgets those that have ended, and those that `isRecorded` says the store knows.
  public mutating func settle(at now: Int64, isRecorded: (Subject) -> Bool) {
    removeAll { ($0.until ?? .max) <= now || isRecorded($0.subject) }
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
