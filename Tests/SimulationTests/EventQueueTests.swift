import Primitives
import Testing

@testable import Simulation

/// Goal: what happens at one time happens in the order in which it was added.
@Suite struct EventQueueTests {
  @Test func comesOutInOrder() {
    var random = SeededRandom(seed: 1)
    var queue = EventQueue()
    var expected: [(UInt64, Int)] = []
    for number in 0..<2000 {
      let at = UInt64(random.draw(0...100))
      queue.add(.client(number), at: Instant(nanoseconds: at))
      expected.append((at, number))
    }
    expected.sort { $0 < $1 }
    for (at, number) in expected {
      guard let (instant, event) = queue.popFirst(), case .client(let found) = event else {
        Issue.record("too few events")
        return
      }
      #expect(instant.nanoseconds == at && found == number)
    }
    #expect(queue.count == 0)
  }

  @Test func exponentialDrawsHaveTheirMean() {
    var random = SeededRandom(seed: 2)
    let mean = Interval.milliseconds(10)
    let sum = (0..<20_000).reduce(UInt64(0)) { sum, _ in
      sum + random.exponential(mean: mean).nanoseconds
    }
    let average = Double(sum) / 20_000
    #expect(abs(average / 10_000_000 - 1) < 0.05)
  }
}
