internal import SampleWorker

/// What a packet stream that asked for session events was told of its sessions.
struct EventAccount {
  private struct Told {
    var isClosed = false
    var isAuthenticated: Bool
  }

  private var told: [Int: Told] = [:]
  /// Visits that were opened and not closed, in order.
  private(set) var open: [Int] = []

  /// What the oracle knows of a session when its worker hears of it.
  struct Known {
    /// Its listener asks for no login, or it was let in.
    var isIn = true
    var account: String?
    var address = ""
    var listener = ""
    /// What the next packet's sequence must be; nil when that can't be known.
    var nextSequence: UInt64?
    /// It was with another worker before.
    var wasElsewhere = false
    /// Why it has ended, as far as that is known.
    var closeReason: UInt64?
  }

  mutating func opened(_ visit: Int, _ event: SessionOpened, _ known: Known) -> Finding? {
    guard told[visit] == nil else { return finding("it was opened twice") }
    told[visit] = Told(isAuthenticated: !event.unauthenticated)
    open.append(visit)
    if !event.unauthenticated {
      guard known.isIn else { return Finding(.authentication, "announced before it was let in") }
      guard event.account == known.account ?? "" else {
        return Finding(
          .authentication, "announced as \"\(event.account)\", not \"\(known.account ?? "")\"")
      }
    }
    guard event.clientAddress == known.address, event.listener == known.listener else {
      return finding("announced as from \(event.clientAddress) to \(event.listener)")
    }
    if let next = known.nextSequence, event.nextSequence != next {
      return finding("packet \(event.nextSequence) is announced as its next, not \(next)")
    }
    guard event.resumed || !known.wasElsewhere else { return finding("announced as a new one") }
    return nil
  }

  mutating func authenticated(_ visit: Int, account: String, _ known: Known) -> Finding? {
    guard let before = told[visit], !before.isClosed else {
      return finding("let in, but not open")
    }
    guard !before.isAuthenticated else { return finding("let in twice") }
    guard known.isIn else { return Finding(.authentication, "said to be let in before it was") }
    guard account == known.account ?? "" else {
      return Finding(.authentication, "let in as \"\(account)\", not \"\(known.account ?? "")\"")
    }
    told[visit]!.isAuthenticated = true
    return nil
  }

  /// - Parameter isIdentified: no packet of a client that was not let in, where there is a login.
  mutating func packet(_ visit: Int, isIdentified: Bool) -> Finding? {
    guard let before = told[visit] else { return finding("a packet before it was opened") }
    guard !before.isClosed else { return finding("a packet after it was closed") }
    guard before.isAuthenticated || !isIdentified else {
      return finding("a packet before its worker knew who it is")
    }
    return nil
  }

  mutating func closed(_ visit: Int, reason: UInt64, _ known: Known) -> Finding? {
    guard let before = told[visit] else { return finding("closed, but never opened") }
    guard !before.isClosed else { return finding("closed twice") }
    told[visit]!.isClosed = true
    open.removeAll { $0 == visit }
    guard let expected = known.closeReason, expected != reason else { return nil }
    return finding("closed for reason \(reason), not \(expected)")
  }

  private func finding(_ text: String) -> Finding { Finding(.sessionEvents, text) }
}
