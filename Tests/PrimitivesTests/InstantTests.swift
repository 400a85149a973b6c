import Primitives
import Testing

@Suite struct InstantTests {
  private let start = Instant(nanoseconds: 1_000)

  @Test func addingAnIntervalMovesForward() {
    #expect(start + .zero == start)
    #expect(start + Interval(nanoseconds: 5) == Instant(nanoseconds: 1_005))
    #expect(start + .seconds(2) == Instant(nanoseconds: 2_000_001_000))
  }

  @Test func addingBeyondTheClockSaturates() {
    #expect(start + Interval(nanoseconds: .max) == .distantFuture)
    #expect(Instant.distantFuture + .zero == .distantFuture)
    #expect(Instant.distantFuture + Interval(nanoseconds: 1) == .distantFuture)
    #expect(Instant(nanoseconds: .max - 1) + Interval(nanoseconds: 1) == .distantFuture)
  }

  @Test func sinceIsNeverNegative() {
    #expect((start + .milliseconds(3)).since(start) == .milliseconds(3))
    #expect(start.since(start) == .zero)
    #expect(start.since(start + .milliseconds(3)) == .zero)
    #expect(
      Instant.distantFuture.since(Instant(nanoseconds: 0)) == Interval(nanoseconds: .max))
  }

  @Test func instantsAreOrdered() {
    #expect(start < start + Interval(nanoseconds: 1))
    #expect(!(start < start))
    #expect(start < .distantFuture)
    #expect([start + .seconds(1), start, .distantFuture].min() == start)
  }

  @Test func unitsConvert() {
    #expect(Interval.seconds(3).nanoseconds == 3_000_000_000)
    #expect(Interval.milliseconds(3).nanoseconds == 3_000_000)
    #expect(Interval.seconds(1) == .milliseconds(1_000))
    #expect(Interval.zero.nanoseconds == 0)
  }

  @Test func longIntervalsSaturate() {
    #expect(Interval.seconds(18_446_744_073).nanoseconds == 18_446_744_073_000_000_000)
    #expect(Interval.seconds(18_446_744_074) == Interval(nanoseconds: .max))
    #expect(Interval.seconds(.max) == Interval(nanoseconds: .max))
    #expect(Interval.milliseconds(18_446_744_073_709).nanoseconds == 18_446_744_073_709_000_000)
    #expect(Interval.milliseconds(18_446_744_073_710) == Interval(nanoseconds: .max))
  }

  /// Goal: a timer that is set with whole milliseconds never fires early.
  @Test func millisecondsRoundUp() {
    let table: [(nanoseconds: UInt64, milliseconds: UInt64)] = [
      (0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (2_000_000, 2),
      (.max, 18_446_744_073_710),
    ]
    for (nanoseconds, milliseconds) in table {
      #expect(Interval(nanoseconds: nanoseconds).milliseconds == milliseconds)
    }
  }

  @Test func intervalsDivideAndCompare() {
    #expect(Interval.seconds(9) / 3 == .seconds(3))
    #expect(Interval(nanoseconds: 10) / 3 == Interval(nanoseconds: 3))
    #expect(Interval.milliseconds(999) < .seconds(1))
    #expect(!(Interval.zero < .zero))
  }
}
