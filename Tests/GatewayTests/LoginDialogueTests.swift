import Auth
import Framing
import Primitives
import Testing
import Upstream

@testable import Gateway

/// Goal: games whose login is a dialogue, or is decided by a worker, get in as well.
@Suite struct LoginDialogueTests {
  private let lines: Framer

  init() throws {
    lines = .delimiter(try DelimiterFramer(delimiters: [[0x0a]], packetBytesMax: 512))
  }

  /// Goal: a prompt for each line, and the game's own protocol behind it.
  @Test(arguments: 0..<10) func namesAndPasswordsOnRequest(seed: UInt64) throws {
    let name = LoginPart(
      fields: [LoginField(.account, .line)], reply: ReplyTemplate(bytes: Array("password: ".utf8)))
    let password = LoginPart(
      fields: [LoginField(.secret, .line)], reply: ReplyTemplate(bytes: Array("\r\n".utf8)))
    let world = VirtualWorld.withLogins(seed: seed) {
      $0.listeners[0].clientToServer = .raw
      $0.listeners[0].loginFramer = lines
      $0.listeners[0].authentication = AuthenticationConfiguration(
        kind: .password,
        login: LoginDescription(
          parts: [name, password], isOrdered: true,
          greeting: ReplyTemplate(bytes: Array("login: ".utf8))))
      $0.listeners[0].authentication!.forwardsFirstPacket = false
    }
    world.cuts = true
    let client = world.connect()
    world.settle()
    #expect(world.text(client) == "login: ")
    world.send(client, "anna\r\n")
    world.settle()
    #expect(world.text(client) == "login: password: ")
    world.send(client, "secret\r\nlook\nno end of line")
    world.settle()
    #expect(world.text(client) == "login: password: \r\n")
    let claim = try #require(world.claims.first)
    #expect(claim.credentials.account == "anna")
    #expect(claim.credentials.secret == Array("secret".utf8))
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    let payload = world.workers[0].packets.flatMap(\.payload)
    #expect(String(decoding: payload, as: UTF8.self) == "look\nno end of line")
  }

  @Test func policyRequestsAreAnswered() {
    let answer = LoginAnswer(
      on: .stream(Array("<policy-file-request/>\0".utf8)),
      reply: ReplyTemplate(bytes: Array("<policy/>\0".utf8)))
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication!.login = LoginDescription(
        parts: [Logins.part], answers: [answer])
    }
    let asking = world.connect()
    for byte in "<policy-file-request/>\0".utf8 {
      world.send(asking, [byte])
      world.settle()
    }
    #expect(world.text(asking) == "<policy/>\0")
    #expect(world.clients[asking].closeReason == .answered)
    let player = world.logIn("anna")
    #expect(world.clients[player].isOpen)
  }

  /// Goal: what a worker sees of a client before it is let in is marked, and opt-in.
  @Test func dialoguesWithAWorkerBeforeTheLogin() {
    let world = VirtualWorld.withLogins(sessionEvents: true) {
      $0.listeners[0].authentication!.login = LoginDescription(
        parts: [Logins.part], before: .forward)
    }
    let client = world.connect()
    world.send(client, Packets.make([7]))
    world.settle()
    #expect(world.workers[0].packets.map(\.payload) == [Packets.make([7])])
    #expect(world.clients[client].received == Packets.make([7]))
    #expect(world.session(client)?.isPending == true)
    world.send(client, Logins.packet("anna", "secret") + Packets.make([8]))
    world.settle()
    #expect(world.workers[0].packets.count == 1)
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(
      world.workers[0].packets.map(\.payload)
        == [Packets.make([7]), Logins.packet("anna", "secret"), Packets.make([8])])
  }

  /// Goal: a worker that can't be told who was let in gets nobody's packets before they are.
  @Test func workersWithoutEventsSeeNothingBefore() {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication!.login = LoginDescription(
        parts: [Logins.part], before: .forward)
    }
    let client = world.connect()
    world.send(client, Packets.make([7]) + Logins.packet("anna", "secret"))
    world.settle()
    #expect(world.workers[0].packets.isEmpty)
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(
      world.workers[0].packets.map(\.payload)
        == [Packets.make([7]), Logins.packet("anna", "secret")])
  }

  /// Goal: a lost worker is replaced for those at the door as for those inside.
  @Test func theWorkerIsLostDuringTheDialogue() {
    let world = VirtualWorld.withLogins(workers: 2, sessionEvents: true) {
      $0.listeners[0].authentication!.login = LoginDescription(
        parts: [Logins.part], before: .forward)
    }
    let client = world.connect()
    world.send(client, Packets.make([7]))
    world.settle()
    let first = world.workers.firstIndex { !$0.packets.isEmpty }!
    world.crash(first)
    world.settle()
    world.send(client, Packets.make([8]) + Logins.packet("anna", "secret"))
    world.settle()
    #expect(world.workers[1 - first].packets.map(\.payload) == [Packets.make([8])])
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(world.workers[1 - first].packets.count == 2)
  }

  /// Goal: what was held for want of a worker that can be told is not overtaken once there is one.
  @Test func theNextWorkerCanBeTold() {
    let world = VirtualWorld.withLogins(workers: 2) {
      $0.listeners[0].authentication!.login = LoginDescription(
        parts: [Logins.part], before: .forward)
    }
    world.workers[1].reachability = .refuses
    world.crash(1)
    world.settle()
    let client = world.connect()
    world.send(client, Packets.make([7]))
    world.settle()
    world.workers[1].sessionEvents = true
    world.workers[1].reachability = .accepts
    world.advance(.seconds(1))
    world.workers[0].reachability = .refuses
    world.crash(0)
    world.settle()
    world.send(client, Packets.make([8]) + Logins.packet("anna", "secret"))
    world.settle()
    #expect(world.workers[1].packets.isEmpty)
    world.answerClaim(.accepted(AccountName("anna")!, attributes: []))
    world.settle()
    #expect(
      world.workers[1].packets.map(\.payload)
        == [Packets.make([7]), Packets.make([8]), Logins.packet("anna", "secret")])
  }

  @Test func packetsThatAreNoLoginAreRefusedWhereNoneMayComeBefore() {
    let world = VirtualWorld.withLogins {
      $0.listeners[0].authentication!.login = LoginDescription(
        parts: [Logins.part], before: .refuse)
    }
    let client = world.connect()
    world.send(client, Packets.make([7]))
    world.settle()
    #expect(world.clients[client].closeReason == .loginInvalid)
  }
}
