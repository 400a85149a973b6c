import Auth
import Primitives
import Testing

@testable import Gateway

/// Goal: the door ends sessions wherever they are, once, and is told of every end.
@Suite struct EndingElsewhereTests {
  /// Two clients, the second of them with shard 1.
  private func pair(_ group: VirtualGroup) -> Int {
    let client = (0..<2).map { _ in group.connect() }[1]
    group.settle()
    #expect(group.shard(of: client) == 1)
    return client
  }

  private func endAll(_ group: VirtualGroup) {
    for client in group.clients.indices where group.clients[client].isOpen {
      group.door.end(client)
    }
    group.advance(.seconds(10))
    #expect(group.leftovers() == [])
    #expect(group.metrics()[0].listeners[0].sessionsOpen == 0)
  }

  /// The reasons that were logged for a client's end.
  private func ends(_ client: Int, _ group: VirtualGroup) -> [CloseReason] {
    let uuid = group.clients[client].uuid
    return group.logged { event in
      guard case .sessionClosed(let closed) = event, closed.uuid.description == uuid else {
        return nil
      }
      return closed.reason
    }
  }

  private func kick(_ client: Int, _ group: VirtualGroup) -> Bool {
    let uuid = SessionUUID(text: group.clients[client].uuid)!
    if case .done? = group.door.replies(to: group.door.command(.closeSession(uuid))).first {
      return true
    }
    return false
  }

  @Test func clientsLeave() {
    let group = VirtualGroup()
    let client = pair(group)
    group.send(client, numbers: 0..<3)
    group.door.end(client)
    group.advance(.seconds(1))
    #expect(ends(client, group) == [.clientClosed])
    #expect(group.echoed(client) == [0, 1, 2])
    #expect(group.metrics()[0].listeners[0].sessionsOpen == 1)
    endAll(group)
  }

  @Test func clientsReset() {
    let group = VirtualGroup()
    let client = pair(group)
    group.door.reset(client)
    group.settle()
    #expect(ends(client, group) == [.clientReset])
    endAll(group)
  }

  @Test func operatorsClose() {
    let group = VirtualGroup()
    let client = pair(group)
    #expect(kick(client, group))
    #expect(kick(client, group), "until it is over, it is there")
    group.settle()
    #expect(ends(client, group) == [.closedByOperator])
    #expect(!kick(client, group))
    endAll(group)
  }

  /// Goal: the same while the session is on its way, in either direction, or ends by itself.
  @Test(arguments: [true, false], [true, false])
  func operatorsCloseOnTheWay(goes: Bool, endsItself: Bool) {
    let group = VirtualGroup()
    let client: Int
    if goes {
      group.isHeld = { from, _ in from == 0 }
      client = (0..<2).map { _ in group.connect() }[1]
      group.settle()
    } else {
      client = pair(group)
      group.isHeld = { from, _ in from == 1 }
      if !endsItself { group.remove(1) }
    }
    if endsItself { group.door.end(client) }
    group.advance(.seconds(1))
    #expect(kick(client, group))
    group.isHeld = { _, _ in false }
    group.advance(.seconds(1))
    // Behind its end nobody looks for it any more.
    #expect(ends(client, group) == [!goes && endsItself ? .clientClosed : .closedByOperator])
    endAll(group)
  }

