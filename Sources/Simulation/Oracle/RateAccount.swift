internal import Auth
internal import Primitives

/// Counts events against a rate by itself, to be compared with what was let through.
///
/// A bucket that leaks; the core's meters are another way to the same bound.
struct RateAccount {
  private let perNanosecond: Double
  private let burst: Double
  private var level = 0.0
  private var last: Instant

  init(_ rate: Rate, at now: Instant) {
    perNanosecond = Double(max(1, rate.perSecond)) / 1_000_000_000
    burst = Double(max(1, rate.burst))
    last = now
  }

  /// Counts events that were let through.
  ///
  /// - Parameter slack: so many beyond the rate are no breach.
  /// - Returns: false when they are more than the rate allows.
  mutating func passed(_ amount: UInt64, slack: UInt64, at now: Instant) -> Bool {
    level = max(0, level - Double(now.since(last).nanoseconds) * perNanosecond)
    last = now
    level += Double(amount)
    // A millionth more, since the meters round.
    return level <= (burst + Double(slack)) * 1.000_001 + 0.001
  }
}
