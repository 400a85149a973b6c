internal import Auth
internal import Gateway
package import Primitives
internal import Store
internal import Upstream

/// One run of a scenario: gateways, clients, workers, network and store in virtual time.
///
/// Everything that happens is an event of one queue, and everything random comes from the
/// scenario's seed, so that the same scenario runs the same way on any machine.
package final class Simulation {
  package let scenario: Scenario
  package private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
  let start: Instant
  private var queue = EventQueue()
  let trace: Trace
  let network: Network
  let oracle: Oracle
  let deeds: Deeds
  let games: [Game]
  let fixture: StoreFixture
  /// Where the database is that all gateways use; nil when they have none.
  let disk: VirtualDisk?
  private(set) var gateways: [VirtualGateway] = []
  private(set) var clients: [GameClient] = []
  private(set) var workers: [WorkerProcess] = []
  let plan: Plan
  private var lastToken: UInt64 = 0
  private var lastSerial: UInt64 = 0
  private var random: SeededRandom
  private var names: SeededRandom
  package private(set) var eventCount = 0

  package init(_ scenario: Scenario, trace: Trace = Trace()) {
    self.scenario = scenario
    self.trace = trace
    start = now
    random = SeededRandom(seed: scenario.seed, "simulation")
    names = SeededRandom(seed: scenario.seed, "names")
    network = Network(seed: scenario.seed, trace: trace)
    games = Game.all(of: scenario)
    fixture = scenario.fixture
    disk = Self.disk(scenario, games)
    plan = Plan(scenario)
    deeds = Deeds(scenario)
    trace.start = now
    trace.now = now
    oracle = Oracle(scenario, games)
    oracle.simulation = self
  }

  var unixMilliseconds: UInt64 {
    UInt64(StoreFixture.unixSeconds) * 1000 + elapsed.nanoseconds / 1_000_000
  }
  /// Since the beginning.
  var elapsed: Interval { now.since(start) }

  // MARK: Running

  /// Runs the scenario to its end, or to the first broken property.
  package func run() -> Report {
    setUp()
    oracle.workersAreLeftAlone = !scenario.disturbsWorkers
    let end = start + .milliseconds(UInt64(scenario.milliseconds))
    advance(to: end)
    if !oracle.hasFailed { calmDown() }
    if !oracle.hasFailed { endEverything() }
    return Report(self)
  }

  /// Makes everything that the scenario begins with.
  func setUp() {
    network.now = now
    connectStoreDeeds()
    noteFixture()
    disk?.faults = ordinaryDisk
    workers = (0..<scenario.workers).map { WorkerProcess(self, number: $0) }
    for number in 0..<scenario.gateways {
      gateways.append(makeGateway(number))
      startGateway(number)
      schedule()
    }
    clients = (0..<scenario.clients).map { GameClient(self, number: $0) }
    for client in clients { client.start() }
    for (number, entry) in plan.entries.enumerated() { add(.deed(number), at: start + entry.after) }
    add(.check, at: now + .milliseconds(100))
  }

  /// One client more, from where nobody need come from.
  func addClient(host: Int) -> GameClient {
    let client = GameClient(self, number: clients.count, hostNumber: host)
    clients.append(client)
    return client
  }

  private func makeGateway(_ number: Int, generation: Int = 0) -> VirtualGateway {
    VirtualGateway(
      self, number: number, generation: generation,
      configuration: Game.configuration(games, workers, scenario))
  }

  /// Starts a new process in the place of one that has ended.
  func replaceGateway(_ number: Int, generation: Int) {
    gateways[number] = makeGateway(number, generation: generation)
    startGateway(number)
  }

  /// A program that can't read its bans ends, and is started again by whoever watches over it.
  private func startGateway(_ number: Int) {
    do throws(StoreError) {
      try gateways[number].start()
    } catch {
      trace.note("start failed", number)
      add(.startGateway(number), at: now + .seconds(1))
    }
  }

  /// Without logins or bans there is nothing to be kept.
  private static func disk(_ scenario: Scenario, _ games: [Game]) -> VirtualDisk? {
    guard scenario.bansPerMinute > 0 || games.contains(where: { $0.login != nil }) else {
      return nil
    }
    do throws(StoreError) {
      return VirtualDisk(seed: scenario.seed, image: try scenario.fixture.image())
    } catch {
      preconditionFailure("the prepared database can't be made: \(error)")
    }
  }

  /// A number that no event has yet.
  func nextSerial() -> UInt64 {
    lastSerial += 1
    return lastSerial
  }

  /// Handles what happens until then.
  func advance(to end: Instant) {
    schedule()
    while let next = queue.nextTime, next <= end, !oracle.hasFailed {
      guard let (at, event) = queue.popFirst() else { break }
      now = max(now, at)
      network.now = now
      trace.now = now
      eventCount += 1
      handle(event)
      schedule()
    }
    if !oracle.hasFailed {
      now = max(now, end)
      network.now = now
      trace.now = now
    }
  }

  /// Lets time pass until `isTrue`, or for `limit`.
  func advance(upTo limit: Interval, until isTrue: () -> Bool) -> Bool {
    let end = now + limit
    while !isTrue() {
      guard now < end, !oracle.hasFailed else { return false }
      advance(to: min(end, now + .milliseconds(50)))
    }
    return true
  }

  func add(_ event: Event, at instant: Instant) { queue.add(event, at: max(instant, now)) }

  private func schedule() {
    guard !network.scheduled.isEmpty else { return }
    for (at, arrival) in network.scheduled { queue.add(.arrival(arrival), at: at) }
    network.scheduled.removeAll(keepingCapacity: true)
  }

  private func handle(_ event: Event) {
    trace.mix(event)
    switch event {
    case .gatewayTurn(let gateway, let shard, let serial):
      gateways[gateway].shards[shard].turn(serial: serial)
    case .arrival(let arrival): if network.apply(arrival) { arrived(arrival) }
    case .client(let number): clients[number].act()
    case .worker(let number, let alarm): workers[number].act(alarm)
    case .deed(let number): perform(plan.entries[number])
    case .repair(let repair): perform(repair)
    case .storeTurn(let gateway, let serial): gateways[gateway].storeTurn(serial: serial)
    case .mail(let gateway, let instance, let shard, let mail):
      guard gateways[gateway].instance == instance else { return }
      gateways[gateway].shards[shard].post(mail)
    case .startGateway(let gateway): startGateway(gateway)
    case .check:
      noteHinderedStores()
      oracle.check()
      add(.check, at: now + .milliseconds(100))
    }
  }

  private func arrived(_ arrival: Arrival) {
    let connection = network.connections[arrival.connection]
    switch (arrival.end, connection.peer) {
    case (.peer, .client(let client)):
      // Tests open connections of their own and look at them themselves.
      if client < clients.count { clients[client].arrived(arrival.kind, on: connection) }
    case (.peer, .worker(let worker)): workers[worker].arrived(arrival.kind, on: connection)
    case (.gateway, .client):
      if case .attempt = arrival.kind {
        gateways[connection.gateway].door.attempted(connection)
      } else {
        shard(of: connection).clientChanged(connection)
      }
    case (.gateway, .worker):
      var isConnected = false
      if case .established = arrival.kind { isConnected = true }
      shard(of: connection).linkChanged(connection, isConnected: isConnected)
    }
  }

  private func shard(of connection: Connection) -> VirtualShard {
    gateways[connection.gateway].shards[connection.gatewayShard]
  }

  // MARK: What gateways ask for

  func resolve(
    _ worker: WorkerConfiguration, link: LinkIndex, serial: Int, for shard: VirtualShard
  ) {
    let address = workers.first { $0.port == worker.port }?.address
    // Who can reach no worker may reach no name server either.
    let isTroubled = scenario.delaysPerMinute + scenario.partitionsPerMinute > 0 && !deeds.isCalm
    let mail = Mail.resolved(link, serial: serial, address)
    guard isTroubled, names.chance(300) else { return shard.post(mail) }
    let isFound = names.chance(600)
    trace.note("a name is late", shard.gateway.number, isFound ? 1 : 0)
    add(
      .mail(
        gateway: shard.gateway.number, instance: shard.gateway.instance, shard: shard.number,
        isFound ? mail : .resolved(link, serial: serial, nil)),
      at: now + names.draw(.zero ... .seconds(3)))
  }

  func connect(_ gateway: VirtualGateway, to address: SocketAddress) -> Connection {
    let worker = workers.first { $0.address == address }!
    let connection = network.open(
      from: gateway.number, to: worker.number, address: address,
      path: worker.path(to: gateway.number))
    connection.toPeer.bytesMax = scenario.workerSocketBytes
    connection.toGateway.bytesMax = scenario.workerSocketBytes
    return connection
  }

  /// A gateway has closed its connection to a worker.
  func linkClosed(_ connection: Connection) {
    guard case .worker(let worker) = connection.peer else { return }
    workers[worker].gatewayClosed(connection)
  }

  func logged(_ event: LogEvent, by gateway: VirtualGateway) {
    trace.note(event, gateway.number)
    oracle.logged(event, by: gateway)
  }

  // MARK: Operators

  /// Has a gateway carry out a command; `body` is given its answer.
  @discardableResult
  func command(_ command: Command, to gateway: Int) -> UInt64 {
    let token = newToken()
    gateways[gateway].perform(command, token)
    return token
  }

  func newToken() -> UInt64 {
    lastToken += 1
    return lastToken
  }

  func answered(_ token: UInt64, _ reply: Reply, by gateway: VirtualGateway) {
    deeds.answered(token, reply, by: gateway)
  }
}
