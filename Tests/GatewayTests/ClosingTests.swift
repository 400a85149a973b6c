import Primitives
import Testing

@testable import Gateway

/// Goal: a session ends when it should, for the reason that is true, and after what it is still
/// owed.
@Suite struct ClosingTests {
  @Test func anIdleClientIsClosed() {
    let world = VirtualWorld { $0.listeners[0].idleTimeout = .seconds(60) }
    let (silent, speaking, listening) = (world.connect(), world.connect(), world.connect())
    world.workers[0].onPacket = { _, _ in }
    for _ in 0..<3 {
      world.advance(.seconds(30))
      world.send(speaking, "x")
      world.workers[0].answer(world.clients[listening].uuid, [1])
      world.settle()
    }
    #expect(world.clients[silent].closeReason == .idleTimeout)
    #expect(world.clients[speaking].isOpen)
    #expect(world.clients[listening].isOpen)
    world.advance(.milliseconds(59_900))
    #expect(world.clients[speaking].isOpen)
    world.advance(.milliseconds(110))
    #expect(world.clients[speaking].closeReason == .idleTimeout)
    #expect(world.clients[listening].closeReason == .idleTimeout)
    #expect(world.shard.live.isEmpty)
    #expect(world.shard.sessionTimers.armedCount == 0)
  }

  // MARK: Half-close

  /// Goal: a client that has said all it wants gets its answers, then the end, soon.
  @Test func answersAfterTheClientsEnd() {
    let world = VirtualWorld()
    let client = world.connect()
    world.workers[0].sendsAnswers = false
    world.send(client, "last words")
    world.end(client)
    world.advance(.seconds(2))
    #expect(world.clients[client].isOpen)
    world.workers[0].sendsAnswers = true
    world.settle()
    #expect(world.text(client) == "last words")
    #expect(world.clients[client].isOpen, "more may come")
    world.advance(.milliseconds(260))
    #expect(world.clients[client].closeReason == .clientClosed)
    #expect(!world.clients[client].wasAborted)
  }

  /// Goal: a greeting is not taken for an answer.
  @Test func aGreetingIsNoAnswer() {
    let world = VirtualWorld()
    let client = world.connect()
    world.workers[0].answer(world.clients[client].uuid, Array("welcome ".utf8))
    world.settle()
    world.workers[0].sendsAnswers = false
    world.send(client, "bye")
    world.end(client)
    world.advance(.seconds(2))
    world.workers[0].sendsAnswers = true
    world.settle()
    #expect(world.text(client) == "welcome bye")
  }

  /// Goal: a long answer in many messages, with short pauses, arrives whole.
  @Test func manyAnswersAfterTheClientsEnd() {
    let world = VirtualWorld()
    let client = world.connect()
    world.workers[0].onPacket = { _, _ in }
    world.send(client, "list")
    world.end(client)
    world.settle()
    for number in 0..<10 {
      world.workers[0].answer(world.clients[client].uuid, [UInt8(number)])
      world.advance(.milliseconds(240))
    }
    #expect(world.clients[client].received == Array(0..<10))
    world.advance(.milliseconds(20))
    #expect(world.clients[client].closeReason == .clientClosed)
  }

  /// Goal: half an answer is none: whoever has ended its direction waits for the rest of it.
  @Test func anAnswerInPartsAfterTheClientsEnd() {
    let world = VirtualWorld { $0.listeners[0].serverToClient = .short }
    let client = world.connect()
    world.workers[0].onPacket = { _, _ in }
    world.send(client, "list")
    world.end(client)
    world.settle()
    let answer = Packets.make([1, 2, 3, 4])
    world.workers[0].answer(world.clients[client].uuid, Array(answer[..<3]))
    // Something else happens to it, which sets its timer anew.
    world.advance(.milliseconds(100))
    world.workers[0].broadcast(0, Packets.make([9]))
    world.advance(.seconds(2))
    #expect(world.clients[client].isOpen)
    world.workers[0].answer(world.clients[client].uuid, Array(answer[3...]))
    world.settle()
    #expect(world.clients[client].received == Packets.make([9]) + answer)
    world.advance(.milliseconds(260))
    #expect(world.clients[client].closeReason == .clientClosed)
  }

