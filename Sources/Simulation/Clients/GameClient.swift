internal import Primitives

/// A player's program at the far end of the network: connects, plays, leaves, comes again.
final class GameClient {
  /// From the connection's first packet until its descriptor is closed.
  struct Stay {
    /// The visit's number, as the oracle counts them.
    let visit: Int
    let connection: Connection
    /// The process that it came to, which another may have replaced.
    let gateway: VirtualGateway
    let game: Int
    var plan: VisitPlan
    var isConnected = false
    let cameAt: Instant

    /// What waits to be written; the first ``written`` bytes have gone.
    var output: [UInt8] = []
    var written = 0
    /// So many bytes more go one by one.
    var tricklingByteCount = 0
    var pausesWriting = false
    var nextPacket = 0
    var rawByteCount = 0
    /// No more is said.
    var isFinished = false
    /// The direction ends behind what waits.
    var isEnding = false
    var hasEnded = false
    var hasLoggedIn = false
    var hasViolated = false

    /// What came and is not a whole answer yet.
    var input: [UInt8] = []
    var isReadPlanned = false
    var wasRefused = false
    var wasGreeted = false
  }

  /// What a client wants to be woken up for.
  enum Alarm {
    case come, stampede
    // For one stay.
    case connectTimeout, login, play, write, read, leave, giveUp
  }

  private struct Reminder {
    var at: Instant
    var alarm: Alarm
    /// The stay that it is about; nil when it is about none.
    var visit: Int?
  }

  /// A ban that ends sooner may end before the gateway looks at it.
  private static let certainBanSeconds: Int64 = 120
  static let connectTimeout = Interval.seconds(10)
  /// How long a client waits for the gateway's end, at the most.
  static let farewellTimeout = Interval.seconds(60)

  unowned let simulation: Simulation
  let number: Int
  /// Where it connects from; ports change.
  let host: SocketAddress
  private let path: Int
  var random: SeededRandom
  var stay: Stay?
  private var reminders: [Reminder] = []
  private var isDismissed = false
  private var isCalm = false
  private var visitCount = 0

  /// - Parameter hostNumber: where it comes from; nil is as its number says, or as its neighbour's.
  init(_ simulation: Simulation, number: Int, hostNumber: Int? = nil) {
    self.simulation = simulation
    self.number = number
    let scenario = simulation.scenario
    var random = SeededRandom(seed: scenario.seed, "client", number)
    let isShared = number > 0 && random.chance(scenario.sharedAddressPermille)
    let isBanned = random.chance(scenario.bannedHostPermille)
    if isBanned, hostNumber == nil {
      host = SocketAddress(ipv4: 203, 0, 113, UInt8(1 + number % 62), port: 0)
    } else {
      host = Self.host(hostNumber ?? (isShared ? number - 1 : number))
    }
    path = simulation.network.addPath(
      latency: random.draw(.zero...Interval.milliseconds(UInt64(scenario.latencyMilliseconds))),
      jitter: .milliseconds(UInt64(scenario.jitterMilliseconds)))
    self.random = random
  }

  /// Eight clients share a prefix; each fourth prefix is one of IPv6.
  private static func host(_ number: Int) -> SocketAddress {
    let (prefix, place) = (number / 8, UInt8(number % 8 + 1))
    let (high, low) = (UInt8(prefix >> 8 & 0x3f), UInt8(prefix & 0xff))
    guard prefix % 4 == 3 else { return SocketAddress(ipv4: 100, 64 + high, low, place, port: 0) }
    return SocketAddress(
      ipv6: [0x20, 1, 0xd, 0xb8, 0, 0, high, low, 0, 0, 0, 0, 0, 0, 0, place], port: 0)
  }

  var scenario: Scenario { simulation.scenario }
  var game: Game { simulation.games[stay!.game] }
  /// A connection of it is open, or is being made.
  var isHere: Bool { stay != nil }

