public import Primitives

/// Counts events of many addresses or prefixes against one rate, in a table that never grows.
///
/// A key lives in one set of eight places, which a keyed hash names. A place whose meter is at rest
/// says nothing, so a newcomer takes it; nothing else is ever replaced. When all eight are in use,
/// newcomers are counted on one meter that the set shares. So a flood of spoofed sources can
/// neither flush who is being slowed down nor come in for free; it takes room from newcomers of
/// the sets it fills, until the places come to rest.
///
/// Keys are told apart by 64 bits of hash; the seed is what keeps a stranger from choosing them.
public struct RateTable: Sendable {
  static let ways = 8

  /// How often a newcomer found its set full since the start.
  public private(set) var sharedUses: UInt64 = 0
  private let pace: RatePace
  private let hash: KeyedHash
  private var tags: [UInt64]
  private var meters: [RateMeter]
  private var shared: [RateMeter]

  /// - Parameters:
  ///   - capacity: the most keys at a time, 8 to 16,777,216, rounded up to a power of two; each
  ///     takes 17 bytes.
  ///   - seed: from a source that clients can't guess.
  public init(capacity: Int, rate: Rate, seed: UInt64) {
    var setCount = 1
    while setCount * Self.ways < min(capacity, 1 << 24) { setCount *= 2 }
    pace = RatePace(rate)
    hash = KeyedHash(seed: seed)
    tags = Array(repeating: 0, count: setCount * Self.ways)
    meters = Array(repeating: RateMeter(), count: setCount * Self.ways)
    shared = Array(repeating: RateMeter(), count: setCount)
  }

  /// Counts an event if the rate allows it to this key.
  public mutating func take(_ key: AddressPrefix, now: Instant) -> Bool {
    let tag = hash(key)
    let set = set(of: tag)
    var free: Int?
    for place in places(of: set) {
      if tags[place] == tag { return meters[place].take(1, of: pace, now: now) }
      if free == nil, meters[place].isAtRest(now: now) { free = place }
    }
    guard let free else {
      sharedUses &+= 1
      return shared[set].take(1, of: pace, now: now)
    }
    tags[free] = tag
    meters[free] = RateMeter()
    return meters[free].take(1, of: pace, now: now)
  }

  /// How many events count against the key's burst.
  public func used(_ key: AddressPrefix, now: Instant) -> UInt64 {
    let tag = hash(key)
    let set = set(of: tag)
    var isFull = true
    for place in places(of: set) {
      if tags[place] == tag { return meters[place].used(of: pace, now: now) }
      if meters[place].isAtRest(now: now) { isFull = false }
    }
    return isFull ? shared[set].used(of: pace, now: now) : 0
  }

  private func set(of tag: UInt64) -> Int { Int(truncatingIfNeeded: tag) & (shared.count - 1) }

  private func places(of set: Int) -> Range<Int> { set * Self.ways..<(set + 1) * Self.ways }
}
