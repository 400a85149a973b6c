import Auth
import Framing
import Primitives
import Testing

@testable import Gateway

/// Goal: nobody's bytes reach a worker before they are let in, and none are lost when they are.
@Suite struct LoginTests {
  private let login = Logins.packet("anna", "secret")
  private let move = Packets.make([1, 2, 3])

  @Test func aClientIsLetIn() {
    let world = VirtualWorld.withLogins()
    let client = world.connect()
    world.send(client, login + move)
    world.settle()
    #expect(world.workers[0].packets.isEmpty)
    #expect(world.claims.map(\.credentials.account) == ["anna"])
    #expect(world.claims.map(\.credentials.secret) == [Array("secret".utf8)])
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.workers[0].packets.map(\.payload) == [login, move])
    #expect(world.session(client)?.account == AccountName("anna"))
    #expect(world.session(client)?.isPending == false)
    #expect(world.history == ["anna accepted "])
    #expect(world.metrics().access.loginsAccepted == 1)
    #expect(world.metrics().access.loginsPending == 0)
  }

  @Test func theLoginIsNotForwardedWhenItShallNotBe() {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication!.forwardsFirstPacket = false
    }
    let client = world.connect()
    world.send(client, login + move + move)
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.workers[0].packets.map(\.payload) == [move, move])
  }

  /// Goal: what comes before the login waits, in its order, and a client cut at every byte is none
  /// the worse.
  @Test(arguments: 0..<20) func whatComesBeforeWaits(seed: UInt64) {
    let world = VirtualWorld.withLogins(seed: seed)
    world.cuts = true
    let client = world.connect()
    world.send(client, move + login + Packets.make([9]))
    world.settle()
    #expect(world.workers[0].packets.isEmpty)
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.workers[0].packets.map(\.payload) == [move, login, Packets.make([9])])
  }

  /// Goal: a client that ends its direction behind its login still gets its answers.
  @Test func aClientThatEndsAtOnce() {
    let world = VirtualWorld.withLogins()
    let client = world.connect()
    world.send(client, login + move)
    world.end(client)
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.clients[client].received == login + move)
    world.advance(.seconds(1))
    #expect(world.clients[client].closeReason == .clientClosed)
  }

  @Test func aClientThatEndsWithoutALogin() {
    let world = VirtualWorld.withLogins()
    let client = world.connect()
    world.send(client, login.dropLast())
    world.end(client)
    world.settle()
    #expect(world.clients[client].closeReason == .clientClosed)
    #expect(world.workers[0].packets.isEmpty)
  }

  @Test func aClientThatSaysNothing() {
    let world = VirtualWorld.withLogins { $0.listeners[0].authentication!.deadline = .seconds(3) }
    let client = world.connect()
    world.advance(.milliseconds(2900))
    #expect(world.clients[client].isOpen)
    // The deadline counts from accept, not from the last byte.
    world.send(client, login.prefix(3))
    world.advance(.milliseconds(200))
    #expect(world.clients[client].closeReason == .loginTimeout)
  }

  @Test func aClientThatSendsTooMuch() {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication!.login = LoginDescription(parts: [Logins.part], bytesMax: 100)
    }
    let client = world.connect()
    world.send(client, [0xff, 0x00] + Array(repeating: 0, count: 1 << 20))
    world.settle()
    #expect(world.clients[client].closeReason == .loginInvalid)
    #expect(world.clients[client].unreadBytes > (1 << 20) - 256)
  }

  /// Goal: pipelined bytes behind the login beyond the login's own bound are no offence.
  @Test func muchBehindTheLogin() {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication!.login = LoginDescription(parts: [Logins.part], bytesMax: 64)
    }
    let client = world.connect()
    let many = Array(repeating: move, count: 1000)
    world.send(client, login + many.flatMap { $0 })
    world.settle()
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.workers[0].packets.map(\.payload) == [login] + many)
  }

  @Test func aWrongFirstPacket() {
    let world = VirtualWorld.withLogins()
    let client = world.connect()
    world.send(client, Packets.make(Array("L".utf8) + [200, 1]))
    world.settle()
    #expect(world.clients[client].closeReason == .loginInvalid)
    #expect(world.claims.isEmpty)
  }

  // MARK: Verdicts

  /// Goal: a refusal takes as long whatever its reason, and says so in the game's own protocol.
  @Test(arguments: LoginRefusal.allCases) func aRefusal(_ refusal: LoginRefusal) {
    let farewell = [UInt8]("no\0".utf8)
    let world = VirtualWorld.withLogins {
      $0.listeners[0].refusals[.loginRefused] = ReplyTemplate(bytes: farewell)
      $0.listeners[0].refusals[.accountDisabled] = ReplyTemplate(bytes: farewell)
      $0.access.logins.refusalDelay = .milliseconds(400)
    }
    let client = world.connect()
    world.send(client, login + move)
    world.settle()
    world.answerClaim(.refused(refusal))
    world.advance(.milliseconds(390))
    #expect(world.clients[client].isOpen)
    #expect(world.clients[client].received.isEmpty)
    world.advance(.milliseconds(20))
    let reason = refusal == .accountDisabled ? CloseReason.accountDisabled : .loginRefused
    #expect(world.clients[client].closeReason == reason)
    #expect(world.clients[client].received == farewell)
    #expect(world.workers[0].packets.isEmpty)
    #expect(world.history == ["anna \(reason.name) \(refusal.rawValue)"])
  }

  @Test func theStoreCanNotBeAsked() {
    let world = VirtualWorld.withLogins()
    let player = world.logIn("bert")
    let client = world.connect()
    world.send(client, login)
    world.settle()
    world.answerClaim(.unavailable("disk full"))
    world.settle()
    #expect(world.clients[client].closeReason == .storeUnavailable)
    #expect(world.clients[player].isOpen)
    #expect(world.metrics().access.loginsUnavailable == 1)
    #expect(world.history.last == "anna store-unavailable disk full")
  }

  /// Goal: a verdict for a client that left meanwhile does nothing but free its place.
  @Test func aVerdictForNobody() {
    let world = VirtualWorld.withLogins { $0.access.logins.verificationsMax = 1 }
    let gone = world.connect()
    world.send(gone, login)
    world.settle()
    world.reset(gone)
    world.settle()
    let next = world.connect()
    world.send(next, Logins.packet("bert", "x"))
    world.settle()
    #expect(world.claims.count == 1)
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.claims.map(\.credentials.account) == ["bert"])
    world.answerClaim(.accepted(AccountName("bert")!, attributes: []))
    world.settle()
    #expect(world.session(next)?.account == AccountName("bert"))
  }

  // MARK: Many at the door

  @Test func theOldestGoesForTheNewest() {
    let world = VirtualWorld.withLogins { $0.access.logins.pendingMax = 3 }
    let clients = (0..<5).map { _ in world.connect() }
    world.settle()
    #expect(
      clients.map { world.clients[$0].closeReason } == [
        .loginEvicted, .loginEvicted, nil, nil, nil,
      ])
    let player = world.logIn("anna")
    #expect(world.clients[player].isOpen)
    #expect(world.metrics().access.loginsPending == 2)
  }

  /// Goal: in a flood of strangers those who were here lately get in first.
  @Test func regularsComeFirst() {
    let world = VirtualWorld.withLogins {
      $0.access.logins.rate = Rate(perSecond: 1, burst: 4)
      $0.access.logins.reservedPercent = 50
    }
    world.shard.accountsKnown([AccountName("Regular")!])
    for stranger in 0..<10 {
      let client = world.connect()
      world.send(client, Logins.packet("stranger\(stranger)", "x"))
    }
    world.settle()
    #expect(world.claims.count == 2)
    let client = world.connect()
    world.send(client, Logins.packet("regular", "x"))
    world.settle()
    #expect(world.claims.last?.credentials.account == "regular")
    #expect(world.metrics().access.loginsWaiting == 8)
    // The others come in their turn, as fast as is allowed.
    world.advance(.milliseconds(4500))
    #expect((5...7).contains(world.claims.count))
  }

  @Test(arguments: [
    (AuthenticationConfiguration.DuplicateLogin.allow, nil as CloseReason?, nil as CloseReason?),
    (.reject, nil, .duplicateLogin), (.replace, .replaced, nil),
  ])
  func theSameAccountAgain(
    _ policy: AuthenticationConfiguration.DuplicateLogin, _ first: CloseReason?,
    _ second: CloseReason?
  ) {
    let world = VirtualWorld.withLogins { $0.listeners[0].authentication!.duplicateLogin = policy }
    let old = world.logIn("anna")
    let new = world.logIn("ANNA")
    #expect(world.clients[old].closeReason == first)
    #expect(world.clients[new].closeReason == second)
  }

  /// Goal: a broadcast to all reaches those who are in, and nobody else.
  @Test func broadcastsAreForThoseWhoAreIn() {
    let world = VirtualWorld.withLogins()
    let player = world.logIn("anna")
    let stranger = world.connect()
    world.settle()
    world.clients[player].received = []
    world.workers[0].broadcast(0, Array("hello".utf8))
    world.settle()
    #expect(world.text(player) == "hello")
    #expect(world.clients[stranger].received.isEmpty)
  }

  @Test func shutdownEndsThoseAtTheDoorToo() {
    let world = VirtualWorld.withLogins()
    let waiting = world.connect()
    world.send(waiting, login)
    let silent = world.connect()
    world.settle()
    world.beginShutdown()
    world.advance(.seconds(20))
    #expect(world.isFinished)
    #expect(world.clients[waiting].closeReason == .shutdown)
    #expect(world.clients[silent].closeReason == .shutdown)
  }
}