  /// Goal: a client whose answer never comes is closed after the half-close timeout.
  @Test func noAnswerAfterTheClientsEnd() {
    let world = VirtualWorld { $0.listeners[0].halfCloseTimeout = .seconds(5) }
    let client = world.connect()
    world.workers[0].onPacket = { _, _ in }
    world.send(client, "x")
    world.end(client)
    world.advance(.milliseconds(4900))
    #expect(world.clients[client].isOpen)
    world.advance(.milliseconds(110))
    #expect(world.clients[client].closeReason == .clientClosed)
  }

  /// Goal: a client that spoke and ended while no worker was there is still answered.
  @Test func halfClosedWithoutWorker() {
    let world = VirtualWorld { $0.listeners[0].halfCloseTimeout = .seconds(5) }
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.settle()
    let client = world.connect()
    world.end(client)
    let other = world.connect()
    world.send(other, "x")
    world.end(other)
    world.advance(.seconds(7))
    #expect(world.clients[client].isOpen)
    world.workers[0].reachability = .accepts
    #expect(world.advance(upTo: .seconds(4)) { world.status(of: 0)?.state == .ready })
    world.workers[0].answer(world.clients[client].uuid, Array("hi".utf8))
    world.settle()
    #expect(world.text(client) == "hi")
    #expect(world.text(other) == "x")
    world.advance(.seconds(6))
    #expect(world.clients[client].closeReason == .clientClosed)
    #expect(world.clients[other].closeReason == .clientClosed)
  }

  /// Goal: a packet that the client sent before it ended, and that has to move to another worker
  /// without one being there, is still answered.
  @Test func halfClosedWhileItsPacketMoves() {
    let world = VirtualWorld { $0.listeners[0].halfCloseTimeout = .seconds(5) }
    let client = world.connect()
    world.setNetwork(of: 0, bytesMax: 0)
    world.send(client, "x")
    world.end(client)
    world.settle()
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.setNetwork(of: 0, bytesMax: nil)
    world.advance(.seconds(7))
    world.workers[0].reachability = .accepts
    world.workers[0].sendsAnswers = false
    #expect(world.advance(upTo: .seconds(3)) { world.status(of: 0)?.state == .ready })
    world.advance(.seconds(2))
    world.workers[0].sendsAnswers = true
    world.settle()
    #expect(world.text(client) == "x")
  }

  /// Goal: what waits for a half-closed client that reads slowly is written before the close.
  @Test func halfClosedAndSlow() {
    let world = VirtualWorld()
    let client = world.connect()
    world.clients[client].room = 10
    world.send(client, Array(repeating: 7, count: 1000))
    world.end(client)
    for _ in 0..<10 {
      world.advance(.seconds(2))
      world.take(client, 100)
    }
    world.settle()
    #expect(world.clients[client].received.count == 1000)
    #expect(world.clients[client].closeReason == .clientClosed)
    #expect(!world.clients[client].wasAborted)
  }

  @Test func halfClosedAndThenReset() {
    let world = VirtualWorld()
    let client = world.connect()
    world.workers[0].onPacket = { _, _ in }
    world.send(client, "x")
    world.end(client)
    world.settle()
    world.reset(client)
    world.settle()
    #expect(world.clients[client].closeReason == .clientClosed)
  }

  // MARK: Others

  /// Goal: a reset is noticed whether the client is read or not, and while it is being written to.
  @Test func resets() {
    let world = VirtualWorld(workers: 1) { $0.limits.workerQueueBytesMax = 10 }
    let (idle, unread, written) = (world.connect(), world.connect(), world.connect())
    world.setNetwork(of: 0, bytesMax: 0)
    for _ in 0..<3 {
      world.send(unread, "packet")
      world.settle()
    }
    #expect(!world.clients[unread].isRead)
    world.reset(idle)
    world.reset(unread)
    world.settle()
    #expect(world.clients[idle].closeReason == .clientReset)
    #expect(world.clients[unread].closeReason == .clientReset)
    world.clients[written].room = 1
    world.workers[0].answer(world.clients[written].uuid, [1, 2, 3])
    world.settle()
    world.reset(written)
    world.settle()
    #expect(world.clients[written].closeReason == .clientReset)
    #expect(world.shard.clientQueueBytes == 0)
  }

