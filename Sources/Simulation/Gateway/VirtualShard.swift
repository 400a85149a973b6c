internal import Auth
internal import Framing
internal import Gateway
internal import Primitives
internal import Upstream

/// The second driver: performs a shard's effects on a virtual network, under a virtual clock.
///
/// Its turns take the steps of a `Reactor`'s in the same order: change one with the other, which is
/// in Sources/Reactor, or what is simulated is not what runs. What the system decides there (who is
/// ready first, where reads and writes are cut, how long a turn takes) is drawn from the seed here.
@safe
final class VirtualShard {
  static let readBytesMax = 256 << 10
  static let slicesMax = 256
  static let acceptsMax = 256

  /// A client's descriptor; the shard's session has the same index.
  struct ClientSocket {
    var connection: Connection?
    var id = SessionID(index: 0, generation: 0)
    var reads = true
    var awaitsWritable = false
    /// It is in ``VirtualShard/readyClients``.
    var isListed = false
    /// Its session has gone to another shard: what was to be reported of it no longer matters here.
    var hasMoved = false
  }

  struct LinkSocket {
    var connection: Connection?
    /// Tells this connection from the link's earlier ones.
    var serial = 0
    var isConnecting = false
    var hasConnected = false
    var reads = true
    var awaitsWritable = false
    /// It broke while nothing was read from it, and is not reported until it is.
    var isDetached = false
  }

  struct Listener {
    var port: UInt16 = 0
    var isOpen = false
    /// Connections that nobody has accepted yet.
    var queue: [Connection] = []
  }

  unowned let gateway: VirtualGateway
  /// Among the gateway's; 0 is the door.
  let number: Int
  var shard: Shard
  var effects = Effects()
  var random: SeededRandom

  var clients: [ClientSocket] = []
  /// Slots of clients' descriptors that epoll would report, or nearly.
  var readyClients: [Int] = []
  /// Those that it has reported in this turn.
  var reportedClients: [Int] = []
  /// Lingering sockets, likewise.
  var readyLingering: [Connection] = []
  var reportedLingering: [Connection] = []
  /// Links of this turn that have something to be read.
  var readableLinks: [Int] = []
  var links: [LinkSocket] = []
  /// The door's alone.
  var listeners: [Listener] = []
  var lingering = LingeringClients()
  var mailbox: [Mail] = []
  /// SIGTERM has come.
  var isSignalled = false
  var acceptPauses = AcceptPauses()
  var isFinished = false
  /// When the last message to each shard arrives there: the next comes no sooner.
  var lastArrivals: [Instant]
  /// Of the newest wake-up; earlier ones are stale.
  var wakeUpSerial: UInt64 = 0
  var wakeUpAt = Instant.distantFuture
  /// When the oracle last looked at everything in it.
  var auditedAt = Instant(nanoseconds: 0)
  private var lastTurnAt = Instant.distantFuture
  private var turnsAtOnce = 0
  /// The loop does nothing until then: the system gives it no time.
  var stalledUntil = Instant(nanoseconds: 0)

  var simulation: Simulation { gateway.simulation }
  var now: Instant { simulation.now }