  @Test func operatorsCloseByAddress() {
    let group = VirtualGroup(shards: 3, workers: 3)
    let clients = (0..<6).map { _ in group.connect() }
    group.settle()
    let everybody = Subject.addresses(AddressPrefix(text: "192.0.2.0/24")!)
    let token = group.door.command(.closeSessions(of: everybody))
    guard case .closed(6)? = group.door.replies(to: token).first else {
      Issue.record("not six")
      return
    }
    let again = group.door.command(.closeSessions(of: everybody))
    guard case .closed(0)? = group.door.replies(to: again).first else {
      Issue.record("closed twice")
      return
    }
    group.settle()
    for client in clients { #expect(ends(client, group) == [.closedByOperator]) }
    endAll(group)
  }

  @Test(arguments: [true, false]) func bansEndSessions(isOnItsWay: Bool) {
    let group = VirtualGroup { configuration in
      configuration.listeners[0].refusals[.banned] = ReplyTemplate(bytes: Array("banned".utf8))
    }
    let client = pair(group)
    group.isHeld = { from, _ in isOnItsWay && from == 1 }
    if isOnItsWay { group.remove(1) }
    group.settle()
    group.door.setBans([Ban(id: 1, subject: .addresses(AddressPrefix(text: "192.0.2.7")!))])
    group.advance(.milliseconds(100))
    group.isHeld = { _, _ in false }
    group.advance(.milliseconds(100))
    #expect(ends(client, group) == [.banned])
    #expect(String(decoding: group.clients[client].received, as: UTF8.self) == "banned")
    #expect(group.door.metrics().access.sessionsBanned == 2)
    #expect(group.leftovers() == [])
  }

  /// Goal: an allowance that comes, or goes, while the session is elsewhere holds there.
  @Test func allowancesAreTold() {
    let group = VirtualGroup { configuration in
      configuration.listeners[0].limits.packets = Rate(perSecond: 1, burst: 5)
      configuration.listeners[0].limits.packetsAction = .close
    }
    let client = pair(group)
    let everybody = Ban(id: 1, subject: .addresses(AddressPrefix(text: "192.0.2.0/24")!))
    group.door.setBans([], allowed: [everybody])
    group.advance(.milliseconds(100))
    group.send(client, numbers: 0..<50)
    group.settle()
    #expect(group.echoed(client) == Array(0..<50))
    group.door.setBans([])
    group.advance(.milliseconds(100))
    group.send(client, numbers: 50..<60)
    group.settle()
    #expect(ends(client, group) == [.rateLimited])
    endAll(group)
  }

  /// Goal: limits and rules ban from any shard, by the door's tables.
  @Test(arguments: [LimitAction.ban, .close]) func limitsAndRulesBan(action: LimitAction) {
    let group = VirtualGroup { configuration in
      configuration.listeners[0].limits.packets = Rate(perSecond: 1, burst: 5)
      configuration.listeners[0].limits.packetsAction = action
      configuration.access.temporaryBans = [
        TemporaryBanRule(
          name: "rough", trigger: .violations, target: .address, count: 1, within: .seconds(60),
          duration: .seconds(60))
      ]
    }
    let client = pair(group)
    group.send(client, numbers: 0..<50)
    group.advance(.milliseconds(100))
    #expect(ends(client, group) == [.rateLimited])
    #expect(ends(0, group) == [.banned], "the same address")
    #expect(group.door.metrics().access.temporaryBans == 1)
    let next = group.connect()
    #expect(group.clients[next].closeReason == .banned)
    #expect(group.leftovers() == [])
  }

  @Test func listenersGoWithTheirSessions() {
    let group = VirtualGroup()
    let client = pair(group)
    group.door.removeListener("game", closing: true)
    group.settle()
    #expect(ends(client, group) == [.listenerRemoved])
    #expect(group.door.listeners().isEmpty)
    #expect(group.shards[1].shard.listeners[0].state == .vacant)
    #expect(group.leftovers() == [])
  }

  /// Goal: a place is another listener's only when the last session is over, wherever it is.
  @Test func placesOfListenersWaitForSessionsElsewhere() {
    let group = VirtualGroup()
    let client = pair(group)
    group.door.removeListener("game")
    group.door.end(0)
    group.advance(.seconds(1))
    #expect(group.door.listeners().map(\.sessions) == [1])
    guard case .success(1) = group.door.addListener("other", adjust: { $0.clientToServer = .short })
    else {
      Issue.record("the place was given away")
      return
    }
    group.send(client, numbers: 0..<4)
    group.door.end(client)
    group.advance(.seconds(1))
    #expect(group.echoed(client) == Array(0..<4))
    guard case .success(0) = group.door.addListener("third") else {
      Issue.record("the place is not free")
      return
    }
    let later = (0..<2).map { _ in group.connect(listener: 1) }
    for client in later { group.send(client, numbers: 0..<2) }
    group.settle()
    #expect(later.map { group.shard(of: $0) } == [0, 1])
    for client in later { #expect(group.echoed(client) == [0, 1]) }
    endAll(group)
  }

  /// Goal: connections are counted at the door, wherever their sessions are.
  @Test func connectionsAreCountedOnce() {
    let group = VirtualGroup { configuration in
      configuration.listeners[0].limits.concurrentPerAddress = 2
    }
    let client = pair(group)
    let next = group.connect()
    #expect(group.clients[next].closeReason == .connectionLimit)
    group.door.end(client)
    group.advance(.seconds(1))
    let last = group.connect()
    #expect(group.clients[last].closeReason == nil)
    endAll(group)
  }

  /// Goal: an account that comes again finds itself in, wherever it is.
  @Test(arguments: [AuthenticationConfiguration.DuplicateLogin.replace, .reject])
  func duplicatesAreFound(
    duplicates: AuthenticationConfiguration.DuplicateLogin
  ) {
    let group = VirtualGroup.withLogins {
      $0.listeners[0].authentication!.duplicateLogin = duplicates
    }
    let first = group.logIn("alice")
    let second = group.logIn("bob")
    #expect([first, second].map { group.shard(of: $0) } == [0, 1])
    let again = group.logIn("bob")
    let (stays, goes) = duplicates == .replace ? (again, second) : (second, again)
    #expect(group.clients[stays].closeReason == nil)
    #expect(
      group.clients[goes].closeReason == (duplicates == .replace ? .replaced : .duplicateLogin))
    group.send(stays, numbers: 0..<3)
    group.settle()
    #expect(group.workers.contains { Numbered.handled($0.packets, of: stays).count == 3 })
    let token = group.door.command(.explain(.account(AccountName("bob")!)))
    guard case .explanation(let explanation)? = group.door.replies(to: token).first else {
      Issue.record("no explanation")
      return
    }
    #expect(explanation.sessions == 1)
    endAll(group)
  }

  /// Goal: a session that is handed over as it is let in has its account and its held packets.
  @Test func loginsGoAlong() {
    let group = VirtualGroup.withLogins {
      $0.listeners[0].authentication!.forwardsFirstPacket = false
    }
    _ = group.logIn("alice")
    let client = group.connect()
    group.send(client, Logins.packet("bob", "secret"))
    group.send(client, numbers: 0..<3)
    group.settle()
    group.door.answerClaim(.accepted(AccountName("bob")!, attributes: []))
    group.settle()
    #expect(group.shard(of: client) == 1)
    #expect(group.echoed(client) == [0, 1, 2])
    let token = group.shards[1].command(.listSessions(of: nil, cursor: 0, limit: 10))
    guard case .sessions(let sessions, _)? = group.shards[1].replies(to: token).first else {
      Issue.record("no list")
      return
    }
    #expect(sessions.map(\.account?.text) == ["bob"])
    endAll(group)
  }

  /// Goal: what was taken is finished on all shards, and the door ends last.
  @Test func shutdownFinishesEverywhere() {
    let group = VirtualGroup(shards: 3, workers: 3)
    let clients = (0..<6).map { _ in group.connect() }
    for client in clients { group.send(client, numbers: 0..<5) }
    group.settle()
    for worker in group.workers { worker.sendsAnswers = false }
    for client in clients { group.send(client, numbers: 5..<8) }
    group.settle()
    group.door.shard.beginShutdown(now: group.now, effects: &group.door.effects)
    group.door.performEffects()
    group.settle()
    #expect(group.shards.allSatisfy { !$0.isFinished })
    for worker in group.workers { worker.sendsAnswers = true }
    group.settle()
    #expect(group.isFinished)
    for client in clients {
      #expect(group.echoed(client) == Array(0..<8))
      #expect(ends(client, group) == [.shutdown])
    }
    #expect(group.leftovers() == [])
  }

  /// Goal: the grace ends it all, also sessions that another shard says nothing of any more.
  @Test func theGraceIsOver() {
    let group = VirtualGroup()
    let client = pair(group)
    group.outside.clients[client].room = 0
    group.send(client, numbers: 0..<5)
    group.settle()
    group.isHeld = { from, _ in from == 1 }
    group.door.shard.beginShutdown(now: group.now, effects: &group.door.effects)
    group.door.performEffects()
    group.advance(.seconds(11))
    #expect(group.isFinished)
    let cut: [Int] = group.logged {
      if case .shutdownFinished(let cut) = $0 { cut } else { nil }
    }
    #expect(cut == [1])
    group.isHeld = { _, _ in false }
    group.turn()
    #expect(group.leftovers() == [])
  }

  /// Goal: sessions that come back when the door shuts down end with it.
  @Test func sessionsComeBackToAShutdown() {
    let group = VirtualGroup()
    let client = pair(group)
    group.isHeld = { from, _ in from == 1 }
    group.remove(1)
    group.settle()
    group.door.shard.beginShutdown(now: group.now, effects: &group.door.effects)
    group.door.performEffects()
    group.settle()
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(ends(client, group) == [.shutdown])
    #expect(group.isFinished)
    #expect(group.leftovers() == [])
  }

  /// Goal: what comes back when the door has ended has no socket left.
  @Test func sessionsComeBackTooLate() {
    let group = VirtualGroup()
    let client = pair(group)
    group.isHeld = { _, _ in true }
    group.remove(1)
    group.settle()
    group.door.shard.beginShutdown(now: group.now, effects: &group.door.effects)
    group.door.performEffects()
    #expect(!group.advance(upTo: .seconds(20)) { group.door.isFinished && group.isFinished })
    #expect(group.door.isFinished)
    group.isHeld = { _, _ in false }
    group.turn()
    #expect(!group.clients[client].isOpen)
  }

  /// Goal: one that is to end, and whose queue overflows as it comes back, leaves nothing behind.
  @Test func slowClientsComeBackToTheirEnd() {
    let group = VirtualGroup { $0.limits.clientQueueBytesMax = 1000 }
    let client = pair(group)
    group.outside.clients[client].room = 0
    group.isHeld = { from, to in from == 1 || to == 1 }
    group.remove(1)
    group.settle()
    for _ in 0..<3 { group.workers[0].broadcast(0, [UInt8](repeating: 1, count: 900)) }
    group.settle()
    #expect(kick(client, group))
    group.isHeld = { _, _ in false }
    group.settle()
    #expect(ends(client, group) == [.slowClient])
    let next = group.connect()
    group.send(next, numbers: 0..<2)
    group.settle()
    #expect(kick(next, group))
    group.settle()
    #expect(ends(next, group) == [.closedByOperator])
    endAll(group)
  }
}
