internal import Primitives

/// Growing pauses with jitter: 50 ms at first, twice as long each time, 5 s at most.
///
/// Each pause is drawn between half of that and all of it, so that many gateways that lost the same
/// worker do not come back to it in step.
struct Backoff: BitwiseCopyable {
  private static let firstMilliseconds: UInt64 = 50
  private static let lastMilliseconds: UInt64 = 5000
  private var attempts: UInt64 = 0

  mutating func reset() { attempts = 0 }

  mutating func next(using random: inout SeededRandom) -> Interval {
    let longest = min(Self.firstMilliseconds << min(attempts, 10), Self.lastMilliseconds)
    attempts += 1
    let microseconds = longest * 1000
    let drawn = UInt64.random(in: microseconds / 2...microseconds, using: &random)
    return Interval(nanoseconds: drawn * 1000)
  }
}