  let readBuffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: VirtualShard.readBytesMax, alignment: 16)
  let slices = UnsafeMutableBufferPointer<IOSlice>.allocate(
    capacity: VirtualShard.slicesMax)

  private init(
    _ gateway: VirtualGateway, _ number: Int, _ shard: consuming Shard, _ random: SeededRandom
  ) {
    self.gateway = gateway
    self.number = number
    self.shard = shard
    self.random = random
    lastArrivals = []
  }

  /// All shards of a process.
  static func group(
    of count: Int, in gateway: VirtualGateway, generation: Int
  ) -> [VirtualShard] {
    let simulation = gateway.simulation
    var groupSeed: UInt64 = 0
    return (0..<count).map { number in
      let place = generation << 16 | number << 8 | gateway.number
      var random = SeededRandom(seed: simulation.scenario.seed, "gateway", place)
      let seed = random.next()
      if number == 0 { groupSeed = seed }
      let shard = Shard(
        configuration: gateway.configuration, number: number, groupSeed: groupSeed, seed: seed,
        now: simulation.now, unixMilliseconds: simulation.unixMilliseconds)
      let virtual = VirtualShard(gateway, number, shard, random)
      virtual.lastArrivals = Array(repeating: simulation.now, count: count)
      return virtual
    }
  }

  deinit {
    unsafe readBuffer.deallocate()
    unsafe slices.deallocate()
  }

  func start() {
    if number == 0 {
      listeners = gateway.configuration.listeners.map { Listener(port: $0.port, isOpen: true) }
    }
    shard.start(now: now, effects: &effects)
    performEffects()
    wakeUp()
  }

  /// Another process has its place, and nothing of this one is asked for any more.
  func giveUpMemory() {
    shard = Shard(
      configuration: GatewayConfiguration(), groupSeed: 0, seed: 0, now: now,
      unixMilliseconds: simulation.unixMilliseconds)
    effects = Effects()
    (clients, links, listeners, mailbox) = ([], [], [], [])
    (readyClients, readyLingering) = ([], [])
  }

  // MARK: When

  /// Something happened that ends the waiting for events.
  func wakeUp() {
    let delay = random.draw(.zero...simulation.scenario.turnDelayMax)
    wakeUp(at: max(now + delay, stalledUntil))
  }

  private func wakeUp(at instant: Instant) {
    guard instant < wakeUpAt else { return }
    wakeUpAt = instant
    wakeUpSerial = simulation.nextSerial()
    simulation.add(
      .gatewayTurn(gateway: gateway.number, shard: number, serial: wakeUpSerial), at: instant)
  }

  func post(_ mail: Mail) {
    guard gateway.isRunning, !isFinished else { return drop(mail) }
    if case .terminate = mail { isSignalled = true } else { mailbox.append(mail) }
    wakeUp()
  }

  /// Turns at one instant are events that came together; so many are a loop that never waits.
  private static let turnsAtOnceMax = 20_000

  private func noteTurn() {
    turnsAtOnce = lastTurnAt == now ? turnsAtOnce + 1 : 0
    lastTurnAt = now
    guard turnsAtOnce == Self.turnsAtOnceMax else { return }
    let links = links.indices.filter { !readiness(ofLink: $0).isEmpty }
    simulation.oracle.broken(
      .driver,
      "the loop never waits: unwritten \(shard.hasUnwritten), clients \(readyClients), "
        + "mail \(mailbox.count), links \(links), deadline \(shard.nextDeadline?.nanoseconds ?? 0)",
      gateway: gateway.number)
  }

  private func planNextTurn() {
    noteTurn()
    guard !isFinished || lingering.count > 0 else { return }
    if shard.hasUnwritten || isAnythingReady { return wakeUp() }
    var deadline = acceptPauses.retryAt
    for other in [shard.nextDeadline, lingering.nextDeadline] {
      if let other { deadline = min(deadline, other) }
    }
    // epoll_wait counts in milliseconds: a driver wakes up late rather than early.
    guard deadline != .distantFuture else { return }
    let wait = Interval.milliseconds(min(deadline.since(now).milliseconds, 3_600_000))
    wakeUp(at: max(now + wait, stalledUntil))
  }

  // MARK: One turn

  func turn(serial: UInt64) {
    guard serial == wakeUpSerial else { return }
    wakeUpAt = .distantFuture
    guard !isFinished || lingering.count > 0 else { return }
    guard now >= stalledUntil else { return wakeUp(at: stalledUntil) }
    shard.beginTurn(unixMilliseconds: simulation.unixMilliseconds)
    var acceptFrom: [Int] = []
    for event in takeEvents() {
      switch event {
      case .client(let id, let readiness): clientReady(id, readiness)
      case .link(let link, let serial, let readiness): linkReady(link, serial, readiness)
      case .listener(let index): acceptFrom.append(index)
      case .mailbox: takeMail()
      case .signal: takeSignal()
      case .lingering(let connection): readLingering(connection)
      }
    }
    endTurn()
    for link in readableLinks { readLink(link) }
    readableLinks.removeAll(keepingCapacity: true)
    for index in acceptFrom { accept(from: index) }
    if acceptPauses.retryAt <= now { resumeAccepting() }
    for connection in lingering.takeExpired(now: now) {
      close(simulation.network.connections[Int(connection)], abort: false)
    }
    shard.timePassed(now: now, effects: &effects)
    performEffects()
    endTurn()
    listReported()
    if isFinished, lingering.count == 0 { gateway.shardEnded() }
    simulation.oracle.turnEnded(self)
    planNextTurn()
  }

  private func endTurn() {
    shard.endTurn(now: now, effects: &effects)
    performEffects()
  }

  private func takeMail() {
    let mails = mailbox
    mailbox.removeAll(keepingCapacity: true)
    for mail in mails {
      take(mail)
      performEffects()
    }
  }

  private func takeSignal() {
    isSignalled = false
    shard.beginShutdown(now: now, effects: &effects)
    performEffects()
  }

  private func take(_ mail: Mail) {
    switch mail {
    case .command(let command, let token):
      shard.handle(command, token: token, now: now, effects: &effects)
    case .addListener(let listener, let token): add(listener, token)
    case .verdict(let session, let verdict):
      simulation.oracle.verdict(verdict, for: session, at: gateway)
      shard.verdict(verdict, for: session, now: now, effects: &effects)
    case .bans(let bans, let event): shard.bansChanged(bans, event: event)
    case .banRecorded(let ban, let event): shard.banRecorded(ban, event: event)
    case .accountsKnown(let accounts): shard.accountsKnown(accounts)
    case .resolved(let link, let serial, let address):
      guard links[Int(link)].serial == serial else { return }
      if let address {
        shard.linkResolved(link, [address], now: now, effects: &effects)
      } else {
        shard.linkResolveFailed(link, "no such host", now: now, effects: &effects)
      }
    case .message(let message, let sender, let sockets): take(message, from: sender, sockets)
    case .terminate: break
    }
  }

  // MARK: Effects

  /// Performs all effects, those that performing leads to included.
  func performEffects() {
    var next = 0
    while next < effects.io.count {
      let effect = effects.io[next]
      next += 1
      switch effect {
      case .writeClient(let id): writeClient(id)
      case .awaitWritable(let id, let isOn): awaitWritable(id, isOn)
      case .readClient(let id, let isOn): setReading(id, isOn)
      case .closeClient(let id, let manner): closeClient(id, manner)
      case .resolve(let link): resolve(Int(link))
      case .connect(let link, let address): connect(Int(link), to: address)
      case .writeLink(let link): writeLink(Int(link))
      case .readLink(let link, let isOn): setReading(link: Int(link), isOn)
      case .closeLink(let link): closeLink(Int(link))
      case .stopListening(let slot): stopListening(slot)
      case .stopAccepting:
        for slot in listeners.indices { stopListening(slot) }
        acceptPauses = AcceptPauses()
      case .finished: isFinished = true
      }
    }
    for event in effects.log { simulation.logged(event, by: gateway) }
    for claim in effects.claims { verify(claim) }
    for record in effects.records { gateway.store?.record(record) }
    if !effects.claims.isEmpty || !effects.records.isEmpty { gateway.planStoreTurn() }
    for (token, reply) in effects.replies { gateway.answered(token, reply, by: self) }
    for (receiver, message) in effects.messages { send(message, to: receiver) }
    effects.removeAll()
  }

  private func verify(_ claim: LoginRequest) {
    guard let store = gateway.store else {
      return post(.verdict(claim.session, .unavailable("there is no store")))
    }
    store.verify(claim)
  }

  // MARK: Cuts

  /// How much of `byteCount` a system call moves: all of it, or any part.
  func cut(_ byteCount: Int) -> Int {
    guard byteCount > 1, random.chance(simulation.scenario.cutPermille) else { return byteCount }
    return random.chance(300)
      ? random.draw(1...min(byteCount, 8)) : random.draw(1...byteCount)
  }

  /// Lends the read buffer with `bytes` in it.
  func withReadBuffer(
    _ bytes: ArraySlice<UInt8>, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    unsafe readBuffer.copyBytes(from: bytes)
    unsafe body(UnsafeRawBufferPointer(rebasing: readBuffer[..<bytes.count]))
    // What the core still took from here would show.
    unsafe readBuffer[..<bytes.count].initializeMemory(as: UInt8.self, repeating: 0xee)
  }

  /// The first `byteCount` bytes that the slices name.
  func gathered(_ count: Int, byteCount: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    for index in 0..<count where bytes.count < byteCount {
      let slice = unsafe UnsafeRawBufferPointer(
        start: slices[index].base, count: slices[index].count)
      unsafe bytes.append(contentsOf: slice.prefix(byteCount - bytes.count))
    }
    return bytes
  }
}
