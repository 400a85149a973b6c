import Primitives
import Testing

@testable import Gateway

/// Goal: bytes go to a worker and come back, exactly.
@Suite struct EchoTests {
  @Test func onePacketComesBack() {
    let world = VirtualWorld()
    #expect(world.status(of: 0)?.state == .ready)
    let client = world.connect()
    world.send(client, "hello")
    world.settle()
    #expect(world.text(client) == "hello")
    #expect(world.workers[0].packets.map(\.payload) == [Array("hello".utf8)])
    #expect(world.workers[0].packets.map(\.uuid) == [world.clients[client].uuid])
  }

  /// Goal: every client's stream is its own, whole and in order, wherever it is cut on its way.
  ///
  /// Method: many sessions speak in random portions, both framed and raw; reads and writes are cut
  /// at random places on every socket.
  @Test(arguments: [false, true]) func manySessionsWithRandomCuts(framed: Bool) {
    for seed in UInt64(1)...6 {
      let world = VirtualWorld(seed: seed, workers: 3) { configuration in
        if framed { configuration.listeners[0].clientToServer = .short }
      }
      world.cuts = true
      let clients = (0..<40).map { _ in world.connect() }
      var sent: [Int: [UInt8]] = [:]
      var packets = 0
      for _ in 0..<400 {
        let client = clients.randomElement(using: &world.random)!
        let packet = Packets.random(using: &world.random)
        sent[client, default: []] += packet
        packets += 1
        world.send(client, packet)
        for _ in 0..<Int.random(in: 0..<3, using: &world.random) { world.turn() }
      }
      world.settle()
      for client in clients {
        #expect(world.clients[client].received == sent[client] ?? [], "seed \(seed)")
      }
      if framed { #expect(world.metrics().listeners[0].packetsIn == UInt64(packets)) }
    }
  }

  /// Goal: a hundred packets in one read and one packet in a hundred reads are the same packets.
  @Test func packetsDoNotDependOnReads() {
    let world = VirtualWorld { $0.listeners[0].clientToServer = .short }
    let (together, apart) = (world.connect(), world.connect())
    let packets = (0..<100).map { Packets.make(Array(repeating: UInt8($0), count: $0 * 7)) }
    world.send(together, packets.joined())
    for byte in packets.joined() {
      world.send(apart, [byte])
      world.turn()
    }
    world.settle()
    for client in [together, apart] {
      let uuid = world.clients[client].uuid
      let got = world.workers[0].packets.filter { $0.uuid == uuid }.map(\.payload)
      #expect(got == packets)
    }
  }

  /// Goal: the counters of a listener add up, over sessions that are open and sessions that are
  /// not.
  @Test func countersAddUp() throws {
    let world = VirtualWorld(workers: 2) { $0.limits.sessionsMax = 30 }
    world.cuts = true
    let clients = (0..<35).map { _ in world.connect() }
    for client in clients where world.clients[client].isOpen {
      world.send(client, "0123456789")
      if client % 3 == 0 { world.settle() }
      if client % 5 == 0 { world.end(client) }
      if client % 7 == 0 { world.reset(client) }
    }
    world.advance(.seconds(6))
    let listener = try #require(world.metrics().listeners.first)
    let closed = listener.sessionsClosed.reduce(0, +)
    #expect(listener.sessionsOpened == 35)
    #expect(listener.sessionsOpened == UInt64(listener.sessionsOpen) + closed)
    #expect(listener.sessionsClosed[Int(CloseReason.overCapacity.rawValue)] == 5)
    #expect(listener.sessionsClosed[Int(CloseReason.clientReset.rawValue)] == 5)
    #expect(listener.sessionsClosed[Int(CloseReason.clientClosed.rawValue)] == 5)
    #expect(listener.sessionsOpen == 20)
    let answered = world.workers.flatMap(\.packets)
    #expect(listener.packetsIn == UInt64(answered.count))
    #expect(listener.bytesIn == UInt64(answered.reduce(0) { $0 + $1.payload.count }))
    #expect(listener.messagesOut <= listener.packetsIn)
    #expect(listener.bytesOut >= 20 * 10)
    #expect(world.metrics().workers.reduce(0) { $0 + $1.packetsSent } == listener.packetsIn)
  }

  /// Goal: what arrives for one client in one read goes out in one system call.
  @Test func answersOfOneReadAreOneWrite() {
    let world = VirtualWorld()
    let client = world.connect()
    for number in 0..<10 {
      world.workers[0].answer(world.clients[client].uuid, Array("\(number)".utf8))
    }
    world.settle()
    #expect(world.text(client) == "0123456789")
    #expect(world.clients[client].writes == [10])
  }
}
