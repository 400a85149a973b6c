/// Which accounts logged in lately, and when.
///
/// It holds 64 bits of a keyed hash for a name, so one account in 10^13 is taken for another that
/// it holds. It grows to its capacity; then a newcomer replaces, of eight, who has been away
/// longest. The eights fill unevenly: at half the capacity, about one account in 150 has gone
/// already.
public struct KnownAccounts: Sendable {
  public static let capacityDefault = 1 << 20
  private static let ways = 8
  private static let setCountMin = 128

  /// How many accounts it holds.
  public private(set) var count = 0
  private let setCountMax: Int
  private let hash: KeyedHash
  private var tags: [UInt64]
  /// Unix seconds of the last login; ``Int64/min`` for an unused place.
  private var times: [Int64]

  /// - Parameters:
  ///   - capacity: the most accounts, up to 16,777,216, rounded up to a power of two; each takes 16
  ///     bytes.
  ///   - seed: from a source that clients can't guess.
  public init(capacity: Int = capacityDefault, seed: UInt64) {
    var setCountMax = 1
    while setCountMax * Self.ways < min(capacity, 1 << 24) { setCountMax *= 2 }
    self.setCountMax = setCountMax
    hash = KeyedHash(seed: seed)
    let setCount = min(Self.setCountMin, setCountMax)
    tags = Array(repeating: 0, count: setCount * Self.ways)
    times = Array(repeating: .min, count: setCount * Self.ways)
  }

  /// Notes a login; an earlier one than the last changes nothing.
  ///
  /// - Parameter time: Unix seconds.
  public mutating func insert(_ name: AccountName, at time: Int64) {
    insert(tag: hash(name), at: max(time, .min + 1))
  }

  /// True when the account logged in at `since`, in Unix seconds, or later.
  public func contains(_ name: AccountName, since: Int64) -> Bool {
    let tag = hash(name)
    for place in places(of: tag) where tags[place] == tag {
      return times[place] != .min && times[place] >= since
    }
    return false
  }

  private mutating func insert(tag: UInt64, at time: Int64) {
    while true {
      var oldest = places(of: tag).lowerBound
      for place in places(of: tag) {
        if tags[place] == tag, times[place] != .min {
          times[place] = max(times[place], time)
          return
        }
        if times[place] < times[oldest] { oldest = place }
      }
      if times[oldest] != .min {
        if tags.count < setCountMax * Self.ways {
          grow()
          continue
        }
        // Who has been away longer than all that are here is not news.
        guard time > times[oldest] else { return }
      } else {
        count += 1
      }
      tags[oldest] = tag
      times[oldest] = time
      return
    }
  }

  /// Doubles the sets; a set's accounts part into two, so all find room.
  private mutating func grow() {
    let (oldTags, oldTimes) = (tags, times)
    tags = Array(repeating: 0, count: oldTags.count * 2)
    times = Array(repeating: .min, count: oldTimes.count * 2)
    count = 0
    for place in oldTags.indices where oldTimes[place] != .min {
      insert(tag: oldTags[place], at: oldTimes[place])
    }
  }

  private func places(of tag: UInt64) -> Range<Int> {
    let set = Int(truncatingIfNeeded: tag) & (tags.count / Self.ways - 1)
    return set * Self.ways..<(set + 1) * Self.ways
  }
}
