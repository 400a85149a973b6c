import Primitives
import Testing

@Suite struct SlabTests {
  /// Counts how many records exist.
  private final class Census {
    var made = 0
    var gone = 0
  }

  private struct Record: ~Copyable {
    let census: Census
    var value = 0

    init(_ census: Census) {
      self.census = census
      census.made += 1
    }

    deinit { census.gone += 1 }
  }

  private func address(_ slab: borrowing Slab<Record>, _ index: UInt32) -> UnsafeRawPointer {
    withUnsafeMutablePointer(to: &slab[index]) { UnsafeRawPointer($0) }
  }

  @Test func nothingIsMadeBeforeItIsTaken() {
    let census = Census()
    var slab = Slab<Record>(capacity: 1000) { Record(census) }
    #expect(slab.count == 0)
    #expect(census.made == 0)
    #expect(slab.take() == 0)
    #expect(slab.count == 1024)
    #expect(census.made == 1024)
  }

  @Test func placesAreTakenInOrderAndOnce() {
    let census = Census()
    var slab = Slab<Record>(capacity: 1500) { Record(census) }
    var taken: [UInt32] = []
    while let index = slab.take() { taken.append(index) }
    // Whole chunks of 1,024.
    #expect(taken == Array(0..<2048))
    #expect(slab.count == 2048)
    slab.giveBack(300)
    #expect(slab.take() == 300)
    #expect(slab.take() == nil)
  }

  /// Goal: a place that was given back is taken again before memory is added.
  @Test func placesAreReused() {
    let census = Census()
    var slab = Slab<Record>(capacity: 10_000) { Record(census) }
    var random = SeededRandom(seed: 4)
    var inUse: Set<UInt32> = []
    for _ in 0..<20_000 {
      if inUse.count < 800 && (inUse.isEmpty || Bool.random(using: &random)) {
        let index = slab.take()!
        #expect(inUse.insert(index).inserted)
      } else {
        let index = inUse.sorted().randomElement(using: &random)!
        inUse.remove(index)
        slab.giveBack(index)
      }
    }
    #expect(slab.count == 1024)
    #expect(census.made == 1024)
  }

  /// Goal: a record stays where it is, with what is in it, while chunks are added.
  @Test func recordsNeverMove() {
    let census = Census()
    var slab = Slab<Record>(capacity: 5000) { Record(census) }
    var addresses: [UnsafeRawPointer] = []
    for number in 0..<3000 {
      let index = slab.take()!
      slab[index].value = number
      addresses.append(address(slab, index))
    }
    #expect(Set(addresses).count == 3000)
    for number in 0..<3000 {
      #expect(slab[UInt32(number)].value == number)
      #expect(address(slab, UInt32(number)) == addresses[number])
    }
  }

  @Test func anUnusedPlaceCanBeRead() {
    let census = Census()
    var slab = Slab<Record>(capacity: 256) { Record(census) }
    _ = slab.take()
    #expect(slab[1023].value == 0)
  }

  @Test func everyRecordIsDestroyedOnce() {
    let census = Census()
    do {
      var slab = Slab<Record>(capacity: 2000) { Record(census) }
      for _ in 0..<1900 { _ = slab.take() }
      for index: UInt32 in 0..<350 { slab.giveBack(index) }
      #expect(census.made == 2048)
      slab[3] = Record(census)
      #expect(census.gone == 1)
    }
    #expect(census.made == 2049)
    #expect(census.gone == 2049)
  }

  /// Goal: what many have used is given back when they have gone, and read as unused from then on.
  @Test func chunksThatNobodyUsesAreGivenBack() {
    let census = Census()
    do {
      var slab = Slab<Record>(capacity: 10_000) { Record(census) }
      for number in 0..<8192 { slab[slab.take()!].value = number }
      #expect(census.made == 8192)
      for index: UInt32 in 0..<8192 where index != 5000 {
        slab[index] = Record(census)
        slab.giveBack(index)
      }
      // Of eight chunks, one is in use, one is kept for those who come, and one is the spare.
      #expect(census.made - census.gone == 3 * 1024)
      #expect(slab.usedCount == 1)
      for index: UInt32 in 0..<8192 { #expect(slab[index].value == (index == 5000 ? 5000 : 0)) }
      // The lowest places are taken first, in memory of their own.
      #expect(slab.take() == 0)
      slab[0].value = 7
      for index: UInt32 in 1..<8192 where index != 5000 { #expect(slab[index].value == 0) }
      for _ in 0..<8190 { _ = slab.take() }
      #expect(slab.usedCount == 8192)
      #expect(census.made - census.gone == 9 * 1024)
    }
    #expect(census.made == census.gone)
  }

  /// Goal: whoever comes and goes where a chunk ends does not bring and take a chunk each time.
  @Test func aChunkDoesNotComeAndGoWithOneRecord() {
    let census = Census()
    var slab = Slab<Record>(capacity: 10_000) { Record(census) }
    for _ in 0..<1024 { _ = slab.take() }
    for _ in 0..<100 {
      let index = slab.take()!
      #expect(index == 1024)
      slab.giveBack(index)
    }
    #expect(census.made == 2048)
  }
}
