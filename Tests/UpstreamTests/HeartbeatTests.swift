import Primitives
import Testing

@testable import Upstream

@Suite struct HeartbeatTests {
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func heartbeat() -> Heartbeat { Heartbeat(aliveTimeout: .seconds(9), now: start) }

  @Test func theFirstBeatIsDueAtOnce() {
    let beat = heartbeat()
    #expect(beat.nextBeat == start)
    #expect(beat.deadline == start)
    #expect(!beat.isOverdue(now: start + .seconds(1000)))
  }

  /// Goal: a worker sends something between two PINGs, so it doesn't take them for abuse.
  @Test func aPingFollowsOnlyAnAnsweredBeat() {
    var beat = heartbeat()
    var pings = [beat.sent(now: start)]
    pings.append(beat.sent(now: start + .seconds(3)))
    beat.answered()
    pings.append(beat.sent(now: start + .seconds(6)))
    beat.answered()
    pings.append(beat.sent(now: start + .seconds(9)))
    beat.pingAnswered()
    pings.append(beat.sent(now: start + .seconds(12)))
    pings.append(beat.sent(now: start + .seconds(15)))
    #expect(pings == [false, false, true, false, true, false])
    #expect(beat.nextBeat == start + .seconds(18))
  }

  /// Goal: the wait counts from the oldest beat without an answer.
  @Test func anUnansweredBeatIsOverdueAfterTheTimeout() {
    var beat = heartbeat()
    for second: UInt64 in [0, 3, 6] {
      let pings = beat.sent(now: start + .seconds(second))
      #expect(!pings)
    }
    #expect(beat.deadline == start + .seconds(9))
    #expect(!beat.isOverdue(now: start + Interval(nanoseconds: 8_999_999_999)))
    #expect(beat.isOverdue(now: start + .seconds(9)))
    beat.answered()
    #expect(!beat.isOverdue(now: start + .seconds(9)))
  }

  @Test func anUnansweredPingIsOverdueAfterTheTimeout() {
    var beat = heartbeat()
    _ = beat.sent(now: start)
    beat.answered()
    let pings = beat.sent(now: start + .seconds(3))
    #expect(pings)
    beat.answered()
    _ = beat.sent(now: start + .seconds(11))
    beat.answered()
    #expect(beat.deadline == start + .seconds(12))
    #expect(!beat.isOverdue(now: start + Interval(nanoseconds: 11_999_999_999)))
    #expect(beat.isOverdue(now: start + .seconds(12)))
    beat.pingAnswered()
    #expect(!beat.isOverdue(now: start + .seconds(12)))
    #expect(beat.deadline == start + .seconds(14))
  }

  @Test func aPauseOfTheReaderIsNotTheWorkersFault() {
    var beat = heartbeat()
    _ = beat.sent(now: start)
    beat.answered()
    _ = beat.sent(now: start + .seconds(3))
    beat.readingPaused()
    #expect(!beat.isOverdue(now: start + .seconds(50)))
    #expect(beat.deadline == start + .seconds(6), "beats go on")
    beat.readingResumed(now: start + .seconds(60))
    #expect(!beat.isOverdue(now: start + .seconds(68)))
    #expect(beat.isOverdue(now: start + .seconds(69)))
    beat.answered()
    beat.pingAnswered()
    beat.readingResumed(now: start + .seconds(70))
    #expect(!beat.isOverdue(now: start + .seconds(1000)), "nothing was waited for")
  }
}
