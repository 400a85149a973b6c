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
  /// - Parameters:
  ///   - slack: so many beyond the rate are no breach.
  ///   - window: they came at some time of it, and it ends now.
  /// - Returns: false when they are more than the rate allows.
  mutating func passed(
    _ amount: UInt64, slack: UInt64, at now: Instant, within window: Interval = .zero
  ) -> Bool {
    let elapsed = now.since(last).nanoseconds
    let before = elapsed > window.nanoseconds ? elapsed - window.nanoseconds : 0
    level = max(0, level - Double(before) * perNanosecond)
    last = now
    level = max(0, level + Double(amount) - Double(elapsed - before) * perNanosecond)
    // A millionth more, since the meters round.
    return level <= (burst + Double(slack)) * 1.000_001 + 0.001
  }
}
