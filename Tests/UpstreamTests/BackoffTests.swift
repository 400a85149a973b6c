import Primitives
import Testing

@testable import Upstream

@Suite struct BackoffTests {
  private let longest: [UInt64] = [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]

  @Test func pausesDoubleUpToFiveSeconds() {
    for seed: UInt64 in 0..<300 {
      var random = SeededRandom(seed: seed)
      var backoff = Backoff()
      for milliseconds in longest {
        let pause = backoff.next(using: &random)
        #expect(pause >= .milliseconds(milliseconds / 2) && pause <= .milliseconds(milliseconds))
      }
    }
  }

  @Test func pausesStayInBoundsForEver() {
    var random = SeededRandom(seed: 3)
    var backoff = Backoff()
    for _ in 0..<10 { _ = backoff.next(using: &random) }
    for _ in 0..<2000 {
      let pause = backoff.next(using: &random)
      #expect(pause >= .milliseconds(2500) && pause <= .seconds(5))
    }
  }

  /// Goal: gateways that lost the same worker spread over the whole range.
  @Test func pausesAreSpread() {
    var quarters = Array(repeating: 0, count: 4)
    for seed: UInt64 in 0..<2000 {
      var random = SeededRandom(seed: seed)
      var backoff = Backoff()
      let pause = backoff.next(using: &random)
      quarters[Int(min((pause.nanoseconds - 25_000_000) / 6_250_000, 3))] += 1
    }
    for count in quarters { #expect(count > 400 && count < 600) }
  }

  @Test func resetBeginsAnew() {
    var random = SeededRandom(seed: 8)
    var backoff = Backoff()
    for _ in 0..<6 { _ = backoff.next(using: &random) }
    backoff.reset()
    #expect(backoff.next(using: &random) <= .milliseconds(50))
  }
}
