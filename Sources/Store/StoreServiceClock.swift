internal import Glibc
package import Primitives

/// The clocks of the store's threads, or of a simulation that has none.
package struct StoreClock: Sendable {
  /// Never goes back.
  package var monotonic: @Sendable () -> Instant
  package var unixSeconds: @Sendable () -> Int64

  package init(
    monotonic: @escaping @Sendable () -> Instant, unixSeconds: @escaping @Sendable () -> Int64
  ) {
    self.monotonic = monotonic
    self.unixSeconds = unixSeconds
  }

  package static let system = StoreClock(
    monotonic: {
      let time = read(CLOCK_MONOTONIC)
      return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    },
    unixSeconds: { Int64(read(CLOCK_REALTIME).tv_sec) })

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return time
  }
}