/// Goal: what hostile clients do at the door costs them more than the gateway.
@Suite struct HostileLoginTests {
  private func wrongLogin(_ world: VirtualWorld) -> Int {
    let client = world.connect()
    world.send(client, Logins.packet("anna", "wrong"))
    world.settle()
    return client
  }

  /// Goal: who leaves before the verdict is counted all the same.
  @Test func guessingAndLeaving() {
    let world = VirtualWorld.withLogins {
      $0.access.temporaryBans = [
        TemporaryBanRule(
          name: "guessing", trigger: .failedLogins, target: .address, count: 3,
          within: .seconds(60), duration: .seconds(60))
      ]
    }
    for _ in 0..<3 {
      world.reset(wrongLogin(world))
      world.settle()
      world.answerClaim(.refused(.wrongSecret))
    }
    world.settle()
    #expect(world.clients[world.connect()].closeReason == .banned)
    #expect(world.history == Array(repeating: "anna login-refused wrong-secret", count: 3))
  }

  /// Goal: an account whose password takes long to check can't be told from one that is not there,
  /// once the gateway has met one like it.
  @Test func allRefusalsTakeAsLongAsTheSlowest() {
    let world = VirtualWorld.withLogins { $0.access.logins.refusalDelay = .milliseconds(100) }
    func refuse(after delay: Interval) -> UInt64 {
      let client = wrongLogin(world)
      let start = world.now
      world.advance(delay)
      world.answerClaim(.refused(.wrongSecret))
      _ = world.advance(upTo: .seconds(5)) { !world.clients[client].isOpen }
      return world.now.since(start).milliseconds / 100
    }
    #expect(refuse(after: .milliseconds(20)) == 1)
    #expect(refuse(after: .milliseconds(230)) == 3)
    #expect(refuse(after: .milliseconds(20)) == 3)
    // One that took very long slows nobody down for ever.
    #expect(refuse(after: .milliseconds(2950)) == 30)
    #expect(refuse(after: .milliseconds(20)) == 8)
  }

