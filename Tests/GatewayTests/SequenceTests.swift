import Auth
import Framing
import Primitives
import Testing

@testable import Gateway

/// Goal: a framer that changes on the way cuts each session's stream at its own place.
@Suite struct SequenceTests {
  private let lines: Framer
  private let dropped: Framer

  init() throws {
    lines = .delimiter(try DelimiterFramer(delimiters: [[0x0a]], packetBytesMax: 512))
    dropped = .delimiter(
      try DelimiterFramer(
        delimiters: [[0x0a], [0x0d, 0x0a]], keepsDelimiter: false, packetBytesMax: 512))
  }

  private func sequence(
    _ first: Framer, _ until: SequenceFramer.Until, then last: Framer
  ) throws -> Framer {
    .sequence(
      try SequenceFramer(steps: [SequenceFramer.Step(framer: first, until: until)], last: last))
  }

  private func payloads(_ world: VirtualWorld) -> [[UInt8]] {
    world.workers[0].packets.map(\.payload)
  }

  private func bytes(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  /// Goal: a prelude is a packet of its own, wherever the network cuts the stream.
  @Test(arguments: 0..<10) func aPreludeThenPackets(seed: UInt64) throws {
    let prelude = Framer.fixed(try FixedFramer(size: 4))
    let framer = try sequence(prelude, .packets(1), then: .short)
    let world = VirtualWorld(seed: seed) { $0.listeners[0].clientToServer = framer }
    world.cuts = true
    let packets = [Packets.make([1, 2, 3]), Packets.make([]), Packets.make([4])]
    for _ in 0..<3 {
      let client = world.connect()
      let before = payloads(world).count
      world.send(client, [9, 9, 9, 9] + packets.flatMap { $0 })
      world.settle()
      #expect(Array(payloads(world)[before...]) == [[9, 9, 9, 9]] + packets)
    }
  }

  /// Goal: packets that were held during the login keep the bounds that the login's framer found,
  /// whatever framer goes on with the stream.
  @Test(arguments: 0..<10) func heldPacketsKeepTheirBounds(seed: UInt64) throws {
    let login = LoginDescription(parts: [
      LoginPart(fields: [LoginField(.account, .line)]),
      LoginPart(fields: [LoginField(.secret, .line)]),
    ])
    let world = VirtualWorld.withLogins(seed: seed) {
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].loginFramer = lines
      $0.listeners[0].authentication!.login = login
    }
    world.cuts = true
    let client = world.connect()
    let packets = [
      Packets.make([1, 2]), Packets.make([]), Packets.make(Array(repeating: 7, count: 99)),
    ]
    world.send(client, Array("anna\nsecret\n".utf8) + packets.flatMap { $0 })
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(payloads(world) == bytes("anna\n", "secret\n") + packets)
    world.send(client, packets[2])
    world.settle()
    #expect(payloads(world).last == packets[2])
  }

