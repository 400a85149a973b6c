import Primitives
import Testing

@testable import Gateway

/// Goal: each shard has its turn as often as it has workers.
@Suite struct PoolTests {
  private func pool(here: Int, elsewhere: [Int]) -> Pool {
    var pool = Pool(PoolConfiguration(name: "main"), isSpread: true)
    for link in 0..<here { pool.enter(LinkIndex(link)) }
    for (shard, count) in elsewhere.enumerated() { pool.setElsewhere(shard + 1, count) }
    return pool
  }

  @Test func turnsGoByWorkers() {
    var pool = pool(here: 2, elsewhere: [1, 0, 3])
    #expect((0..<8).map { _ in pool.nextShard() } == [0, 0, 1, 3, 3, 3, 0, 0])
  }

  @Test func nobodyHasATurnWithoutWorkers() {
    var pool = pool(here: 0, elsewhere: [0, 0])
    #expect(pool.nextShard() == nil && !pool.hasWorker)
    pool.setElsewhere(2, 1)
    #expect(pool.nextShard() == 2 && pool.hasWorker)
    pool.setElsewhere(2, 0)
    pool.enter(7)
    #expect(pool.nextShard() == 0)
    pool.leave(7)
    #expect(pool.nextShard() == nil)
  }

  /// Goal: however the counts change, only shards with workers have a turn, and between two
  /// changes each has its share.
  @Test func sharesAreRightWhateverChanges() {
    var random = SeededRandom(seed: 5)
    var pool = pool(here: 0, elsewhere: [0, 0, 0])
    var counts = [0, 0, 0, 0]
    for _ in 0..<500 {
      let shard = Int.random(in: 0..<4, using: &random)
      let count = Int.random(in: 0..<4, using: &random)
      for link in counts[0]..<max(counts[0], count) where shard == 0 { pool.enter(LinkIndex(link)) }
      for link in count..<max(counts[0], count) where shard == 0 { pool.leave(LinkIndex(link)) }
      if shard > 0 { pool.setElsewhere(shard, count) }
      counts[shard] = count
      let total = counts.reduce(0, +)
      var turns = [0, 0, 0, 0]
      for _ in 0..<3 * total {
        if let shard = pool.nextShard() { turns[shard] += 1 }
      }
      #expect(turns == counts.map { 3 * $0 })
      #expect(total > 0 || pool.nextShard() == nil)
    }
  }
}
