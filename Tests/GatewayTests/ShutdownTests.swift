import Primitives
import Testing

@testable import Gateway

/// Goal: at its end the gateway takes nothing new, finishes what it has, and is done in time.
@Suite struct ShutdownTests {
  private func world(workers: Int = 2) -> VirtualWorld {
    VirtualWorld(workers: workers) { $0.shutdownGrace = .seconds(10) }
  }

  @Test func everythingIsFlushed() {
    let world = world()
    for worker in world.workers { worker.sendsAnswers = false }
    let clients = (0..<6).map { _ in world.connect() }
    for client in clients { world.send(client, "hello") }
    world.clients[clients[0]].room = 2
    world.settle()
    world.beginShutdown()
    #expect(!world.isAccepting)
    #expect(!world.isFinished)
    #expect(!world.clients[world.connect()].isOpen)
    world.send(clients[1], "too late")
    world.advance(.seconds(1))
    #expect(world.clients[clients[1]].unreadBytes == 8)
    for worker in world.workers { worker.sendsAnswers = true }
    world.settle()
    #expect(!world.isFinished, "one client has not taken everything")
    world.take(clients[0], 100)
    world.settle()
    #expect(world.isFinished)
    for client in clients {
      #expect(world.text(client) == "hello")
      #expect(world.clients[client].closeReason == .shutdown)
      #expect(!world.clients[client].wasAborted)
    }
    #expect(world.workerStatuses().isEmpty)
    #expect(world.metrics().listeners[0].sessionsOpen == 0)
  }

  /// Goal: what is queued for workers leaves, and they are told of every session's end.
  @Test func workersAreToldOfTheEnd() {
    let world = VirtualWorld(connects: false)
    world.workers[0].sessionEvents = true
    world.start()
    let client = world.connect()
    world.settle()
    world.setNetwork(of: 0, bytesMax: 0)
    world.send(client, "hello")
    world.settle()
    world.beginShutdown()
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    #expect(world.workers[0].packets.map(\.payload) == [Array("hello".utf8)])
    let shutdown = UInt64(CloseReason.shutdown.rawValue)
    #expect(world.workers[0].requests.last?.event == .closed(reason: shutdown))
    #expect(world.workers[0].requestsEnded)
    #expect(world.text(client) == "hello")
    #expect(world.isFinished)
  }

  /// Goal: a worker that never returns is given up after half of the grace.
  @Test func aStuckWorker() {
    let world = world()
    world.workers[0].returnsAtEnd = false
    let clients = (0..<2).map { _ in world.connect() }
    world.beginShutdown()
    world.advance(.milliseconds(4900))
    #expect(!world.isFinished)
    world.advance(.milliseconds(110))
    #expect(world.isFinished)
    for client in clients { #expect(world.clients[client].closeReason == .shutdown) }
  }

  /// Goal: a client that never reads is cut when the grace is over, in that very second.
  @Test func aStuckClient() {
    let world = world()
    let (stuck, free) = (world.connect(), world.connect())
    world.clients[stuck].room = 0
    world.send(stuck, "hello")
    world.settle()
    world.beginShutdown()
    #expect(!world.clients[free].isOpen)
    world.advance(.milliseconds(9900))
    #expect(!world.isFinished)
    #expect(world.clients[stuck].isOpen)
    world.advance(.milliseconds(110))
    #expect(world.isFinished)
    #expect(world.clients[stuck].closeReason == .shutdown)
    let cuts = world.log.compactMap { event -> Int? in
      if case .shutdownFinished(let cut) = event { cut } else { nil }
    }
    #expect(cuts == [1])
  }

  /// Goal: a stuck worker and a stuck client together still end in time.
  @Test func bothStuck() {
    let world = world(workers: 1)
    world.workers[0].isRunning = false
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    world.clients[client].room = 0
    world.send(client, "hello")
    world.settle()
    world.beginShutdown()
    world.advance(.milliseconds(10_010))
    #expect(world.isFinished)
  }

  /// Goal: a shutdown without anything to finish is over at once.
  @Test func nothingToFinish() {
    let world = world()
    world.beginShutdown()
    #expect(world.isFinished)
  }

  /// Goal: workers that are not there, in whichever way, hold up nothing.
  @Test func workersThatAreNotThere() {
    let world = VirtualWorld(workers: 4, connects: false) { $0.shutdownGrace = .seconds(10) }
    world.workers[0].reachability = .refuses
    world.workers[1].reachability = .swallows
    world.workers[2].ready = nil
    world.workers[3].ready = false
    world.start()
    world.settle()
    let client = world.connect()
    world.send(client, "hello")
    world.advance(.milliseconds(100))
    world.beginShutdown()
    #expect(world.isFinished)
    #expect(world.clients[client].closeReason == .shutdown)
  }

  /// Goal: sessions that close for another reason meanwhile do not hold it up, or count twice.
  @Test func clientsThatLeaveMeanwhile() {
    let world = world(workers: 1)
    world.workers[0].returnsAtEnd = false
    let clients = (0..<4).map { _ in world.connect() }
    world.beginShutdown()
    world.reset(clients[0])
    world.settle()
    world.beginShutdown()
    world.advance(.seconds(6))
    #expect(world.isFinished)
    #expect(world.metrics().listeners[0].sessionsClosed.reduce(0, +) == 4)
    let starts = world.log.filter { if case .shutdownStarted = $0 { true } else { false } }
    #expect(starts.count == 1)
  }

  /// Goal: a worker that is draining when the shutdown begins is waited for as well.
  @Test func aWorkerThatDrainsAlready() {
    let world = world(workers: 1)
    world.workers[0].sendsAnswers = false
    let client = world.connect()
    world.send(client, "hello")
    world.settle()
    world.command(.drainWorker(world.status(of: 0)!.id))
    world.settle()
    world.beginShutdown()
    #expect(!world.isFinished)
    world.workers[0].sendsAnswers = true
    world.settle()
    #expect(world.isFinished)
    #expect(world.text(client) == "hello")
  }
}
