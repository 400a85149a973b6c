import Auth
import Framing
import Primitives
import Testing

@testable import Gateway

private let first = SocketAddress(ipv4: 198, 51, 100, 1, port: 0)
private let second = SocketAddress(ipv4: 198, 51, 100, 2, port: 0)
private let elsewhere = SocketAddress(ipv4: 203, 0, 113, 9, port: 0)

private func ban(
  _ text: String, id: Int64 = 1, listener: String? = nil, reason: String = "", until: Int64? = nil
) -> Ban {
  Ban(
    id: id, subject: .addresses(AddressPrefix(text: text)!), listener: listener,
    shownReason: reason, until: until)
}

/// Goal: the banned do not come in, and do not stay; nobody else notices.
@Suite struct BanTests {
  @Test func theBannedAreTurnedAway() {
    let world = VirtualWorld {
      $0.listeners[0].refusals[.banned] = ReplyTemplate(bytes: Array("out: ".utf8))
    }
    world.setBans([ban("198.51.100.0/24", reason: "spam")])
    let banned = world.connect(from: first)
    let other = world.connect(from: elsewhere)
    #expect(!world.clients[banned].isOpen)
    #expect(world.text(banned) == "out: ")
    #expect(world.clients[banned].closeReason == .banned)
    #expect(world.clients[other].isOpen)
    #expect(world.metrics().listeners[0].sessionsClosed[Int(CloseReason.banned.rawValue)] == 1)
  }

  @Test func openSessionsEnd() {
    let world = VirtualWorld.withLogins { $0.limits.sessionsMax = 10_000 }
    let anna = world.logIn("anna", from: first)
    let bert = world.logIn("bert", from: elsewhere)
    let others = (0..<5000).map { _ in world.connect(from: second) }
    world.setBans([
      ban("198.51.100.2"), Ban(id: 2, subject: .account(AccountName("Bert")!), listener: nil),
    ])
    world.settle()
    #expect(world.clients[anna].isOpen)
    #expect(world.clients[bert].closeReason == .banned)
    #expect(
      others.allSatisfy { world.clients[$0].closeReason == .banned || !world.clients[$0].isOpen })
    #expect(world.shard.live.count == 1)
    #expect(world.metrics().access.loginsPending == 0)
  }

  @Test func aBanEndsWithItsTimeAndItsListener() {
    let world = VirtualWorld {
      $0.listeners.append(
        ListenerConfiguration(name: "lobby", host: "127.0.0.1", port: 7001, pool: 0))
    }
    let now = world.shard.time.unixSeconds
    world.setBans([ban("198.51.100.1", until: now + 60), ban("198.51.100.2", listener: "lobby")])
    #expect(!world.clients[world.connect(from: first)].isOpen)
    #expect(world.clients[world.connect(from: second)].isOpen)
    #expect(!world.clients[world.connect(listener: 1, from: second)].isOpen)
    world.advance(.seconds(61))
    #expect(world.clients[world.connect(from: first)].isOpen)
  }

  @Test func aBannedAccountIsNotEvenVerified() {
    let world = VirtualWorld.withLogins()
    world.setBans([Ban(id: 1, subject: .account(AccountName("anna")!))])
    let client = world.connect()
    world.send(client, Logins.packet("ANNA", "secret"))
    world.settle()
    #expect(world.claims.isEmpty)
    #expect(world.clients[client].closeReason == .banned)
  }

  /// Goal: a ban that comes while its account is being verified is not too late.
  @Test func aBanDuringTheLogin() {
    let world = VirtualWorld.withLogins()
    let client = world.connect()
    world.send(client, Logins.packet("anna", "secret"))
    world.settle()
    world.setBans([Ban(id: 1, subject: .account(AccountName("anna")!))])
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.clients[client].closeReason == .banned)
    #expect(world.workers[0].packets.isEmpty)
  }

  @Test func theAllowedAreLeftAlone() {
    let world = VirtualWorld {
      $0.listeners[0].limits.concurrentPerAddress = 1
      $0.access.allow = [.addresses(AddressPrefix(text: "203.0.113.0/24")!)]
    }
    for _ in 0..<3 { #expect(world.clients[world.connect(from: elsewhere)].isOpen) }
    world.setBans([ban("203.0.113.0/24")], allowed: [ban("203.0.113.9", id: 2)])
    world.settle()
    #expect(world.shard.live.count == 3)
  }

  /// Goal: what a rule banned stays banned until the store says that it was recorded, and is lifted
  /// when the store's ban is.
  @Test func ruleBansAreSettledWithTheStore() throws {
    let world = VirtualWorld.withLogins {
      $0.access.logins.refusalDelay = .zero
      $0.access.temporaryBans = [
        TemporaryBanRule(
          name: "guessing", trigger: .failedLogins, target: .address, count: 3,
          within: .seconds(60), duration: .seconds(600))
      ]
    }
    let player = world.logIn("anna", from: first)
    for _ in 0..<3 {
      let client = world.connect(from: first)
      world.send(client, Logins.packet("anna", "wrong"))
      world.settle()
      world.answerClaim(.refused(.wrongSecret))
      world.settle()
    }
    #expect(world.clients[player].closeReason == .banned)
    #expect(!world.clients[world.connect(from: first)].isOpen)
    #expect(world.clients[world.connect(from: second)].isOpen)
    let made = world.records.compactMap { record -> TemporaryBan? in
      if case .temporaryBan(let ban) = record { ban } else { nil }
    }
    let rule = try #require(made.first)
    #expect(made.count == 1)
    #expect(rule.until == world.shard.time.unixSeconds + 600)
    #expect(world.metrics().access.temporaryBans == 1)
    // Another change of bans does not lift it.
    world.setBans([], event: 4)
    #expect(!world.clients[world.connect(from: first)].isOpen)
    world.shard.banRecorded(rule, event: 5)
    #expect(!world.clients[world.connect(from: first)].isOpen)
    // Recorded and lifted before anybody looked.
    world.setBans([], event: 6)
    #expect(world.clients[world.connect(from: first)].isOpen)
  }
}

