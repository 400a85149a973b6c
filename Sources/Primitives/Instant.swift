/// A point on the driver's monotonic clock.
///
/// Nanoseconds since an arbitrary origin. The core never reads a clock: every event carries one of
/// these, and a driver reads its clock once per loop turn.
@frozen
public struct Instant: Comparable, Hashable, BitwiseCopyable, Sendable {
  public var nanoseconds: UInt64

  @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Later than every instant a driver will name.
  @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  /// The instant `interval` later, ``distantFuture`` when that lies beyond the clock's range.
  @inlinable public static func + (instant: Instant, interval: Interval) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.nanoseconds)
    return overflow ? .distantFuture : Instant(nanoseconds: sum)
  }

  /// How long after `earlier` this is; zero when it is not later.
  @inlinable public func since(_ earlier: Instant) -> Interval {
    Interval(nanoseconds: self > earlier ? nanoseconds - earlier.nanoseconds : 0)
  }
}

/// A length of time, in nanoseconds, never negative.
@frozen
public struct Interval: Comparable, Hashable, BitwiseCopyable, Sendable {
  public var nanoseconds: UInt64

  @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  @inlinable public static var zero: Interval { Interval(nanoseconds: 0) }

  /// Saturates instead of overflowing.
  @inlinable public static func seconds(_ count: UInt64) -> Interval {
    let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000_000)
    return Interval(nanoseconds: overflow ? .max : product)
  }

  /// Saturates instead of overflowing.
  @inlinable public static func milliseconds(_ count: UInt64) -> Interval {
    let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
    return Interval(nanoseconds: overflow ? .max : product)
  }

  /// Whole milliseconds, rounded up, so that a timer set with them is never early.
  @inlinable public var milliseconds: UInt64 {
    nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
  }

  @inlinable public static func < (a: Interval, b: Interval) -> Bool {
    a.nanoseconds < b.nanoseconds
  }

  @inlinable public static func / (interval: Interval, divisor: UInt64) -> Interval {
    Interval(nanoseconds: interval.nanoseconds / divisor)
  }
}
