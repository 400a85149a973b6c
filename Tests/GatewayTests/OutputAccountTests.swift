import Primitives
import Testing
import Upstream

@testable import Gateway

/// Goal: what is under way between shards is counted right, whatever order it is taken in.
@Suite struct OutputAccountTests {
  /// - Parameter number: tells one from another.
  private func output(
    _ number: Int, from origin: Int = 1, bytes: Int = 0,
    to target: WorkerOutput.Target = .session(.none)
  ) -> WorkerOutput {
    WorkerOutput(
      target: target, pool: 0, worker: WorkerID(rawValue: 1), origin: origin,
      source: UInt32(number), payload: [UInt8](repeating: 0, count: bytes))
  }

  private func missed(
    _ account: OutputAccount, by shard: Int, since count: Int
  ) -> [Int] {
    account.missed(by: shard, since: UInt64(count)).map { Int($0.source) }
  }

  /// Goal: what a shard has missed is the same before and behind the point at which what it has
  /// taken is forgotten.
  @Test func whatWasMissedOutlastsWhatIsForgotten() {
    var account = OutputAccount(shards: 3)
    for number in 0..<5 { account.passedOn(output(number), to: 2) }
    #expect(missed(account, by: 2, since: 0) == [0, 1, 2, 3, 4])
    _ = account.wereTaken(2, by: 2)
    #expect(missed(account, by: 2, since: 2) == [2, 3, 4])
    #expect(missed(account, by: 2, since: 4) == [4])
    #expect(missed(account, by: 2, since: 5) == [])
    // More than half: those are forgotten.
    _ = account.wereTaken(1, by: 2)
    #expect(missed(account, by: 2, since: 3) == [3, 4])
    #expect(missed(account, by: 2, since: 4) == [4])
    account.passedOn(output(5), to: 2)
    #expect(missed(account, by: 2, since: 4) == [4, 5])
    #expect(missed(account, by: 1, since: 0) == [], "another shard's")
    _ = account.wereTaken(3, by: 2)
    #expect(missed(account, by: 2, since: 6) == [])
    #expect(account.isSettled)
  }

  /// Goal: at any point of any sequence, the account has what a plain list has.
  @Test(arguments: UInt64(1)...20) func itAgreesWithAList(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var account = OutputAccount(shards: 4)
    var all = [[WorkerOutput]](repeating: [], count: 4)
    var taken = [0, 0, 0, 0]
    for number in 0..<400 {
      let shard = Int.random(in: 1..<4, using: &random)
      if Bool.random(using: &random) {
        let new = output(
          number, from: Int.random(in: 0..<4, using: &random),
          bytes: Int.random(in: 0...9, using: &random))
        account.passedOn(new, to: shard)
        all[shard].append(new)
      } else {
        let count = Int.random(in: 0...all[shard].count - taken[shard], using: &random)
        var expected = [0, 0, 0, 0]
        for output in all[shard][taken[shard]..<taken[shard] + count] {
          expected[output.origin] += output.payload.count + OutputAccount.overhead
        }
        #expect(account.wereTaken(count, by: shard) == expected)
        taken[shard] += count
      }
      let since = Int.random(in: taken[shard]...all[shard].count, using: &random)
      let expected = all[shard][since...].map { Int($0.source) }
      #expect(missed(account, by: shard, since: since) == expected)
      #expect(account.isSettled == (1..<4).allSatisfy { all[$0].count == taken[$0] })
    }
  }

  /// Goal: whoever has sent what was taken hears of its own bytes alone.
  @Test func bytesTakenAreOfTheirSenders() {
    var account = OutputAccount(shards: 3)
    account.passedOn(output(0, from: 0, bytes: 1), to: 1)
    account.passedOn(output(1, from: 2, bytes: 10), to: 1)
    account.passedOn(output(2, from: 0, bytes: 100), to: 1)
    account.passedOn(output(3, from: 2, bytes: 1000), to: 1)
    let overhead = OutputAccount.overhead
    #expect(account.wereTaken(3, by: 1) == [101 + 2 * overhead, 0, 10 + overhead])
    #expect(account.wereTaken(1, by: 1) == [0, 0, 1000 + overhead])
    #expect(account.wereTaken(0, by: 1) == [0, 0, 0])
  }

  /// Goal: workers are held back by the first byte too many, and let go by the last of one half.
  @Test(arguments: [2, 3, 64]) func theBoundsAreExact(shards: Int) {
    let most = OutputAccount.untakenMax * (shards - 1)
    var account = OutputAccount(shards: shards)
    #expect(!account.isOverfull && account.hasRoom)
    account.sent(output(0, bytes: most - OutputAccount.overhead))
    #expect(!account.isOverfull && !account.hasRoom)
    account.sent(output(1))
    #expect(account.isOverfull)
    account.wasTaken(OutputAccount.overhead - 1)
    #expect(account.isOverfull)
    account.wasTaken(1)
    #expect(!account.isOverfull)
    account.wasTaken(most / 2 - 1)
    #expect(!account.hasRoom)
    account.wasTaken(1)
    #expect(account.hasRoom)
    account.wasTaken(most / 2)
    #expect(account.isSettled)
  }

  /// Goal: a broadcast is under way until each other shard has taken it.
  @Test(arguments: [2, 3, 64]) func broadcastsCountForEachOtherShard(shards: Int) {
    var account = OutputAccount(shards: shards)
    account.sent(output(0, bytes: 50, to: .broadcast(.all)))
    for _ in 1..<shards {
      #expect(!account.isSettled)
      account.wasTaken(50 + OutputAccount.overhead)
    }
    #expect(account.isSettled)
  }

  /// Goal: the door owes each sender its bytes, another shard owes the door a count; both once.
  @Test func whatWasTakenIsSaidOnce() {
    var door = OutputAccount(shards: 3)
    var other = OutputAccount(shards: 3)
    #expect(!door.hasUnsaid && !other.hasUnsaid)
    for (number, origin) in [1, 2, 1].enumerated() {
      door.took(output(number, from: origin, bytes: 5), isDoor: true)
      other.took(output(number, from: origin, bytes: 5), isDoor: false)
    }
    #expect(door.hasUnsaid && other.hasUnsaid)
    #expect(!door.isSettled && !other.isSettled)
    #expect(door.takeUnsaidCount() == 0)
    let each = 5 + OutputAccount.overhead
    #expect(door.takeUnsaidBytes() == [0, 2 * each, each])
    #expect(door.takeUnsaidBytes() == [0, 0, 0])
    #expect(other.takeUnsaidCount() == 3)
    #expect(other.takeUnsaidCount() == 0)
    #expect(!door.hasUnsaid && !other.hasUnsaid)
    #expect(door.takenCount == 3 && other.takenCount == 3)
  }

  /// Goal: what the door has heard of is missed by nobody who leaves it behind that.
  ///
  /// Method: the door says how many of all it has heard, not how many more.
  @Test func whatTheDoorHasHeardIsForgotten() {
    var door = OutputAccount(shards: 2)
    var other = OutputAccount(shards: 2)
    for number in 0..<3 { other.passedOn(output(number), to: 0) }
    for _ in 0..<2 { door.heard(from: 1) }
    #expect(door.heardCounts == [0, 2])
    for _ in 0..<2 {
      other.wereHeard(door.heardCounts[1])
      #expect(missed(other, by: 0, since: 2) == [2])
    }
    door.heard(from: 1)
    other.wereHeard(door.heardCounts[1])
    #expect(other.isSettled)
  }
}
