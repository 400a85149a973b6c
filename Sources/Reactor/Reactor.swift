internal import Auth
internal import CLinux
public import Gateway
internal import Glibc
internal import Primitives
internal import Upstream

/// The production driver: performs a shard's effects with epoll, sockets and the system's clock.
///
/// Decides nothing: what to read, when to stop and whom to close is the shard's word. One turn of
/// its loop reads every readable client, lets the links write what that gathered, then reads the
/// workers and writes what they sent to the clients.
///
/// There is one for each shard, each on a thread of its own. The one of shard 0, the door, has the
/// listening sockets and the signals, and runs on the main thread.
@safe
public struct Reactor: ~Copyable {
  /// Bytes read from one socket at a time.
  static let readBytesMax = 256 << 10
  static let slicesMax = 256
  /// Clients accepted from one listener in one turn.
  static let acceptsMax = 256

  /// A client's socket; the shard's session has the same index.
  struct Client: BitwiseCopyable {
    var fd: Int32 = -1
    var interest: Readiness = []
  }

  struct LinkSocket {
    var fd: Int32 = -1
    /// Tells the events of this socket from those of the link's earlier ones.
    var serial: UInt32 = 0
    var isConnecting = false
    var reads = true
    var awaitsWritable = false
    /// Taken out of epoll, which would report a broken connection in every turn.
    var isDetached = false
  }

  let epoll: Epoll
  let group: ShardGroup
  /// The shard's, in its group.
  let number: Int
  let mailbox: Mailbox
  let log: @Sendable (LogEvent) -> Void
  let store: StoreConnection?
  let configuration: GatewayConfiguration
  /// -1 with all shards but the door.
  let signalFD: Int32
  /// For clients and listening sockets.
  let descriptorsForClients: Int
  var shard: Shard
  var effects = Effects()

  var listeners: [Listener] = []
  var clients: [Client] = []
  var links: [LinkSocket] = []
  var readableLinks: [UInt32] = []
  /// Messages for other shards, by their numbers, until the end of the turn.
  var outgoing: [[Mailbox.Message]] = []
  /// Any of them has one: a look at all would cost each turn something.
  var hasOutgoing = false
  var isStopping = false
  var isFinished = false
  var isEndedAtOnce = false
  /// Other shards that have not shut down; the door's alone.
  var shardsRunning: Int
  /// When those are not waited for any more.
  var shardsDeadline = Instant.distantFuture
  var acceptPauses = AcceptPauses()
  var clientCount = 0
  var lingering = LingeringClients()
  var now: Instant

  let readBuffer: UnsafeMutableRawBufferPointer
  let slices: UnsafeMutableBufferPointer<IOSlice>
  var entropy = EntropyPool()

  /// The door of a group; opens the listening sockets.
  ///
  /// - Parameter descriptorsMax: the process's limit; some are kept for workers and management.
  /// - Throws: ``ListenFailure`` when a listener's socket can't be opened, else ``SystemError``.
  public init(
    configuration: GatewayConfiguration, group: ShardGroup,
    descriptorsMax: UInt64, store: StoreConnection?,
    log: @escaping @Sendable (LogEvent) -> Void
  ) throws {
    // Everything that can fail comes first: a noncopyable value can't be half made.
    let signalFD = try Signals.open()
    let sockets = try configuration.listeners.map { try ListeningSocket(for: $0) }
    try self.init(
      configuration, group, number: 0, signalFD: signalFD, store, log,
      descriptorsForClients: Self.descriptorsForClients(descriptorsMax, configuration))
    listeners = sockets.map { Listener(fd: $0.take()) }
    if let store { shard.bansChanged(store.bans, event: store.event) }
  }

  init(
    _ configuration: GatewayConfiguration, _ group: ShardGroup, number: Int, signalFD: Int32,
    _ store: StoreConnection?, _ log: @escaping @Sendable (LogEvent) -> Void,
    descriptorsForClients: Int
  ) throws(SystemError) {
    epoll = try Epoll()
    self.descriptorsForClients = descriptorsForClients
    self.signalFD = signalFD
    self.configuration = configuration
    self.group = group
    self.number = number
    mailbox = group.mailboxes[number]
    self.log = log
    self.store = store
    outgoing = Array(repeating: [], count: group.count)
    shardsRunning = number == 0 ? group.count - 1 : 0
    unsafe readBuffer = .allocate(byteCount: Self.readBytesMax, alignment: 4096)
    unsafe slices = .allocate(capacity: Self.slicesMax)
    now = Clock.monotonic()
    shard = Shard(
      configuration: configuration, number: number, groupSeed: group.seed,
      seed: EntropyPool.word(), now: now, unixMilliseconds: Clock.unixMilliseconds())
  }

  /// Keeps SIGTERM and SIGINT from this thread and those it starts, until ``run()`` reads them.
  ///
  /// To be called before any thread is started; also ignores SIGPIPE.
  public static func blockSignals() { Signals.block() }

  deinit {
    for listener in listeners where listener.fd >= 0 { Sockets.close(listener.fd, abort: false) }
    if signalFD >= 0 { Glibc.close(signalFD) }
    unsafe readBuffer.deallocate()
    unsafe slices.deallocate()
  }

  /// So many that a lost worker can be connected again, and the management API be asked, when all
  /// descriptors for clients are used; and two for each shard beside the door.
  static func descriptorsForClients(
    _ descriptorsMax: UInt64, _ configuration: GatewayConfiguration
  ) -> Int {
    let all = Int(clamping: descriptorsMax)
    let workers = configuration.pools.reduce(0) { $0 + $1.workers.count }
    return all - min(64 + 2 * (workers + configuration.shards - 1), all / 4)
  }

