import Auth
import Framing
import Primitives
import Testing
import Upstream

@testable import Gateway

/// Drives one shard against clients and workers in memory, with a clock that only tests move.
///
/// Performs effects as the reactor does: after each event, all of them, in order, those that
/// performing leads to included. Whatever the system would decide (where reads are cut, how much a
/// socket takes, who is served first) is drawn from a seed.
final class VirtualWorld {
  /// What the network between gateway and worker holds in one direction, in bytes.
  static let networkBytesMax = 256 << 10
  private static let slicesMax = 16

  /// The gateway's end of a connection to a worker.
  struct LinkSocket {
    var worker: VirtualWorker?
    var isConnecting = false
    /// The worker is gone; what it had sent can still be read.
    var isBroken = false
    var reads = true
    var awaitsWritable = false
    var toWorker: [UInt8] = []
    var toGateway: [UInt8] = []
    var resolves = false
    /// Tells this connection from the link's earlier ones.
    var serial = 0
  }

  var shard: Shard
  var effects = Effects()
  let configuration: GatewayConfiguration
  /// The shard's number in its group.
  let number: Int
  let outside: Outside
  /// Set while the shard is one of several.
  weak var group: VirtualGroup?
  var random: SeededRandom
  var now: Instant { outside.now }

  var clients: [VirtualClient] {
    _read { yield outside.clients }
    _modify { yield &outside.clients }
  }
  var workers: [VirtualWorker] { outside.workers }
  /// Clients whose socket is open at the gateway's end, and with this shard.
  var openClients = 0
  /// The client of each session, indexed like the shard's sessions.
  var clientOfSlot: [Int] = []
  var links: [LinkSocket] = []
  /// Bytes that the network holds on their way to a worker, by port, where that is not as usual.
  var networkBytesMax: [UInt16: Int] = [:]

