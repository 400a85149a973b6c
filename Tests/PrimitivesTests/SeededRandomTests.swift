import Primitives
import Testing

@Suite struct SeededRandomTests {
  /// Goal: a seed means the same on every machine and in every version.
  ///
  /// Method: published outputs of SplitMix64.
  @Test func outputsAreThoseOfSplitMix64() {
    var zero = SeededRandom(seed: 0)
    #expect(zero.next() == 0xe220_a839_7b1d_cdaf)
    #expect(zero.next() == 0x6e78_9e6a_a1b9_65f4)
    #expect(zero.next() == 0x06c4_5d18_8009_454f)
    var other = SeededRandom(seed: 1_234_567)
    #expect(other.next() == 6_457_827_717_110_365_317)
    #expect(other.next() == 3_203_168_211_198_807_973)
    #expect(other.next() == 9_817_491_932_198_370_423)
    #expect(other.next() == 4_593_380_528_125_082_431)
    #expect(other.next() == 16_408_922_859_458_223_821)
  }

  @Test func aCopyGoesOnByItself() {
    var first = SeededRandom(seed: 9)
    _ = first.next()
    var second = first
    #expect(first.next() == second.next())
    _ = first.next()
    #expect(first.next() != second.next())
  }

  /// Goal: every bit is set about half of the time.
  @Test func bitsAreEven() {
    var random = SeededRandom(seed: 77)
    var counts = Array(repeating: 0, count: 64)
    for _ in 0..<4096 {
      let value = random.next()
      for bit in 0..<64 where value >> UInt64(bit) & 1 == 1 { counts[bit] += 1 }
    }
    // Six standard deviations of 32 each.
    for bit in 0..<64 { #expect(abs(counts[bit] - 2048) < 192, "bit \(bit)") }
  }
}