  /// Runs until SIGTERM or SIGINT has been dealt with, by all shards of the group.
  ///
  /// - Returns: false when a second signal ended it at once.
  public mutating func run() -> Bool {
    _ = epoll.add(signalFD, .signal, .readable)
    for (index, listener) in listeners.enumerated() {
      _ = epoll.add(listener.fd, .listener(index), .readable)
    }
    start()
    while !isEndedAtOnce, !isFinished || lingering.count > 0 || waitsForShards { turn() }
    return !isEndedAtOnce
  }

  mutating func start() {
    _ = epoll.add(mailbox.fd, .mailbox, .readable)
    shard.start(now: now, effects: &effects)
    performEffects()
    postOutgoing()
  }

  // MARK: One turn

  mutating func turn() {
    let count = epoll.wait(milliseconds: waitMilliseconds())
    now = Clock.monotonic()
    shard.beginTurn(unixMilliseconds: Clock.unixMilliseconds())
    var acceptFrom: [Int] = []
    for index in 0..<count {
      let (source, readiness) = epoll.event(index)
      switch source {
      case .client(let id): clientReady(id, readiness)
      case .link(let link, let serial): linkReady(link, serial, readiness)
      case .listener(let index): acceptFrom.append(index)
      case .mailbox: takeMessages()
      case .signal: takeSignals()
      case .lingering(let fd): readLingering(fd)
      }
    }
    endTurn()
    for link in readableLinks { readLink(link) }
    if !readableLinks.isEmpty { readableLinks.removeAll(keepingCapacity: true) }
    for index in acceptFrom { accept(from: index) }
    if acceptPauses.retryAt <= now { resumeAccepting() }
    if lingering.count > 0 {
      for fd in lingering.takeExpired(now: now) { closeLingering(fd) }
    }
    shard.timePassed(now: now, effects: &effects)
    performEffects()
    endTurn()
    store?.wake()
  }

  mutating func endTurn() {
    shard.endTurn(now: now, effects: &effects)
    performEffects()
    if hasOutgoing { postOutgoing() }
  }

  mutating func waitMilliseconds() -> Int32 {
    if shard.hasUnwritten { return 0 }
    var deadline = min(acceptPauses.retryAt, shardsDeadline)
    if let other = shard.nextDeadline { deadline = min(deadline, other) }
    if let other = lingering.nextDeadline { deadline = min(deadline, other) }
    if deadline == .distantFuture { return -1 }
    return Int32(clamping: min(deadline.since(Clock.monotonic()).milliseconds, 3_600_000))
  }

  mutating func takeMessages() {
    for message in mailbox.take() {
      switch message {
      case .command(let command, let token):
        shard.handle(command, token: token, now: now, effects: &effects)
      case .addListener(let listener, let framers, let socket, let token):
        let reply = add(listener, framers, on: socket)
        effects.replies.append((token, reply))
      case .verdicts(let verdicts):
        for (session, verdict) in verdicts {
          shard.verdict(verdict, for: session, now: now, effects: &effects)
          performEffects()
        }
      case .bans(let bans, let event): shard.bansChanged(bans, event: event)
      case .banRecorded(let ban, let event): shard.banRecorded(ban, event: event)
      case .accountsKnown(let accounts): shard.accountsKnown(accounts)
      case .resolved(let link, let serial, let outcome):
        guard links[Int(link)].serial == serial else { continue }
        switch outcome {
        case .addresses(let found):
          shard.linkResolved(link, found, now: now, effects: &effects)
        case .failed(let detail):
          shard.linkResolveFailed(link, detail, now: now, effects: &effects)
        }
      case .shard(let message, let sender, let sockets):
        receive(message, from: sender, sockets)
      case .descriptorFreed: acceptPauses.descriptorFreed(now: now)
      case .shardFinished: shardsRunning -= 1
      case .end: isEndedAtOnce = true
      }
      performEffects()
    }
  }

  mutating func takeSignals() {
    for _ in 0..<Signals.take(signalFD) {
      if isStopping {
        isEndedAtOnce = true
      } else {
        isStopping = true
        shardsDeadline = now + configuration.shutdownGrace + Self.shardsPatience
        shard.beginShutdown(now: now, effects: &effects)
        performEffects()
      }
    }
  }

  // MARK: Effects

  /// Performs all effects, those that performing leads to included.
  mutating func performEffects() {
    if effects.isEmpty { return }
    var next = 0
    while next < effects.io.count {
      let effect = effects.io[next]
      next += 1
      switch effect {
      case .writeClient(let id): writeClient(id)
      case .awaitWritable(let id, let isOn): setInterest(id, .writable, isOn)
      case .readClient(let id, let isOn): setInterest(id, .readable, isOn)
      case .closeClient(let id, let manner): closeClient(id, manner)
      case .resolve(let link): resolve(link)
      case .connect(let link, let address): connect(link, to: address)
      case .writeLink(let link): writeLink(link)
      case .readLink(let link, let isOn): setReading(link, isOn)
      case .closeLink(let link): closeLink(link)
      case .stopListening(let slot): stopListening(slot)
      case .stopAccepting: stopAccepting()
      case .finished: isFinished = true
      }
    }
    if effects.isMoreThanIO {
      for event in effects.log { log(event) }
      for claim in effects.claims { verify(claim) }
      for record in effects.records { store?.record(record) }
      for (token, reply) in effects.replies { mailbox.answer(token, reply) }
      for (receiver, message) in effects.messages { tell(receiver, message) }
    }
    effects.removeAll()
  }

  private func verify(_ claim: LoginRequest) {
    guard let store else {
      return mailbox.post([(claim.session, .unavailable("there is no store"))])
    }
    store.verify(claim)
  }
}
