import Primitives
import Testing

@testable import Gateway

/// Goal: a worker may go at any time, and no client notices more than it has to.
@Suite struct LostWorkerTests {
  private func world(
    seed: UInt64 = 1, workers: Int = 2, windowBytes: Int = 16 << 20,
    adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualWorld {
    VirtualWorld(seed: seed, workers: workers, windowBytes: windowBytes) { configuration in
      configuration.listeners[0].clientToServer = .short
      adjust(&configuration)
    }
  }

  private func numbers(_ requests: [VirtualWorker.Request]) -> [Int] {
    requests.map { Int($0.payload[2]) << 8 | Int($0.payload[3]) }
  }

  private func packet(_ number: Int, padding: Int = 0) -> [UInt8] {
    Packets.make(
      [UInt8(number >> 8), UInt8(number & 0xff)] + Array(repeating: 7, count: padding))
  }

  /// Goal: packets that had not left for a lost worker reach the next one, in order, none twice.
  ///
  /// Method: the worker grants no HTTP/2 window beyond its first, so that a known part has left.
  @Test func queuedPacketsReachTheNextWorker() {
    let world = world(windowBytes: 256 << 10)
    world.workers[0].takesPackets = false
    let client = world.connect()
    for number in 0..<600 { world.send(client, packet(number, padding: 1000)) }
    world.settle()
    #expect(world.status(of: 0)!.queuedBytes > 256 << 10)
    world.crash(0)
    world.settle()
    let left = numbers(world.workers[0].lost)
    #expect(left == Array(0..<left.count))
    #expect(left.count > 200 && left.count < 300)
    #expect(numbers(world.workers[1].packets) == Array(left.count..<600))
    // The one message that had left in part counts as not left.
    #expect(world.metrics().packetsRerouted == UInt64(600 - left.count))
    #expect(world.clients[client].received.count == (600 - left.count) * 1004)
  }

  /// Goal: the same wherever the connection breaks, for many sessions and random cuts.
  @Test func nothingIsLostTwiceOrOutOfOrder() {
    for seed in UInt64(1)...30 {
      let world = world(seed: seed, workers: 3)
      world.cuts = true
      let clients = (0..<6).map { _ in world.connect() }
      for number in 0..<300 {
        world.send(clients[number % 6], packet(number / 6, padding: number % 90))
      }
      world.setNetwork(of: 0, bytesMax: Int.random(in: 0..<4000, using: &world.random))
      world.workers[0].isRunning = false
      for _ in 0..<Int.random(in: 0..<40, using: &world.random) { world.turn() }
      world.crash(0, losingOutput: true)
      world.settle()
      for client in clients {
        let uuid = world.clients[client].uuid
        let lost = numbers(world.workers[0].lost.filter { $0.uuid == uuid })
        let handled = numbers(
          world.workers.flatMap(\.packets).filter { $0.uuid == uuid })
        #expect(lost + handled == Array(0..<50), "seed \(seed)")
        #expect(world.clients[client].closeReason == nil)
      }
    }
  }

  /// Goal: without any worker clients are not read, and then the next worker gets everything in
  /// order: what was queued for the lost one, what was half read, what came later.
  @Test func whenNobodyIsThereClientsWait() {
    let world = world(workers: 1)
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    let half = packet(50)
    world.send(client, (0..<50).flatMap { packet($0) } + half.prefix(2))
    world.settle()
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.setNetwork(of: 0, bytesMax: nil)
    world.advance(.seconds(2))
    world.send(client, half.dropFirst(2) + (51..<100).flatMap { packet($0) })
    world.settle()
    #expect(world.clients[client].unreadBytes > 0)
    #expect(!world.clients[client].isRead)
    #expect(world.session(client)?.worker == nil)
    world.workers[0].reachability = .accepts
    #expect(world.advance(upTo: .seconds(6)) { world.status(of: 0)?.state == .ready })
    #expect(numbers(world.workers[0].packets) == Array(0..<100))
    #expect(world.clients[client].received.count == 400)
    #expect(world.clients[client].isRead)
  }

  @Test func noWorkerClosesAfterItsTime() {
    let world = world(workers: 1) { $0.listeners[0].workerWait = .seconds(10) }
    let client = world.connect()
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.settle()
    let late = world.connect()
    world.advance(.milliseconds(9900))
    #expect(world.clients[client].isOpen)
    world.advance(.milliseconds(110))
    #expect(world.clients[client].closeReason == .noWorker)
    #expect(world.clients[late].closeReason == .noWorker)
    #expect(!world.clients[client].wasAborted)
  }

  /// Goal: each time without a worker is a new wait.
  @Test func waitsDoNotAddUp() {
    let world = world(workers: 1) { $0.listeners[0].workerWait = .seconds(10) }
    let client = world.connect()
    for _ in 0..<4 {
      world.workers[0].reachability = .refuses
      world.crash(0)
      world.advance(.seconds(6))
      #expect(world.clients[client].isOpen)
      world.workers[0].reachability = .accepts
      #expect(world.advance(upTo: .seconds(6)) { world.status(of: 0)?.state == .ready })
      world.send(client, packet(1))
      world.settle()
    }
    #expect(world.clients[client].received.count == 16)
  }

  /// Goal: clients that come while no worker is there are served by the first that comes.
  @Test(arguments: PoolConfiguration.Balance.allCases)
  func clientsThatComeTooEarlyAreServed(balance: PoolConfiguration.Balance) {
    let world = VirtualWorld(workers: 2, connects: false) { $0.pools[0].balance = balance }
    let clients = (0..<10).map { _ in world.connect() }
    for client in clients { world.send(client, "hello") }
    world.settle()
    #expect(clients.allSatisfy { world.clients[$0].unreadBytes == 5 })
    world.start()
    world.settle()
    #expect(clients.allSatisfy { world.text($0) == "hello" })
  }

  /// Goal: with packet balance nothing waits for one worker among several, and what it leaves
  /// behind goes to the others.
  @Test func packetBalanceSurvivesWorkers() {
    let world = world(workers: 3) { $0.pools[0].balance = .packet }
    let client = world.connect()
    world.setNetwork(of: 1, bytesMax: 0)
    for number in 0..<30 { world.send(client, packet(number)) }
    world.settle()
    #expect(world.clients[client].received.count == 80)
    world.crash(1)
    world.settle()
    #expect(world.clients[client].received.count == 120)
    world.crash(0)
    world.crash(2)
    for worker in world.workers { worker.reachability = .refuses }
    world.settle()
    world.send(client, packet(30))
    world.settle()
    #expect(world.clients[client].unreadBytes == 4)
    for worker in world.workers { worker.reachability = .accepts }
    world.advance(.seconds(7))
    #expect(world.clients[client].received.count == 124)
  }

  /// Goal: with packet balance, a new worker frees clients that wait because all others are full.
  @Test func aNewWorkerFreesWhoWaitsForFullOnes() {
    let world = world(workers: 2) { configuration in
      configuration.pools[0].balance = .packet
      configuration.limits.workerQueueBytesMax = 1000
    }
    world.crash(1)
    world.workers[1].reachability = .refuses
    world.settle()
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    for number in 0..<100 { world.send(client, packet(number)) }
    world.settle()
    #expect(!world.clients[client].isRead)
    world.workers[1].reachability = .accepts
    #expect(world.advance(upTo: .seconds(6)) { world.status(of: 1)?.state == .ready })
    #expect(numbers(world.workers[1].packets).last == 99)
  }

  /// Goal: a worker that stops (SIGSTOP) is noticed within `alive_timeout`, and its clients move.
  @Test func aStoppedWorkerIsNoticed() {
    let world = world()
    let client = world.connect()
    world.advance(.seconds(20))
    #expect(world.status(of: 0)?.state == .ready)
    world.workers[0].isRunning = false
    world.send(client, packet(1))
    world.settle()
    let noticed = world.advance(upTo: .seconds(14)) { world.status(of: 0)?.state != .ready }
    #expect(noticed)
    #expect(world.status(of: 0)?.lastEnd == .aliveTimeout)
    world.send(client, packet(2))
    world.settle()
    #expect(numbers(world.workers[0].lost) == [1])
    #expect(numbers(world.workers[1].packets) == [2])
  }

  /// Goal: a worker that ends the packet call with an error is lost, with what it said as reason.
  @Test func aWorkerThatRefusesAMessage() {
    let world = world(windowBytes: 256 << 10)
    let client = world.connect()
    world.send(client, packet(1))
    world.settle()
    // Longer than the worker takes.
    world.send(client, packet(2, padding: 65_530))
    world.settle()
    #expect(world.status(of: 0)?.lastEnd == .grpcStatus)
    #expect(world.status(of: 0)?.lastEndDetail == "8 message too long")
    world.send(client, packet(3))
    world.settle()
    #expect(numbers(world.workers[1].packets) == [3])
  }

  /// Goal: a worker that can't be reached, or takes its time to be ready, delays nobody else.
  @Test func othersDoNotWait() {
    let world = VirtualWorld(workers: 4, connects: false)
    world.workers[0].reachability = .swallows
    world.workers[1].ready = nil
    world.workers[2].ready = false
    world.start()
    let client = world.connect()
    world.send(client, "hello")
    world.settle()
    #expect(world.text(client) == "hello")
    world.advance(.milliseconds(2010))
    #expect(world.status(of: 0)?.lastEnd == .connectTimeout)
    world.advance(.seconds(4))
    #expect(world.status(of: 1)?.lastEnd == .readyTimeout)
    #expect(world.status(of: 2)?.state == .notReady)
    world.workers[2].ready = true
    world.advance(.seconds(5))
    #expect(world.status(of: 2)?.state == .ready)
    #expect(world.text(client) == "hello")
  }
}
