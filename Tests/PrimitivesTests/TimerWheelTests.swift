import Primitives
import Testing

/// Timers in a plain dictionary: what the wheel has to agree with.
private struct WheelModel {
  static let tick: UInt64 = 4_000_000

  /// Per owner, the tick in which its deadline is due.
  var due: [UInt32: UInt64] = [:]
  /// All ticks up to and including this one have been handled.
  var handled: UInt64

  mutating func arm(_ owner: UInt32, at deadline: Instant) {
    let ticks = deadline.nanoseconds / Self.tick
    let roundedUp = deadline.nanoseconds % Self.tick == 0 ? ticks : ticks + 1
    due[owner] = max(roundedUp, handled + 1)
  }

  var first: UInt64? { due.values.min() }
}

@Suite struct TimerWheelTests {
  private static let millisecond: UInt64 = 1_000_000
  private static let year: UInt64 = 365 * 86_400_000 * millisecond

  private func pop(_ wheel: inout TimerWheel, _ now: Instant) -> [UInt32] {
    var owners: [UInt32] = []
    while let owner = wheel.popExpired(now: now) { owners.append(owner) }
    return owners
  }

  @Test func anIdleWheelHasNoDeadline() {
    var wheel = TimerWheel(now: Instant(nanoseconds: 5))
    #expect(wheel.nextDeadline == nil)
    #expect(wheel.popExpired(now: Instant(nanoseconds: .max)) == nil)
    wheel.disarm(0)
    wheel.disarm(1000)
    #expect(wheel.armedCount == 0)
    #expect(wheel.nextDeadline == nil)
  }

  @Test func aTimerIsNeverEarlyAndAtMostATickLate() {
    for offset: UInt64 in [0, 1, 3_999_999, 4_000_000] {
      for wait: UInt64 in [1, 3_999_999, 4_000_000, 4_000_001, 300 * Self.millisecond] {
        let start = Instant(nanoseconds: 8_000_000 + offset)
        var wheel = TimerWheel(now: start)
        let deadline = start + Interval(nanoseconds: wait)
        wheel.arm(7, at: deadline)
        var early = start
        while early < deadline {
          #expect(wheel.popExpired(now: early) == nil)
          early = early + Interval(nanoseconds: max(wait / 5, 1))
          if wait == 1 { break }
        }
        #expect(wheel.popExpired(now: deadline + .milliseconds(4)) == 7)
        #expect(wheel.popExpired(now: deadline + .seconds(99)) == nil)
      }
    }
  }

  @Test func aDeadlineThatHasPassedComesWithTheNextTick() {
    let start = Instant(nanoseconds: Self.year)
    var wheel = TimerWheel(now: start)
    wheel.arm(0, at: Instant(nanoseconds: 0))
    wheel.arm(1, at: start)
    #expect(wheel.popExpired(now: start) == nil)
    #expect(wheel.nextDeadline == start + .milliseconds(4))
    #expect(Set(pop(&wheel, start + .milliseconds(4))) == [0, 1])
  }

  @Test func armingAgainReplaces() {
    let start = Instant(nanoseconds: 0)
    var wheel = TimerWheel(now: start)
    wheel.arm(3, at: start + .seconds(1))
    wheel.arm(3, at: start + .seconds(500))
    #expect(wheel.armedCount == 1)
    #expect(pop(&wheel, start + .seconds(499)) == [])
    wheel.arm(3, at: start + .milliseconds(499_500))
    #expect(pop(&wheel, start + .seconds(500)) == [3])
    #expect(wheel.armedCount == 0)
    #expect(wheel.nextDeadline == nil)
  }

  /// Goal: what many timers took is given back when the last of them is cleared, and not before;
  /// the wheel goes on as a new one.
  @Test func memoryGoesWithTheLastTimer() {
    let start = Instant(nanoseconds: 0)
    var wheel = TimerWheel(now: start)
    for _ in 0..<2 {
      for owner: UInt32 in 0...4096 { wheel.arm(owner, at: start + .seconds(1)) }
      for owner: UInt32 in 0...4096 {
        #expect(wheel.armedCount == 4097 - Int(owner))
        #expect(wheel.nodeCount == 4097)
        wheel.disarm(owner)
      }
      #expect(wheel.nodeCount == 0)
      #expect(wheel.nextDeadline == nil)
    }
    // One that had a place is unarmed, and has no deadline.
    wheel.disarm(4096)
    #expect(wheel.deadline(of: 4096) == nil)
    for owner: UInt32 in [4096, 5, 77] { wheel.arm(owner, at: start + .seconds(2)) }
    #expect(pop(&wheel, start + .milliseconds(1999)) == [])
    #expect(Set(pop(&wheel, start + .seconds(2))) == [4096, 5, 77])
  }

  /// Goal: a few timers that come and go do not get their memory anew each time.
  @Test func aLittleMemoryStays() {
    var wheel = TimerWheel(now: Instant(nanoseconds: 0))
    for owner: UInt32 in 0..<4096 { wheel.arm(owner, at: Instant(nanoseconds: 1)) }
    for owner: UInt32 in 0..<4096 { wheel.disarm(owner) }
    #expect(wheel.nodeCount == 4096)
  }

