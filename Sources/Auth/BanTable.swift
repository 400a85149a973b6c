public import Primitives

/// A ban that holds for somebody.
public struct BanMatch: Equatable, Sendable {
  public var id: Int64
  /// Unix seconds; nil when it has no end.
  public var until: Int64?
  public var shownReason: String

  public init(id: Int64, until: Int64?, shownReason: String) {
    self.id = id
    self.until = until
    self.shownReason = shownReason
  }
}

/// Every ban and allowance that may hold, as it was at one moment.
///
/// A table never changes; ``applying(added:lifted:)`` makes a new one that shares the old one's
/// bulk. Ends of bans are looked at when somebody asks, so a table stays right without being
/// rebuilt. Ids are different for all bans and allowances in it.
///
/// A million IPv4 bans take about 60 MB, as many IPv6 ones about 80; half as much again while they
/// are built. A lookup that finds nothing neither allocates nor counts references.
public final class BanTable: Sendable {
  /// The most that a table may differ from the one that was built: changes are cheap as long as
  /// they are few.
  static let overlayMax = 16_384

  public static let empty = Builder(listeners: []).finish()

  private let listeners: BanTableListeners
  private let base: BanTableLayer
  private let overlay: BanTableLayer
  /// What ``overlay`` was made of.
  private let overlaid: [(ban: Ban, allows: Bool)]
  /// What is in ``base`` and holds no more.
  private let hidden: Set<Int64>

  fileprivate init(
    listeners: BanTableListeners, base: BanTableLayer, overlay: BanTableLayer,
    overlaid: [(ban: Ban, allows: Bool)], hidden: Set<Int64>
  ) {
    self.listeners = listeners
    self.base = base
    self.overlay = overlay
    self.overlaid = overlaid
    self.hidden = hidden
  }

  /// Takes in bans one by one, in any order; those sorted by address are built fastest.
  public struct Builder: ~Copyable, Sendable {
    private var listeners: BanTableListeners
    private var layer = BanTableLayer.Builder()

    /// - Parameter listeners: names whose numbers are their indices here; others get theirs when a
    ///   ban names them.
    public init(listeners: [String]) { self.listeners = BanTableListeners(known: listeners) }

    fileprivate init(listeners: BanTableListeners) { self.listeners = listeners }

    /// - Parameter allows: whether it is an allowance, for whom no ban holds.
    public mutating func add(_ ban: Ban, allows: Bool) {
      layer.add(ban, listener: listeners.number(of: ban.listener), allows: allows)
    }

    /// Sorts them: about half a second for a million.
    public consuming func finish() -> BanTable {
      var none = BanTableLayer.Builder()
      return BanTable(
        listeners: listeners, base: BanTableLayer(emptying: &layer),
        overlay: BanTableLayer(emptying: &none), overlaid: [], hidden: [])
    }

    fileprivate consuming func finishLayer() -> (BanTableListeners, BanTableLayer) {
      (listeners, BanTableLayer(emptying: &layer))
    }
  }

  /// The table with a few changes, in time that does not depend on its size.
  ///
  /// - Parameters:
  ///   - added: what holds from now on; it takes the place of what has its id.
  ///   - lifted: ids of bans and allowances that hold no more. Unknown ones are passed over; one
  ///     that is added as well is lifted.
  /// - Returns: nil when the changes since the table was built would be more than 16,384: build
  ///   one.
  public func applying(added: [(ban: Ban, allows: Bool)], lifted: [Int64]) -> BanTable? {
    guard added.count <= Self.overlayMax else { return nil }
    let lifted = Set(lifted)
    var latest: [Int64: Int] = [:]
    for (index, entry) in added.enumerated() { latest[entry.ban.id] = index }
    var overlaid = overlaid.filter { !lifted.contains($0.ban.id) && latest[$0.ban.id] == nil }
    var hidden = hidden
    for id in lifted where base.contains(id) { hidden.insert(id) }
    for (index, entry) in added.enumerated() where latest[entry.ban.id] == index {
      if base.contains(entry.ban.id) { hidden.insert(entry.ban.id) }
      if !lifted.contains(entry.ban.id) { overlaid.append(entry) }
    }
    guard overlaid.count + hidden.count <= Self.overlayMax else { return nil }
    var builder = Builder(listeners: listeners)
    for entry in overlaid { builder.add(entry.ban, allows: entry.allows) }
    let (listeners, overlay) = builder.finishLayer()
    return BanTable(
      listeners: listeners, base: base, overlay: overlay, overlaid: overlaid, hidden: hidden)
  }

  /// What lookups in this very table are to call a listener: another table may have another number.
  ///
  /// A listener of which no ban speaks has one that no ban has.
  public func number(ofListener name: String) -> Int { listeners.number(named: name) }

  /// Bans and allowances, with those that have ended since.
  public var count: Int { base.count - hidden.count + overlay.count }

  /// What the table takes, in bytes, as far as it is not shared.
  public var byteCount: Int { base.byteCount + overlay.byteCount + hidden.capacity * 16 }
}

