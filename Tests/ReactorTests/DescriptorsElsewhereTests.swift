import Testing

@testable import Reactor

@Suite struct DescriptorsElsewhereTests {
  @Test func whatLeavesAndComesBackIsCounted() {
    let elsewhere = DescriptorsElsewhere()
    elsewhere.left(5)
    elsewhere.cameBack(2)
    #expect(elsewhere.count == 3)
    #expect(!elsewhere.closedOne(), "nobody waits")
    #expect(elsewhere.count == 2)
  }

  /// Goal: a door that waits is told once, by whoever closes the first.
  @Test func theDoorIsToldOnce() {
    let elsewhere = DescriptorsElsewhere()
    elsewhere.left(3)
    elsewhere.waitForOne()
    #expect(elsewhere.closedOne())
    #expect(!elsewhere.closedOne())
    elsewhere.waitForOne()
    #expect(elsewhere.closedOne())
    #expect(elsewhere.count == 0)
  }
}