  /// Reads and writes are cut at random places.
  var cuts = false
  private(set) var log: [LogEvent] = []
  /// What was to be verified and was not answered.
  var claims: [LoginRequest] = []
  /// What the store was given to keep.
  private(set) var records: [StoreRecord] = []
  private var replies: [UInt64: [Reply]] = [:]
  private var lastToken: UInt64 = 0
  private(set) var isFinished = false
  private(set) var isAccepting = true
  /// The numbers of listeners whose sockets are open.
  var openListeners: Set<Int>
  private(set) var moved = false
  private let readBuffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: VirtualWorld.networkBytesMax, alignment: 1)
  let slices = UnsafeMutableBufferPointer<IOSlice>.allocate(capacity: VirtualWorld.slicesMax)

  /// A gateway with one pool of `workers` and one raw listener, unless `adjust` says otherwise.
  ///
  /// - Parameter adjust: may also take workers out of the configuration, to add them later.
  init(
    seed: UInt64 = 1, workers count: Int = 1, windowBytes: Int = 16 << 20, connects: Bool = true,
    adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) {
    random = SeededRandom(seed: seed)
    outside = Outside(workers: count, windowBytes: windowBytes)
    var configuration = Self.configuration(of: outside)
    adjust(&configuration)
    self.configuration = configuration
    number = 0
    openListeners = Set(configuration.listeners.indices)
    shard = Shard(
      configuration: configuration, groupSeed: seed, seed: seed, now: outside.now,
      unixMilliseconds: Self.unixMilliseconds(outside.now))
    if connects {
      start()
      settle()
    }
  }

  /// One shard of several.
  init(
    _ number: Int, _ configuration: GatewayConfiguration, _ outside: Outside, seed: UInt64
  ) {
    random = SeededRandom(seed: seed &* 64 &+ UInt64(number))
    self.outside = outside
    self.configuration = configuration
    self.number = number
    openListeners = number == 0 ? Set(configuration.listeners.indices) : []
    shard = Shard(
      configuration: configuration, number: number, groupSeed: seed, seed: random.next(),
      now: outside.now, unixMilliseconds: Self.unixMilliseconds(outside.now))
  }

  /// A gateway with one pool of all workers and one raw listener.
  static func configuration(of outside: Outside) -> GatewayConfiguration {
    var configuration = GatewayConfiguration()
    configuration.limits.sessionsMax = 1000
    var pool = PoolConfiguration(name: "main")
    pool.workers = outside.workers.map(\.configuration)
    configuration.pools = [pool]
    configuration.listeners = [
      ListenerConfiguration(name: "game", host: "127.0.0.1", port: 7000, pool: 0)
    ]
    return configuration
  }

  deinit {
    readBuffer.deallocate()
    slices.deallocate()
  }

  func start() {
    shard.start(now: now, effects: &effects)
    performEffects()
  }

  // MARK: Time

  /// Turns until nothing moves any more, without any time passing.
  func settle(_ location: SourceLocation = #_sourceLocation) {
    for _ in 0..<100_000 {
      turn()
      if moved { continue }
      let deadline = shard.nextDeadline ?? .distantFuture
      check(deadline > now || isFinished, "the driver would be woken up for ever")
      return
    }
    Issue.record("the world does not come to rest", sourceLocation: location)
  }

  /// Lets time pass, from deadline to deadline, or until the shard has finished.
  func advance(_ interval: Interval) {
    _ = advance(upTo: interval) { false }
  }

  /// Lets time pass until `isTrue`; false when it has not become so within `limit`.
  func advance(upTo limit: Interval, until isTrue: () -> Bool) -> Bool {
    let target = now + limit
    settle()
    while !isTrue() {
      guard now < target, !isFinished else { return false }
      let deadline = shard.nextDeadline ?? target
      // A driver wakes up late rather than early.
      outside.now = min(max(now + .milliseconds(1), deadline), target)
      settle()
    }
    return true
  }

  static func unixMilliseconds(_ now: Instant) -> UInt64 {
    1_800_000_000_000 + now.nanoseconds / 1_000_000
  }

  // MARK: One turn

  /// Marks that something happened, so that the world is not at rest.
  func note() { moved = true }

  /// One turn of the driver's loop, then of the workers.
  func turn() {
    moved = false
    shard.beginTurn(unixMilliseconds: Self.unixMilliseconds(now))
    let here = shard.live.filter { shard.sessions[$0].phase != .away }
    for client in shuffled(here.map { clientOfSlot[Int($0)] }) { clientReady(client) }
    var readable: [Int] = []
    for link in shuffled(Array(links.indices)) where linkReady(link) { readable.append(link) }
    endTurn()
    for link in readable { readLink(link) }
    shard.timePassed(now: now, effects: &effects)
    performEffects()
    endTurn()
    for link in shuffled(Array(links.indices)) { runWorker(of: link) }
    checkShard()
  }

  func endTurn() {
    shard.endTurn(now: now, effects: &effects)
    performEffects()
  }

  private func shuffled(_ numbers: [Int]) -> [Int] {
    cuts ? numbers.shuffled(using: &random) : numbers
  }

  /// How much of `byteCount` a system call moves: all, or with ``cuts`` any part of it.
  func cut(_ byteCount: Int) -> Int {
    guard cuts, byteCount > 1 else { return byteCount }
    switch UInt8.random(in: 0..<4, using: &random) {
    case 0: return byteCount
    case 1: return Int.random(in: 1...min(byteCount, 8), using: &random)
    default: return Int.random(in: 1...byteCount, using: &random)
    }
  }

  /// Lends the gateway's read buffer with `bytes` in it; what it held before is overwritten.
  func withReadBuffer(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> Void) {
    // Stale bytes must not look like the ones that were there before.
    readBuffer.copyBytes(from: bytes)
    body(UnsafeRawBufferPointer(rebasing: readBuffer[..<bytes.count]))
    for index in 0..<min(bytes.count, 4096) { readBuffer[index] = 0xee }
  }

  // MARK: Operators

  /// Carries out a command; its answers are read with ``replies(to:)``.
  @discardableResult
  func command(_ command: Command) -> UInt64 {
    lastToken += 1
    shard.handle(command, token: lastToken, now: now, effects: &effects)
    performEffects()
    return lastToken
  }

  func replies(to token: UInt64) -> [Reply] { replies[token] ?? [] }

  func metrics() -> MetricsSnapshot {
    guard case .metrics(let metrics)? = replies(to: command(.metrics)).first else {
      preconditionFailure("metrics are answered at once")
    }
    return metrics
  }

  func workerStatuses() -> [WorkerStatus] {
    guard case .workers(let statuses)? = replies(to: command(.listWorkers)).first else {
      preconditionFailure("the list of workers is answered at once")
    }
    return statuses
  }

  func status(of worker: Int) -> WorkerStatus? {
    workerStatuses().first { $0.endpoint == workers[worker].configuration.authority }
  }

  func beginShutdown() {
    shard.beginShutdown(now: now, effects: &effects)
    performEffects()
    settle()
  }

  // MARK: Effects

  /// Performs all effects, those that performing leads to included.
  func performEffects() {
    var next = 0
    while next < effects.io.count {
      let effect = effects.io[next]
      next += 1
      note()
      switch effect {
      case .writeClient(let id): writeClient(id)
      case .awaitWritable(let id, let isOn): client(of: id) { $0.awaitsWritable = isOn }
      case .readClient(let id, let isOn): client(of: id) { $0.isRead = isOn }
      case .closeClient(let id, let manner): closeClient(id, manner)
      case .resolve(let link): resolve(Int(link))
      case .connect(let link, let address): connect(Int(link), to: address)
      case .writeLink(let link): writeLink(Int(link))
      case .readLink(let link, let isOn): links[Int(link)].reads = isOn
      case .closeLink(let link): closeLink(Int(link))
      case .stopListening(let slot): openListeners.remove(slot)
      case .stopAccepting: isAccepting = false
      case .finished: isFinished = true
      }
    }
    for event in effects.log { take(event) }
    claims += effects.claims
    records += effects.records
    for (token, reply) in effects.replies { replies[token, default: []].append(reply) }
    for (shard, message) in effects.messages { post(message, to: shard) }
    effects.removeAll()
  }

  // MARK: Checks

  /// Whatever happens, the shard's own figures agree with each other and with the driver's.
  private func checkShard() {
    var queued = 0
    var holds: [UInt32: Int] = [:]
    var sessions: [UInt32: Int] = [:]
    var listeners: [Int: Int] = [:]
    var claims: [Int: Int] = [:]
    for (place, index) in shard.live.enumerated() {
      listeners[Int(shard.sessions[index].listener), default: 0] += 1
      if shard.sessions[index].phase == .away { continue }
      let client = clients[clientOfSlot[Int(index)]]
      let queue = shard.sessions[index].queue.count
      let held = shard.sessions[index].heldLink
      let link = shard.sessions[index].link
      let limits = configuration.limits
      check(shard.sessions[index].phase != .vacant, "a live session is vacant")
      check(Int(shard.sessions[index].liveIndex) == place, "places are mixed up")
      check(client.id == shard.id(of: index), "a session is with another client")
      // A verdict comes soon: reading stops when there is something to read before it does.
      let mayRead = shard.sessions[index].pauses.isEmpty
      let isVerified = shard.sessions[index].pauses == .verifying
      check(client.isRead == mayRead || client.isRead && isVerified, "reads against its pauses")
      let login = shard.sessions[index].login
      if login != PendingLogin.none, shard.pending.records[login].isVerifiedByStore {
        claims[Int(shard.sessions[index].listener), default: 0] += 1
      }
      check(client.awaitsWritable == (queue > 0), "waits for nothing, or not at all")
      check(queue < limits.clientQueueBytesMax + limits.messageBytesMax, "a queue too long")
      check(shard.sessions[index].firstPiece == Outbox.none, "left in the outbox")
      queued += queue
      if held < Session.remoteLinks { holds[held, default: 0] += 1 }
      if link != Session.noLink { sessions[link, default: 0] += 1 }
    }
    check(shard.clientQueueBytes == queued, "bytes in queues")
    let away = shard.live.count { shard.sessions[$0].phase == .away }
    check(shard.live.count - away == openClients, "open sockets")
    for link in shard.linksPausedByOutput { holds[link, default: 0] += 1 }
    for (slot, listener) in shard.listeners.enumerated() {
      check(listener.sessions == listeners[slot] ?? 0, "sessions of a listener")
      let left = shard.verifications.values.count { $0.listener == slot }
      check(listener.claims == left + (claims[slot] ?? 0), "claims of a listener")
      check(
        number != 0 || (listener.state == .listening) == openListeners.contains(slot),
        "a listener's socket")
      check(!listener.isForsaken, "a listener that is gone has a place")
    }
    for link in shard.linkStates.indices {
      let state = shard.linkStates[link]
      check(state.holds == holds[UInt32(link)] ?? 0, "holds of a link")
      check(state.sessionCount == sessions[UInt32(link)] ?? 0, "sessions of a link")
      if links[link].worker != nil { check(state.isRead == links[link].reads, "reading a link") }
    }
  }

  func check(_ isTrue: Bool, _ what: @autoclosure () -> String) {
    if !isTrue { Issue.record("at \(now.nanoseconds) ns: \(what())") }
  }

  private func take(_ event: LogEvent) {
    log.append(event)
    if case .sessionRefused(let refused) = event {
      clients[Int(refused.client.port)].closeReason = refused.reason
    }
    if case .sessionClosed(let closed) = event {
      let uuid = closed.uuid.description
      guard let index = clients.lastIndex(where: { $0.uuid == uuid }) else { return }
      clients[index].closeReason = closed.reason
    }
  }
}

/// What all shards of a gateway have to do with: clients, workers and time.
final class Outside {
  var now = Instant(nanoseconds: 1_000_000_000_000)
  var clients: [VirtualClient] = []
  let workers: [VirtualWorker]

  init(workers count: Int, windowBytes: Int) {
    workers = (0..<count).map { VirtualWorker(port: UInt16(9000 + $0), windowBytes: windowBytes) }
  }
}