/// Goal: a ban that an operator lifted is no licence to go on.
@Suite struct LiftedBanTests {
  @Test func countingGoesOn() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .lengthPrefix(bytesMax: 1000)
      $0.access.temporaryBans = [
        TemporaryBanRule(
          name: "broken", trigger: .violations, target: .address, count: 2, within: .seconds(60),
          duration: .seconds(3600))
      ]
      $0.store = StoreConfiguration(path: "virtual")
    }
    func violate() {
      let client = world.connect(from: first)
      world.send(client, [0xff, 0xff])
      world.settle()
    }
    violate()
    violate()
    for case .temporaryBan(let made) in world.records { world.shard.banRecorded(made, event: 1) }
    world.setBans([ban("198.51.100.1", id: 9)], event: 1)
    world.setBans([], event: 2)
    #expect(world.clients[world.connect(from: first)].isOpen)
    violate()
    violate()
    #expect(!world.clients[world.connect(from: first)].isOpen)
  }
}

/// Goal: no address, prefix or session takes more than its share.
@Suite struct LimitTests {
  @Test func connectionsAtATime() {
    let world = VirtualWorld {
      $0.listeners[0].limits.concurrentPerAddress = 2
      $0.listeners[0].limits.concurrentPerPrefix = 3
    }
    let clients = [first, first, first, second, second].map { world.connect(from: $0) }
    #expect(clients.map { world.clients[$0].isOpen } == [true, true, false, true, false])
    #expect(world.clients[clients[2]].closeReason == .connectionLimit)
    #expect(world.clients[world.connect(from: elsewhere)].isOpen)
    world.end(clients[0])
    world.advance(.seconds(1))
    #expect(world.clients[world.connect(from: second)].isOpen)
    #expect(!world.clients[world.connect(from: second)].isOpen)
  }

  @Test func newConnectionsASecond() {
    let world = VirtualWorld {
      $0.listeners[0].limits.connectionsPerAddress = Rate(perSecond: 1, burst: 3)
    }
    let clients = (0..<5).map { _ in world.connect(from: first) }
    #expect(clients.map { world.clients[$0].isOpen } == [true, true, true, false, false])
    #expect(world.clients[world.connect(from: second)].isOpen)
    world.advance(.milliseconds(1100))
    #expect(world.clients[world.connect(from: first)].isOpen)
    #expect(!world.clients[world.connect(from: first)].isOpen)
  }

