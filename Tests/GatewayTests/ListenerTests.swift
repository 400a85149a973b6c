import Auth
import Framing
import Primitives
import SampleWorker
import Testing

@testable import Gateway

private let first = SocketAddress(ipv4: 198, 51, 100, 1, port: 0)
private let second = SocketAddress(ipv4: 198, 51, 100, 2, port: 0)

/// Goal: a listener that is added serves as those of the configuration do.
@Suite struct AddedListenerTests {
  @Test func itsClientsReachTheWorkerAndAreItsOwn() throws {
    let world = VirtualWorld(connects: false)
    world.workers[0].sessionEvents = true
    world.start()
    world.settle()
    let slot = try world.addListener("lobby") { $0.framerName = "lines" }.get()
    let client = world.connect(listener: slot)
    world.send(client, "hello")
    world.settle()
    #expect(world.text(client) == "hello")
    #expect(world.session(client)?.listener == "lobby")
    guard case .opened(let opened)? = world.workers[0].events.first?.event else {
      Issue.record("the worker was told of no session")
      return
    }
    #expect(opened.listener == "lobby")
    #expect(opened.framer == "lines")
    let metrics = world.metrics().listeners
    #expect(metrics.map(\.name) == ["game", "lobby"])
    #expect(metrics.map(\.sessionsOpened) == [0, 1])
    #expect(metrics.map(\.packetsIn) == [0, 1])
    let events = world.log.compactMap { event -> String? in
      if case .listenerAdded(let name, let address, let pool, let framer) = event {
        return "\(name) \(address) \(pool) \(framer)"
      }
      return nil
    }
    #expect(events == ["lobby 127.0.0.1:7100 main lines"])
  }

  @Test func itsOwnFramerLimitsAndRefusalsHold() throws {
    let world = VirtualWorld()
    let slot = try world.addListener("lobby") {
      $0.clientToServer = .short
      $0.limits.concurrentPerAddress = 1
      $0.refusals[.connectionLimit] = ReplyTemplate(bytes: Array("full".utf8))
      $0.idleTimeout = .seconds(5)
    }.get()
    let client = world.connect(listener: slot, from: first)
    let refused = world.connect(listener: slot, from: first)
    #expect(world.text(refused) == "full")
    world.send(client, [0, 2, 1])
    world.settle()
    #expect(world.workers[0].packets.isEmpty)
    world.send(client, [2])
    world.settle()
    #expect(world.clients[client].received == [0, 2, 1, 2])
    world.advance(.seconds(6))
    #expect(world.clients[client].closeReason == .idleTimeout)
  }

  @Test func itMayAskForLogins() throws {
    let world = VirtualWorld { $0.store = StoreConfiguration(path: "virtual") }
    let slot = try world.addListener("lobby") {
      $0.clientToServer = .short
      $0.authentication = AuthenticationConfiguration(kind: .password, login: Logins.description)
    }.get()
    let client = world.connect(listener: slot)
    world.send(client, Logins.packet("anna", "secret"))
    world.settle()
    #expect(world.claims.map(\.listener) == ["lobby"])
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.session(client)?.account?.text == "anna")
    #expect(world.listeners().last?.authentication == "password")
  }

  /// Goal: an operator who asks why finds the counters of the listener as well, while it is there.
  @Test func itsCountersAreExplained() throws {
    let world = VirtualWorld()
    let slot = try world.addListener("lobby") { $0.limits.concurrentPerAddress = 3 }.get()
    let client = world.connect(listener: slot, from: first)
    func counters() throws -> [String] {
      let token = world.command(.explain(.addresses(AddressPrefix(first))))
      guard case .explanation(let explanation)? = world.replies(to: token).first else { return [] }
      return explanation.counters.map { "\($0.listener ?? "-") \($0.name) \($0.used)/\($0.most)" }
    }
    #expect(try counters() == ["lobby limits.concurrent_per_address 1/3"])
    world.removeListener("lobby")
    #expect(try counters() == ["lobby limits.concurrent_per_address 1/3"])
    world.reset(client)
    world.settle()
    #expect(try counters().isEmpty)
  }

  @Test func whatCanNotBeAddedIsRefused() throws {
    let world = VirtualWorld()
    #expect(world.addListener("game").failure == .listenerNameTaken(sessions: nil))
    for number in 1..<Shard.listenersMax { _ = try world.addListener("l\(number)").get() }
    #expect(world.addListener("one more").failure == .tooManyListeners)
    world.removeListener("l7")
    world.settle()
    #expect(try world.addListener("one more").get() == 7)
    world.beginShutdown()
    #expect(world.addListener("late").failure == .shuttingDown)
    #expect(world.removeListener("l8").failure == .shuttingDown)
  }
}