  /// Goal: the same while no worker can take them: held packets wait with their bounds.
  @Test func heldPacketsWaitForAWorker() throws {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].clientToServer = .raw
      $0.listeners[0].loginFramer = .short
    }
    world.workers[0].onPacket = { _, _ in }
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.settle()
    let client = world.connect()
    let login = Logins.packet("anna", "secret")
    world.send(client, login + Array("raw bytes".utf8))
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.clients[client].isOpen)
    #expect(payloads(world).isEmpty)
    world.workers[0].reachability = .accepts
    _ = world.advance(upTo: .seconds(8)) { !payloads(world).isEmpty }
    world.settle()
    #expect(payloads(world) == [login] + bytes("raw bytes"))
  }

  /// Goal: one framer says it all: cut until the login, then whatever comes.
  @Test(arguments: 0..<10) func untilAuthenticatedThenRaw(seed: UInt64) throws {
    let framer = try sequence(.short, .authenticated, then: .raw)
    let world = VirtualWorld.withLogins(seed: seed) {
      $0.listeners[0].clientToServer = framer
      $0.listeners[0].serverToClient = framer
    }
    world.workers[0].onPacket = { _, _ in }
    let client = world.connect()
    world.send(client, Logins.packet("anna", "secret"))
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    // As a length this would be a violation.
    world.send(client, [0xff, 0xff, 0xff])
    world.settle()
    #expect(payloads(world) == [Logins.packet("anna", "secret"), [0xff, 0xff, 0xff]])
    world.workers[0].answer(world.clients[client].uuid, [0xff, 0xff, 0xfe])
    world.settle()
    #expect(world.clients[client].received == [0xff, 0xff, 0xfe])
  }

  /// Goal: where nobody is asked who they are, everybody counts as let in.
  @Test func withoutAuthenticationTheStepIsOver() throws {
    let framer = try sequence(.short, .authenticated, then: lines)
    let world = VirtualWorld { $0.listeners[0].clientToServer = framer }
    let client = world.connect()
    world.send(client, Array("a line\nand half".utf8))
    world.settle()
    #expect(payloads(world) == bytes("a line\n"))
  }

  /// Goal: a delimiter that is not kept reaches no worker, and an empty line is an empty packet.
  @Test(arguments: 0..<10) func delimitersThatAreNotKept(seed: UInt64) {
    let world = VirtualWorld(seed: seed) { $0.listeners[0].clientToServer = dropped }
    world.cuts = true
    let client = world.connect()
    world.send(client, Array("one\r\n\ntwo\n\r\nthree\r\n".utf8))
    world.settle()
    #expect(payloads(world) == bytes("one", "", "two", "", "three"))
  }

  /// Goal: a broadcast is judged at the place that each client's stream has come to.
  @Test func broadcastsBetweenSteps() throws {
    let greeting = Framer.fixed(try FixedFramer(size: 3))
    let framer = try sequence(greeting, .packets(1), then: .short)
    let world = VirtualWorld { $0.listeners[0].serverToClient = framer }
    world.workers[0].onPacket = { _, _ in }
    let greeted = world.connect()
    let fresh = world.connect()
    world.settle()
    world.workers[0].answer(world.clients[greeted].uuid, [1, 2, 3])
    world.settle()
    world.workers[0].broadcast(0, Packets.make([5, 5, 5]))
    world.settle()
    #expect(world.clients[greeted].received == [1, 2, 3] + Packets.make([5, 5, 5]))
    // Its first three bytes would be the greeting, and the rest no packet.
    #expect(world.clients[fresh].received.isEmpty)
    #expect(world.clients[fresh].isOpen)
    world.workers[0].answer(world.clients[fresh].uuid, [1, 2, 3])
    world.settle()
    world.workers[0].broadcast(0, Packets.make([6]))
    world.settle()
    #expect(world.clients[fresh].received == [1, 2, 3] + Packets.make([6]))
    #expect(world.metrics().broadcastsRefused == 1)
  }

  /// Goal: half a packet of a lost worker does not shift what the next one sends, in any step.
  @Test func halfAPacketOfALostWorkerIsForgotten() throws {
    let framer = try sequence(lines, .packets(1), then: .short)
    let world = VirtualWorld(workers: 2) { $0.listeners[0].serverToClient = framer }
    for worker in world.workers { worker.onPacket = { _, _ in } }
    let client = world.connect()
    world.send(client, "which worker is it?")
    world.settle()
    let uuid = world.clients[client].uuid
    let first = try #require(world.workers.firstIndex { !$0.packets.isEmpty })
    world.workers[first].answer(uuid, Array("hello\n".utf8) + [0, 9, 1])
    world.settle()
    world.workers[first].reachability = .refuses
    world.crash(first)
    world.settle()
    world.workers[1 - first].answer(uuid, Packets.make([8]))
    world.settle()
    #expect(world.clients[client].received == Array("hello\n".utf8) + Packets.make([8]))
  }

  /// Goal: a client that is closed while its login's packets wait for a worker is asked for nothing
  /// more when the worker takes some again.
  @Test func closedWhileHeldPacketsWait() throws {
    let world = VirtualWorld.withLogins {
      $0.limits.workerQueueBytesMax = 50_000
      $0.listeners[0].refusals[.closedByOperator] = ReplyTemplate(bytes: Array("kicked".utf8))
    }
    world.workers[0].onPacket = { _, _ in }
    let first = world.logIn("anna")
    world.setNetwork(of: 0, bytesMax: 0)
    for _ in 0..<300 {
      world.send(first, Packets.make(Array(repeating: 1, count: 300)))
      world.settle()
    }
    let second = world.connect()
    // It takes nothing, so that it stays while it closes.
    world.clients[second].room = 0
    world.send(second, Logins.packet("otto", "secret"))
    world.settle()
    world.answerClaim(.accepted(AccountName("otto")!, attributes: []))
    world.settle()
    let index = try #require(world.clients[second].id?.index)
    #expect(world.shard.sessions[index].heldByteCount > 0)
    let uuid = try #require(world.session(second)?.uuid)
    world.command(.closeSession(uuid))
    world.settle()
    #expect(world.shard.sessions[index].phase == .closing)
    world.setNetwork(of: 0, bytesMax: nil)
    world.settle()
    world.take(second, 100)
    world.settle()
    #expect(world.text(second) == "kicked")
    #expect(world.clients[second].closeReason == .closedByOperator)
    #expect(payloads(world).last == Packets.make(Array(repeating: 1, count: 300)))
  }

  /// Goal: what the login's framer could not tell ends with the login.
  @Test func anUnknownOpcodeBeforeTheLogin() throws {
    let table = Framer.table(
      try TableFramer(
        opcode: LengthField(offset: 0, width: 1, endianness: .little),
        entries: [.init(opcode: 1, length: .fixed(2))], unknown: .raw))
    let login = LoginDescription(parts: [
      LoginPart(
        match: [.bytes([0x4c], offset: 0)],
        fields: [
          LoginField(.account, .lengthPrefixed(.one), at: .offset(1)),
          LoginField(.secret, .lengthPrefixed(.one)),
        ])
    ])
    let world = VirtualWorld.withLogins {
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].loginFramer = table
      $0.listeners[0].authentication!.login = login
    }
    let client = world.connect()
    world.send(client, Array("L".utf8) + [4] + Array("anna".utf8) + [1, 0x73])
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    let packets = [Packets.make([1]), Packets.make([2, 2])]
    world.send(client, packets[0] + packets[1])
    world.settle()
    #expect(Array(payloads(world).suffix(2)) == packets)
  }
}