  /// The load is over: nobody comes any more, and nobody leaves by plan.
  private var isOver: Bool {
    isCalm || simulation.elapsed >= .milliseconds(UInt64(scenario.milliseconds))
  }

  // MARK: When

  func start() {
    let mean = Interval.milliseconds(UInt64(max(scenario.arrivalMilliseconds, 1)))
    switch scenario.arrivals {
    case 1: remind(.come, after: nextWave())
    case 2: remind(.come, after: random.draw(.zero...Interval.milliseconds(5)))
    default: remind(.come, after: random.exponential(mean: mean))
    }
    if scenario.stampedeAt > 0 {
      let at = Interval.milliseconds(UInt64(scenario.stampedeAt))
      remind(.stampede, after: at + random.draw(.zero...Interval.milliseconds(20)))
    }
  }

  private func nextWave() -> Interval {
    let period = Interval.seconds(10).nanoseconds
    let left = period - simulation.elapsed.nanoseconds % period
    return Interval(nanoseconds: left) + random.draw(.zero...Interval.milliseconds(500))
  }

  private func planNextVisit() {
    if random.chance(scenario.reconnectPermille) {
      return remind(.come, after: random.draw(.zero...Interval.milliseconds(10)))
    }
    let mean = Interval.milliseconds(UInt64(max(scenario.pauseMilliseconds, 1)))
    let pause = random.exponential(mean: mean)
    remind(.come, after: scenario.arrivals == 1 ? nextWave() : pause)
  }

  func remind(_ alarm: Alarm, after delay: Interval) {
    let at = simulation.now + delay
    var visit = stay?.visit
    switch alarm {
    case .come, .stampede: visit = nil
    case .connectTimeout, .login, .play, .write, .read, .leave, .giveUp: break
    }
    let place = reminders.firstIndex { $0.at > at } ?? reminders.count
    reminders.insert(Reminder(at: at, alarm: alarm, visit: visit), at: place)
    simulation.add(.client(number), at: at)
  }

  /// What was put into the queue as `.client(number)`.
  func act() {
    while let next = reminders.first, next.at <= simulation.now {
      reminders.removeFirst()
      if next.visit == nil || next.visit == stay?.visit { perform(next.alarm) }
    }
  }

  private func perform(_ alarm: Alarm) {
    switch alarm {
    case .come, .stampede: come()
    case .connectTimeout: if !stay!.isConnected { close(byReset: true) }
    case .login: logIn()
    case .play: play()
    case .write:
      stay!.pausesWriting = false
      flush()
    case .read: readSlowly()
    case .leave: if !isOver { depart() }
    // It has waited long enough.
    case .giveUp: close(byReset: false)
    }
  }

  // MARK: Coming

  private func come() {
    guard stay == nil, !isDismissed, !isOver else { return }
    let game = random.draw(0...simulation.games.count - 1)
    let gateway = random.draw(0...scenario.gateways - 1)
    visitCount += 1
    let plan = VisitPlan(
      simulation.games[game], client: number, serial: UInt64(number) << 32 | UInt64(visitCount),
      now: Int64(simulation.unixMilliseconds / 1000), scenario, &random)
    visit(game: game, gateway: gateway, plan)
  }

  /// Comes to a gateway's listener.
  func visit(game: Int, gateway: Int, _ plan: VisitPlan) {
    var address = host
    // Who shares an address does not share ports.
    address.port = UInt16(1024 + (visitCount * 2 + number % 2) % 60_000)
    let connection = simulation.network.open(
      from: number, address: address, to: gateway, port: simulation.games[game].port, path: path)
    let visit = simulation.oracle.began(
      Visit(
        client: number, connection: connection, game: game,
        login: comesFromBanned ? .refused : plan.expected))
    simulation.trace.note("client comes", number, visit, game)
    stay = Stay(
      visit: visit, connection: connection, gateway: simulation.gateways[gateway], game: game,
      plan: plan, cameAt: simulation.now)
    limitReading()
    remind(.connectTimeout, after: Self.connectTimeout)
  }

