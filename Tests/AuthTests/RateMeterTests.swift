import Primitives
import Testing

@testable import Auth

@Suite struct RateMeterTests {
  private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

  @Test func aBurstPassesAtOnceAndThenTheRate() {
    let pace = RatePace(Rate(perSecond: 10, burst: 3))
    var meter = RateMeter()
    let start: UInt64 = 5_000_000_000
    for _ in 0..<3 { #expect(meter.take(1, of: pace, now: at(start)) == true) }
    #expect(meter.take(1, of: pace, now: at(start)) == false)
    #expect(meter.used(of: pace, now: at(start)) == 3)
    #expect(meter.take(1, of: pace, now: at(start + 99_999_999)) == false)
    #expect(meter.take(1, of: pace, now: at(start + 100_000_000)) == true)
    #expect(meter.take(1, of: pace, now: at(start + 100_000_000)) == false)
    #expect(!meter.isAtRest(now: at(start + 399_999_999)))
    #expect(meter.isAtRest(now: at(start + 400_000_000)))
    #expect(meter.used(of: pace, now: at(start + 400_000_000)) == 0)
    #expect(meter.take(4, of: pace, now: at(start + 9_000_000_000)) == false)
    #expect(meter.take(3, of: pace, now: at(start + 9_000_000_000)) == true)
  }

  @Test func aChargeSaysHowLongToWait() {
    let pace = RatePace(Rate(perSecond: 1000, burst: 10))
    var meter = RateMeter()
    #expect(meter.charge(10, of: pace, now: at(0)) == .zero)
    #expect(meter.charge(5, of: pace, now: at(0)) == .milliseconds(5))
    #expect(meter.charge(0, of: pace, now: at(3_000_000)) == .milliseconds(2))
    #expect(meter.charge(0, of: pace, now: at(5_000_000)) == .zero)
    #expect(meter.used(of: pace, now: at(5_000_000)) == 10)
  }

  /// Goal: decisions are those of exact arithmetic, where sixteenths of a nanosecond are exact.
  @Test(arguments: [1, 3, 10, 1000, 1 << 20] as [UInt64]) func meterIsExact(burst: UInt64) {
    for perSecond in [1, 2, 5, 8, 1000, 16_000, 1_000_000, 4_000_000_000] as [UInt64] {
      let pace = RatePace(Rate(perSecond: perSecond, burst: burst))
      var random = SeededRandom(seed: burst ^ perSecond)
      var meter = RateMeter()
      // In nanoseconds times the rate.
      var arrival: UInt128 = 0
      var now: UInt64 = 1_000_000
      for _ in 0..<200 {
        let amount = UInt64.random(in: 0...burst + 1, using: &random)
        let next = max(arrival, UInt128(now * perSecond)) + UInt128(amount) * 1_000_000_000
        let fits = next <= UInt128(now * perSecond) + UInt128(burst) * 1_000_000_000
        #expect(meter.take(amount, of: pace, now: at(now)) == fits)
        if fits { arrival = next }
        let mean = max(1, 1_000_000_000 / perSecond)
        let step = UInt64.random(in: 0...mean * UInt64(min(burst, 3)), using: &random)
        now += min(step, 10_000_000)
      }
    }
  }

  /// Goal: whatever the rate, in any time nearly as much passes as it says, never more.
  @Test(arguments: [1, 3, 7, 333, 12_345, 999_983, 1 << 30, 1 << 40] as [UInt64])
  func greedPassesAtTheRate(perSecond: UInt64) {
    let amount = max(1, perSecond / 100)
    let pace = RatePace(Rate(perSecond: perSecond, burst: amount * 4))
    var meter = RateMeter()
    var taken: UInt64 = 0
    let step: UInt64 = 1_000_003 * (perSecond < 100 ? 100 : 1)
    let start: UInt64 = 1 << 50
    for turn in 0..<UInt64(5000) where meter.take(amount, of: pace, now: at(start + turn * step)) {
      taken += amount
    }
    let seconds = Double(4999 * step) / 1e9
    let allowed = Double(amount * 4) + Double(perSecond) * seconds
    #expect(Double(taken) <= allowed * 1.000_001)
    #expect(Double(taken) >= allowed * 0.99 - Double(amount) * 2)
  }

  @Test func extremesNeitherTrapNorStick() {
    let ends: [UInt64] = [0, 1, 1 << 32, 1 << 60, .max]
    for perSecond in ends {
      for burst in ends {
        let pace = RatePace(Rate(perSecond: perSecond, burst: burst))
        for amount in ends {
          for now in ends {
            var meter = RateMeter()
            _ = meter.take(amount, of: pace, now: at(now))
            _ = meter.used(of: pace, now: at(now))
            _ = meter.charge(amount, of: pace, now: at(now))
            _ = meter.charge(amount, of: pace, now: at(0))
            _ = meter.used(of: pace, now: at(0))
          }
        }
      }
    }
    #expect(MemoryLayout<RateMeter>.size == 8)
    var meter = RateMeter()
    let pace = RatePace(Rate(perSecond: 1, burst: .max))
    #expect(meter.take(1 << 20, of: pace, now: at(1)) == true)
    #expect(meter.used(of: pace, now: at(1)) == 1 << 20)
  }
}
