import Testing

@testable import Primitives

@Suite struct ByteQueueTests {
  private func bytes(_ count: Int, using random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
  }

  private func append(_ bytes: [UInt8], to queue: inout ByteQueue) {
    bytes.withUnsafeBytes { queue.append($0) }
  }

  @Test func aNewQueueIsEmpty() {
    let queue = ByteQueue()
    let isEmpty = queue.isEmpty
    #expect(isEmpty)
    #expect(queue.count == 0)
    #expect(queue.readable.isEmpty)
  }

  @Test func appendingNothingChangesNothing() {
    var queue = ByteQueue()
    queue.append(UnsafeRawBufferPointer(start: nil, count: 0))
    append([], to: &queue)
    #expect(queue.count == 0)
    queue.removeFirst(0)
    queue.shrink(to: 0)
    #expect(queue.count == 0)
  }

  /// Goal: whatever is done to a queue, it holds what an array would hold.
  ///
  /// Method: random operations, mostly small, at times beyond what was allocated; after each one
  /// all bytes are compared.
  @Test func aQueueHoldsWhatAnArrayWould() {
    for seed: UInt64 in 0..<40 {
      var random = SeededRandom(seed: seed)
      var queue = ByteQueue()
      var model: [UInt8] = []
      for step in 0..<400 {
        change(&queue, &model, using: &random)
        #expect(queue.count == model.count, "seed \(seed), step \(step)")
        let isEmpty = queue.isEmpty
        #expect(isEmpty == model.isEmpty)
        guard queue.readable.elementsEqual(model) else {
          Issue.record("seed \(seed), step \(step): the bytes differ")
          return
        }
      }
    }
  }

  private func change(
    _ queue: inout ByteQueue, _ model: inout [UInt8], using random: inout SeededRandom
  ) {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<7:
      let longest = [3, 40, 200, 5000].randomElement(using: &random)!
      let added = bytes(.random(in: 0...longest, using: &random), using: &random)
      append(added, to: &queue)
      model += added
    case 7..<10:
      let added = bytes(.random(in: 0...64, using: &random), using: &random)
      let room = queue.reserve(added.count + .random(in: 0...100, using: &random))
      added.withUnsafeBytes { room.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      queue.commit(added.count)
      model += added
    case 10..<18:
      let taken = Int.random(in: 0...model.count, using: &random)
      queue.removeFirst(taken)
      model.removeFirst(taken)
    case 18:
      queue.shrink(to: .random(in: 0...8192, using: &random))
    default:
      guard Int.random(in: 0..<8, using: &random) == 0 else { return }
      queue.removeAll()
      model.removeAll()
    }
  }

  /// Goal: a queue through which bytes pass for ever does not ask for more and more memory.
  @Test func roomAtTheFrontIsUsedAgain() {
    var queue = ByteQueue()
    append(Array(repeating: 7, count: 1000), to: &queue)
    for round in 0..<100_000 {
      append([UInt8(truncatingIfNeeded: round)], to: &queue)
      queue.removeFirst(1)
    }
    #expect(queue.count == 1000)
    #expect(queue.capacity <= 4096)
  }

  @Test func shrinkingKeepsBytesThatAreThere() {
    var queue = ByteQueue()
    append([1, 2, 3], to: &queue)
    queue.shrink(to: 0)
    #expect(Array(queue.readable) == [1, 2, 3])
    queue.removeFirst(3)
    queue.shrink(to: 0)
    #expect(queue.readable.baseAddress == nil)
    append([4], to: &queue)
    #expect(Array(queue.readable) == [4])
  }

  @Test func shrinkingKeepsMemoryWithinItsLimit() {
    var queue = ByteQueue()
    append(Array(repeating: 1, count: 64), to: &queue)
    queue.removeFirst(64)
    queue.shrink(to: 64)
    #expect(queue.readable.baseAddress != nil)
    queue.shrink(to: 63)
    #expect(queue.readable.baseAddress == nil)
  }
}
