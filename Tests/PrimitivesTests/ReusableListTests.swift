import Primitives
import Testing

@Suite struct ReusableListTests {
  /// Goal: it holds what an array would, through many fillings, also those beyond what it keeps.
  @Test func holdsWhatWasAppended() {
    var list = ReusableList<UInt32>()
    var random = SeededRandom(seed: 5)
    for _ in 0..<50 {
      #expect(list.count == 0)
      var expected: [UInt32] = []
      for _ in 0..<random.next() % 3000 {
        let element = UInt32(truncatingIfNeeded: random.next())
        list.append(element)
        expected.append(element)
      }
      #expect(list.count == expected.count)
      #expect((0..<list.count).map { list[$0] } == expected)
      list.removeAll()
    }
  }
}