  /// Goal: a deadline beyond the wheel's reach, or never, neither traps nor expires.
  @Test func deadlinesBeyondTheReachWait() {
    let start = Instant(nanoseconds: 123_456_789)
    var wheel = TimerWheel(now: start)
    wheel.arm(0, at: .distantFuture)
    wheel.arm(1, at: Instant(nanoseconds: 30 * Self.year))
    wheel.arm(2, at: Instant(nanoseconds: 10 * Self.year))
    var now = start
    var expired: [UInt32] = []
    var steps = 0
    while expired.count < 2, let next = wheel.nextDeadline {
      #expect(next > now)
      now = next
      expired += pop(&wheel, now)
      steps += 1
    }
    #expect(expired == [2, 1])
    #expect(now == Instant(nanoseconds: 30 * Self.year))
    // A driver that sleeps until `nextDeadline` wakes up a few times per turn of the wheel.
    #expect(steps < 100)
    #expect(wheel.armedCount == 1)
    #expect(pop(&wheel, Instant(nanoseconds: 500 * Self.year)) == [])
    wheel.disarm(0)
    #expect(wheel.nextDeadline == nil)
  }

  /// Goal: waking up only at `nextDeadline`, every timer comes in its very tick.
  @Test func followingTheNextDeadlineMissesNothing() {
    for seed: UInt64 in 0..<60 {
      var random = SeededRandom(seed: seed)
      let start = Instant(nanoseconds: random.next() >> UInt64.random(in: 4...40, using: &random))
      var wheel = TimerWheel(now: start)
      var model = WheelModel(handled: start.nanoseconds / WheelModel.tick)
      for owner: UInt32 in 0..<100 { arm(&wheel, &model, owner, now: start, using: &random) }
      var steps = 0
      while let next = wheel.nextDeadline {
        steps += 1
        let first = model.first!
        let firstDeadline = first.multipliedReportingOverflow(by: WheelModel.tick)
        #expect(next.nanoseconds <= (firstDeadline.overflow ? .max : firstDeadline.partialValue))
        #expect(next.nanoseconds / WheelModel.tick > model.handled, "a driver would spin")
        check(&wheel, &model, now: next, "seed \(seed)")
      }
      #expect(model.due.isEmpty)
      // Each timer is sorted at most once per level.
      #expect(steps <= 100 * 6, "seed \(seed)")
    }
  }

  /// Goal: the wheel agrees with a sorted list, whatever is armed and however time goes.
  @Test func theWheelAgreesWithASortedList() {
    for seed: UInt64 in 0..<60 {
      var random = SeededRandom(seed: seed)
      var now = Instant(nanoseconds: random.next() >> UInt64.random(in: 5...50, using: &random))
      var wheel = TimerWheel(now: now)
      var model = WheelModel(handled: now.nanoseconds / WheelModel.tick)
      for step in 0..<500 {
        let owner = UInt32.random(in: 0..<150, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: arm(&wheel, &model, owner, now: now, using: &random)
        case 5:
          wheel.disarm(owner)
          model.due[owner] = nil
        default:
          now = later(than: now, wheel.nextDeadline, using: &random)
          check(&wheel, &model, now: now, "seed \(seed), step \(step)", armsAgain: true)
        }
        #expect(wheel.armedCount == model.due.count)
        guard let next = wheel.nextDeadline else {
          #expect(model.due.isEmpty)
          continue
        }
        #expect(next.nanoseconds / WheelModel.tick <= model.first!)
        #expect(next.nanoseconds / WheelModel.tick > model.handled)
      }
    }
  }

  private func arm(
    _ wheel: inout TimerWheel, _ model: inout WheelModel, _ owner: UInt32, now: Instant,
    using random: inout SeededRandom
  ) {
    // From a millisecond to some twelve years, every order of magnitude alike; some in the past.
    let longest = Self.millisecond << UInt64.random(in: 0...38, using: &random)
    let wait = Interval(nanoseconds: UInt64.random(in: 0...longest, using: &random))
    var deadline = now + wait
    if Int.random(in: 0..<20, using: &random) == 0 {
      deadline = Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, wait.nanoseconds))
    }
    wheel.arm(owner, at: deadline)
    model.arm(owner, at: deadline)
  }

  private func later(
    than now: Instant, _ next: Instant?, using random: inout SeededRandom
  ) -> Instant {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: next ?? now
    case 1: now + Interval(nanoseconds: UInt64.random(in: 0...20_000_000, using: &random))
    default:
      now
        + Interval(
          nanoseconds: random.next() >> UInt64.random(in: 8...63, using: &random))
    }
  }

  /// Takes what has expired and compares; at times an owner is armed again while that goes on.
  private func check(
    _ wheel: inout TimerWheel, _ model: inout WheelModel, now: Instant, _ place: String,
    armsAgain: Bool = false
  ) {
    let target = now.nanoseconds / WheelModel.tick
    while let owner = wheel.popExpired(now: now) {
      guard let due = model.due.removeValue(forKey: owner) else {
        Issue.record("\(place): \(owner) came without being armed")
        return
      }
      #expect(due <= target, "\(place): \(owner) came early")
      #expect(due >= model.handled, "\(place): \(owner) came out of order")
      #expect(due <= model.first ?? .max, "\(place): \(owner) came before an earlier one")
      model.handled = due
      if armsAgain, owner % 8 == 0 {
        wheel.arm(owner, at: now)
        model.arm(owner, at: now)
      }
    }
    model.handled = target
    #expect(model.first ?? .max > target, "\(place): one did not come")
  }
}
