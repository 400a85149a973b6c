import Primitives
import Testing

@testable import Auth

@Suite struct RateTableTests {
  private let rate = Rate(perSecond: 1, burst: 4)
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func key(_ number: UInt32) -> AddressPrefix {
    let bytes: [16 of UInt8] = .init { index in
      switch index {
      case 0..<10: 0
      case 10, 11: 0xff
      default: UInt8(truncatingIfNeeded: number >> UInt32(120 - 8 * index))
      }
    }
    return AddressPrefix(bytes, bitCount: 128)
  }

  @Test func eachKeyHasItsOwnMeter() {
    var random = SeededRandom(seed: 21)
    var table = RateTable(capacity: 8192, rate: rate, seed: 1)
    let pace = RatePace(rate)
    var meters: [AddressPrefix: RateMeter] = [:]
    var now = start
    for _ in 0..<20_000 {
      let key = key(UInt32.random(in: 0..<500, using: &random))
      now = now + Interval(nanoseconds: UInt64.random(in: 0...4_000_000, using: &random))
      let expected = meters[key, default: RateMeter()].take(1, of: pace, now: now)
      #expect(table.take(key, now: now) == expected)
      #expect(table.used(key, now: now) == meters[key]!.used(of: pace, now: now))
    }
    #expect(table.sharedUses == 0)
  }

  @Test func prefixesOfOneAddressAreDifferentKeys() {
    var table = RateTable(capacity: 64, rate: Rate(perSecond: 1, burst: 1), seed: 2)
    #expect(table.take(AddressPrefix(key(0).bytes, bitCount: 128), now: start) == true)
    #expect(table.take(AddressPrefix(key(0).bytes, bitCount: 120), now: start) == true)
    #expect(table.take(AddressPrefix(key(0).bytes, bitCount: 120), now: start) == false)
  }

  @Test func churnFlushesNobodyWhoOwes() {
    var table = RateTable(capacity: 1024, rate: rate, seed: 3)
    let flooder = key(1)
    for _ in 0..<4 { #expect(table.take(flooder, now: start) == true) }
    for number in 1000..<50_000 { _ = table.take(key(UInt32(number)), now: start) }
    #expect(table.used(flooder, now: start) == 4)
    #expect(table.take(flooder, now: start) == false)
  }

  /// Goal: a flood of new keys gets no more than the table's meters allow together.
  @Test func churnPaysForItself() {
    var table = RateTable(capacity: 1024, rate: rate, seed: 4)
    var taken = 0
    for number in 0..<UInt32(100_000) {
      // Each key comes four times, as often as its own burst would allow.
      if table.take(key(number / 4), now: start) { taken += 1 }
    }
    #expect(taken <= 1024 * 4 + 128 * 4)
    #expect(taken > 1024 * 4 - 100)
    #expect(table.sharedUses > 90_000)
  }

  @Test func placesAtRestAreTakenAgain() {
    var table = RateTable(capacity: 256, rate: rate, seed: 5)
    for number in 0..<UInt32(10_000) { _ = table.take(key(number), now: start) }
    let uses = table.sharedUses
    #expect(uses > 0)
    let later = start + .seconds(4)
    #expect(table.used(key(3), now: later) == 0)
    #expect(table.take(key(70_000), now: later) == true)
    #expect(table.sharedUses == uses)
  }
}
