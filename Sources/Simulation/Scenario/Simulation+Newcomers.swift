internal import Auth
internal import Gateway
internal import Primitives
internal import Store

/// Clients who come when all is over: whatever was done before, nothing of it stands in their way.
extension Simulation {
  /// Until then a newcomer is in, and once more until it has an answer, and until it has left.
  static let newcomerMax = Interval.seconds(20)

  /// To each game of each gateway comes somebody new, alone, who is let in, answered, and leaves.
  ///
  /// - Returns: false when one of them was not; that has been told.
  func welcomeNewcomers() -> Bool {
    trace.note("newcomers")
    var place = 0
    for gateway in gateways.indices {
      for game in games.indices where isOpenToNewcomers(games[game]) {
        guard let claim = newcomersClaim(games[game], number: place) else { return false }
        guard welcome(to: game, gateway, claim, place) else { return false }
        place += 1
      }
    }
    return true
  }

  /// Limits that a single packet may exceed, and times that are shorter than a login, make no
  /// promise.
  private func isOpenToNewcomers(_ game: Game) -> Bool {
    guard game.limits.packetBytesMax == nil, game.limits.bytes == nil, game.limits.packets == nil
    else { return false }
    return scenario.latencyMilliseconds + scenario.jitterMilliseconds <= 400
      && scenario.idleMilliseconds >= 2000 && scenario.workerWaitMilliseconds >= 1000
      && scenario.writeMilliseconds >= 1000
      && scenario.hashMilliseconds <= 300 && scenario.diskMicroseconds <= 1000
      && scenario.turnDelayMicroseconds <= 50_000
  }

  // MARK: Who they are

  private static let secret = "a newcomer's secret "

  /// A right claim, of an account that an operator makes for it.
  ///
  /// - Returns: nil when the database does not let him, which has been told.
  private func newcomersClaim(_ game: Game, number: Int) -> VisitPlan.Login? {
    guard let login = game.login else { return VisitPlan.Login.none }
    // Simulated workers let in whose name ends with an even digit.
    let account = AccountName("newcomer-\(2 * number)")!
    var claim = Credential(
      account: account.text, kind: login.kind, secret: Array("open".utf8),
      expected: .accepted(account: account.text))
    guard login.kind != .worker else { return .claim(claim) }
    let now = Int64(unixMilliseconds / 1000)
    switch login.kind {
    case .password: claim.secret = Array((Self.secret + String(number)).utf8)
    case .token:
      claim.account = nil
      claim.secret = Array("ght_newcomer-\(number)".utf8)
    case .ticket:
      claim.account = nil
      claim.secret =
        StoreContents.ticket(of: account, number: UInt64(number), now: now, flaw: nil).secret
    case .worker: break
    }
    let secret = claim.secret
    let isMade = operate { database throws(StoreError) in
      try Self.make(account, login.kind, secret, in: database, now: now)
    }
    guard isMade else {
      oracle.broken(.progress, "the database can't be changed, long after the last fault")
      return nil
    }
    return .claim(claim)
  }

  private static func make(
    _ account: AccountName, _ kind: Credential.Kind, _ secret: [UInt8], in database: Database,
    now: Int64
  ) throws(StoreError) {
    let record =
      kind == .password ? try PasswordHash.make(secret, VirtualStore.passwords) : nil
    try database.addAccount(account, credential: record, by: "operator", now: now)
    guard kind == .token else { return }
    try database.addToken(
      hash: TokenSecret.hash(of: secret), account: account, label: "of a newcomer",
      expiresAt: nil, isSingleUse: false, by: "operator", now: now)
  }

  /// A network that nobody else comes from, and that is not banned.
  ///
  /// Eight clients share one, see ``GameClient``; a fixture's networks are of IPv6.
  private func newcomersHost(_ place: Int) -> Int {
    let prefix = (scenario.clients + 7) / 8 + place * 4 / 3
    return (prefix % 4 == 3 ? prefix + 1 : prefix) * 8
  }

  // MARK: What becomes of them

  private func welcome(
    to game: Int, _ gateway: Int, _ login: VisitPlan.Login, _ place: Int
  ) -> Bool {
    let client = addClient(host: newcomersHost(place))
    client.visit(game: game, gateway: gateway, VisitPlan(newcomer: login))
    let visit = client.stay!.visit
    let record = oracle.visits[visit]
    func fails(_ text: String) -> Bool {
      guard !oracle.hasFailed else { return false }
      let why = record.ending.map { ", but closed as \($0.reason.name)" } ?? ""
      oracle.broken(
        .progress, "visit \(visit), new to \(games[game].name) when all was calm, \(text)\(why)",
        gateway: gateway)
      return false
    }
    let isIn = advance(upTo: Self.newcomerMax) { record.isIn || record.sawEnd }
    guard isIn, record.isIn else { return fails("was not let in") }
    guard speak(client, record) else {
      return mayOverflow(record) || fails("was not answered")
    }
    client.leave()
    let hasLeft = advance(upTo: Self.newcomerMax) { record.sawEnd || record.clientLeft }
    guard hasLeft, record.sawEnd, !record.wasReset else {
      return mayOverflow(record) || fails("did not leave in order")
    }
    return !oracle.hasFailed
  }

  /// It was closed for too many answers at once, and its queue has no room for all that one packet
  /// may get.
  private func mayOverflow(_ record: VisitRecord) -> Bool {
    guard !oracle.hasFailed, record.ending?.reason == .slowClient else { return false }
    let longest = scenario.workersLargeAnswerPermille > 0 ? 0xffff : scenario.workersAnswerBytesMax
    return scenario.workersAnswersMax * longest
      > min(scenario.clientQueueBytes, scenario.clientQueueBytesTotal)
  }

  /// Says something until there is an answer; workers do not answer everything.
  private func speak(_ client: GameClient, _ record: VisitRecord) -> Bool {
    let isAnswered = scenario.workersSilentPermille <= 500
    let end = now + Self.newcomerMax
    while !oracle.hasFailed, now < end, client.isHere {
      client.speakOnce()
      // Answers take some time to come, and silence is not to be mistaken for absence.
      let patience = min(1000, max(400, scenario.idleMilliseconds / 2))
      let isDone = advance(upTo: .milliseconds(UInt64(patience))) {
        let isHeard = record.packets.missingCount == 0
        let hasAll = record.answers.missingCount { _ in false } == 0
        let hasSpoken = record.packets.takenCount > 0
        return hasSpoken && isHeard && hasAll && (!isAnswered || record.answers.receivedCount > 0)
      }
      if isDone { return true }
    }
    return false
  }
}
