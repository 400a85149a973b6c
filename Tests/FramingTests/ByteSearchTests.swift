import Testing

@testable import Framing

/// Goal: the first of a few bytes is found as by a plain search, wherever it stands among words and
/// blocks.
@Suite struct ByteSearchTests {
  private func expectSame(_ bytes: [UInt8], _ values: [UInt8], from start: Int) {
    let search = ByteSearch(values)
    let found = bytes.withUnsafeBytes { search.first(in: $0, from: start) }
    let expected = bytes.indices.first { $0 >= start && values.contains(bytes[$0]) }
    if found != expected {
      Issue.record("\(values) in \(bytes) from \(start): \(found ?? -1), not \(expected ?? -1)")
    }
  }

  @Test func everyPlaceInEveryLength() {
    for values: [UInt8] in [[10], [0], [255], [13, 10], [0, 1, 255], [10, 10], [1, 2, 3, 4, 5]] {
      for count in [0, 1, 7, 8, 9, 31, 32, 33, 39, 64, 100] {
        expectSame([UInt8](repeating: 7, count: count), values, from: 0)
        for place in 0..<count {
          var bytes = [UInt8](repeating: 7, count: count)
          bytes[place] = values[place % values.count]
          for start in [0, place / 2, place, place + 1] { expectSame(bytes, values, from: start) }
        }
      }
    }
  }

  /// Goal: a byte that differs from one looked for by its lowest or highest bit is not mistaken.
  @Test func whatIsNearlyThereIsNot() {
    for seed: UInt64 in 0..<2_000 {
      var random = SplitMix64(seed: seed)
      let values = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        [0, 1, 2, 9, 10, 11, 127, 128, 129, 254, 255].randomElement(using: &random)! as UInt8
      }
      let bytes = (0..<Int.random(in: 0...90, using: &random)).map { _ in
        let value = values.randomElement(using: &random)!
        let others: [UInt8] = [value ^ 1, value ^ 128, value &+ 1, value &- 1, 0, 1, 128]
        return Int.random(in: 0..<30, using: &random) == 0
          ? value : others.randomElement(using: &random)!
      }
      expectSame(bytes, values, from: Int.random(in: 0...bytes.count, using: &random))
    }
  }
}