extension BanTable {
  /// The ban that keeps an address out: of several the one that lasts longest, then the one of the
  /// longest prefix, then the one with the lowest id.
  ///
  /// - Parameters:
  ///   - listener: as ``number(ofListener:)`` says.
  ///   - now: Unix seconds.
  public func ban(of address: SocketAddress, listener: Int, at now: Int64) -> BanMatch? {
    let address = AddressPrefix(address)
    return ban(BanQuestion(listener: listeners.number(checking: listener), now: now)) {
      $0.forEach(covering: address, $1)
    }
  }

  /// The same for an account.
  public func ban(of account: AccountName, listener: Int, at now: Int64) -> BanMatch? {
    ban(BanQuestion(listener: listeners.number(checking: listener), now: now)) {
      $0.forEach(covering: account, $1)
    }
  }

  /// True when an allowance covers the address, for whom no ban holds then.
  public func allows(_ address: SocketAddress, listener: Int, at now: Int64) -> Bool {
    let address = AddressPrefix(address)
    return allows(BanQuestion(listener: listeners.number(checking: listener), now: now)) {
      $0.forEach(covering: address, $1)
    }
  }

  /// The same for an account.
  public func allows(_ account: AccountName, listener: Int, at now: Int64) -> Bool {
    allows(BanQuestion(listener: listeners.number(checking: listener), now: now)) {
      $0.forEach(covering: account, $1)
    }
  }

  /// - Parameter walk: goes through the bans of an index that cover somebody.
  @inline(__always)
  private func ban(_ asked: BanQuestion, walk: (BanIndex, (BanRecord) -> Bool) -> Void)
    -> BanMatch?
  {
    var best: BanRecord?
    var isOverlaid = false
    walk(base.bans) { record in
      if asked.holds(record, unless: hidden), record.outlasts(best) { best = record }
      return true
    }
    walk(overlay.bans) { record in
      if asked.holds(record), record.outlasts(best) { (best, isOverlaid) = (record, true) }
      return true
    }
    guard let best else { return nil }
    return BanMatch(
      id: best.id, until: best.until == .max ? nil : best.until,
      shownReason: isOverlaid ? overlay.bans.reason(best) : base.bans.reason(best))
  }

  @inline(__always)
  private func allows(_ asked: BanQuestion, walk: (BanIndex, (BanRecord) -> Bool) -> Void) -> Bool {
    var isFound = false
    walk(base.allowances) { record in
      isFound = asked.holds(record, unless: hidden)
      return !isFound
    }
    if isFound { return true }
    walk(overlay.allowances) { record in
      isFound = asked.holds(record)
      return !isFound
    }
    return isFound
  }
}

extension BanTable {
  /// Bans of all listeners that hold for the whole subject: the longest prefix first, then by id.
  ///
  /// For people who ask; it allocates.
  public func bans(covering subject: Subject, at now: Int64) -> [Ban] {
    found(covering: subject, now, base.bans, overlay.bans)
  }

  /// The same for allowances.
  public func allowances(covering subject: Subject, at now: Int64) -> [Ban] {
    found(covering: subject, now, base.allowances, overlay.allowances)
  }

  private func found(
    covering subject: Subject, _ now: Int64, _ base: BanIndex, _ overlay: BanIndex
  ) -> [Ban] {
    var found: [(bitCount: UInt8, ban: Ban)] = []
    let layers: [(BanIndex, Set<Int64>)] = [(base, hidden), (overlay, [])]
    for (index, hidden) in layers {
      let take = { (record: BanRecord, subject: Subject) in
        guard record.until == .max || record.until > now, !hidden.contains(record.id) else {
          return
        }
        let ban = Ban(
          id: record.id, subject: subject, listener: self.listeners.name(record.listener),
          shownReason: index.reason(record), until: record.until == .max ? nil : record.until)
        found.append((record.bitCount, ban))
      }
      switch subject {
      case .addresses(let prefix):
        index.forEach(covering: prefix) { record in
          let bitCount = prefix.isIPv4 ? record.bitCount + 96 : record.bitCount
          guard bitCount <= prefix.bitCount else { return true }
          take(record, .addresses(AddressPrefix(prefix.bytes, bitCount: bitCount)))
          return true
        }
      case .account(let name):
        index.forEach(covering: name) { record in
          take(record, .account(name))
          return true
        }
      }
    }
    return found.sorted { ($1.bitCount, $0.ban.id) < ($0.bitCount, $1.ban.id) }.map(\.ban)
  }
}

/// For which listener, and when.
private struct BanQuestion {
  var listener: UInt16
  var now: Int64

  @inline(__always)
  func holds(_ record: BanRecord) -> Bool {
    (record.listener == BanRecord.everyListener || record.listener == listener)
      && (record.until == .max || record.until > now)
  }

  @inline(__always)
  func holds(_ record: BanRecord, unless hidden: Set<Int64>) -> Bool {
    holds(record) && (hidden.isEmpty || !hidden.contains(record.id))
  }
}

extension BanRecord {
  fileprivate func outlasts(_ other: BanRecord?) -> Bool {
    guard let other else { return true }
    return (other.until, other.bitCount, id) < (until, bitCount, other.id)
  }
}
