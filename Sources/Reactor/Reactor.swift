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
  let mailbox: Mailbox
  let log: @Sendable (LogEvent) -> Void
  let store: StoreConnection?
  let configuration: GatewayConfiguration
  let signalFD: Int32
  /// For clients and listening sockets.
  let descriptorsForClients: Int
  var shard: Shard
  var effects = Effects()

  var listeners: [Listener] = []
  var clients: [Client] = []
  var links: [LinkSocket] = []
  var readableLinks: [UInt32] = []
  var isStopping = false
  var isFinished = false
  var isEndedAtOnce = false
  var acceptPauses = AcceptPauses()
  var clientCount = 0
  var lingering = LingeringClients()
  var now: Instant

  let readBuffer: UnsafeMutableRawBufferPointer
  let slices: UnsafeMutableBufferPointer<IOSlice>
  var entropy = EntropyPool()

  /// Opens the listening sockets.
  ///
  /// - Parameter descriptorsMax: the process's limit; some are kept for workers and management.
  /// - Throws: ``ListenFailure`` when a listener's socket can't be opened, else ``SystemError``.
  public init(
    configuration: GatewayConfiguration, mailbox: Mailbox,
    descriptorsMax: UInt64, store: StoreConnection?,
    log: @escaping @Sendable (LogEvent) -> Void
  ) throws {
    // Everything that can fail comes first: a noncopyable value can't be half made.
    let signalFD = try Signals.open()
    let sockets = try configuration.listeners.map { try ListeningSocket(for: $0) }
    epoll = try Epoll()
    descriptorsForClients = Self.descriptorsForClients(descriptorsMax, configuration)
    self.signalFD = signalFD
    listeners = sockets.map { Listener(fd: $0.take()) }
    self.configuration = configuration
    self.mailbox = mailbox
    self.log = log
    self.store = store
    unsafe readBuffer = .allocate(byteCount: Self.readBytesMax, alignment: 4096)
    unsafe slices = .allocate(capacity: Self.slicesMax)
    now = Clock.monotonic()
    shard = Shard(
      configuration: configuration, index: 0, seed: EntropyPool.word(), now: now,
      unixMilliseconds: Clock.unixMilliseconds())
    if let store { shard.bansChanged(store.bans, event: store.event) }
  }

  /// Keeps SIGTERM and SIGINT from this thread and those it starts, until ``run()`` reads them.
  ///
  /// To be called before any thread is started; also ignores SIGPIPE.
  public static func blockSignals() { Signals.block() }

  deinit {
    for listener in listeners where listener.fd >= 0 { Sockets.close(listener.fd, abort: false) }
    Glibc.close(signalFD)
    unsafe readBuffer.deallocate()
    unsafe slices.deallocate()
  }

  /// So many that a lost worker can be connected again, and the management API be asked, when all
  /// descriptors for clients are used.
  static func descriptorsForClients(
    _ descriptorsMax: UInt64, _ configuration: GatewayConfiguration
  ) -> Int {
    let all = Int(clamping: descriptorsMax)
    let workers = configuration.pools.reduce(0) { $0 + $1.workers.count }
    return all - min(64 + 2 * workers, all / 4)
  }

  /// Runs until SIGTERM or SIGINT has been dealt with.
  ///
  /// - Returns: false when a second signal ended it at once.
  public mutating func run() -> Bool {
    _ = epoll.add(mailbox.fd, .mailbox, .readable)
    _ = epoll.add(signalFD, .signal, .readable)
    for (index, listener) in listeners.enumerated() {
      _ = epoll.add(listener.fd, .listener(index), .readable)
    }
    shard.start(now: now, effects: &effects)
    performEffects()
    while !isEndedAtOnce, !isFinished || lingering.count > 0 { turn() }
    return !isEndedAtOnce
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
    readableLinks.removeAll(keepingCapacity: true)
    for index in acceptFrom { accept(from: index) }
    if acceptPauses.retryAt <= now { resumeAccepting() }
    for fd in lingering.takeExpired(now: now) { closeLingering(fd) }
    shard.timePassed(now: now, effects: &effects)
    performEffects()
    endTurn()
    store?.wake()
  }

  mutating func endTurn() {
    shard.endTurn(now: now, effects: &effects)
    performEffects()
  }

  func waitMilliseconds() -> Int32 {
    if shard.hasUnwritten { return 0 }
    var deadline = acceptPauses.retryAt
    for other in [shard.nextDeadline, lingering.nextDeadline] {
      if let other { deadline = min(deadline, other) }
    }
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
        shard.beginShutdown(now: now, effects: &effects)
        performEffects()
      }
    }
  }

  // MARK: Effects

  /// Performs all effects, those that performing leads to included.
  mutating func performEffects() {
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
    for event in effects.log { log(event) }
    for claim in effects.claims { verify(claim) }
    for record in effects.records { store?.record(record) }
    for (token, reply) in effects.replies { mailbox.answer(token, reply) }
    effects.removeAll()
  }

  private func verify(_ claim: LoginRequest) {
    guard let store else {
      return mailbox.post([(claim.session, .unavailable("there is no store"))])
    }
    store.verify(claim)
  }
}
