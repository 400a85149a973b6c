import Framing
import Primitives
import Testing

@testable import Gateway

/// Goal: who gets a packet, and who gets an answer, is as the configuration and the contract say.
@Suite struct RoutingTests {
  /// Which worker handled each packet, by the number in its payload.
  private func handlers(_ world: VirtualWorld) -> [UInt8: Int] {
    var handlers: [UInt8: Int] = [:]
    for (number, worker) in world.workers.enumerated() {
      for packet in worker.packets { handlers[packet.payload[0]] = number }
    }
    return handlers
  }

  @Test func sessionsAreDealtInTurnAndStay() {
    let world = VirtualWorld(workers: 3)
    let clients = (0..<9).map { _ in world.connect() }
    for _ in 0..<3 {
      for client in clients { world.send(client, [UInt8(client)]) }
      world.settle()
    }
    for (number, worker) in world.workers.enumerated() {
      #expect(Set(worker.packets.map(\.uuid)).count == 3)
      #expect(worker.packets.count == 9)
      #expect(world.status(of: number)?.sessions == 3)
    }
    for client in clients { #expect(world.clients[client].received.count == 3) }
  }

  @Test func packetsAreDealtInTurn() {
    let world = VirtualWorld(workers: 3) { configuration in
      configuration.pools[0].balance = .packet
      configuration.listeners[0].clientToServer = .short
    }
    let client = world.connect()
    let packets = (0..<30).map { Packets.make([UInt8($0)]) }
    world.send(client, packets.joined())
    world.settle()
    for worker in world.workers {
      let numbers = worker.packets.map { Int($0.payload[2]) }
      #expect(numbers.count == 10)
      #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 3 == $1 }, "\(numbers)")
    }
    #expect(world.clients[client].received.count == 90)
  }

  /// Goal: with packet balance, a worker that is full is passed over, and nobody waits for it.
  @Test func aFullWorkerIsPassedOver() {
    let world = VirtualWorld(workers: 2) { configuration in
      configuration.pools[0].balance = .packet
      configuration.listeners[0].clientToServer = .short
      configuration.limits.workerQueueBytesMax = 4000
    }
    world.workers[1].isRunning = false
    world.setNetwork(of: 1, bytesMax: 0)
    let client = world.connect()
    var sent: [UInt8] = []
    for number in 0..<500 {
      let packet = Packets.make([UInt8(number & 0xff)])
      sent += packet
      world.send(client, packet)
      world.settle()
    }
    let queued = world.status(of: 1)!.queuedBytes
    #expect(queued >= 4000 && queued < 4200)
    #expect(world.workers[0].packets.count == 500 - queued / 74)
  }

  // MARK: Broadcasts

  private static let (all, active, notActive) = (UInt8(0), UInt8(1), UInt8(2))

  @Test func broadcastsReachTheirAudience() {
    let world = VirtualWorld { $0.pools[0].activeWindow = .seconds(60) }
    let (silent, early, late) = (world.connect(), world.connect(), world.connect())
    world.workers[0].onPacket = { _, _ in }
    world.send(early, "x")
    world.advance(.seconds(30))
    world.send(late, "x")
    world.settle()
    func broadcastAll(_ name: String) {
      world.workers[0].broadcast(Self.all, Array("\(name)a".utf8))
      world.workers[0].broadcast(Self.active, Array("\(name)b".utf8))
      world.workers[0].broadcast(Self.notActive, Array("\(name)c".utf8))
      world.settle()
    }
    broadcastAll("1")
    #expect(world.text(silent) == "1a1c")
    #expect(world.text(early) == "1a1b")
    #expect(world.text(late) == "1a1b")
    // The window's last instant still counts.
    world.advance(.seconds(30))
    broadcastAll("2")
    #expect(world.text(early) == "1a1b2a2b")
    world.advance(.milliseconds(1))
    broadcastAll("3")
    #expect(world.text(silent) == "1a1c2a2c3a3c")
    #expect(world.text(early) == "1a1b2a2b3a3c")
    #expect(world.text(late) == "1a1b2a2b3a3b")
    world.advance(.seconds(60))
    broadcastAll("4")
    #expect(world.text(late).hasSuffix("4a4c"))
    // Being sent something does not make a session active, speaking again does.
    world.send(early, "x")
    world.settle()
    broadcastAll("5")
    #expect(world.text(early).hasSuffix("5a5b"))
    #expect(world.metrics().broadcasts == 15)
  }

  /// Goal: a session of another pool is out of a worker's reach, by name and by broadcast.
  @Test func poolsAreApart() {
    let world = VirtualWorld(workers: 2) { configuration in
      configuration.pools.append(PoolConfiguration(name: "other"))
      configuration.pools[1].workers = [configuration.pools[0].workers.removeLast()]
      configuration.listeners.append(
        ListenerConfiguration(name: "other", host: "127.0.0.1", port: 7001, pool: 1))
    }
    let (ours, theirs) = (world.connect(), world.connect(listener: 1))
    world.workers[0].broadcast(Self.all, Array("broadcast".utf8))
    world.workers[0].answer(world.clients[theirs].uuid, Array("named".utf8))
    world.settle()
    #expect(world.text(ours) == "broadcast")
    #expect(world.text(theirs) == "")
    #expect(world.metrics().messagesToUnknownSession == 1)
    world.send(theirs, "echo")
    world.settle()
    #expect(world.text(theirs) == "echo")
    #expect(world.workers[0].packets.isEmpty)
  }

  /// Goal: a broadcast goes to sessions that are with other workers of the pool, and to those that
  /// wait for one, once each, in the same write as what was said to them by name.
  @Test func broadcastsReachSessionsOfOtherWorkers() {
    let world = VirtualWorld(workers: 2)
    let clients = (0..<4).map { _ in world.connect() }
    world.workers[0].answer(world.clients[clients[1]].uuid, Array("a".utf8))
    world.workers[0].broadcast(Self.all, Array("b".utf8))
    world.workers[0].answer(world.clients[clients[1]].uuid, Array("c".utf8))
    world.settle()
    #expect(world.text(clients[1]) == "abc")
    #expect(world.clients[clients[1]].writes == [3])
    for client in [clients[0], clients[2], clients[3]] { #expect(world.text(client) == "b") }
  }

  /// Goal: what names nobody is counted and reaches nobody.
  @Test func messagesWithoutTarget() {
    let world = VirtualWorld()
    let client = world.connect()
    world.workers[0].answerNobody(Array("x".utf8))
    world.workers[0].broadcast(3, Array("x".utf8))
    world.workers[0].broadcast(0x7f, Array("x".utf8))
    world.workers[0].answer(world.clients[client].uuid, [])
    world.workers[0].broadcast(Self.all, [])
    world.settle()
    #expect(world.clients[client].received.isEmpty)
    #expect(world.metrics().messagesWithoutTarget == 3)
    #expect(world.status(of: 0)?.state == .ready)
  }

  /// Goal: broadcasts to very many sessions, more than fit into one delivery, reach all of them.
  @Test func manyBroadcastsToManySessions() {
    let world = VirtualWorld { $0.limits.sessionsMax = 10_000 }
    let clients = (0..<3000).map { _ in world.connect() }
    for number in 0..<60 { world.workers[0].broadcast(Self.all, [UInt8(number)]) }
    world.settle()
    for client in clients { #expect(world.clients[client].received == Array(0..<60)) }
  }

  /// Goal: one that leaves in the middle of a broadcast's way takes nobody's place.
  @Test func aBroadcastClosesNobodyElse() {
    let world = VirtualWorld { $0.limits.clientQueueBytesMax = 100 }
    let clients = (0..<20).map { _ in world.connect() }
    for client in clients where client % 3 == 0 { world.clients[client].room = 0 }
    for number in 0..<50 {
      world.workers[0].broadcast(Self.all, Array(repeating: UInt8(number), count: 10))
      world.advance(Shard.holdMax)
    }
    for client in clients {
      let reason = world.clients[client].closeReason
      #expect(reason == (client % 3 == 0 ? .slowClient : nil))
      if client % 3 != 0 { #expect(world.clients[client].received.count == 500) }
    }
  }
}
