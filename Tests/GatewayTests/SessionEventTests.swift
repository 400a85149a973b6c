import Primitives
import SampleWorker
import Testing

@testable import Gateway

/// Goal: a worker that asks for SESSION_EVENTS knows its sessions, from before the first packet
/// until after the last.
@Suite struct SessionEventTests {
  private func world(
    workers: Int = 1, adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualWorld {
    let world = VirtualWorld(workers: workers, connects: false, adjust: adjust)
    for worker in world.workers { worker.sessionEvents = true }
    world.start()
    world.settle()
    return world
  }

  private func opened(_ request: VirtualWorker.Request?) -> SampleWorker.SessionOpened? {
    guard case .opened(let opened)? = request?.event else { return nil }
    return opened
  }

  private func closeReason(_ request: VirtualWorker.Request?) -> CloseReason? {
    guard case .closed(let reason)? = request?.event else { return nil }
    return CloseReason(rawValue: UInt8(reason))
  }

  @Test func openedComesBeforeTheFirstPacketAndClosedAfterTheLast() {
    let world = world { $0.listeners[0].framerName = "lines" }
    let client = world.connect()
    world.send(client, "one")
    world.settle()
    world.send(client, "two")
    world.settle()
    world.end(client)
    world.advance(.seconds(1))
    let requests = world.workers[0].requests
    #expect(requests.count == 4)
    let first = opened(requests.first)
    #expect(first?.clientAddress == "192.0.2.7:0")
    #expect(first?.listener == "game")
    #expect(first?.framer == "lines")
    #expect(first?.account == "")
    #expect(first?.resumed == false)
    #expect(first?.nextSequence == 1)
    #expect(
      requests.dropFirst().prefix(2).map(\.payload) == [Array("one".utf8), Array("two".utf8)])
    #expect(closeReason(requests.last) == .clientClosed)
    #expect(requests.allSatisfy { $0.uuid == world.clients[client].uuid })
  }

  /// Goal: a game whose server speaks first works.
  @Test func aSilentClientIsGreeted() {
    let world = world()
    world.workers[0].onEvent = { worker, event in worker.answer(event.uuid, Array("hi".utf8)) }
    let client = world.connect()
    world.settle()
    #expect(world.text(client) == "hi")
    #expect(world.metrics().messagesToUnknownSession == 0)
  }

  @Test func everyCloseHasItsReason() {
    let world = world { configuration in
      configuration.listeners[0].clientToServer = .lengthPrefix(bytesMax: 100)
      configuration.listeners[0].idleTimeout = .seconds(30)
    }
    let clients = (0..<4).map { _ in world.connect() }
    world.settle()
    world.reset(clients[0])
    world.send(clients[1], [0xff, 0xff])
    let uuid = SessionUUID(text: world.clients[clients[2]].uuid)!
    world.command(.closeSession(uuid))
    world.settle()
    world.advance(.seconds(31))
    let closes = world.workers[0].events.dropFirst(4)
    let expected: [CloseReason] = [
      .clientReset, .framingViolation, .closedByOperator, .idleTimeout,
    ]
    for (client, reason) in zip(clients, expected) {
      #expect(world.clients[client].closeReason == reason)
      let told = closes.filter { $0.uuid == world.clients[client].uuid }
      #expect(told.map(closeReason) == [reason])
    }
    #expect(closes.count == 4)
  }

  /// Goal: after a move the next worker knows that, and how many packets came before.
  @Test func resumedSessionsSayWhereTheyAre() {
    let world = world(workers: 2)
    let client = world.connect()
    for text in ["one", "two", "three"] {
      world.send(client, text)
      world.settle()
    }
    #expect(world.workers[0].packets.count == 3)
    world.crash(0)
    world.settle()
    let moved = opened(world.workers[1].requests.last)
    #expect(moved?.resumed == true)
    #expect(moved?.nextSequence == 4)
    world.end(client)
    world.advance(.seconds(10))
    #expect(closeReason(world.workers[1].requests.last) == .clientClosed)
  }

