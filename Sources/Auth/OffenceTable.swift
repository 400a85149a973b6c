public import Primitives

/// Who offended how often against one ``TemporaryBanRule``, in a table that never grows.
///
/// Offences are counted in eight slots of an eighth of the rule's window each. So fewer than the
/// rule's count within its window never make a ban, and that many within seven eighths of it always
/// do. A ban begins the count anew; the number of bans stays until it is forgotten. Offences during
/// a ban are the last of what led to it and count for nothing, or a hundred guesses at once would
/// make many bans, each longer than the one before.
///
/// A key lives in one set of eight places, which a keyed hash names. A newcomer to a full set takes
/// the place that says least: one without a former ban, then with the fewest offences, then with
/// the oldest. So whoever sends offenders by the thousand can't make those close to a ban, or those
/// banned before, go; at most they make each other go.
///
/// A login that succeeds clears nothing, or who owns one account could guess at others for ever.
public struct OffenceTable: Sendable {
  static let ways = 8
  static let slotCount = 8

  private struct Entry: BitwiseCopyable {
    var tag: UInt64 = 0
    /// Offences by slot; slot `n` of the clock is at `n % 8`.
    var counts: [8 of UInt16] = .init(repeating: 0)
    /// The last offence's slot.
    var slot: UInt64 = 0
    /// Bans so far.
    var bans: UInt32 = 0
    /// When the last ban ends, or ended.
    var banEnd = Instant(nanoseconds: 0)

    /// Forgets the slots that are out of the window at `slot`.
    mutating func advance(to slot: UInt64) {
      guard slot > self.slot else { return }
      for step in 1...min(slot - self.slot, UInt64(OffenceTable.slotCount)) {
        counts[Int((self.slot &+ step) % UInt64(OffenceTable.slotCount))] = 0
      }
      self.slot = slot
    }

    var offences: UInt64 {
      var sum: UInt64 = 0
      for index in 0..<OffenceTable.slotCount { sum += UInt64(counts[index]) }
      return sum
    }
  }

  private let rule: TemporaryBanRule
  private let slotNanoseconds: UInt64
  private let hash: KeyedHash
  private var entries: [Entry]

  /// - Parameters:
  ///   - sets: how many, 1 to 1,048,576, rounded up to a power of two; each has eight places of 48
  ///     bytes.
  ///   - seed: from a source that clients can't guess.
  public init(rule: TemporaryBanRule, sets: Int = 4096, seed: UInt64) {
    var setCount = 1
    while setCount < min(sets, 1 << 20) { setCount *= 2 }
    self.rule = rule
    slotNanoseconds = max(1, rule.within.nanoseconds / UInt64(Self.slotCount))
    hash = KeyedHash(seed: seed)
    entries = Array(repeating: Entry(), count: setCount * Self.ways)
  }

  /// Counts an offence, unless the ban that the last ones made still holds.
  ///
  /// - Parameter isBanned: whether the subject is banned now; false within the time of its ban when
  ///   that was lifted.
  /// - Returns: how long to ban, when this one makes the count full.
  public mutating func offend(
    _ subject: Subject, isBanned: Bool = true, now: Instant
  ) -> Interval? {
    let tag = hash(subject)
    let place = place(of: tag) ?? newPlace(for: tag, now: now)
    return offend(at: place, isBanned: isBanned, now: now)
  }

  /// How many offences count against the rule's.
  public func used(_ subject: Subject, now: Instant) -> UInt64 {
    guard let place = place(of: hash(subject)) else { return 0 }
    return entry(at: place, now: now).offences
  }

  /// How many bans the next one follows on.
  public func bans(_ subject: Subject, now: Instant) -> Int {
    guard let place = place(of: hash(subject)) else { return 0 }
    return Int(entry(at: place, now: now).bans)
  }

  /// Forgets offences and bans alike.
  public mutating func clear(_ subject: Subject) {
    let tag = hash(subject)
    for place in places(of: tag) where entries[place].tag == tag { entries[place] = Entry() }
  }

  private mutating func offend(at place: Int, isBanned: Bool, now: Instant) -> Interval? {
    var entry = entry(at: place, now: now)
    guard entry.banEnd <= now || !isBanned else { return nil }
    defer { entries[place] = entry }
    let slot = Int(entry.slot % UInt64(Self.slotCount))
    if entry.counts[slot] < .max { entry.counts[slot] += 1 }
    guard entry.offences >= UInt64(max(1, rule.count)) else { return nil }
    let length = banLength(after: entry.bans)
    entry.counts = .init(repeating: 0)
    if entry.bans < .max { entry.bans += 1 }
    entry.banEnd = now + length
    return length
  }

  private func banLength(after bans: UInt32) -> Interval {
    var nanoseconds = rule.duration.nanoseconds
    let growth = UInt64(max(1, rule.growth))
    // A ban that grows is at its longest after 64 steps.
    for _ in 0..<min(bans, 64) {
      let (product, overflow) = nanoseconds.multipliedReportingOverflow(by: growth)
      nanoseconds = overflow ? .max : product
    }
    return min(Interval(nanoseconds: nanoseconds), rule.durationMax)
  }

  /// The entry as it is at `now`, without what is forgotten.
  private func entry(at place: Int, now: Instant) -> Entry {
    var entry = entries[place]
    entry.advance(to: now.nanoseconds / slotNanoseconds)
    if now.since(entry.banEnd) >= rule.forgetAfter { entry.bans = 0 }
    return entry
  }

  private func place(of tag: UInt64) -> Int? {
    places(of: tag).first { entries[$0].tag == tag }
  }

  /// Empties the place that says least.
  private mutating func newPlace(for tag: UInt64, now: Instant) -> Int {
    var least = places(of: tag).lowerBound
    for place in places(of: tag) where says(place, lessThan: least, now: now) { least = place }
    entries[least] = Entry()
    entries[least].tag = tag
    return least
  }

  private func says(_ place: Int, lessThan other: Int, now: Instant) -> Bool {
    let (a, b) = (entry(at: place, now: now), entry(at: other, now: now))
    return (a.bans, a.offences, entries[place].slot) < (b.bans, b.offences, entries[other].slot)
  }

  private func places(of tag: UInt64) -> Range<Int> {
    let set = Int(truncatingIfNeeded: tag) & (entries.count / Self.ways - 1)
    return set * Self.ways..<(set + 1) * Self.ways
  }
}
