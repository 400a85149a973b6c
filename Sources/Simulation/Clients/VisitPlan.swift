internal import Primitives

/// What a client means to do from the connection to its end, drawn before it comes.
struct VisitPlan {
  enum Login {
    /// Nobody asks.
    case none
    case claim(Credential)
    /// It says nothing until it is thrown out.
    case silence
    /// It says what is no login.
    case garbage
    /// It wants to know something, and does not come in.
    case question
  }

  enum Reading {
    case eager
    /// So many bytes at a time, so far apart.
    case slow(bytesMax: Int, pause: Interval)
    /// Nothing between these times from its coming on; for ever when there is no second one.
    case stalled(after: Interval, until: Interval?)
  }

  enum Departure {
    /// Ends its direction, and waits for the gateway's end.
    case halfClose
    case close
    case reset
    /// Sends a part of a packet first.
    case halfPacket
    /// Says nothing any more.
    case silence
    /// Sends what the game does not allow.
    case violation
  }

  var login = Login.none
  /// Goes on behind its login without waiting.
  var isEager = true
  /// Sends its login byte by byte.
  var trickles = false
  var reading = Reading.eager
  var floods = false
  var departure = Departure.halfClose
  var length: Interval

  /// - Parameters:
  ///   - serial: tells all visits of a simulation apart.
  ///   - now: Unix seconds.
  init(
    _ game: Game, client: Int, serial: UInt64, now: Int64, _ scenario: Scenario,
    _ random: inout SeededRandom
  ) {
    length = random.exponential(mean: .milliseconds(UInt64(max(scenario.visitMilliseconds, 1))))
    reading = Self.reading(scenario, &random)
    floods = random.chance(scenario.floodingPermille)
    departure = Self.departure(game, scenario, &random)
    if case .stalled(_, until: nil) = reading { departure = .close }
    guard let asked = game.login else { return }
    login = Self.login(asked, client, serial, now, scenario, &random)
    isEager = random.chance(scenario.eagerPermille)
    trickles = random.chance(scenario.tricklingPermille)
  }

  /// Of somebody who does everything right, and leaves when told to.
  init(newcomer login: Login) {
    self.login = login
    length = .seconds(3600)
  }

  /// What must become of it.
  var expected: ExpectedLogin {
    switch login {
    case .none: .none
    case .claim(let credential): credential.expected
    case .silence, .garbage, .question: .refused
    }
  }

  private static func reading(_ scenario: Scenario, _ random: inout SeededRandom) -> Reading {
    if random.chance(scenario.stalledReaderPermille) {
      let after = random.draw(Interval.zero...Interval.seconds(3))
      let until = after + random.draw(Interval.seconds(1)...Interval.seconds(10))
      return .stalled(after: after, until: random.chance(300) ? nil : until)
    }
    guard random.chance(scenario.slowReaderPermille) else { return .eager }
    return .slow(
      bytesMax: random.draw(1...2000), pause: .milliseconds(UInt64(random.draw(1...300))))
  }

  private static func departure(
    _ game: Game, _ scenario: Scenario, _ random: inout SeededRandom
  ) -> Departure {
    // Each is drawn, so that none shifts the others' draws.
    let chances: [(Int, Departure)] = [
      (scenario.violatingPermille, .violation), (scenario.halfPacketPermille, .halfPacket),
      (scenario.silentPermille, .silence), (scenario.resetPermille, .reset),
      (scenario.abruptPermille, .close),
    ]
    let drawn = chances.filter { random.chance($0.0) }
    return drawn.first?.1 ?? .halfClose
  }

  private static func login(
    _ login: GameLogin, _ client: Int, _ serial: UInt64, _ now: Int64, _ scenario: Scenario,
    _ random: inout SeededRandom
  ) -> Login {
    let isSomebodyElse = random.chance(scenario.sharedAccountPermille)
    let other = random.draw(0...max(scenario.clients - 1, 0))
    let isRight = !random.chance(scenario.wrongLoginPermille)
    let isNone = random.chance(scenario.noLoginPermille)
    let isSilent = random.chance(500)
    let asks = random.chance(scenario.questionPermille)
    if isNone { return isSilent ? .silence : .garbage }
    if asks, login.answersQuestions { return .question }
    let book = CredentialBook(contents: scenario.fixture.contents)
    return .claim(
      book.credential(
        login.kind, index: isSomebodyElse ? other : client, isRight: isRight, serial: serial,
        now: now, &random))
  }
}
