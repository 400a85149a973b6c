internal import Auth
internal import Primitives

/// Bans that are in the database, and how long each gateway has had to see them.
struct BanAccount {
  /// Nobody is in for longer after a ban, while the gateway's loop runs and its store answers.
  static let bound = Interval.seconds(2)
  /// So long before its end nobody can say whether a ban still holds: clocks have whole seconds,
  /// and the database is read now and then.
  private static let unsureBeforeEnd = Interval.seconds(2)
  /// Likewise with a ban that the gateway has made itself, and does not read.
  private static let unsureBeforeEndOfOwn = Interval.seconds(1)

  private struct Entry {
    var subject: Subject
    /// Nil for all.
    var listener: String?
    var until: Instant
    /// Of the gateway whose rule made it; nil for an operator's, which all apply.
    var gateway: Int?
    /// That rule's name.
    var rule: String?
    /// Nobody's later decision can have taken its place: its gateway applies it, whatever its store
    /// is doing.
    var isCertain = false
    /// How long each gateway has run undisturbed since.
    var seenFor: [Interval]
  }

  private var entries: [Entry] = []
  private let gateways: Int
  /// All that were ever banned, each once.
  private var former: [Subject] = []
  /// Something was allowed at some time: who is in in spite of a ban may be allowed.
  private(set) var hasAllowances = false

  init(gateways: Int) { self.gateways = gateways }

  var isEmpty: Bool { entries.isEmpty }

  /// An operator has banned somebody, at every gateway.
  mutating func banned(_ subject: Subject, listener: String?, until: Instant) {
    entries.removeAll { $0.subject == subject && $0.listener == listener && $0.gateway == nil }
    makeUncertain(subject)
    noted(subject)
    entries.append(
      Entry(
        subject: subject, listener: listener, until: until,
        seenFor: Array(repeating: .zero, count: gateways)))
  }

  /// A gateway's own rule has banned somebody there.
  mutating func banned(_ subject: Subject, by gateway: Int, rule: String, until: Instant) {
    entries.removeAll { $0.subject == subject && $0.gateway == gateway }
    // Of two gateways' bans the later record counts, and nobody here knows which that is.
    let isOthers = entries.contains { $0.subject == subject && $0.gateway != nil }
    makeUncertain(subject)
    noted(subject)
    entries.append(
      Entry(
        subject: subject, listener: nil, until: until, gateway: gateway, rule: rule,
        isCertain: !isOthers, seenFor: Array(repeating: .zero, count: gateways)))
  }

  private mutating func makeUncertain(_ subject: Subject) {
    for index in entries.indices where entries[index].subject == subject {
      entries[index].isCertain = false
    }
  }

  /// It was banned at some time, for how long nobody needs to know.
  mutating func noted(_ subject: Subject) {
    if !former.contains(subject) { former.append(subject) }
  }

  /// Whether somebody was ever banned, as an address or as an account.
  func wasBanned(_ address: SocketAddress, _ account: AccountName?) -> Bool {
    former.contains { $0.covers(address, account) }
  }

  mutating func unbanned(_ subject: Subject, listener: String?) {
    entries.removeAll { $0.subject == subject && $0.listener == listener }
    makeUncertain(subject)
  }

  /// Another process has its place, and has read from the database what that was given in time.
  mutating func forgetRules(of gateway: Int) { entries.removeAll { $0.gateway == gateway } }

  mutating func allowed() { hasAllowances = true }

  mutating func timePassed(_ interval: Interval, gateway: Int, isUndisturbed: Bool, now: Instant) {
    for index in entries.indices {
      // What was under way when it was disturbed may take its time anew.
      let counts = isUndisturbed && entries[index].until > now + Self.unsureBeforeEnd
      entries[index].seenFor[gateway] =
        counts
        ? Interval(nanoseconds: entries[index].seenFor[gateway].nanoseconds + interval.nanoseconds)
        : .zero
    }
    entries.removeAll { $0.until <= now }
  }

  /// A ban that a gateway must have applied to a session by now.
  func ban(
    of address: SocketAddress, _ account: AccountName?, listener: String, gateway: Int
  ) -> Subject? {
    for entry in entries where entry.seenFor[gateway] > Self.bound {
      guard entry.gateway == nil || entry.gateway == gateway else { continue }
      guard entry.listener == nil || entry.listener == listener else { continue }
      if entry.subject.covers(address, account) { return entry.subject }
    }
    return nil
  }

  /// A ban by a gateway's own rule that it must apply at once.
  func certainBan(
    of address: SocketAddress, _ account: AccountName?, gateway: Int, now: Instant
  ) -> (subject: Subject, rule: String)? {
    for entry in entries where entry.isCertain && entry.gateway == gateway {
      guard let rule = entry.rule, entry.until > now + Self.unsureBeforeEndOfOwn else { continue }
      if entry.subject.covers(address, account) { return (entry.subject, rule) }
    }
    return nil
  }
}
