import Primitives
import Testing

@testable import Gateway

/// Goal: a client that does not take its bytes costs itself its session, and nobody anything else.
@Suite struct SlowClientTests {
  private static let bound = 100_000

  private func world(
    clients count: Int, adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> (VirtualWorld, [Int]) {
    let world = VirtualWorld { configuration in
      configuration.limits.clientQueueBytesMax = Self.bound
      adjust(&configuration)
    }
    return (world, (0..<count).map { _ in world.connect() })
  }

  private func uuid(_ world: VirtualWorld, _ client: Int) -> String { world.clients[client].uuid }

  /// Goal: a queue holds its bound and one message, never more; then its client is closed.
  @Test func theQueueIsBounded() {
    let (world, clients) = world(clients: 2)
    world.clients[clients[0]].room = 0
    let message = [UInt8](repeating: 1, count: 9000)
    var most = 0
    for _ in 0..<40 where world.clients[clients[0]].isOpen {
      world.workers[0].answer(uuid(world, clients[0]), message)
      world.workers[0].answer(uuid(world, clients[1]), message)
      // Beyond the time in which a client may still hold the worker back.
      world.advance(Shard.holdMax)
      most = max(most, world.session(clients[0])?.queuedBytes ?? 0)
    }
    #expect(world.clients[clients[0]].closeReason == .slowClient)
    #expect(world.clients[clients[0]].wasAborted)
    #expect(most < Self.bound + message.count)
    #expect(world.clients[clients[1]].isOpen)
    #expect(world.clients[clients[1]].received.count % message.count == 0)
    #expect(world.shard.clientQueueBytes == 0)
  }

  /// Goal: one message as long as is allowed always fits.
  @Test func oneLongMessageFits() {
    let (world, clients) = world(clients: 1)
    world.clients[clients[0]].room = 0
    world.workers[0].answer(uuid(world, clients[0]), Array(repeating: 1, count: 4_000_000))
    world.settle()
    #expect(world.clients[clients[0]].isOpen)
    #expect(world.session(clients[0])?.queuedBytes == 4_000_000)
    for _ in 0..<40 {
      world.take(clients[0], 100_000)
      world.settle()
    }
    #expect(world.clients[clients[0]].received.count == 4_000_000)
    #expect(world.shard.clientQueueBytes == 0)
  }

  /// Goal: a client that takes nothing pauses the others for ``Shard/holdMax`` at most, and they
  /// lose nothing.
  @Test func othersFeelNothing() {
    let (world, clients) = world(clients: 10)
    world.clients[clients[0]].room = 10_000
    var sent: [Int: Int] = [:]
    for _ in 0..<200 {
      for client in clients {
        world.workers[0].answer(uuid(world, client), Array(repeating: 2, count: 1000))
        sent[client, default: 0] += 1000
      }
    }
    world.advance(.milliseconds(510))
    #expect(world.clients[clients[0]].closeReason == .slowClient)
    for client in clients.dropFirst() {
      #expect(world.clients[client].received.count == sent[client])
    }
    #expect(world.metrics().workerReadPauses >= 1)
  }

  /// Goal: a client that takes its bytes steadily, only slower than its worker makes them, gets
  /// every one of them: reading from the worker pauses and goes on.
  @Test func aSteadyClientGetsEverything() {
    let (world, clients) = world(clients: 2) { $0.limits.clientQueueBytesMax = 1 << 20 }
    world.clients[clients[0]].room = 0
    let total = 3_000_000
    let pattern = (0..<total).map { UInt8(truncatingIfNeeded: $0 / 1000) }
    for start in stride(from: 0, to: total, by: 1000) {
      world.workers[0].answer(uuid(world, clients[0]), Array(pattern[start..<start + 1000]))
    }
    world.settle()
    #expect(!world.links[0].reads)
    var steps = 0
    while world.clients[clients[0]].received.count < total, steps < 1000 {
      steps += 1
      world.take(clients[0], 50_000)
      world.advance(.milliseconds(20))
      #expect(world.session(clients[0])?.queuedBytes ?? 0 < 1 << 20)
    }
    #expect(world.clients[clients[0]].received == pattern)
    #expect(world.clients[clients[0]].isOpen)
    #expect(world.links[0].reads)
    #expect(world.metrics().workerReadPauses > 3)
    #expect(world.shard.clientQueueBytes == 0)
  }

  /// Goal: what waits for all clients together is bounded too: reading from every worker pauses
  /// until half of it is gone.
  @Test func theTotalPausesAllLinks() {
    let world = VirtualWorld(workers: 3) { configuration in
      configuration.limits.clientQueueBytesMax = 1 << 20
      configuration.limits.clientQueueBytesTotalMax = 300_000
    }
    let clients = (0..<30).map { _ in world.connect() }
    for client in clients {
      world.clients[client].room = 0
      for _ in 0..<20 {
        world.workers[client % 3].answer(uuid(world, client), Array(repeating: 3, count: 1000))
      }
    }
    for _ in 0..<20 {
      for worker in world.workers {
        worker.answer(uuid(world, clients[0]), Array(repeating: 3, count: 1000))
      }
      world.settle()
    }
    #expect(world.shard.clientQueueBytes >= 300_000)
    #expect(world.shard.clientQueueBytes <= 300_000 + 3 * VirtualWorld.networkBytesMax)
    #expect(world.links.allSatisfy { !$0.reads })
    #expect(world.metrics().workerReadPauses == 3)
    // Everybody takes a little, again and again.
    for _ in 0..<700 {
      for client in clients { world.take(client, 100) }
      world.settle()
    }
    #expect(world.links.allSatisfy { $0.reads })
    for client in clients.dropFirst() { #expect(world.clients[client].received.count == 20_000) }
    world.take(clients[0], 1_000_000)
    world.settle()
    #expect(world.clients[clients[0]].received.count == 80_000)
    #expect(world.shard.clientQueueBytes == 0)
  }

  /// Goal: clients that take nothing can't hold up the workers together either: the largest queues
  /// are closed, and no more of them than must be.
  @Test func theLargestQueuesAreShed() {
    let world = VirtualWorld { configuration in
      configuration.limits.clientQueueBytesMax = 1 << 20
      configuration.limits.clientQueueBytesTotalMax = 400_000
    }
    let clients = (0..<12).map { _ in world.connect() }
    for client in clients {
      world.clients[client].room = 0
      let byteCount = client < 4 ? 90_000 : 5_000
      world.workers[0].answer(uuid(world, client), Array(repeating: 3, count: byteCount))
    }
    let free = world.connect()
    world.settle()
    world.workers[0].answer(uuid(world, free), [1])
    world.settle()
    #expect(!world.links[0].reads)
    world.advance(.milliseconds(260))
    #expect(world.clients[free].received == [1])
    let closed = clients.filter { !world.clients[$0].isOpen }
    #expect(closed.allSatisfy { $0 < 4 && world.clients[$0].closeReason == .slowClient })
    #expect(closed.count == 3)
    #expect(world.shard.clientQueueBytes == 400_000 - 270_000)
  }

  /// Goal: a worker that is not read, because of a client, is not taken for dead.
  @Test func aPausedWorkerIsNotLost() {
    let (world, clients) = world(clients: 1) { configuration in
      configuration.pools[0].workers[0].aliveTimeout = .milliseconds(90)
    }
    world.clients[clients[0]].room = 1000
    for _ in 0..<10 {
      world.workers[0].answer(uuid(world, clients[0]), Array(repeating: 3, count: 60_000))
      world.settle()
      world.take(clients[0], 1000)
      world.settle()
      #expect(!world.links[0].reads)
      world.advance(.milliseconds(400))
      #expect(!world.links[0].reads)
      #expect(world.status(of: 0)?.state == .ready)
      world.take(clients[0], 60_000)
      world.advance(.milliseconds(10))
      #expect(world.links[0].reads)
    }
    #expect(world.status(of: 0)?.reconnects == 0)
    // From here on its silence counts again.
    world.workers[0].isRunning = false
    #expect(world.advance(upTo: .milliseconds(130)) { world.status(of: 0)?.state != .ready })
    #expect(world.status(of: 0)?.lastEnd == .aliveTimeout)
  }

  /// Goal: a client whose socket takes nothing for the write timeout is closed, even if its queue
  /// stays short; one that takes a byte now and then is not.
  @Test func theWriteTimeout() {
    let (world, clients) = world(clients: 2) { $0.listeners[0].writeTimeout = .seconds(15) }
    for client in clients {
      world.clients[client].room = 0
      world.workers[0].answer(uuid(world, client), Array(repeating: 1, count: 100))
    }
    world.settle()
    for _ in 0..<4 {
      world.advance(.seconds(5))
      world.take(clients[1], 1)
      world.settle()
    }
    #expect(world.clients[clients[0]].closeReason == .slowClient)
    #expect(world.clients[clients[0]].closedAt.since(world.clients[clients[0]].receivedAt) > .zero)
    #expect(world.clients[clients[1]].isOpen)
    #expect(world.shard.clientQueueBytes == 96)
    world.advance(.seconds(16))
    #expect(world.clients[clients[1]].closeReason == .slowClient)
    #expect(world.shard.clientQueueBytes == 0)
  }

  /// Goal: a client that resets in the middle of everything leaves nothing behind.
  @Test func aResetFreesTheQueue() {
    let (world, clients) = world(clients: 3)
    for client in clients {
      world.clients[client].room = 10
      world.workers[0].answer(uuid(world, client), Array(repeating: 1, count: 60_000))
    }
    world.settle()
    #expect(!world.links[0].reads)
    for client in clients { world.reset(client) }
    world.settle()
    #expect(world.shard.clientQueueBytes == 0)
    #expect(world.links[0].reads)
  }
}
