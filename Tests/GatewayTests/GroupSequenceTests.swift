import Auth
import Primitives
import Testing

@testable import Gateway

/// Goal: whatever happens in whatever order on several shards, nothing is lost, doubled, late or
/// left behind.
///
/// Method: random events of everybody, messages that are long under way, audits all the time; at
/// the end all clients leave.
@Suite struct GroupSequenceTests {
  /// What happens, and to whom.
  private final class Chaos {
    let group: VirtualGroup
    var random: SeededRandom
    /// The next packet's number, by client.
    var sent: [Int: Int] = [:]
    /// Those that somebody ended, or that were slow: they need not have been heard to the end.
    var disturbed: Set<Int> = []

    init(seed: UInt64) {
      random = SeededRandom(seed: seed)
      group = VirtualGroup(
        seed: seed, shards: 2 + Int(seed % 3), workers: 5, windowBytes: 1 << 20,
        sessionEvents: seed % 2 == 0
      ) { configuration in
        configuration.limits.workerQueueBytesMax = 20_000
        configuration.limits.clientQueueBytesMax = 60_000
        configuration.listeners[0].serverToClient = .short
        configuration.listeners[0].workerWait = .seconds(60)
        if seed % 5 == 0 {
          configuration.listeners[0].limits.packets = Rate(perSecond: 50, burst: 20)
        }
      }
      group.cuts = true
    }

    func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    var open: [Int] { sent.keys.sorted().filter { !group.clients[$0].hasEnded } }

    func step() {
      switch number(0..<24) {
      case 0..<4:
        guard sent.count < 200 else { return }
        sent[group.connect()] = 0
      case 4..<12: send()
      case 12: end { group.door.end($0) }
      case 13:
        end {
          disturbed.insert($0)
          group.door.reset($0)
        }
      case 14: kick()
      case 15: group.remove(number(0..<5))
      case 16: group.crash(number(0..<5), losingOutput: true)
      case 17: drain()
      case 18..<20: for worker in group.workers { worker.reachability = .accepts }
      case 20: hold()
      case 21: group.workers[number(0..<5)].broadcast(0, Packets.make([200, 1, 2]))
      case 22: slow()
      default: _ = group.advance(upTo: .milliseconds(UInt64(number(1..<300)))) { false }
      }
      for _ in 0..<number(0..<5) { group.turn() }
    }

    private func send() {
      guard let client = open.randomElement(using: &random) else { return }
      let first = sent[client]!
      let next = first + number(1..<30)
      group.send(client, numbers: first..<next, padding: number(0..<300))
      sent[client] = next
    }

    private func end(_ how: (Int) -> Void) {
      guard let client = open.randomElement(using: &random) else { return }
      how(client)
    }

    private func kick() {
      guard let client = open.randomElement(using: &random) else { return }
      disturbed.insert(client)
      group.door.command(.closeSession(SessionUUID(text: group.clients[client].uuid)!))
    }

    private func drain() {
      let shard = group.shards.randomElement(using: &random)!
      guard let status = shard.workerStatuses().randomElement(using: &random) else { return }
      shard.command(.drainWorker(status.id))
      shard.command(
        .addWorker(
          pool: nil,
          group.workers.first {
            $0.configuration.authority == status.endpoint
          }!.configuration))
    }

    private func hold() {
      let (a, b) = (number(0..<group.shards.count), number(0..<group.shards.count))
      let isOn = Bool.random(using: &random)
      group.isHeld = { isOn && $0 == a && $1 == b }
    }

    private func slow() {
      guard let client = open.randomElement(using: &random) else { return }
      disturbed.insert(client)
      group.outside.clients[client].room = number(0..<2000)
    }

    func finish() {
      group.isHeld = { _, _ in false }
      group.cuts = false
      for worker in group.workers { worker.reachability = .accepts }
      for client in sent.keys.sorted() { group.outside.clients[client].room = .max }
      group.advance(.seconds(20))
    }
  }

  private func judge(_ chaos: Chaos, _ seed: UInt64) {
    let group = chaos.group
    for (client, count) in chaos.sent.sorted(by: { $0.key < $1.key }) {
      let accounted = group.accounted(client)
      #expect(Set(accounted).count == accounted.count, "seed \(seed) client \(client): twice")
      if !chaos.disturbed.contains(client) {
        #expect(
          accounted == Array(0..<count),
          "seed \(seed) client \(client): \(group.clients[client].closeReason as Any)")
      }
      for worker in group.workers {
        let handled = Numbered.handled(worker.packets, of: client)
        #expect(handled == handled.sorted(), "seed \(seed) client \(client): out of order")
      }
    }
    for worker in group.workers { #expect(worker.problems == [], "seed \(seed)") }
  }

  @Test func anythingMayHappen() {
    for seed in UInt64(1)...5 {
      let chaos = Chaos(seed: seed)
      for _ in 0..<200 { chaos.step() }
      chaos.finish()
      judge(chaos, seed)
      for client in chaos.open { chaos.group.door.end(client) }
      chaos.group.advance(.seconds(20))
      #expect(chaos.group.leftovers() == [], "seed \(seed)")
      #expect(chaos.group.door.metrics().listeners[0].sessionsOpen == 0, "seed \(seed)")
    }
  }
}