  @Test func overCapacity() {
    let world = VirtualWorld { $0.limits.sessionsMax = 3 }
    let clients = (0..<5).map { _ in world.connect() }
    #expect(clients.map { world.clients[$0].isOpen } == [true, true, true, false, false])
    world.reset(clients[0])
    world.settle()
    #expect(world.clients[world.connect()].isOpen)
    let listener = world.metrics().listeners[0]
    #expect(listener.sessionsClosed[Int(CloseReason.overCapacity.rawValue)] == 2)
    #expect(listener.sessionsOpen == 3)
  }

  private func close(_ world: VirtualWorld, _ client: Int) {
    guard let uuid = SessionUUID(text: world.clients[client].uuid.uppercased()) else { return }
    world.command(.closeSession(uuid))
    world.settle()
  }

  /// Goal: an operator's close lets the client have what waits for it, within the write timeout.
  @Test func closingByAnOperator() {
    let world = VirtualWorld { $0.listeners[0].writeTimeout = .seconds(15) }
    let (empty, waiting, stuck) = (world.connect(), world.connect(), world.connect())
    for client in [waiting, stuck] {
      world.clients[client].room = 10
      world.workers[0].answer(world.clients[client].uuid, Array(repeating: 1, count: 100))
    }
    world.settle()
    for client in [empty, waiting, stuck] { close(world, client) }
    #expect(!world.clients[empty].isOpen)
    #expect(world.clients[waiting].isOpen)
    // What comes for a closing session comes too late, and it is not read any more.
    world.workers[0].answer(world.clients[waiting].uuid, [9])
    world.send(waiting, "x")
    world.settle()
    world.take(waiting, 1000)
    world.settle()
    #expect(world.clients[waiting].received.count == 100)
    #expect(!world.clients[waiting].isOpen)
    #expect(world.workers[0].packets.isEmpty)
    world.advance(.seconds(16))
    #expect(!world.clients[stuck].isOpen)
    #expect(world.clients[stuck].wasAborted)
    for client in [empty, waiting, stuck] {
      #expect(world.clients[client].closeReason == .closedByOperator)
    }
    #expect(world.shard.clientQueueBytes == 0)
  }

  /// Goal: a session that is closed for idleness while bytes wait for it is gone after the write
  /// timeout at the latest.
  @Test func idleWithBytesWaiting() {
    let world = VirtualWorld { configuration in
      configuration.listeners[0].idleTimeout = .seconds(5)
      configuration.listeners[0].writeTimeout = .seconds(15)
    }
    let client = world.connect()
    world.clients[client].room = 0
    world.workers[0].answer(world.clients[client].uuid, [1])
    world.advance(.seconds(16))
    #expect(world.clients[client].closeReason == .idleTimeout)
    #expect(world.shard.sessionTimers.armedCount == 0)
  }

  /// Goal: the same for one that no worker came for.
  @Test func noWorkerWithBytesWaiting() {
    let world = VirtualWorld { configuration in
      configuration.listeners[0].workerWait = .seconds(3)
      configuration.listeners[0].writeTimeout = .seconds(15)
    }
    let client = world.connect()
    world.clients[client].room = 0
    world.workers[0].answer(world.clients[client].uuid, [1])
    world.settle()
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.advance(.seconds(16))
    #expect(world.clients[client].closeReason == .noWorker)
    #expect(world.clients[client].wasAborted)
  }

  /// Goal: a session that nothing more is given to, because it closes, holds back no worker.
  @Test func closingWhileHolding() {
    let world = VirtualWorld { $0.limits.clientQueueBytesMax = 100_000 }
    let (client, other) = (world.connect(), world.connect())
    world.clients[client].room = 0
    world.workers[0].answer(world.clients[client].uuid, Array(repeating: 1, count: 90_000))
    world.settle()
    #expect(!world.links[0].reads)
    close(world, client)
    world.workers[0].answer(world.clients[other].uuid, [1])
    world.settle()
    #expect(world.clients[other].received == [1])
  }

  /// Goal: a session's close is told to nobody twice, whatever ends it at the same moment.
  @Test func oneSessionOneClose() {
    let world = VirtualWorld()
    let clients = (0..<10).map { _ in world.connect() }
    for client in clients {
      world.send(client, "x")
      world.end(client)
    }
    world.turn()
    for client in clients {
      world.reset(client)
      close(world, client)
    }
    world.advance(.seconds(20))
    let closed = world.log.filter { if case .sessionClosed = $0 { true } else { false } }
    #expect(closed.count == 10)
    let listener = world.metrics().listeners[0]
    #expect(listener.sessionsClosed.reduce(0, +) == 10)
  }
}
