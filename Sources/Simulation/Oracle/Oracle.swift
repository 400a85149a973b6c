internal import Auth
internal import Gateway
internal import Primitives

/// Keeps account of everything that was said, and says when a property is broken.
///
/// Clients, workers, gateways and operators tell it what they do, each as it happens. It never
/// changes what happens.
final class Oracle {
  unowned var simulation: Simulation!
  let scenario: Scenario
  let games: [Game]
  private(set) var violations: [Violation] = []
  var visits: [VisitRecord] = []
  /// Stream n is at n - 1.
  var streams: [StreamRecord] = []
  /// By number, of the process that runs.
  var gateways: [GatewayAccount] = []
  /// Of processes that others have replaced.
  private(set) var formerGateways: [GatewayAccount] = []
  var bans: BanAccount
  var summary = OracleSummary()
  private(set) var visitOfUUID: [SessionUUID: Int] = [:]
  private var visitOfConnection: [Int: Int] = [:]
  private var checkedAt: Instant?
  /// Neither the plan nor anybody else does anything to workers and the ways there.
  var workersAreLeftAlone = false

  var hasFailed: Bool { !violations.isEmpty }
  var now: Instant { simulation.now }

  init(_ scenario: Scenario, _ games: [Game]) {
    self.scenario = scenario
    self.games = games
    bans = BanAccount(gateways: scenario.gateways)
    for ban in scenario.fixture.contents.bans where !ban.allows { bans.noted(ban.subject) }
  }

  // MARK: Violations

  func broken(_ property: Property, _ text: String, gateway: Int? = nil) {
    // One leads to others.
    guard violations.count < 20 else { return }
    violations.append(
      Violation(property: property, at: simulation.now, gateway: gateway, text: text))
  }

  func broken(_ finding: Finding?, _ record: VisitRecord) {
    guard let finding else { return }
    broken(
      finding.property, "visit \(record.number) (\(record.game.name)): \(finding.text)",
      gateway: record.gateway)
  }

  // MARK: Who is who

  func account(of gateway: VirtualGateway) -> GatewayAccount {
    while gateways.count <= gateway.number { gateways.append(GatewayAccount(gateway)) }
    // Another process in its place begins at zero.
    if gateways[gateway.number].gateway !== gateway {
      gateways[gateway.number].gateway.giveUpMemory()
      formerGateways.append(gateways[gateway.number])
      gateways[gateway.number] = GatewayAccount(gateway)
      bans.forgetRules(of: gateway.number)
    }
    return gateways[gateway.number]
  }

  func record(of connection: Connection) -> VisitRecord? {
    visitOfConnection[connection.number].map { visits[$0] }
  }

  func record(of uuid: SessionUUID) -> VisitRecord? { visitOfUUID[uuid].map { visits[$0] } }

  /// What the gateway itself says of a session that is not over, nor on its way to another shard.
  func figures(of record: VisitRecord) -> Shard.SessionFigures? {
    guard record.isOpen, let shard = record.shard else { return nil }
    let figures = record.account?.gateway.shards[shard].shard.figures(of: record.localID)
    // It is about to go: what it takes along is counted by nobody.
    return figures?.isAway == true ? nil : figures
  }

  // MARK: Visits

  func add(_ visit: Visit) -> VisitRecord {
    let game = games[visit.game]
    let gateway = simulation.gateways[visit.connection.gateway]
    let listeners = gateway.configuration.listeners
    let listener =
      listeners.first { $0.port == visit.connection.port } ?? listeners.first {
        $0.port == game.port
      } ?? ListenerConfiguration(name: game.name, host: "", port: game.port, pool: game.pool)
    let balance = gateway.configuration.pools[listener.pool].balance
    let record = VisitRecord(
      number: visits.count, visit: visit, game: game, listener: listener,
      isOrdered: balance == .session)
    visits.append(record)
    visitOfConnection[visit.connection.number] = record.number
    return record
  }

  func name(_ record: VisitRecord, _ uuid: SessionUUID) {
    if visitOfUUID[uuid] != nil { broken(.crossing, "the UUID \(uuid) was given out twice") }
    record.uuid = uuid
    visitOfUUID[uuid] = record.number
  }

  func visit(of uuid: String) -> Int? {
    // Workers may name what is none.
    guard let parsed = SessionUUID(text: uuid), parsed.description == uuid else { return nil }
    return visitOfUUID[parsed]
  }

  /// Forgets the details of a visit of which nothing more can be heard.
  func settleIfOver(_ record: VisitRecord) {
    guard !record.hasSettled, record.stage == .over, record.sawEnd || record.clientLeft else {
      return
    }
    record.hasSettled = true
    record.answers.settle()
    visitOfConnection[record.visit.connection.number] = nil
  }

  // MARK: Operators

  /// A ban is in the database, or about to be.
  ///
  /// - Parameters:
  ///   - listener: nil for all.
  ///   - length: nil for ever.
  func banned(_ subject: Subject, listener: String? = nil, for length: Interval? = nil) {
    bans.banned(
      subject, listener: listener, until: length.map { now + $0 } ?? .distantFuture)
    summary.bans += 1
  }

  func unbanned(_ subject: Subject, listener: String? = nil) {
    bans.unbanned(subject, listener: listener)
  }

  /// Somebody is exempt from bans and limits, at some time.
  func allowed() { bans.allowed() }

  /// A gateway's store can't be used, or answers late: called again and again while that lasts.
  func storeIsHindered(_ gateway: Int, until instant: Instant) {
    guard gateway < gateways.count else { return }
    gateways[gateway].hinderedUntil = max(gateways[gateway].hinderedUntil, instant)
  }

  // MARK: What only shows over time

  /// Ten times a second.
  func check() {
    let interval = checkedAt.map { now.since($0) } ?? .zero
    checkedAt = now
    for account in gateways {
      if account.gateway.isQuiet {
        for problem in account.problems(account.gateway.metrics()) {
          broken(.counters, problem, gateway: account.gateway.number)
        }
      }
      checkBans(account, interval)
    }
  }

  func checkBans(_ account: GatewayAccount, _ interval: Interval) {
    let gateway = account.gateway
    let isUndisturbed =
      gateway.stalledUntil < now && account.hinderedUntil < now && gateway.store != nil
    bans.timePassed(interval, gateway: gateway.number, isUndisturbed: isUndisturbed, now: now)
    guard !bans.isEmpty else { return }
    for record in account.open { broken(judgeBans(record), record) }
  }

  /// Whether a session is in though its gateway has had time enough to see a ban of it.
  func judgeBans(_ record: VisitRecord) -> Finding? {
    guard
      let subject = bans.ban(
        of: record.address, record.accountName, listener: record.listener.name,
        gateway: record.gateway),
      let figures = figures(of: record), !figures.isClosing
    else { return nil }
    if figures.isAllowed, bans.hasAllowances { return nil }
    return Finding(
      .bans, "\(subject) is banned, and in after \(BanAccount.bound.milliseconds) ms")
  }
}
