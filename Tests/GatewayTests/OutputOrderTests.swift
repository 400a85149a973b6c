import Primitives
import Testing

@testable import Gateway

/// Goal: whatever becomes of clients meanwhile, each hears all that a worker says to it, once and
/// in order.
///
/// Method: one worker speaks to all and to single clients, wherever they are. The others are lost
/// and come back, so that sessions move; clients take what they like, so that they hold back what
/// comes from elsewhere; messages are long under way. Who is too slow is closed, and has heard
/// everything up to then.
@Suite struct OutputOrderTests {
  private static let rounds = 60
  private static let messageBytes = 300

  private final class Talk {
    let group: VirtualGroup
    let speaker: Int
    /// The messages that each client is to hear.
    var said: [[UInt8]] = []

    init(seed: UInt64, speaker: Int) {
      self.speaker = speaker
      group = VirtualGroup(seed: seed, shards: 2 + Int(seed % 3), workers: 4) { configuration in
        configuration.limits.clientQueueBytesMax = 4000
        configuration.listeners[0].workerWait = .seconds(60)
      }
      for worker in group.workers { worker.onPacket = { _, _ in } }
      for _ in 0..<8 {
        let client = group.connect()
        group.outside.clients[client].room = number(0..<2000)
        said.append([])
      }
      group.settle()
      group.cuts = true
    }

    func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &group.random) }

    func step(_ round: Int) {
      let message = [UInt8](repeating: UInt8(round), count: OutputOrderTests.messageBytes)
      if number(0..<3) > 0 {
        group.workers[speaker].broadcast(0, message)
        for client in said.indices { said[client].append(UInt8(round)) }
      } else {
        let client = number(0..<said.count)
        group.workers[speaker].answer(group.clients[client].uuid, message)
        said[client].append(UInt8(round))
      }
      if number(0..<4) == 0 {
        group.remove((speaker + number(1..<4)) % 4)
      }
      for _ in 0..<3 { group.door.take(number(0..<said.count), number(0..<1200)) }
      for _ in 0..<number(0..<6) { group.turn() }
      for worker in group.workers { worker.reachability = .accepts }
      if number(0..<8) == 0 { group.advance(.milliseconds(UInt64(number(1..<150)))) }
    }

    func finish() {
      group.cuts = false
      for client in said.indices { group.outside.clients[client].room = .max }
      group.advance(.seconds(5))
    }
  }

  /// The numbers of messages, the last of which may be a part; 255 stands for what is none.
  private static func numbers(_ bytes: [UInt8]) -> [UInt8] {
    stride(from: 0, to: bytes.count, by: messageBytes).map { start in
      let message = bytes[start...].prefix(messageBytes)
      return message.allSatisfy { $0 == bytes[start] } ? bytes[start] : 255
    }
  }

  @Test(arguments: 0..<4) func eachHearsAllInOrder(speaker: Int) {
    var remaining = 0
    for seed in UInt64(1)...4 {
      let talk = Talk(seed: seed, speaker: speaker)
      for round in 0..<Self.rounds { talk.step(round) }
      talk.finish()
      for client in talk.said.indices {
        // By the messages' numbers: a difference of all bytes would take minutes to print.
        let heard = Self.numbers(talk.group.clients[client].received)
        let isOpen = talk.group.clients[client].closeReason == nil
        if isOpen { remaining += 1 }
        #expect(
          isOpen ? heard == talk.said[client] : talk.said[client].starts(with: heard),
          "seed \(seed) client \(client): \(heard)")
      }
      for client in talk.said.indices { talk.group.door.end(client) }
      talk.group.advance(.seconds(20))
      #expect(talk.group.leftovers() == [], "seed \(seed)")
    }
    #expect(remaining > 16, "hardly anybody has heard it all")
  }

  // MARK: What waits

  /// Two clients, of which the one with shard `slow` takes nothing, and all that a worker of the
  /// other shard says to it waits behind its queue.
  private func heldUp(at slow: Int) -> VirtualGroup {
    let group = VirtualGroup { $0.limits.clientQueueBytesMax = 4000 }
    for worker in group.workers { worker.onPacket = { _, _ in } }
    for shard in 0..<2 {
      let client = group.connect()
      group.settle()
      #expect(group.shard(of: client) == shard)
    }
    group.outside.clients[slow].room = 0
    group.workers[1 - slow].broadcast(0, [UInt8](repeating: 1, count: 2500))
    group.settle()
    #expect(group.shards[slow].shard.holdsOnOthers == 1)
    group.workers[1 - slow].broadcast(0, [2])
    group.settle()
    #expect(group.shards[slow].shard.outputs.hasHeld)
    return group
  }

  private func check(_ group: VirtualGroup) {
    group.advance(.milliseconds(150))
    for client in 0..<2 { group.door.take(client, 1 << 20) }
    group.settle()
    for client in 0..<2 {
      #expect(group.clients[client].received.count == 2501, "client \(client)")
      #expect(group.clients[client].received.last == 2)
      group.door.end(client)
    }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
  }

  @Test(arguments: 0..<2) func whatWaitsIsHeardInTheEnd(slow: Int) {
    let group = heldUp(at: slow)
    #expect(group.clients[1 - slow].received.count == 2501)
    check(group)
  }

  /// Goal: who comes while something waits that it has heard elsewhere does not hear it again.
  @Test func newcomersHaveHeardWhatWaits() {
    let group = heldUp(at: 1)
    group.remove(0)
    group.settle()
    #expect(group.shard(of: 0) == 1)
    #expect(group.shards[1].shard.outputs.hasHeld)
    check(group)
  }

  /// Goal: nor when it goes back before that was taken; who was there hears it then.
  @Test func thoseWhoGoBackHaveHeardWhatWaited() {
    let group = heldUp(at: 1)
    group.remove(0)
    group.settle()
    group.remove(1)
    group.settle()
    #expect((0..<2).allSatisfy { group.shard(of: $0) == 0 })
    check(group)
  }

  /// Goal: nor those who come back to the door while something of their shard waits there.
  @Test func thoseWhoComeBackHaveHeardWhatWaits() {
    let group = heldUp(at: 0)
    group.remove(1)
    group.settle()
    #expect(group.shard(of: 1) == 0)
    check(group)
  }
}
