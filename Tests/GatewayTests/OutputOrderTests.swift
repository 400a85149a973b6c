import Primitives
import Testing

@testable import Gateway

/// Goal: whatever becomes of clients meanwhile, each hears all that a worker says to it, once and
/// in order.
///
/// Method: one worker speaks to all and to single clients, wherever they are. The others are lost
/// and come back, so that sessions move; clients take what they like, so that they hold back what
/// comes from elsewhere; messages are long under way. All that is said fits in a client's queue, so
/// that nobody is closed.
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
        configuration.limits.clientQueueBytesMax =
          OutputOrderTests.rounds * OutputOrderTests.messageBytes + 1
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
      if number(0..<6) == 0 {
        group.remove((speaker + number(1..<4)) % 4)
      }
      if number(0..<4) == 0 { group.door.take(number(0..<said.count), number(0..<9000)) }
      for _ in 0..<number(0..<6) { group.turn() }
      for worker in group.workers { worker.reachability = .accepts }
      if number(0..<5) == 0 { group.advance(.milliseconds(UInt64(number(1..<300)))) }
    }

    func finish() {
      group.cuts = false
      for client in said.indices { group.outside.clients[client].room = .max }
      group.advance(.seconds(5))
    }
  }

  /// The numbers of whole messages; 255 stands for what is none.
  private static func numbers(_ bytes: [UInt8]) -> [UInt8] {
    stride(from: 0, to: bytes.count, by: messageBytes).map { start in
      let message = bytes[start...].prefix(messageBytes)
      let isWhole = message.count == messageBytes && message.allSatisfy { $0 == bytes[start] }
      return isWhole ? bytes[start] : 255
    }
  }

  @Test(arguments: 0..<4) func eachHearsAllInOrder(speaker: Int) {
    for seed in UInt64(1)...4 {
      let talk = Talk(seed: seed, speaker: speaker)
      for round in 0..<Self.rounds { talk.step(round) }
      talk.finish()
      for client in talk.said.indices {
        // By the messages' numbers: a difference of all bytes would take minutes to print.
        let heard = Self.numbers(talk.group.clients[client].received)
        #expect(heard == talk.said[client], "seed \(seed) client \(client)")
      }
      for client in talk.said.indices { talk.group.door.end(client) }
      talk.group.advance(.seconds(20))
      #expect(talk.group.leftovers() == [], "seed \(seed)")
    }
  }
}
