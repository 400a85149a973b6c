internal import Auth
internal import Primitives

/// Who is in, and by which sessions.
///
/// A table of chains: a session's record is linked into the chain that its account's hash names,
/// newest first. So a session takes its record and some 4 to 8 bytes of the table.
struct Identities: ~Copyable {
  /// One session's account.
  struct Identity {
    var account: AccountName?
    var attributes: [Credentials.Attribute] = []
    var session: UInt32 = 0
    /// The place of its chain's beginning in the table.
    var chain: UInt32 = 0
    var next = Identities.none
    var previous = Identities.none
  }

  static let none = UInt32.max
  private static let chainsMin = 64

  private var records: Slab<Identity>
  /// The first of each chain; a power of two of them.
  private var chains = [UInt32](repeating: Identities.none, count: Identities.chainsMin)

  init(capacity: Int) { records = Slab(capacity: capacity) { Identity() } }

  /// - Precondition: there are no more sessions than the capacity.
  mutating func add(
    _ account: AccountName, _ attributes: [Credentials.Attribute], session: UInt32
  ) -> UInt32 {
    if count == chains.count { grow() }
    let place = records.take()!
    records[place].account = account
    records[place].attributes = attributes
    records[place].session = session
    link(place, into: chain(of: account))
    return place
  }

  mutating func remove(_ place: UInt32) {
    let (next, previous) = (records[place].next, records[place].previous)
    if next != Self.none { records[next].previous = previous }
    if previous != Self.none {
      records[previous].next = next
    } else {
      chains[Int(records[place].chain)] = next
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

  /// The sessions that an account has, newest first.
  func sessions(of account: AccountName) -> [UInt32] {
    var found: [UInt32] = []
    var place = chains[Int(chain(of: account))]
    while place != Self.none {
      if records[place].account == account { found.append(records[place].session) }
      place = records[place].next
    }
    return found
  }

  /// By Swift's own hash, which strangers can't aim at; no order that shows depends on it.
  private func chain(of account: AccountName) -> UInt32 {
    UInt32(truncatingIfNeeded: account.hashValue) & UInt32(chains.count - 1)
  }

  private mutating func link(_ place: UInt32, into chain: UInt32) {
    let next = chains[Int(chain)]
    records[place].chain = chain
    records[place].next = next
    records[place].previous = Self.none
    if next != Self.none { records[next].previous = place }
    chains[Int(chain)] = place
  }

  /// Doubles the chains.
  private mutating func grow() {
    let old = chains
    chains = Array(repeating: Self.none, count: old.count * 2)
    for first in old where first != Self.none {
      // From the last on, so that the newest is the first again.
      var place = first
      while records[place].next != Self.none { place = records[place].next }
      while place != Self.none {
        let newer = records[place].previous
        if let account = records[place].account { link(place, into: chain(of: account)) }
        place = newer
      }
    }
  }
}
