internal import Auth
internal import Gateway
internal import Primitives

/// What is played on one listener: how its packets look, and who may play.
struct Game {
  var name: String
  var port: UInt16
  /// What clients send.
  var form: PacketForm
  /// Nil lets everybody in.
  var login: GameLogin?
  /// The index of its pool in ``pools(of:)``.
  var pool = 0
  /// The gateway cuts what workers send by the answers' length; otherwise that is raw.
  var framesAnswers = false
  /// Reasons of which clients are told in the game's bytes.
  var tells: [CloseReason] = []
  var limits = ListenerLimits()
  var idleTimeout = Interval.seconds(20)

  init(name: String, port: UInt16, form: PacketForm) {
    self.name = name
    self.port = port
    self.form = form
  }

  var isLimited: Bool { limits != ListenerLimits() }
}

/// How a game's clients say who they are.
struct GameLogin: Equatable {
  var kind: Credential.Kind
  /// How many packets each client sends in front of the login packet.
  var prelude = 0
  /// The login packet, and what came before it where that is held, goes to the worker as well.
  var forwards = true
  var before = LoginDescription.Before.hold
  var duplicates = AuthenticationConfiguration.DuplicateLogin.allow
  var deadline = Interval.seconds(5)
  /// The gateway greets.
  var greets = false
  /// Whoever asks instead of saying a name is answered, and closed.
  var answersQuestions = false

  init(kind: Credential.Kind) { self.kind = kind }

  /// Workers that hear of clients before they are let in are all at the door, with their sessions.
  mutating func leaveWorkersFree(_ random: inout SeededRandom) {
    if kind == .worker { kind = random.pick([.password, .token, .ticket]) }
    if before == .forward { before = .hold }
  }

  /// The login packet's place among a visit's packets.
  var packetNumber: Int { prelude }
}

/// Workers of one purpose, and the games that they serve.
struct GamePool {
  var name: String
  var balance: PoolConfiguration.Balance
}

extension Game {
  /// The pools of a scenario.
  static func pools(of scenario: Scenario) -> [GamePool] {
    var random = SeededRandom(seed: scenario.seed, "pools")
    return (0..<min(max(scenario.pools, 1), max(scenario.workers, 1))).map { index in
      // Games without packets, or whose order counts, need a pool that keeps it.
      let splits = index > 0 && random.chance(scenario.packetBalancePermille)
      return GamePool(name: "pool-\(index)", balance: splits ? .packet : .session)
    }
  }

  /// Each worker belongs to one pool.
  static func pool(ofWorker worker: Int, in scenario: Scenario) -> Int {
    worker % pools(of: scenario).count
  }

  /// The games of a scenario, one for each listener.
  static func all(of scenario: Scenario) -> [Game] {
    let pools = pools(of: scenario)
    var random = SeededRandom(seed: scenario.seed, "games")
    return (0..<min(max(scenario.games, 1), gamesMax)).map { index in
      draw(index, scenario, pools, &random)
    }
  }

  static let gamesMax = 4

  private static func draw(
    _ index: Int, _ scenario: Scenario, _ pools: [GamePool], _ random: inout SeededRandom
  ) -> Game {
    let pool = random.draw(0...pools.count - 1)
    let asks = random.chance(scenario.loginPermille)
    // Without order, the bytes of a stream mean nothing.
    let isRaw = pools[pool].balance == .session && random.chance(scenario.rawPermille)
    var login = asks ? drawLogin(scenario, &random) : nil
    if scenario.shards > 1, random.chance(800) { login?.leaveWorkersFree(&random) }
    var game = Game(
      name: "game-\(index)", port: UInt16(7000 + index), form: drawForm(isRaw, login, &random))
    game.pool = pool
    game.login = login
    game.framesAnswers = random.chance(500)
    game.idleTimeout = .milliseconds(UInt64(scenario.idleMilliseconds))
    for reason in CloseReason.allCases {
      // Who asked has the answer.
      if random.chance(scenario.refusalPermille), reason != .answered { game.tells.append(reason) }
    }
    if random.chance(scenario.limitedPermille) { game.drawLimits(&random) }
    return game
  }

  private static let framed = PacketShape.allCases.filter { $0 != .raw }

  private static func drawForm(
    _ isRaw: Bool, _ login: GameLogin?, _ random: inout SeededRandom
  ) -> PacketForm {
    let shape = isRaw ? PacketShape.raw : random.pick(framed)
    guard let login else {
      guard random.chance(200) else { return PacketForm(shape) }
      return PacketForm(random.pick(framed), random.draw(1...3), .packets, then: shape)
    }
    if shape.takesLogins, random.chance(500) { return PacketForm(shape) }
    let first = random.pick(framed.filter(\.takesLogins))
    return PacketForm(
      first, login.packetNumber + 1, random.pick(PacketForm.Handover.allCases), then: shape)
  }

  private static func drawLogin(
    _ scenario: Scenario, _ random: inout SeededRandom
  ) -> GameLogin {
    var login = GameLogin(kind: random.pick(Credential.Kind.allCases))
    login.before = random.pick(LoginDescription.Before.allCases)
    if login.before != .refuse, random.chance(scenario.preludePermille) {
      login.prelude = random.draw(1...3)
    }
    login.forwards = random.chance(600)
    if random.chance(500) {
      login.duplicates = random.pick(AuthenticationConfiguration.DuplicateLogin.allCases)
    }
    login.deadline = .milliseconds(UInt64(random.draw(2000...8000)))
    login.greets = random.chance(200)
    login.answersQuestions = random.chance(400)
    return login
  }

  private mutating func drawLimits(_ random: inout SeededRandom) {
    // Dropping from a raw stream would leave a hole that nobody could check.
    let actions: [LimitAction] =
      form.isRaw ? [.slowDown, .close, .ban] : [.slowDown, .slowDown, .drop, .close, .ban]
    if random.chance(600) {
      limits.packets = Rate(
        perSecond: UInt64(random.draw(5...40)), burst: UInt64(random.draw(5...40)))
      limits.packetsAction = random.pick(actions)
    }
    if random.chance(400) {
      limits.bytes = Rate(
        perSecond: UInt64(random.draw(1000...20_000)), burst: UInt64(random.draw(3000...30_000)))
      limits.bytesAction = random.pick(actions)
    }
    if !form.isRaw, random.chance(300) {
      let sizes = form.byteCounts
      limits.packetBytesMax = random.draw(sizes.lowerBound...sizes.upperBound)
      limits.packetBytesAction = random.pick([.drop, .close, .ban])
    }
    if random.chance(300) {
      limits.connectionsPerAddress = Rate(perSecond: 1, burst: UInt64(random.draw(1...5)))
    }
    if random.chance(300) {
      limits.connectionsPerPrefix = Rate(perSecond: 2, burst: UInt64(random.draw(3...12)))
    }
    if random.chance(300) { limits.concurrentPerAddress = random.draw(1...3) }
    if random.chance(300) { limits.concurrentPerPrefix = random.draw(2...8) }
    limits.banFor = .seconds(UInt64(random.draw(2...10)))
  }
}