/// Goal: a listener that is removed takes nobody any more, and who is in may stay.
@Suite struct RemovedListenerTests {
  @Test func itsSessionsStayUntilTheyEnd() throws {
    let world = VirtualWorld()
    let slot = try world.addListener("lobby").get()
    let clients = (0..<2).map { _ in world.connect(listener: slot) }
    let status = try world.removeListener("lobby").get()
    #expect(status.state == .draining)
    #expect(status.sessions == 2)
    #expect(!world.openListeners.contains(slot))
    world.send(clients[0], "still here")
    world.settle()
    #expect(world.text(clients[0]) == "still here")
    #expect(world.addListener("lobby").failure == .listenerNameTaken(sessions: 2))
    world.reset(clients[0])
    world.settle()
    #expect(world.listeners().map(\.sessions) == [0, 1])
    #expect(world.metrics().listeners.map(\.name) == ["game", "lobby"])
    world.reset(clients[1])
    world.settle()
    #expect(world.listeners().map(\.name) == ["game"])
    #expect(world.metrics().listeners.map(\.name) == ["game"])
    let gone = world.log.filter { if case .listenerGone("lobby") = $0 { true } else { false } }
    #expect(gone.count == 1)
  }

  @Test func orTheyAreClosedAndTold() throws {
    let world = VirtualWorld(connects: false)
    world.workers[0].sessionEvents = true
    world.start()
    world.settle()
    let slot = try world.addListener("lobby") {
      $0.refusals[.listenerRemoved] = ReplyTemplate(bytes: Array("moved".utf8))
    }.get()
    let (here, there) = (world.connect(), world.connect(listener: slot))
    world.settle()
    world.removeListener("lobby")
    #expect(world.clients[there].isOpen)
    world.removeListener("lobby", closing: true)
    world.settle()
    #expect(world.clients[there].closeReason == .listenerRemoved)
    #expect(world.text(there) == "moved")
    #expect(world.clients[here].isOpen)
    #expect(world.workers[0].events.last?.event == .closed(reason: 134))
    #expect(world.listeners().map(\.name) == ["game"])
    #expect(world.removeListener("lobby").failure == .unknownListener("lobby"))
  }

  /// Goal: a client that takes nothing keeps its listener for its write timeout, and no longer.
  @Test func aClientThatTakesNothingHoldsItUpForAWhile() throws {
    let world = VirtualWorld()
    let slot = try world.addListener("lobby") { $0.writeTimeout = .seconds(2) }.get()
    let client = world.connect(listener: slot)
    world.clients[client].room = 0
    world.send(client, "echo")
    world.settle()
    world.removeListener("lobby", closing: true)
    world.settle()
    #expect(world.listeners().count == 2)
    world.advance(.seconds(3))
    #expect(world.listeners().count == 1)
    #expect(world.clients[client].closeReason == .listenerRemoved)
  }

  @Test func listenersOfTheConfigurationGoLikewise() throws {
    let world = VirtualWorld()
    let client = world.connect()
    #expect(try world.removeListener("game").get().origin == .configuration)
    world.reset(client)
    world.settle()
    #expect(world.listeners().isEmpty)
    // What a worker says to everybody has nobody to reach.
    world.workers[0].broadcast(0, [0xff])
    world.settle()
    #expect(world.metrics().broadcastsRefused == 0)
    #expect(try world.addListener("game").get() == 0)
    world.send(world.connect(), "x")
    world.settle()
    #expect(world.workers[0].packets.count == 1)
  }

  @Test func aShutdownWaitsForDrainingListenersToo() throws {
    let world = VirtualWorld()
    let slot = try world.addListener("lobby").get()
    let client = world.connect(listener: slot)
    world.removeListener("lobby")
    world.beginShutdown()
    world.advance(.seconds(1))
    #expect(world.clients[client].closeReason == .shutdown)
    #expect(world.isFinished)
  }
}

/// Goal: a listener that comes into the place of another has nothing of it.
@Suite struct ReusedSlotTests {
  private func replaceListener(
    _ world: VirtualWorld, adjust: (inout ListenerConfiguration) -> Void = { _ in }
  ) throws -> Int {
    world.settle()
    return try world.addListener("arena", port: 7200, adjust: adjust).get()
  }

  @Test func countersAndLimitsBeginAnew() throws {
    let world = VirtualWorld()
    let old = try world.addListener("lobby") {
      $0.limits.connectionsPerAddress = Rate(perSecond: 1, burst: 1)
      $0.limits.packetBytesMax = 2
      $0.authentication = nil
    }.get()
    let client = world.connect(listener: old, from: first)
    #expect(!world.clients[world.connect(listener: old, from: first)].isOpen)
    world.send(client, "abc")
    world.settle()
    #expect(world.clients[client].closeReason == .rateLimited)
    world.removeListener("lobby")
    let new = try replaceListener(world)
    #expect(new == old)
    let metrics = try #require(world.metrics().listeners.last)
    #expect(metrics.name == "arena")
    #expect(metrics.sessionsOpened == 0)
    #expect(metrics.sessionsClosed.allSatisfy { $0 == 0 })
    #expect(metrics.bytesIn == 0)
    let clients = (0..<3).map { _ in world.connect(listener: new, from: first) }
    #expect(clients.allSatisfy { world.clients[$0].isOpen })
    world.send(clients[0], "abc")
    world.settle()
    #expect(world.text(clients[0]) == "abc")
  }