  /// No operator lifts what the prepared database bans for ever.
  private var comesFromBanned: Bool {
    guard simulation.disk != nil else { return false }
    return simulation.fixture.contents.isBanned(
      host, at: Int64(simulation.unixMilliseconds / 1000) + Self.certainBanSeconds)
  }

  func arrived(_ kind: Arrival.Kind, on connection: Connection) {
    guard let stay, stay.connection === connection else { return }
    switch kind {
    case .attempt: preconditionFailure("nobody connects to a client")
    case .established: connected()
    case .refused: gatewayEnded(reset: true)
    case .bytes, .end, .reset: readAsPlanned()
    case .room: flush()
    }
  }

  private func connected() {
    stay!.isConnected = true
    if isDismissed { return leave() }
    remind(.leave, after: stay!.plan.length)
    remind(.login, after: random.draw(.zero...Interval.milliseconds(50)))
  }

  // MARK: Leaving

  private func depart() {
    guard stay!.isConnected, !stay!.isFinished else { return }
    simulation.trace.note("client leaves", number, stay!.visit)
    stay!.isFinished = true
    switch stay!.plan.departure {
    case .halfClose: end()
    case .close: close(byReset: false)
    case .reset: close(byReset: true)
    case .halfPacket:
      sendHalfPacket()
      if random.chance(500) { end() } else { remind(.giveUp, after: .milliseconds(200)) }
    case .silence: remind(.giveUp, after: .seconds(90))
    case .violation:
      sendViolation()
      if !stay!.hasViolated { end() }
      remind(.giveUp, after: Self.farewellTimeout)
    }
  }

  /// Ends the direction once all that waits has been written.
  private func end() {
    stay!.isEnding = true
    remind(.giveUp, after: Self.farewellTimeout)
    flush()
  }

  /// Closes its descriptor.
  private func close(byReset: Bool) {
    guard let stay else { return }
    let hasUnread = stay.connection.toPeer.arrivedByteCount > 0
    if byReset {
      simulation.network.abort(stay.connection, from: .peer)
    } else {
      simulation.network.close(stay.connection, from: .peer)
    }
    simulation.oracle.clientLeft(stay.visit, byReset: byReset || hasUnread)
    simulation.trace.note("client left", number, stay.visit)
    forget()
  }

  /// The gateway has ended the connection, and all that it said has been read.
  func gatewayEnded(reset: Bool) {
    guard let stay else { return }
    checkEnd(reset: reset)
    simulation.trace.note("client saw the end", number, stay.visit, reset ? 1 : 0)
    simulation.oracle.sawEnd(stay.visit, reset: reset)
    close(byReset: false)
  }

  private func forget() {
    stay = nil
    reminders.removeAll { $0.visit != nil }
    if !isDismissed { planNextVisit() }
  }

  // MARK: At the end of a scenario

  /// Reads all from now on, misbehaves no more, and neither comes nor goes by itself.
  func calmDown() {
    isCalm = true
    guard stay != nil else { return }
    stay!.plan.reading = .eager
    stay!.plan.departure = .halfClose
    stay!.tricklingByteCount = 0
    flush()
    readAsPlanned()
  }

  /// Says something once more, if it is still in the game.
  func speakOnce() {
    guard let stay, stay.isConnected, !stay.isFinished, stay.hasLoggedIn else { return }
    sendPacket()
    flush()
  }

  /// Leaves, and does not come again.
  func leave() {
    isDismissed = true
    // Who is on the way goes as soon as it is there.
    guard stay != nil, stay!.isConnected else { return }
    stay!.plan.departure = .halfClose
    if !stay!.isFinished {
      depart()
    } else if !stay!.isEnding {
      // It had gone silent, or had been caught.
      end()
    }
  }
}
