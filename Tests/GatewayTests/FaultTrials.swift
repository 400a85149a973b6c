import Auth
import Primitives
import Testing
import Upstream

@testable import Gateway

/// What a fault would show in: true when all goes as it should.
///
/// Here those of packets and workers.
enum FaultTrials {
  static let address = SocketAddress(ipv4: 198, 51, 100, 1, port: 0)

  /// A gateway whose clients' packets are framed.
  static func framed(
    workers: Int = 1, adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualWorld {
    VirtualWorld(workers: workers) { configuration in
      configuration.listeners[0].clientToServer = .short
      adjust(&configuration)
    }
  }

  static func numbers(_ requests: [VirtualWorker.Request]) -> [UInt8] {
    requests.map { $0.payload[2] }
  }

  /// Sends ten packets at once.
  static func sendTen(_ world: VirtualWorld, _ client: Int) {
    world.send(client, (0..<10).flatMap { Packets.make([$0]) })
    world.settle()
  }

  /// A client has sent ten packets at once, of which the first worker can take four.
  static func withAFullWorker() -> (world: VirtualWorld, client: Int) {
    let world = framed(workers: 2) { $0.limits.workerQueueBytesMax = 300 }
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    sendTen(world, client)
    return (world, client)
  }

  // MARK: Packets

  static func aPacketIsCutInItsHead() -> Bool {
    let world = framed()
    let client = world.connect()
    let packet = Packets.make([1, 2, 3])
    world.send(client, packet[..<1])
    world.settle()
    world.send(client, packet[1...])
    world.settle()
    return world.workers[0].packets.map(\.payload) == [packet]
  }

  static func packetsAreCountedOnce() -> Bool {
    let (world, client) = withAFullWorker()
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    return world.session(client)?.packetsIn == 10
  }

  static func aFullWorkerGoesOn() -> Bool {
    let (world, client) = withAFullWorker()
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    return world.clients[client].received.count == 30
  }

  static func packetsWaitForALostWorker() -> Bool {
    let (world, _) = withAFullWorker()
    world.crash(0)
    // It comes back.
    world.advance(.seconds(2))
    return numbers(world.workers[1].packets) == Array(0..<10)
  }

  static func aWorkerIsLostInTheMiddleOfAMessage() -> Bool {
    let world = framed(workers: 2)
    let client = world.connect()
    world.workers[0].isRunning = false
    world.setNetwork(of: 0, bytesMax: 200)
    sendTen(world, client)
    world.crash(0)
    world.settle()
    let left = numbers(world.workers[0].lost)
    return !left.isEmpty && left + numbers(world.workers[1].packets) == Array(0..<10)
  }

  // MARK: Workers

  static func aWorkerIsLostInTheMiddleOfAnAnswer() -> Bool {
    let world = framed { $0.listeners[0].serverToClient = .short }
    let client = world.connect()
    let uuid = world.clients[client].uuid
    world.workers[0].answer(uuid, [0, 4, 1, 2])
    world.settle()
    world.crash(0)
    guard world.advance(upTo: .seconds(6), until: { world.status(of: 0)?.state == .ready }) else {
      return false
    }
    world.workers[0].answer(uuid, Packets.make([9]))
    world.settle()
    return world.clients[client].received == Packets.make([9])
  }

  static func aWorkerSendsMoreThanItsWindow() -> Bool {
    let world = VirtualWorld()
    let client = world.connect()
    for _ in 0..<5 {
      world.workers[0].answer(world.clients[client].uuid, Array(repeating: 1, count: 20_000))
    }
    world.settle()
    return world.clients[client].received.count == 100_000
  }

  static func aWorkerIsAskedAgain() -> Bool {
    let world = VirtualWorld(connects: false)
    world.workers[0].ready = false
    world.start()
    world.settle()
    world.workers[0].ready = true
    // In less than what it may take to answer.
    return world.advance(upTo: .seconds(3)) { world.status(of: 0)?.state == .ready }
  }

  static func aDrainedWorkerAnswers() -> Bool {
    let world = framed(workers: 2)
    let client = world.connect()
    world.workers[0].sendsAnswers = false
    sendTen(world, client)
    world.command(.drainWorker(world.status(of: 0)!.id))
    world.settle()
    world.workers[0].sendsAnswers = true
    world.settle()
    return world.clients[client].received.count == 30
  }

  static func workersHearOfTheEnd() -> Bool {
    let world = VirtualWorld(connects: false)
    world.workers[0].sessionEvents = true
    world.start()
    world.settle()
    let client = world.connect()
    world.settle()
    world.reset(client)
    world.settle()
    return world.workers[0].events.count == 2
  }

  static func aHoldingClientGoes() -> Bool {
    let world = VirtualWorld { $0.limits.clientQueueBytesMax = 10_000 }
    let (slow, other) = (world.connect(), world.connect())
    world.clients[slow].room = 0
    world.workers[0].answer(world.clients[slow].uuid, Array(repeating: 1, count: 6000))
    world.settle()
    world.reset(slow)
    world.settle()
    world.workers[0].answer(world.clients[other].uuid, [1])
    world.advance(.seconds(1))
    return world.clients[other].received == [1]
  }
}
