import Primitives
import Testing

@testable import Gateway

/// Goal: when a worker takes no more, its clients are not read, and nothing is lost or grows.
@Suite struct WorkerQueueTests {
  private static let bound = 50_000

  private func world(
    adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualWorld {
    VirtualWorld { configuration in
      configuration.limits.workerQueueBytesMax = Self.bound
      configuration.listeners[0].clientToServer = .short
      adjust(&configuration)
    }
  }

  /// Goal: reads pause at the bound and go on in order once half of it is gone.
  @Test func readsPauseAndGoOn() {
    let world = world()
    world.setNetwork(of: 0, bytesMax: 0)
    let clients = (0..<5).map { _ in world.connect() }
    var sent: [Int: [UInt8]] = [:]
    for _ in 0..<100 {
      for client in clients {
        let packet = Packets.make(Array(repeating: UInt8(client), count: 300))
        world.send(client, packet)
        sent[client, default: []] += packet
      }
      world.settle()
    }
    #expect(world.status(of: 0)!.queuedBytes >= Self.bound)
    #expect(world.status(of: 0)!.queuedBytes < Self.bound + 400)
    #expect(clients.allSatisfy { !world.clients[$0].isRead })
    for client in clients {
      #expect(world.clients[client].unreadBytes > 0)
    }
    world.setNetwork(of: 0, bytesMax: 10_000)
    world.settle()
    for client in clients {
      #expect(world.clients[client].received == sent[client])
      #expect(world.clients[client].isRead)
    }
  }

  /// Goal: one read that is full of tiny packets, each of which needs far more room than it has
  /// bytes, stops at the bound as well.
  @Test func tinyPacketsInOneRead() {
    let world = world { $0.listeners[0].clientToServer = .lengthPrefix(width: 1, bytesMax: 2) }
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    let packets = (0..<100_000).flatMap { number -> [UInt8] in
      [1, UInt8(truncatingIfNeeded: number)]
    }
    world.send(client, packets)
    world.settle()
    #expect(world.status(of: 0)!.queuedBytes < Self.bound + 100)
    #expect(world.shard.sessions[world.clients[client].id!.index].received.count <= 256 << 10)
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    #expect(world.clients[client].received == packets)
    #expect(world.session(client)?.packetsIn == 100_000)
  }

  /// Goal: a worker that keeps its window to itself, though it is alive, stops its own clients and
  /// nobody else's.
  @Test func aWorkerWithoutWindow() {
    let world = VirtualWorld(workers: 2, windowBytes: 256 << 10) { configuration in
      configuration.limits.workerQueueBytesMax = Self.bound
      configuration.listeners[0].clientToServer = .short
    }
    world.workers[0].takesPackets = false
    let (stuck, free) = (world.connect(), world.connect())
    for _ in 0..<100 {
      world.send(stuck, Packets.make(Array(repeating: 1, count: 9998)))
      world.send(free, Packets.make(Array(repeating: 1, count: 9998)))
      world.settle()
    }
    #expect(world.clients[free].received.count == 1_000_000)
    #expect(world.clients[stuck].unreadBytes > 500_000)
    #expect(world.status(of: 0)?.state == .ready)
    world.workers[0].takesPackets = true
    world.settle()
    #expect(world.clients[stuck].received.count == 1_000_000)
  }

  /// Goal: clients that wait for a full worker and leave are forgotten.
  @Test func clientsThatLeaveWhileTheyWait() {
    let world = world()
    world.setNetwork(of: 0, bytesMax: 0)
    let clients = (0..<10).map { _ in world.connect() }
    for client in clients { world.send(client, Packets.make(Array(repeating: 1, count: 60_000))) }
    world.settle()
    #expect(clients.dropFirst().allSatisfy { !world.clients[$0].isRead })
    for client in clients { world.reset(client) }
    world.settle()
    let later = world.connect()
    world.send(later, Packets.make([1]))
    world.settle()
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    #expect(world.clients[later].received == Packets.make([1]))
  }

  /// Goal: a client that has ended its direction while its worker was full is answered as well.
  @Test func halfClosedWhileTheWorkerIsFull() {
    let world = world()
    world.setNetwork(of: 0, bytesMax: 0)
    let client = world.connect()
    let packets = (0..<2000).flatMap { Packets.make([UInt8(truncatingIfNeeded: $0)]) }
    world.send(client, packets)
    world.end(client)
    world.settle()
    world.advance(.seconds(3))
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    #expect(world.clients[client].received == packets)
    world.advance(.seconds(6))
    #expect(world.clients[client].closeReason == .clientClosed)
  }
}