  /// Goal: a session that is slowed down loses nothing and gets no more than its rate.
  @Test(arguments: 0..<10) func slowingDown(seed: UInt64) {
    let world = VirtualWorld(seed: seed) {
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].limits.packets = Rate(perSecond: 100, burst: 10)
    }
    world.cuts = true
    let client = world.connect()
    let packets = (0..<200).map { Packets.make([UInt8($0)]) }
    world.send(client, packets.flatMap { $0 })
    world.settle()
    #expect((10...12).contains(world.workers[0].packets.count))
    world.advance(.seconds(1))
    #expect((105...115).contains(world.workers[0].packets.count))
    world.advance(.seconds(1))
    #expect(world.workers[0].packets.map(\.payload) == packets)
    #expect(world.clients[client].isOpen)
    #expect(world.metrics().access.slowDowns > 10)
  }

  @Test func dropping() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].limits.packets = Rate(perSecond: 1, burst: 3)
      $0.listeners[0].limits.packetsAction = .drop
    }
    let client = world.connect()
    world.send(client, (0..<10).flatMap { Packets.make([$0]) })
    world.settle()
    #expect(world.workers[0].packets.count == 3)
    #expect(world.metrics().access.packetsDropped == 7)
    #expect(world.clients[client].isOpen)
  }

  @Test func closing() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].limits.bytes = Rate(perSecond: 10, burst: 100)
      $0.listeners[0].limits.bytesAction = .close
      $0.listeners[0].limits.packetBytesMax = 50
    }
    let byBytes = world.connect()
    world.send(byBytes, (0..<10).flatMap { Packets.make(Array(repeating: $0, count: 28)) })
    let byPacket = world.connect()
    world.send(byPacket, Packets.make(Array(repeating: 1, count: 49)))
    world.settle()
    #expect(world.clients[byBytes].closeReason == .rateLimited)
    #expect(world.workers[0].packets.count == 3)
    #expect(world.clients[byPacket].closeReason == .rateLimited)
  }

  @Test func violationsBan() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .lengthPrefix(bytesMax: 1000)
      $0.access.temporaryBans = [
        TemporaryBanRule(
          name: "broken", trigger: .violations, target: .address, count: 2, within: .seconds(60),
          duration: .seconds(60))
      ]
    }
    for _ in 0..<2 {
      let client = world.connect(from: first)
      world.send(client, [0xff, 0xff])
      world.settle()
    }
    #expect(!world.clients[world.connect(from: first)].isOpen)
    world.advance(.seconds(61))
    #expect(world.clients[world.connect(from: first)].isOpen)
  }

  @Test func whatAppliesIsExplained() throws {
    let world = VirtualWorld {
      $0.listeners[0].limits.concurrentPerAddress = 5
      $0.access.temporaryBans = [
        TemporaryBanRule(
          name: "broken", trigger: .violations, target: .address, count: 9, within: .seconds(60),
          duration: .seconds(60))
      ]
    }
    _ = world.connect(from: first)
    world.setBans([ban("198.51.100.0/24", listener: "lobby")])
    let token = world.command(.explain(.addresses(AddressPrefix(first))))
    guard case .explanation(let explanation)? = world.replies(to: token).first else {
      Issue.record("no explanation")
      return
    }
    #expect(explanation.sessions == 1)
    #expect(
      explanation.counters.map(\.name) == ["limits.concurrent_per_address", "temporary_ban.broken"])
    #expect(explanation.counters.map(\.used) == [1, 0])
    #expect(explanation.counters.map(\.most) == [5, 9])
  }

  @Test func kicking() {
    let world = VirtualWorld.withLogins()
    let anna = world.logIn("anna", from: first)
    let bert = world.logIn("bert", from: second)
    let token = world.command(.closeSessions(of: .account(AccountName("ANNA")!)))
    guard case .closed(1)? = world.replies(to: token).first else {
      Issue.record("not one session closed")
      return
    }
    world.settle()
    #expect(world.clients[anna].closeReason == .closedByOperator)
    #expect(world.clients[bert].isOpen)
  }
}

/// Goal: what goes on in spite of limits ends in a ban where the operator wants it.
@Suite struct LimitBanTests {
  @Test func tooMuchTrafficBansAtOnce() {
    let world = VirtualWorld {
      $0.listeners[0].clientToServer = .short
      $0.listeners[0].limits.packets = Rate(perSecond: 1, burst: 3)
      $0.listeners[0].limits.packetsAction = .ban
      $0.listeners[0].limits.banFor = .seconds(60)
    }
    let client = world.connect(from: first)
    world.send(client, (0..<10).flatMap { Packets.make([$0]) })
    world.settle()
    #expect(world.clients[client].closeReason == .rateLimited)
    #expect(!world.clients[world.connect(from: first)].isOpen)
    #expect(world.clients[world.connect(from: second)].isOpen)
    world.advance(.seconds(61))
    #expect(world.clients[world.connect(from: first)].isOpen)
  }

  @Test func connectingOnAndOnBans() {
    let world = VirtualWorld {
      $0.listeners[0].limits.concurrentPerAddress = 1
      $0.access.temporaryBans = [
        TemporaryBanRule(
          name: "flood", trigger: .refusedConnections, target: .address, count: 5,
          within: .seconds(10), duration: .seconds(60))
      ]
    }
    let player = world.connect(from: first)
    for _ in 0..<5 { world.connect(from: first) }
    world.settle()
    #expect(world.clients[player].closeReason == .banned)
    #expect(world.clients[world.connect(from: first)].closeReason == .banned)
  }
}