  /// Goal: packets that had not left for the lost worker are announced as the next ones.
  @Test func theNextSequenceCountsPacketsThatMove() {
    let world = world(workers: 2) { $0.listeners[0].clientToServer = .short }
    let client = world.connect()
    world.send(client, Packets.make([1]) + Packets.make([2]))
    world.settle()
    world.setNetwork(of: 0, bytesMax: 0)
    world.send(client, Packets.make([3]) + Packets.make([4]) + Packets.make([5]))
    world.settle()
    world.crash(0)
    world.settle()
    #expect(opened(world.workers[1].requests.first)?.nextSequence == 3)
    #expect(world.workers[1].packets.map { $0.payload[2] } == [3, 4, 5])
  }

  /// Goal: the same when there is no next worker yet.
  @Test func theNextSequenceCountsPacketsThatWait() {
    let world = world { $0.listeners[0].clientToServer = .short }
    let client = world.connect()
    world.send(client, Packets.make([1]))
    world.settle()
    world.setNetwork(of: 0, bytesMax: 0)
    world.send(client, Packets.make([2]) + Packets.make([3]))
    world.settle()
    world.crash(0)
    world.setNetwork(of: 0, bytesMax: nil)
    world.advance(.seconds(1))
    let second = world.workers[0].requests.filter { $0.stream == 2 }
    #expect(opened(second.first)?.nextSequence == 2)
    #expect(second.dropFirst().map { $0.payload[2] } == [2, 3])
  }

  /// Goal: no worker gets packets of a session that it was never told of, not even the last words
  /// of one that is gone, which a worker that does not follow sessions still gets.
  @Test(arguments: [false, true]) func lastWordsOfASessionThatIsGone(follows: Bool) {
    let world = VirtualWorld(workers: 2, connects: false)
    for worker in world.workers { worker.sessionEvents = follows }
    world.start()
    let client = world.connect()
    world.settle()
    world.setNetwork(of: 0, bytesMax: 0)
    world.send(client, "bye")
    world.settle()
    world.reset(client)
    world.settle()
    world.crash(0)
    world.settle()
    #expect(world.workers[1].requests.map(\.payload) == (follows ? [] : [Array("bye".utf8)]))
    #expect(world.clients[client].closeReason == .clientReset)
  }

  @Test func nothingForAWorkerThatDidNotAsk() {
    let world = world(workers: 2)
    world.workers[1].sessionEvents = false
    world.crash(1)
    world.advance(.seconds(1))
    let clients = (0..<4).map { _ in world.connect() }
    world.settle()
    for client in clients { world.reset(client) }
    world.settle()
    #expect(world.workers[1].events.isEmpty)
    #expect(world.workers[0].events.count == 4)
  }

  /// Goal: when any worker may get any packet, all of them know all sessions.
  @Test func packetBalanceTellsAllWorkers() {
    let world = world(workers: 2) { $0.pools[0].balance = .packet }
    let client = world.connect()
    world.settle()
    for worker in world.workers { #expect(opened(worker.requests.first)?.nextSequence == 1) }
    world.send(client, "one")
    world.settle()
    // A worker that comes later hears of the sessions that are there.
    world.crash(0)
    world.advance(.seconds(1))
    let again = world.workers[0].requests.last
    #expect(again?.stream == 2)
    #expect(opened(again)?.nextSequence == 2)
    #expect(opened(again)?.resumed == true)
    world.reset(client)
    world.settle()
    for worker in world.workers { #expect(closeReason(worker.requests.last) == .clientReset) }
  }

  /// Goal: a session that never had a worker is announced once, as new, when there is one.
  @Test(arguments: PoolConfiguration.Balance.allCases)
  func sessionsThatWaitedAreNew(balance: PoolConfiguration.Balance) {
    let world = world { $0.pools[0].balance = balance }
    world.crash(0)
    world.settle()
    let client = world.connect()
    world.advance(.seconds(1))
    let told = world.workers[0].events
    #expect(told.count == 1)
    #expect(opened(told.first)?.resumed == false)
    #expect(opened(told.first)?.nextSequence == 1)
    #expect(told.first?.uuid == world.clients[client].uuid)
  }
}