  /// Goal: a claim that was held back and is gone leaves no deadline behind.
  @Test func leavingTheLine() {
    let world = VirtualWorld.withLogins {
      $0.access.logins.rate = Rate(perSecond: 1, burst: 2)
    }
    let clients = (0..<3).map { _ in wrongLogin(world) }
    for client in clients { world.reset(client) }
    world.settle()
    world.claims = []
    world.advance(.seconds(5))
    #expect(world.shard.nextDeadline == nil || world.shard.nextDeadline! > world.now)
  }

  /// Goal: a session that was quiet for long is told why it ends.
  @Test func aFarewellAfterALongRest() {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].refusals[.banned] = ReplyTemplate(bytes: Array("out".utf8))
      $0.listeners[0].writeTimeout = .seconds(1)
    }
    let player = world.logIn("anna")
    world.advance(.seconds(30))
    world.clients[player].received = []
    world.setBans([Ban(id: 1, subject: .account(AccountName("anna")!))])
    world.settle()
    #expect(world.text(player) == "out")
    #expect(world.clients[player].closeReason == .banned)
    #expect(!world.clients[player].wasAborted)
  }

  /// Goal: a farewell that finds the queue full ends the session once.
  @Test func aFarewellForASlowClient() {
    let world = VirtualWorld.withLogins {
      $0.limits.clientQueueBytesMax = 4096
      $0.listeners[0].serverToClient = .lengthPrefix(bytesMax: 5000)
      $0.listeners[0].refusals[.workerViolation] = ReplyTemplate(bytes: Array("out".utf8))
    }
    let player = world.logIn("anna")
    let other = world.logIn("bert")
    world.clients[player].room = 0
    let uuid = world.clients[player].uuid
    world.workers[0].answer(uuid, Packets.make(Array(repeating: 1, count: 4100)))
    world.settle()
    world.workers[0].answer(uuid, Packets.make([1]))
    world.workers[0].answer(uuid, [0xff, 0xff])
    // The worker is not read while the client's queue is full, for a moment.
    world.advance(.milliseconds(200))
    #expect(!world.clients[player].isOpen)
    #expect(world.clients[other].isOpen)
  }
}
