import Framing
import Primitives
import Testing

@testable import Gateway

/// Goal: framers are applied in both directions, and what breaks their rules ends the session.
@Suite struct FramedListenerTests {
  private func world(
    _ adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) -> VirtualWorld {
    VirtualWorld { configuration in
      configuration.listeners[0].clientToServer = .lengthPrefix(bytesMax: 1000)
      configuration.listeners[0].serverToClient = .lengthPrefix(bytesMax: 400_000)
      adjust(&configuration)
    }
  }

  /// Goal: packets in front of a violation are still forwarded, nothing behind it is.
  @Test func aViolationOfTheClient() {
    let world = world()
    let client = world.connect()
    let good = Packets.make([1])
    world.send(client, good + good + [0xff, 0xff] + good)
    world.settle()
    #expect(world.clients[client].closeReason == .framingViolation)
    #expect(world.workers[0].packets.map(\.payload) == [good, good])
  }

  /// Goal: the same when the violation comes in small pieces, behind half a packet.
  @Test func aViolationInPieces() {
    let world = world()
    let client = world.connect()
    let good = Packets.make([1, 2, 3])
    for byte in good + [0xff, 0xff, 0, 0] {
      world.send(client, [byte])
      world.settle()
      if !world.clients[client].isOpen { break }
    }
    #expect(world.clients[client].closeReason == .framingViolation)
    #expect(world.workers[0].packets.map(\.payload) == [good])
  }

  /// Goal: a client gets what waits for it before it is closed for its violation.
  @Test func aViolationLosesNoAnswers() {
    let world = world { $0.listeners[0].serverToClient = .raw }
    let client = world.connect()
    world.clients[client].room = 1
    world.send(client, Packets.make([1]))
    world.settle()
    world.send(client, [0xff, 0xff])
    world.settle()
    #expect(world.clients[client].isOpen)
    world.take(client, 100)
    world.settle()
    #expect(world.clients[client].received == Packets.make([1]))
    #expect(world.clients[client].closeReason == .framingViolation)
  }

  /// Goal: bytes for a client are held until they are whole packets, and each goes out in one
  /// piece.
  @Test func packetsAreHeldUntilWhole() {
    let world = world()
    let client = world.connect()
    let uuid = world.clients[client].uuid
    let packet = Packets.make(Array(repeating: 9, count: 100))
    world.workers[0].answer(uuid, Array(packet[..<1]))
    world.settle()
    world.workers[0].answer(uuid, Array(packet[1..<50]))
    world.settle()
    #expect(world.clients[client].received.isEmpty)
    world.workers[0].answer(uuid, packet[50...] + packet + packet[..<7])
    world.settle()
    #expect(world.clients[client].received == packet + packet)
    #expect(world.clients[client].writes == [204])
    world.workers[0].answer(uuid, Array(packet[7...]))
    world.settle()
    #expect(world.clients[client].received == packet + packet + packet)
  }

