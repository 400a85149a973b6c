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
  private static let readBytesMax = 256 << 10
  private static let slicesMax = 256
  /// Clients accepted from one listener in one turn.
  private static let acceptsMax = 256

  private struct Listener {
    var fd: Int32
    /// It is not asked for clients until a descriptor is free.
    var isPaused = false
    /// Descriptors have run out, and clients are still waiting to be accepted.
    var isStarved = false
  }

  /// A client's socket; the shard's session has the same index.
  private struct Client: BitwiseCopyable {
    var fd: Int32 = -1
    var interest: Readiness = []
  }

  private struct LinkSocket {
    var fd: Int32 = -1
    /// Tells the events of this socket from those of the link's earlier ones.
    var serial: UInt32 = 0
    var isConnecting = false
    var reads = true
    var awaitsWritable = false
    /// Taken out of epoll, which would report a broken connection in every turn.
    var isDetached = false
  }

  private let epoll: Epoll
  private let mailbox: Mailbox
  private let log: @Sendable (LogEvent) -> Void
  private let configuration: GatewayConfiguration
  private let signalFD: Int32
  /// Clients beyond it wait to be accepted.
  private let clientsMax: Int
  private var shard: Shard
  private var effects = Effects()

  private var listeners: [Listener] = []
  private var clients: [Client] = []
  private var links: [LinkSocket] = []
  private var readableLinks: [UInt32] = []
  private var isStopping = false
  private var isFinished = false
  private var isEndedAtOnce = false
  private var acceptRetryAt = Instant.distantFuture
  private var clientCount = 0
  private var lingering = LingeringSockets()
  private var now: Instant

  private let readBuffer: UnsafeMutableRawBufferPointer
  private let slices: UnsafeMutableBufferPointer<IOSlice>
  private var entropy = EntropyPool()

  /// Opens the listening sockets.
  ///
  /// - Parameter descriptorsMax: the process's limit; some are kept for workers and management.
  /// - Throws: ``SystemError`` when a socket can't be opened.
  public init(
    configuration: GatewayConfiguration, mailbox: Mailbox,
    descriptorsMax: UInt64, log: @escaping @Sendable (LogEvent) -> Void
  ) throws(SystemError) {
    // Everything that can fail comes first: a noncopyable value can't be half made.
    let signalFD = try Signals.open()
    var listeners: [Listener] = []
    for listener in configuration.listeners {
      listeners.append(Listener(fd: try Self.open(listener)))
    }
    epoll = try Epoll()
    clientsMax = Self.clientsMax(descriptorsMax, configuration)
    self.signalFD = signalFD
    self.listeners = listeners
    self.configuration = configuration
    self.mailbox = mailbox
    self.log = log
    unsafe readBuffer = .allocate(byteCount: Self.readBytesMax, alignment: 4096)
    unsafe slices = .allocate(capacity: Self.slicesMax)
    now = Clock.monotonic()
    shard = Shard(
      configuration: configuration, index: 0, seed: EntropyPool.word(), now: now,
      unixMilliseconds: Clock.unixMilliseconds())
  }

  /// Keeps SIGTERM and SIGINT from this thread and those it starts, until ``run()`` reads them.
  ///
  /// To be called before any thread is started; also ignores SIGPIPE.
  public static func blockSignals() { Signals.block() }

  /// So many that a lost worker can be connected again, and the management API be asked, when all
  /// descriptors for clients are used.
  private static func clientsMax(
    _ descriptorsMax: UInt64, _ configuration: GatewayConfiguration
  ) -> Int {
    let all = Int(clamping: descriptorsMax)
    let workers = configuration.pools.reduce(0) { $0 + $1.workers.count }
    return all - min(64 + 2 * workers, all / 4)
  }

  private static func open(_ listener: ListenerConfiguration) throws(SystemError) -> Int32 {
    switch Resolver.resolve(host: listener.host, port: listener.port) {
    case .failed(let detail):
      throw SystemError("listen on \(listener.host): \(detail)", code: EADDRNOTAVAIL)
    case .addresses(let found):
      return try Sockets.listen(
        found[0], keepaliveSeconds: Int(listener.keepalive.milliseconds / 1000))
    }
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
    while !isEndedAtOnce, !isFinished || !lingering.isEmpty { turn() }
    return !isEndedAtOnce
  }

  // MARK: One turn

  private mutating func turn() {
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
      case .lingering(let fd): unsafe lingering.readable(fd, buffer: readBuffer)
      }
    }
    endTurn()
    for link in readableLinks { readLink(link) }
    readableLinks.removeAll(keepingCapacity: true)
    for index in acceptFrom { accept(from: index) }
    if acceptRetryAt <= now { resumeAccepting() }
    lingering.closeExpired(now: now)
    shard.timePassed(now: now, effects: &effects)
    performEffects()
    endTurn()
  }

  private mutating func endTurn() {
    shard.endTurn(now: now, effects: &effects)
    performEffects()
  }

  private func waitMilliseconds() -> Int32 {
    var deadline = acceptRetryAt
    for other in [shard.nextDeadline, lingering.nextDeadline] {
      if let other { deadline = min(deadline, other) }
    }
    if deadline == .distantFuture { return -1 }
    return Int32(clamping: min(deadline.since(Clock.monotonic()).milliseconds, 3_600_000))
  }

  private mutating func takeMessages() {
    for message in mailbox.take() {
      switch message {
      case .command(let command, let token):
        shard.handle(command, token: token, now: now, effects: &effects)
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

  private mutating func takeSignals() {
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

  // MARK: Clients

  private mutating func accept(from index: Int) {
    for _ in 0..<Self.acceptsMax {
      guard listeners[index].fd >= 0 else { return }
      if clientCount >= clientsMax {
        return pauseAccepting(index, "the other descriptors are kept for workers")
      }
      switch Sockets.accept(listeners[index].fd) {
      case .none: return feed(index)
      case .skipped: continue
      case .exhausted(let code):
        pauseAccepting(index, errorText(code))
        return
      case .client(let fd, let address):
        open(fd, address, listener: index)
      }
    }
  }

  private mutating func open(_ fd: Int32, _ address: SocketAddress, listener: Int) {
    guard
      let id = shard.accepted(
        listener: listener, client: address, entropy: entropy.next(), now: now, effects: &effects)
    else {
      Sockets.close(fd, abort: false)
      return performEffects()
    }
    while clients.count <= Int(id.index) { clients.append(Client()) }
    clientCount += 1
    clients[Int(id.index)] = Client(fd: fd, interest: .readable)
    if !epoll.add(fd, .client(id), .readable) {
      Sockets.close(fd, abort: false)
      clients[Int(id.index)] = Client()
      clientCount -= 1
      shard.clientFailed(id, now: now, effects: &effects)
    }
    performEffects()
  }

  /// A descriptor was refused: wait until one is free, and at most a second.
  private mutating func pauseAccepting(_ index: Int, _ detail: String) {
    listeners[index].isPaused = true
    epoll.remove(listeners[index].fd)
    acceptRetryAt = min(acceptRetryAt, now + .seconds(1))
    guard !listeners[index].isStarved else { return }
    listeners[index].isStarved = true
    shard.acceptPaused(listener: index, detail, effects: &effects)
    performEffects()
  }

  /// Nobody waits to be accepted any more.
  private mutating func feed(_ index: Int) {
    guard listeners[index].isStarved else { return }
    listeners[index].isStarved = false
    shard.acceptResumed(listener: index, effects: &effects)
    performEffects()
  }

  private mutating func resumeAccepting() {
    acceptRetryAt = .distantFuture
    for index in listeners.indices where listeners[index].isPaused {
      listeners[index].isPaused = false
      _ = epoll.add(listeners[index].fd, .listener(index), .readable)
      // Asked at once: it may be that nobody waits any more, and then no event comes.
      accept(from: index)
    }
  }

  private mutating func clientReady(_ id: SessionID, _ readiness: Readiness) {
    if readiness.contains(.writable) { writeQueued(id) }
    if readiness.contains(.readable) {
      readClient(id)
    } else if !readiness.isDisjoint(with: .broken) {
      shard.clientFailed(id, now: now, effects: &effects)
      performEffects()
    }
  }

  private mutating func readClient(_ id: SessionID) {
    defer { performEffects() }
    guard shard.shouldRead(id, now: now, effects: &effects) else { return }
    let count = unsafe recv(
      clients[Int(id.index)].fd, readBuffer.baseAddress!, readBuffer.count, 0)
    if count > 0 {
      unsafe shard.clientReceived(
        id, UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), now: now, effects: &effects)
    } else if count == 0 {
      shard.clientEnded(id, now: now, effects: &effects)
    } else if errno != EAGAIN && errno != EINTR {
      shard.clientFailed(id, now: now, effects: &effects)
    }
  }

  private mutating func writeQueued(_ id: SessionID) {
    defer { performEffects() }
    unsafe slices[0] = shard.queued(id)
    guard unsafe slices[0].count > 0 else { return }
    let written = unsafe Sockets.write(clients[Int(id.index)].fd, slices, count: 1)
    if written > 0 {
      shard.clientWroteQueued(id, written: written, now: now, effects: &effects)
    } else if written != -Int(EAGAIN) && written != -Int(EINTR) {
      shard.clientFailed(id, now: now, effects: &effects)
    }
  }

  private mutating func writeClient(_ id: SessionID) {
    while true {
      let count = unsafe shard.gather(id, into: slices, now: now, effects: &effects)
      guard count > 0 else { return }
      let written = unsafe Sockets.write(clients[Int(id.index)].fd, slices, count: count)
      if written < 0 && written != -Int(EAGAIN) && written != -Int(EINTR) {
        return shard.clientFailed(id, now: now, effects: &effects)
      }
      shard.clientWrote(
        id, gathered: count, written: max(written, 0), now: now, effects: &effects)
    }
  }

  private mutating func setInterest(_ id: SessionID, _ wanted: Readiness, _ isOn: Bool) {
    guard clients[Int(id.index)].fd >= 0 else { return }
    let before = clients[Int(id.index)].interest
    let after = isOn ? before.union(wanted) : before.subtracting(wanted)
    guard before != after else { return }
    clients[Int(id.index)].interest = after
    epoll.change(clients[Int(id.index)].fd, .client(id), after)
  }

  private mutating func closeClient(_ id: SessionID, _ manner: ClosingManner) {
    let fd = clients[Int(id.index)].fd
    guard fd >= 0 else { return }
    clients[Int(id.index)] = Client()
    clientCount -= 1
    switch manner {
    case .plain: Sockets.close(fd, abort: false)
    case .lingering: lingering.add(fd, epoll: epoll, now: now)
    case .abort: Sockets.close(fd, abort: true)
    }
    // Somebody may be waiting for just this descriptor.
    if acceptRetryAt != .distantFuture { acceptRetryAt = now }
  }

  // MARK: Links

  private mutating func linkReady(_ link: UInt32, _ serial: UInt32, _ readiness: Readiness) {
    guard links[Int(link)].fd >= 0, links[Int(link)].serial == serial else { return }
    if links[Int(link)].isConnecting {
      connectEnded(link)
    } else {
      if readiness.contains(.writable), readiness.isDisjoint(with: .broken) { linkWritable(link) }
      if !links[Int(link)].reads, !readiness.isDisjoint(with: .broken) { detach(link) }
      if !readiness.isDisjoint(with: [.readable, .broken]) { readableLinks.append(link) }
    }
    performEffects()
  }

  private mutating func connectEnded(_ link: UInt32) {
    let code = Sockets.takeError(links[Int(link)].fd)
    links[Int(link)].isConnecting = false
    guard code == 0 else {
      closeLink(link)
      return shard.linkConnectFailed(link, errorText(code), now: now, effects: &effects)
    }
    updateLinkInterest(link)
    shard.linkConnected(link, now: now, effects: &effects)
  }

  /// A connection broke whose bytes must not be read yet: it waits until they may be.
  private mutating func detach(_ link: UInt32) {
    guard links[Int(link)].fd >= 0 else { return }
    epoll.remove(links[Int(link)].fd)
    links[Int(link)].isDetached = true
  }

  private mutating func setReading(_ link: UInt32, _ reads: Bool) {
    links[Int(link)].reads = reads
    guard links[Int(link)].fd >= 0 else { return }
    guard links[Int(link)].isDetached else { return updateLinkInterest(link) }
    links[Int(link)].isDetached = false
    let source = EventSource.link(index: link, serial: links[Int(link)].serial)
    _ = epoll.add(links[Int(link)].fd, source, .readable)
  }

  private mutating func readLink(_ link: UInt32) {
    guard links[Int(link)].fd >= 0, !links[Int(link)].isConnecting,
      shard.shouldRead(link: link, now: now, effects: &effects)
    else { return performEffects() }
    let serial = links[Int(link)].serial
    let count = unsafe recv(links[Int(link)].fd, readBuffer.baseAddress!, readBuffer.count, 0)
    if count > 0 {
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: readBuffer[..<count])
      var delivered = unsafe shard.linkReceived(link, bytes, now: now, effects: &effects)
      performEffects()
      while case .more = delivered, links[Int(link)].serial == serial {
        delivered = shard.continueDelivery(from: link, now: now, effects: &effects)
        performEffects()
      }
    } else if count == 0 {
      shard.linkLost(link, .connectionClosed, "", now: now, effects: &effects)
    } else if errno != EAGAIN && errno != EINTR {
      shard.linkLost(link, .connectionReset, errorText(errno), now: now, effects: &effects)
    }
    performEffects()
  }

  private mutating func writeLink(_ link: UInt32) {
    guard links[Int(link)].fd >= 0, !links[Int(link)].isConnecting,
      !links[Int(link)].awaitsWritable
    else { return }
    while true {
      let count = unsafe shard.prepareLinkWrite(link, into: slices, now: now, effects: &effects)
      guard count > 0, links[Int(link)].fd >= 0 else { return }
      let written = unsafe Sockets.write(links[Int(link)].fd, slices, count: count)
      if written == -Int(EINTR) { continue }
      guard written >= 0 else {
        // Broken, it becomes writable at once; reading then finds what the worker said last.
        links[Int(link)].awaitsWritable = true
        if written == -Int(EAGAIN) { updateLinkInterest(link) }
        return
      }
      shard.linkWrote(link, written, now: now, effects: &effects)
    }
  }

  /// The socket takes bytes again.
  private mutating func linkWritable(_ link: UInt32) {
    guard links[Int(link)].awaitsWritable else { return }
    links[Int(link)].awaitsWritable = false
    updateLinkInterest(link)
    writeLink(link)
  }

  private func updateLinkInterest(_ link: UInt32) {
    let socket = links[Int(link)]
    guard !socket.isDetached else { return }
    var interest: Readiness = socket.reads ? .readable : []
    if socket.awaitsWritable { interest.insert(.writable) }
    epoll.change(socket.fd, .link(index: link, serial: socket.serial), interest)
  }

  private mutating func resolve(_ link: UInt32) {
    while links.count <= Int(link) { links.append(LinkSocket()) }
    links[Int(link)].serial &+= 1
    let serial = links[Int(link)].serial
    let worker = shard.worker(of: link)
    Resolver.resolve(host: worker.host, port: worker.port) { [mailbox] outcome in
      mailbox.post(.resolved(link, serial: serial, outcome))
    }
  }

  private mutating func connect(_ link: UInt32, to address: SocketAddress) {
    do throws(SystemError) {
      let fd = try Sockets.connect(address)
      let serial = links[Int(link)].serial
      links[Int(link)].fd = fd
      links[Int(link)].isConnecting = true
      guard epoll.add(fd, .link(index: link, serial: serial), .writable) else {
        throw SystemError("epoll_ctl")
      }
    } catch {
      closeLink(link)
      shard.linkConnectFailed(link, error.description, now: now, effects: &effects)
    }
  }

  private mutating func closeLink(_ link: UInt32) {
    while links.count <= Int(link) { links.append(LinkSocket()) }
    if links[Int(link)].fd >= 0 { Sockets.close(links[Int(link)].fd, abort: false) }
    links[Int(link)] = LinkSocket(serial: links[Int(link)].serial &+ 1)
  }

  // MARK: Effects

  /// Performs all effects, those that performing leads to included.
  private mutating func performEffects() {
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
      case .stopAccepting: stopAccepting()
      case .finished: isFinished = true
      }
    }
    for event in effects.log { log(event) }
    for (token, reply) in effects.replies { mailbox.answer(token, reply) }
    effects.removeAll()
  }

  private mutating func stopAccepting() {
    for index in listeners.indices where listeners[index].fd >= 0 {
      Sockets.close(listeners[index].fd, abort: false)
      listeners[index] = Listener(fd: -1)
    }
    acceptRetryAt = .distantFuture
  }
}
