import Primitives
import Testing
import Upstream

@testable import Gateway

/// Goal: what is under way between shards is counted right, whatever order it is delivered in.
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
  /// acknowledged is forgotten.
  @Test func whatWasMissedOutlastsWhatIsForgotten() {
    var account = OutputAccount(shards: 3)
    for number in 0..<5 { account.passedOn(output(number), to: 2) }
    #expect(missed(account, by: 2, since: 0) == [0, 1, 2, 3, 4])
    _ = account.acknowledge(2, by: 2)
    #expect(missed(account, by: 2, since: 2) == [2, 3, 4])
    #expect(missed(account, by: 2, since: 4) == [4])
    #expect(missed(account, by: 2, since: 5) == [])
    // More than half: those are forgotten.
    _ = account.acknowledge(1, by: 2)
    #expect(missed(account, by: 2, since: 3) == [3, 4])
    #expect(missed(account, by: 2, since: 4) == [4])
    account.passedOn(output(5), to: 2)
    #expect(missed(account, by: 2, since: 4) == [4, 5])
    #expect(missed(account, by: 1, since: 0) == [], "another shard's")
    _ = account.acknowledge(3, by: 2)
    #expect(missed(account, by: 2, since: 6) == [])
    #expect(account.isSettled)
  }

  /// Goal: at any point of any sequence, the account has what a plain list has.
  @Test(arguments: UInt64(1)...20) func itAgreesWithAList(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var account = OutputAccount(shards: 4)
    var all = [[WorkerOutput]](repeating: [], count: 4)
    var acknowledged = [0, 0, 0, 0]
    for number in 0..<400 {
      let shard = Int.random(in: 1..<4, using: &random)
      if Bool.random(using: &random) {
        let new = output(
          number, from: Int.random(in: 0..<4, using: &random),
          bytes: Int.random(in: 0...9, using: &random))
        account.passedOn(new, to: shard)
        all[shard].append(new)
      } else {
        let count = Int.random(in: 0...all[shard].count - acknowledged[shard], using: &random)
        var expected = [0, 0, 0, 0]
        for output in all[shard][acknowledged[shard]..<acknowledged[shard] + count] {
          expected[output.origin] += output.payload.count + OutputAccount.overhead
        }
        #expect(account.acknowledge(count, by: shard) == expected)
        acknowledged[shard] += count
      }
      let since = Int.random(in: acknowledged[shard]...all[shard].count, using: &random)
      let expected = all[shard][since...].map { Int($0.source) }
      #expect(missed(account, by: shard, since: since) == expected)
      #expect(account.isSettled == (1..<4).allSatisfy { all[$0].count == acknowledged[$0] })
    }
  }

  /// Goal: whoever has sent what was delivered is credited with its own bytes alone.
  @Test func bytesDeliveredAreOfTheirSenders() {
    var account = OutputAccount(shards: 3)
    account.passedOn(output(0, from: 0, bytes: 1), to: 1)
    account.passedOn(output(1, from: 2, bytes: 10), to: 1)
    account.passedOn(output(2, from: 0, bytes: 100), to: 1)
    account.passedOn(output(3, from: 2, bytes: 1000), to: 1)
    let overhead = OutputAccount.overhead
    #expect(account.acknowledge(3, by: 1) == [101 + 2 * overhead, 0, 10 + overhead])
    #expect(account.acknowledge(1, by: 1) == [0, 0, 1000 + overhead])
    #expect(account.acknowledge(0, by: 1) == [0, 0, 0])
  }

  /// Goal: workers are held back by the first byte too many, and let go by the last of one half.
  @Test(arguments: [2, 3, 64]) func theBoundsAreExact(shards: Int) {
    let most = OutputAccount.bytesInFlightMax * (shards - 1)
    var account = OutputAccount(shards: shards)
    #expect(!account.isOverfull && account.hasRoom)
    account.sent(output(0, bytes: most - OutputAccount.overhead))
    #expect(!account.isOverfull && !account.hasRoom)
    account.sent(output(1))
    #expect(account.isOverfull)
    account.credit(OutputAccount.overhead - 1)
    #expect(account.isOverfull)
    account.credit(1)
    #expect(!account.isOverfull)
    account.credit(most / 2 - 1)
    #expect(!account.hasRoom)
    account.credit(1)
    #expect(account.hasRoom)
    account.credit(most / 2)
    #expect(account.isSettled)
  }

  /// Goal: a broadcast is in flight until each other shard has delivered it.
  @Test(arguments: [2, 3, 64]) func broadcastsCountForEachOtherShard(shards: Int) {
    var account = OutputAccount(shards: shards)
    account.sent(output(0, bytes: 50, to: .broadcast(.all)))
    for _ in 1..<shards {
      #expect(!account.isSettled)
      account.credit(50 + OutputAccount.overhead)
    }
    #expect(account.isSettled)
  }

  /// Goal: the door owes each sender its bytes, another shard owes the door a count; both once.
  @Test func whatWasDeliveredIsAcknowledgedOnce() {
    var door = OutputAccount(shards: 3)
    var other = OutputAccount(shards: 3)
    #expect(!door.hasUnacknowledged && !other.hasUnacknowledged)
    for (number, origin) in [1, 2, 1].enumerated() {
      door.delivered(output(number, from: origin, bytes: 5), isDoor: true)
      other.delivered(output(number, from: origin, bytes: 5), isDoor: false)
    }
    #expect(door.hasUnacknowledged && other.hasUnacknowledged)
    #expect(!door.isSettled && !other.isSettled)
    #expect(door.takeUnacknowledgedCount() == 0)
    let each = 5 + OutputAccount.overhead
    #expect(door.takeUnacknowledgedBytes() == [0, 2 * each, each])
    #expect(door.takeUnacknowledgedBytes() == [0, 0, 0])
    #expect(other.takeUnacknowledgedCount() == 3)
    #expect(other.takeUnacknowledgedCount() == 0)
    #expect(!door.hasUnacknowledged && !other.hasUnacknowledged)
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
      other.acknowledge(heard: door.heardCounts[1])
      #expect(missed(other, by: 0, since: 2) == [2])
    }
    door.heard(from: 1)
    other.acknowledge(heard: door.heardCounts[1])
    #expect(other.isSettled)
  }
}