  /// Goal: packets far longer than what a turn's memory holds arrive unharmed, for many clients in
  /// one read of many messages.
  @Test func bigUnfinishedPackets() {
    let world = world {
      $0.listeners[0].serverToClient = .lengthPrefix(width: 4, bytesMax: 3 << 20)
    }
    world.cuts = true
    let clients = (0..<5).map { _ in world.connect() }
    var expected: [Int: [UInt8]] = [:]
    for round in 0..<3 {
      for client in clients {
        let byteCount = Int.random(in: 1...700_000, using: &world.random)
        let body = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ client &+ round) }
        var packet: [UInt8] = []
        for shift in [24, 16, 8, 0] { packet.append(UInt8(byteCount >> shift & 0xff)) }
        packet += body
        expected[client, default: []] += packet
        var rest = packet[...]
        while !rest.isEmpty {
          let part = rest.prefix(Int.random(in: 1...400_000, using: &world.random))
          rest = rest.dropFirst(part.count)
          world.workers[0].answer(world.clients[client].uuid, Array(part))
        }
      }
      world.settle()
    }
    for client in clients { #expect(world.clients[client].received == expected[client]) }
    #expect(clients.allSatisfy { world.clients[$0].isOpen })
  }

  /// Goal: a worker that breaks the rules ends the session it does it to, and no other.
  @Test func aViolationOfTheWorker() {
    let world = world { $0.listeners[0].serverToClient = .lengthPrefix(bytesMax: 1000) }
    let clients = [world.connect(), world.connect()]
    for client in clients { world.send(client, Packets.make([1])) }
    world.settle()
    world.workers[0].answer(world.clients[clients[0]].uuid, Packets.make([2]) + [0xff, 0xff, 0])
    world.workers[0].answer(world.clients[clients[1]].uuid, Packets.make([3]))
    world.settle()
    #expect(world.clients[clients[0]].closeReason == .workerViolation)
    #expect(world.clients[clients[1]].received == Packets.make([1]) + Packets.make([3]))
    #expect(world.status(of: 0)?.state == .ready)
  }

  /// Goal: a broadcast goes to raw listeners, and to framed ones when it is whole packets; half a
  /// packet of a session stays out of its way.
  @Test func broadcastsMustBeWhole() {
    let world = world { configuration in
      configuration.listeners.append(
        ListenerConfiguration(name: "raw", host: "127.0.0.1", port: 7001, pool: 0))
    }
    let (framed, raw) = (world.connect(), world.connect(listener: 1))
    let packet = Packets.make([1, 2, 3])
    world.workers[0].answer(world.clients[framed].uuid, Array(packet[..<2]))
    world.workers[0].broadcast(0, Packets.make([8]) + Packets.make([9]))
    world.workers[0].broadcast(0, Array(packet[..<3]))
    world.workers[0].broadcast(0, [0xff, 0xff])
    world.workers[0].answer(world.clients[framed].uuid, Array(packet[2...]))
    world.settle()
    #expect(world.clients[framed].received == Packets.make([8]) + Packets.make([9]) + packet)
    #expect(
      world.clients[raw].received
        == Packets.make([8]) + Packets.make([9]) + packet[..<3] + [0xff, 0xff])
    #expect(world.metrics().broadcasts == 3)
    #expect(world.metrics().broadcastsRefused == 2)
    #expect(world.clients[framed].isOpen)
    let refusals = world.log.filter { if case .broadcastRefused = $0 { true } else { false } }
    #expect(refusals.count == 2)
  }

  /// Goal: a packet that is announced as longer than allowed is refused before it is gathered.
  @Test func lengthsAreBelievedOnlyUpToTheMaximum() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .lengthPrefix(width: 4, bytesMax: 1 << 20)
    }
    let client = world.connect()
    world.send(client, [0, 0x10, 0, 0])
    world.settle()
    #expect(world.clients[client].closeReason == .framingViolation)
  }

  /// Goal: a big packet in small reads is gathered once and forwarded whole.
  @Test func aBigPacketInSmallReads() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .lengthPrefix(width: 4, bytesMax: 4 << 20)
    }
    let client = world.connect()
    let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 >> 8) }
    let packet: [UInt8] = [0, 0x0f, 0x42, 0x40] + body
    for start in stride(from: 0, to: packet.count, by: 50_000) {
      world.send(client, packet[start..<min(start + 50_000, packet.count)])
      world.turn()
    }
    world.settle()
    #expect(world.clients[client].received == packet)
    #expect(world.workers[0].packets.count == 1)
    let index = world.clients[client].id!.index
    let heldBytes = world.shard.sessions[index].received.count
    #expect(heldBytes == 0)
  }

  /// Goal: lines reach the worker whole, however they are cut on their way, and its own lines reach
  /// the client.
  @Test func linesInPieces() throws {
    let lines = Framer.delimiter(
      try DelimiterFramer(delimiters: [[0x0d, 0x0a], [0]], packetBytesMax: 100))
    let sent: [[UInt8]] = [
      [1, 0x0d, 0x0a], [0x0a, 0x0d, 0], [0x0d, 0x0a], [2, 3, 4, 0x0d, 0x0a],
    ]
    let stream = sent.flatMap { $0 }
    for pieceBytes in 1...stream.count {
      let world = world {
        $0.listeners[0].clientToServer = lines
        $0.listeners[0].serverToClient = lines
      }
      let client = world.connect()
      for start in stride(from: 0, to: stream.count, by: pieceBytes) {
        world.send(client, stream[start..<min(start + pieceBytes, stream.count)])
        world.settle()
      }
      #expect(world.workers[0].packets.map(\.payload) == sent)
      world.workers[0].answer(world.clients[client].uuid, [7, 0x0d])
      world.settle()
      #expect(world.clients[client].received == stream)
      world.workers[0].answer(world.clients[client].uuid, [0x0a, 8, 0, 9])
      world.settle()
      #expect(world.clients[client].received == stream + [7, 0x0d, 0x0a, 8, 0])
      world.send(client, [UInt8](repeating: 1, count: 99))
      world.settle()
      #expect(world.clients[client].isOpen)
      world.send(client, [1])
      world.settle()
      #expect(world.clients[client].closeReason == .framingViolation)
    }
  }
}
