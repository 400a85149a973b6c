public import Primitives

/// A ``Rate`` made ready for ``RateMeter``: what one event costs in time, and how much time may be
/// owed.
@frozen
public struct RatePace: Equatable, BitwiseCopyable, Sendable {
  /// What one event costs, in 2^-32 ns: exact enough for bytes at 1 TiB/s.
  @usableFromInline let cost: UInt64
  /// What a whole burst costs, in sixteenths of a nanosecond.
  @usableFromInline let burstCost: UInt64

  /// Zeros in `rate` count as ones.
  public init(_ rate: Rate) {
    cost = (1_000_000_000 << 32) / max(1, rate.perSecond)
    burstCost = Self.cost(of: max(1, rate.burst), at: cost)
  }

  /// The cost of `amount` in sixteenths of a nanosecond, rounded down so that a burst's parts cost
  /// no more than the whole; ``UInt64/max`` when it is more.
  @inlinable static func cost(of amount: UInt64, at cost: UInt64) -> UInt64 {
    let (high, low) = amount.multipliedFullWidth(by: cost)
    return high >> 28 == 0 ? high << 36 | low >> 28 : .max
  }

  @inlinable func cost(of amount: UInt64) -> UInt64 { Self.cost(of: amount, at: cost) }
}

/// Counts events against a rate, in eight bytes.
///
/// The generic cell rate algorithm (ITU-T I.371, annex A, "virtual scheduling"): all there is to
/// keep is when the last event would have ended had all come at the rate, the theoretical arrival
/// time. A meter at rest is as good as a new one.
///
/// Time is counted in sixteenths of a nanosecond, which last for 36 years of a monotonic clock.
@frozen
public struct RateMeter: Equatable, BitwiseCopyable, Sendable {
  /// The theoretical arrival time, in sixteenths of a nanosecond.
  @usableFromInline var arrival: UInt64 = 0

  @inlinable public init() {}

  /// Counts `amount` events if the rate allows them all; otherwise nothing changes.
  @inlinable public mutating func take(_ amount: UInt64, of pace: RatePace, now: Instant) -> Bool {
    let now = Self.sixteenths(now)
    let next = saturatingSum(max(arrival, now), pace.cost(of: amount))
    guard next <= saturatingSum(now, pace.burstCost), next < .max else { return false }
    arrival = next
    return true
  }

  /// Counts `amount` events whether the rate allows them or not.
  ///
  /// - Returns: how long until they are within the rate again; zero when they are.
  @inlinable public mutating func charge(_ amount: UInt64, of pace: RatePace, now: Instant)
    -> Interval
  {
    let now = Self.sixteenths(now)
    arrival = saturatingSum(max(arrival, now), pace.cost(of: amount))
    let allowed = saturatingSum(now, pace.burstCost)
    guard arrival > allowed else { return .zero }
    let excess = arrival - allowed
    return Interval(nanoseconds: excess >> 4 + (excess & 15 == 0 ? 0 : 1))
  }

  /// How many events count against the burst, rounded up.
  public func used(of pace: RatePace, now: Instant) -> UInt64 {
    let now = Self.sixteenths(now)
    guard arrival > now, pace.cost > 0 else { return 0 }
    let owed = arrival - now
    guard owed >> 36 < pace.cost else { return .max }
    let (quotient, remainder) = pace.cost.dividingFullWidth((owed >> 36, owed << 28))
    return quotient + (remainder == 0 ? 0 : 1)
  }

  /// True when nothing counts against the burst: the meter holds no information.
  @inlinable public func isAtRest(now: Instant) -> Bool { arrival <= Self.sixteenths(now) }

  @inlinable static func sixteenths(_ instant: Instant) -> UInt64 {
    min(instant.nanoseconds, .max >> 4) << 4
  }

  @inlinable func saturatingSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }
}