  /// Goal: a flood at one listener leaves the log of the next in its place alone.
  @Test func itsRefusalsAreLogged() throws {
    let world = VirtualWorld()
    world.setBans([Ban(id: 1, subject: .addresses(AddressPrefix(text: "198.51.100.1")!))])
    let old = try world.addListener("lobby").get()
    for _ in 0..<50 { world.connect(listener: old, from: first) }
    world.removeListener("lobby")
    let new = try replaceListener(world)
    world.connect(listener: new, from: first)
    let refused = world.log.compactMap { event -> SessionRefusedEvent? in
      if case .sessionRefused(let refused) = event { refused } else { nil }
    }
    #expect(refused.last?.listener == "arena")
    #expect(refused.last?.unlogged == 0)
    #expect(refused.count == 11)
  }

  @Test func bansGoByTheName() throws {
    let world = VirtualWorld()
    // Both tables know nothing of the listener but by its ban.
    world.setBans([
      Ban(id: 1, subject: .addresses(AddressPrefix(text: "198.51.100.1")!), listener: "lobby"),
      Ban(id: 2, subject: .addresses(AddressPrefix(text: "198.51.100.2")!), listener: "arena"),
    ])
    func isLetIn(_ slot: Int, _ address: SocketAddress) -> Bool {
      world.clients[world.connect(listener: slot, from: address)].isOpen
    }
    let old = try world.addListener("lobby").get()
    #expect(!isLetIn(old, first))
    #expect(isLetIn(old, second))
    #expect(isLetIn(0, first))
    world.removeListener("lobby", closing: true)
    let new = try replaceListener(world)
    #expect(new == old)
    #expect(isLetIn(new, first))
    #expect(!isLetIn(new, second))
    // The next table may number them otherwise.
    world.setBans([
      Ban(id: 4, subject: .addresses(AddressPrefix(text: "203.0.113.1")!), listener: "other"),
      Ban(id: 2, subject: .addresses(AddressPrefix(text: "198.51.100.2")!), listener: "arena"),
    ])
    #expect(isLetIn(new, first))
    #expect(!isLetIn(new, second))
  }

  /// Goal: a ban of the listener that comes later ends who is in there.
  @Test func sweepsGoByTheName() throws {
    let world = VirtualWorld()
    let slot = try world.addListener("lobby").get()
    let (here, there) = (world.connect(from: first), world.connect(listener: slot, from: first))
    world.setBans([
      Ban(id: 1, subject: .addresses(AddressPrefix(text: "198.51.100.1")!), listener: "lobby")
    ])
    world.settle()
    #expect(world.clients[here].isOpen)
    #expect(world.clients[there].closeReason == .banned)
  }

  /// Goal: a verdict on a client that has left is not held against another listener.
  @Test func lateVerdictsKeepThePlace() throws {
    let world = VirtualWorld { $0.store = StoreConfiguration(path: "virtual") }
    let old = try world.addListener("lobby") {
      $0.clientToServer = .short
      $0.authentication = AuthenticationConfiguration(kind: .password, login: Logins.description)
    }.get()
    let client = world.connect(listener: old)
    world.send(client, Logins.packet("anna", "wrong"))
    world.settle()
    world.reset(client)
    world.settle()
    world.removeListener("lobby")
    let new = try replaceListener(world)
    #expect(new != old)
    world.answerClaim(.refused(.wrongSecret))
    world.settle()
    #expect(world.listeners().map(\.name) == ["game", "arena"])
    let login = world.records.compactMap { record -> LoginRecord? in
      if case .login(let login) = record { login } else { nil }
    }.last
    #expect(login?.listener == "lobby")
  }

  @Test func timersAreThoseOfTheNewListener() throws {
    let world = VirtualWorld()
    let old = try world.addListener("lobby") { $0.idleTimeout = .seconds(1) }.get()
    let gone = world.connect(listener: old)
    world.removeListener("lobby", closing: true)
    let new = try replaceListener(world) { $0.idleTimeout = .seconds(30) }
    #expect(!world.clients[gone].isOpen)
    let client = world.connect(listener: new)
    world.advance(.seconds(29))
    #expect(world.clients[client].isOpen)
    world.advance(.seconds(2))
    #expect(world.clients[client].closeReason == .idleTimeout)
  }
}

extension Result {
  var failure: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}
