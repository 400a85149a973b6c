internal import Auth
internal import Primitives

/// Who is in, and by which sessions.
struct Identities: ~Copyable {
  /// One session's account; the sessions of an account form a list.
  struct Identity {
    var account: AccountName?
    var attributes: [Credentials.Attribute] = []
    var session: UInt32 = 0
    var next = Identities.none
    var previous = Identities.none
  }

  static let none = UInt32.max

  private var records: Slab<Identity>
  private var firstOf: [AccountName: UInt32] = [:]

  init(capacity: Int) { records = Slab(capacity: capacity) { Identity() } }

  /// - Precondition: there are no more sessions than the capacity.
  mutating func add(
    _ account: AccountName, _ attributes: [Credentials.Attribute], session: UInt32
  ) -> UInt32 {
    let place = records.take()!
    let next = firstOf[account] ?? Self.none
    records[place] = Identity(
      account: account, attributes: attributes, session: session, next: next)
    if next != Self.none { records[next].previous = place }
    firstOf[account] = place
    return place
  }

  mutating func remove(_ place: UInt32) {
    let identity = records[place]
    if identity.next != Self.none { records[identity.next].previous = identity.previous }
    if identity.previous != Self.none {
      records[identity.previous].next = identity.next
    } else if let account = identity.account {
      firstOf[account] = identity.next == Self.none ? nil : identity.next
    }
    records[place] = Identity()
    records.giveBack(place)
  }

  /// Sessions that are in with an account.
  var count: Int { records.usedCount }

  func account(at place: UInt32) -> AccountName? {
    place == Self.none ? nil : records[place].account
  }

  func attributes(at place: UInt32) -> [Credentials.Attribute] {
    place == Self.none ? [] : records[place].attributes
  }

  /// The sessions that an account has.
  func sessions(of account: AccountName) -> [UInt32] {
    var found: [UInt32] = []
    var place = firstOf[account] ?? Self.none
    while place != Self.none {
      found.append(records[place].session)
      place = records[place].next
    }
    return found
  }
}
