import Primitives
import SampleWorker
import Testing

@testable import Gateway

/// Goal: whatever happens in whichever order, no client gets a wrong byte, no packet is handled
/// twice or out of order, none is lost but by a lost worker, and in the end all is as before.
@Suite struct ChaosTests {
  private static let seedsPerTest: UInt64 = 40
  private static let steps = 700

  @Test(arguments: UInt64(0)..<4) func everythingGoesWrong(part: UInt64) {
    for seed in part * Self.seedsPerTest..<(part + 1) * Self.seedsPerTest {
      let problems = run(seed)
      #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
      if !problems.isEmpty { return }
    }
  }

  private func run(_ seed: UInt64) -> [String] {
    let chaos = Chaos(seed: seed)
    for _ in 0..<Self.steps { chaos.step() }
    chaos.calmDown()
    // Whoever is still there is served as on the first day.
    for client in chaos.world.clients.indices where chaos.world.clients[client].isOpen {
      chaos.speak(client)
    }
    chaos.world.settle()
    let account = ChaosAccount(chaos)
    var problems = chaos.problems + chaos.world.workers.flatMap(\.problems)
    problems += account.clientProblems() + account.workerProblems() + account.shardProblems()
    chaos.removeListeners()
    for client in chaos.world.clients.indices { chaos.world.reset(client) }
    chaos.world.settle()
    if chaos.world.listeners().map(\.name) != ["game"] { problems.append("listeners are left") }
    if chaos.world.shard.sessionTimers.armedCount != 0 { problems.append("timers are left") }
    if !chaos.world.shard.live.isEmpty { problems.append("sessions are left") }
    return problems
  }
}

/// What must be true of a world that chaos went through.
struct ChaosAccount {
  private let chaos: Chaos
  private var world: VirtualWorld { chaos.world }

  init(_ chaos: Chaos) { self.chaos = chaos }

  // MARK: Clients

  /// Nobody got anything but its own packets and broadcasts, whole, in order and once; who is still
  /// there got everything that did not go down with a worker.
  func clientProblems() -> [String] {
    let lost = lostPackets()
    return world.clients.indices.flatMap { client -> [String] in
      var problems: [String] = []
      let (bodies, rest) = Packets.split(world.clients[client].received)
      if !rest.isEmpty, world.clients[client].isOpen { problems.append("half a packet") }
      var numbers: [UInt32] = []
      for body in bodies where Int(body[0]) << 8 | Int(body[1]) != Chaos.broadcaster {
        let number = Chaos.number(body)
        if Packets.make(body) != Chaos.packet(client: client, number: number) {
          problems.append("a wrong packet")
        }
        numbers.append(number)
      }
      let isSorted = zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }
      if world.configuration.pools[0].balance == .session, !isSorted {
        problems.append("out of order")
      }
      if Set(numbers).count != numbers.count { problems.append("twice") }
      if world.clients[client].isOpen {
        if world.clients[client].unreadBytes > 0 { problems.append("not read") }
        let missing = Set((0..<chaos.sent[client]).map { UInt32($0 + 1) }).subtracting(numbers)
          .subtracting(lost[world.clients[client].uuid] ?? [])
        if !missing.isEmpty { problems.append("\(missing.sorted().prefix(9)) vanished") }
      }
      return problems.map { "client \(client): \($0)" }
    }
  }

  /// The packets of each session that had left for a worker which was lost before it was heard.
  private func lostPackets() -> [String: Set<UInt32>] {
    var lost: [String: Set<UInt32>] = [:]
    for worker in world.workers {
      let unheard = worker.packets.filter { worker.lossyStreams.contains($0.stream) }
      for packet in unheard + worker.lost where packet.event == nil {
        lost[packet.uuid, default: []].insert(Chaos.number(packet.payload.dropFirst(2)))
      }
    }
    return lost
  }

  // MARK: Workers

  /// No packet reached two workers, and who asked for events could follow every session.
  func workerProblems() -> [String] {
    var problems: [String] = []
    var seen: Set<String> = []
    for worker in world.workers {
      for packet in worker.packets + worker.lost where packet.event == nil {
        let number = Chaos.number(packet.payload.dropFirst(2))
        if !seen.insert("\(packet.uuid) \(number)").inserted {
          problems.append("\(packet.uuid): \(number) left twice")
        }
      }
      if worker.sessionEvents { problems += eventProblems(worker) }
    }
    return problems
  }

  private func eventProblems(_ worker: VirtualWorker) -> [String] {
    var problems: [String] = []
    /// The number that each session's next packet must have; nil once it is closed.
    var next: [String: UInt64?] = [:]
    var stream = 0
    let isOrdered = world.configuration.pools[0].balance == .session
    for request in worker.requests {
      if request.stream != stream { next = [:] }
      stream = request.stream
      let uuid = request.uuid
      switch request.event {
      case .opened(let opened):
        if next[uuid] != nil { problems.append("\(uuid) opened twice") }
        next[uuid] = .some(opened.nextSequence)
      case .closed:
        if (next[uuid] ?? nil) == nil { problems.append("\(uuid) closed, but not open") }
        next[uuid] = .some(nil)
      case .authenticated:
        if (next[uuid] ?? nil) == nil { problems.append("\(uuid) let in, but not open") }
      case nil:
        let number = UInt64(Chaos.number(request.payload.dropFirst(2)))
        guard let expected = next[uuid] ?? nil else {
          problems.append("\(uuid): packet \(number), but not open")
          continue
        }
        if isOrdered, number != expected {
          problems.append("\(uuid): packet \(number), \(expected) announced")
        }
        next[uuid] = .some(expected + 1)
      }
    }
    return problems
  }

  // MARK: The shard

  /// Nothing waits, nothing is left over, and the counters add up.
  func shardProblems() -> [String] {
    var problems: [String] = []
    let metrics = world.metrics()
    for listener in metrics.listeners {
      let closed = listener.sessionsClosed.reduce(0, +)
      if listener.sessionsOpened != UInt64(listener.sessionsOpen) + closed {
        problems.append("\(listener.name): opened \(listener.sessionsOpened), closed \(closed)")
      }
    }
    let open = metrics.listeners.reduce(0) { $0 + $1.sessionsOpen }
    if open != world.clients.count(where: \.isOpen) { problems.append("open \(open)") }
    if metrics.clientQueueBytes != 0 { problems.append("queues: \(metrics.clientQueueBytes)") }
    for worker in metrics.workers {
      if worker.state != .ready { problems.append("\(worker.endpoint) is \(worker.state)") }
      if worker.queuedBytes != 0 { problems.append("\(worker.endpoint): \(worker.queuedBytes)") }
    }
    if metrics.workers.count != world.workers.count { problems.append("workers are missing") }
    for link in world.links where link.worker != nil && !link.reads {
      problems.append("a worker is not read")
    }
    let pool = world.shard.pools[0]
    if !pool.orphans.isEmpty || !pool.parked.isEmpty { problems.append("orphans or parked") }
    for client in world.clients.indices where world.clients[client].isOpen {
      if world.session(client)?.packetsIn != UInt64(chaos.sent[client]) {
        problems.append("client \(client): packets in")
      }
    }
    return problems
  }
}
