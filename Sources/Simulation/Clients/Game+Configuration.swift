internal import Auth
internal import Gateway
internal import Primitives
internal import Upstream

/// Games as a gateway is configured with them.
extension Game {
  /// A gateway's configuration for them.
  static func configuration(
    _ games: [Game], _ workers: [WorkerProcess], _ scenario: Scenario
  ) -> GatewayConfiguration {
    var configuration = GatewayConfiguration()
    configuration.shards = scenario.shards
    configuration.limits.sessionsMax = scenario.sessionsMax
    configuration.limits.clientQueueBytesMax = scenario.clientQueueBytes
    configuration.limits.clientQueueBytesTotalMax = scenario.clientQueueBytesTotal
    configuration.limits.workerQueueBytesMax = scenario.workerQueueBytes
    let pools = pools(of: scenario)
    configuration.pools = pools.enumerated().map { index, pool in
      var configured = PoolConfiguration(name: pool.name)
      configured.balance = pool.balance
      configured.activeWindow = .milliseconds(UInt64(scenario.activeWindowMilliseconds))
      configured.workers = workers.filter { $0.number % pools.count == index }
        .map(\.configuration)
      return configured
    }
    configuration.listeners = games.map { $0.listener(scenario) }
    configuration.access.logins.pendingMax = scenario.pendingLogins
    configuration.access.logins.refusalDelay = .milliseconds(250)
    if games.contains(where: { $0.login != nil }) {
      configuration.store = StoreConfiguration(path: StoreFixture.path)
    }
    var random = SeededRandom(seed: scenario.seed, "rules")
    configuration.access.temporaryBans = (0..<min(scenario.temporaryBanRules, 8)).map {
      rule($0, &random)
    }
    return configuration
  }

  private static func rule(_ index: Int, _ random: inout SeededRandom) -> TemporaryBanRule {
    let trigger = random.pick(TemporaryBanRule.Trigger.allCases)
    // Only a login names an account.
    let target =
      trigger == .failedLogins
      ? random.pick(TemporaryBanRule.Target.allCases) : .address
    var rule = TemporaryBanRule(
      name: "rule-\(index)", trigger: trigger, target: target, count: random.draw(1...4),
      within: .seconds(UInt64(random.draw(5...30))), duration: .seconds(UInt64(random.draw(1...6))))
    rule.durationMax = .seconds(20)
    rule.forgetAfter = .seconds(30)
    return rule
  }

  func listener(_ scenario: Scenario) -> ListenerConfiguration {
    var listener = ListenerConfiguration(
      name: name, host: "198.51.100.1", port: port, pool: pool)
    listener.framerName = form.shape.rawValue
    listener.clientToServer = form.framer
    listener.loginFramer = form.loginFramer
    // Answers have the form of the shape with lengths of two bytes.
    if framesAnswers { listener.serverToClient = Answer.framer }
    listener.idleTimeout = idleTimeout
    listener.writeTimeout = .milliseconds(UInt64(scenario.writeMilliseconds))
    listener.workerWait = .milliseconds(UInt64(scenario.workerWaitMilliseconds))
    listener.halfCloseTimeout = .milliseconds(UInt64(scenario.halfCloseMilliseconds))
    listener.limits = limits
    for reason in tells { listener.refusals[reason] = Notice.closed(reason).template }
    listener.authentication = login.map { authentication($0) }
    return listener
  }

  private func authentication(_ login: GameLogin) -> AuthenticationConfiguration {
    let shape = form.shape(ofPacket: login.packetNumber)
    var answers: [LoginAnswer] = []
    if login.answersQuestions {
      answers.append(
        LoginAnswer(
          on: .packet([shape.condition(.question)]), reply: Notice.closed(.answered).template))
    }
    let description = LoginDescription(
      parts: [shape.loginPart(namesAccount: login.kind.namesAccount)], answers: answers,
      greeting: login.greets ? Notice.greeting.template : nil, before: login.before)
    var authentication = AuthenticationConfiguration(
      kind: kind(of: login), login: description)
    authentication.deadline = login.deadline
    authentication.forwardsFirstPacket = login.forwards
    authentication.duplicateLogin = login.duplicates
    return authentication
  }

  private func kind(of login: GameLogin) -> AuthenticationConfiguration.Kind {
    switch login.kind {
    case .password: .password
    case .token: .token
    case .ticket: .ticket(StoreContents.ticketConfiguration)
    case .worker: .worker(pool: pool, timeout: .seconds(2))
    }
  }
}

extension Credential.Kind {
  /// Passwords are of an account, and workers are asked about one.
  var namesAccount: Bool {
    switch self {
    case .password, .worker: true
    case .token, .ticket: false
    }
  }
}
