public import Primitives

/// The gateway's connection to one worker: its life, its calls and its queue, without a socket.
///
/// ```
///            ┌────────────────────────── backingOff ◀───────────────────────────┐ ended
///            ▼                                                                  │
///   idle ─▶ resolving ─▶ connecting ─▶ handshaking ─▶ asking ◀─▶ notReady       │
///                                                       │ ready                 │
///                                                       ▼                       │
///                                                     active ─▶ draining ───────┤
///                                                                               ▼
///                                                                         drained, removed
/// ```
///
/// Every event from outside is a method; what the owner has to do comes back as a ``LinkAction``.
/// Any of the states from `resolving` to `draining` can end. Whatever was called, ``takeAnswers()``
/// then has what became of calls of `authenticate`.
@safe
public struct Link: ~Copyable {
  private let byAddress = ByAddress()

  /// What becomes of the link after its connection has ended.
  public enum Afterwards: BitwiseCopyable, Sendable {
    case reconnect, stayDrained, remove
    /// The gateway ends: removed, for another reason.
    case shutDown
  }

  enum Phase: BitwiseCopyable {
    case idle, resolving, connecting, handshaking, asking, notReady, active, draining, backingOff
    case drained, removed
  }

  public let id: WorkerID
  /// The index of the pool the worker belongs to.
  public let pool: Int
  public let configuration: WorkerConfiguration

  var phase = Phase.idle
  /// When the phase has something to do; see ``deadline``.
  var phaseDeadline = Instant.distantFuture
  var afterwards = Afterwards.reconnect
  private var addresses: [SocketAddress] = []
  var connectBackoff = Backoff()
  var readyBackoff = Backoff()
  var heartbeat: Heartbeat?
  /// Since when sessions are given to it.
  var activeSince: Instant?

  var http: HTTP2Connection?
  var calls = Calls()
  var readyAnswer: ContractReader.Ready?
  var liveSupported = true
  var messageReader = GRPCMessageReader()
  var smallReader = GRPCMessageReader()
  /// What is left of the DATA that is being cut into messages.
  var chunk = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  /// Calls of `authenticate` that wait for their answers, oldest first.
  var authentications: [Authentication] = []
  /// What ``takeAnswers()`` gives.
  var answers: [AuthenticateAnswer] = []
  let messageBytesMax: Int
  /// For the jitter of its pauses.
  var random: SeededRandom

  var packets = PacketQueue()
  var segments = OutgoingSegments()

  /// The worker asked for SESSION_EVENTS.
  public internal(set) var wantsSessionEvents = false
  /// The first of the messages that ``takeUnsent()`` gives was written in part.
  public internal(set) var unsentBeginsCut = false
  public internal(set) var packetsSent: UInt64 = 0
  public internal(set) var messagesReceived: UInt64 = 0
  public internal(set) var reconnects: UInt64 = 0
  /// It has been ready before.
  var wasActive = false
  public private(set) var lastEnd: LinkEnd?

  /// The streams of the calls that are open; 0 is none.
  struct Calls: BitwiseCopyable {
    var packets: Int32 = 0
    var ready: Int32 = 0
    var live: Int32 = 0
    /// The live call that is open, or was last, has brought an answer.
    var liveWasAnswered = false
  }

  public init(
    id: WorkerID, pool: Int, configuration: WorkerConfiguration, messageBytesMax: Int, seed: UInt64
  ) {
    self.id = id
    self.pool = pool
    self.configuration = configuration
    self.messageBytesMax = messageBytesMax
    random = SeededRandom(seed: seed)
  }

  // MARK: State

  /// Sessions may be given to it.
  public var isReady: Bool { phase == .active }
  public var isDraining: Bool { phase == .draining }
  public var isRemoved: Bool { phase == .removed }
  /// It keeps no connection and will make none by itself.
  public var isDrained: Bool { phase == .drained }
  /// There is a connection whose bytes mean something.
  public var isConnected: Bool { http != nil }

  public var state: WorkerState {
    switch phase {
    case .idle, .backingOff: .backingOff
    case .resolving: .resolving
    case .connecting: .connecting
    case .handshaking: .handshaking
    case .asking: .probing
    case .notReady: .notReady
    case .active: .ready
    case .draining: .draining
    case .drained, .removed: .drained
    }
  }

  // MARK: Connecting

  /// Begins an attempt.
  public mutating func start(now: Instant) -> LinkAction {
    switch phase {
    case .idle, .backingOff, .drained:
      precondition(answers.isEmpty, "answers of the last connection were not taken")
      phase = .resolving
      afterwards = .reconnect
      phaseDeadline = now + .seconds(10)
      return .resolve
    case .resolving, .connecting, .handshaking, .asking, .notReady, .active, .draining, .removed:
      preconditionFailure("a link was started twice")
    }
  }

  public mutating func resolved(_ found: [SocketAddress], now: Instant) -> LinkAction {
    guard phase == .resolving else { return .none }
    precondition(!found.isEmpty)
    addresses = found
    return connectToNextAddress(now: now)
  }

  public mutating func resolveFailed(
    _ detail: String, now: Instant
  ) -> LinkAction {
    phase == .resolving ? end(.resolveFailed, detail, now: now) : .none
  }

  private mutating func connectToNextAddress(now: Instant) -> LinkAction {
    phase = .connecting
    phaseDeadline = now + configuration.connectTimeout
    return .connect(addresses.removeFirst())
  }

  public mutating func connectFailed(
    _ detail: String, now: Instant
  ) -> LinkAction {
    guard phase == .connecting else { return .none }
    return addresses.isEmpty
      ? end(.connectFailed, detail, now: now) : connectToNextAddress(now: now)
  }

  /// The socket is connected: say hello and ask whether the worker is ready.
  public mutating func connected(now: Instant) -> LinkAction {
    guard phase == .connecting else { return .none }
    do {
      http = try HTTP2Connection()
    } catch {
      return end(.protocolError, error.description, now: now)
    }
    phase = .handshaking
    phaseDeadline = now + configuration.connectTimeout
    return begin(.ready, now: now)
  }

  mutating func begin(
    _ call: HTTP2Connection.Call, now: Instant
  ) -> LinkAction {
    do {
      let stream = try http!.begin(call, authority: configuration.authority)
      switch call {
      case .packets: calls.packets = stream
      case .ready:
        calls.ready = stream
        smallReader = GRPCMessageReader()
      case .live:
        calls.live = stream
        smallReader = GRPCMessageReader()
        calls.liveWasAnswered = false
      }
      return .none
    } catch {
      return end(.protocolError, error.description, now: now)
    }
  }

  // MARK: Ending

  /// The connection broke, or the worker closed it.
  public mutating func connectionLost(
    _ reason: LinkEndReason, _ detail: String, now: Instant
  ) -> LinkAction {
    switch phase {
    case .handshaking, .asking, .notReady, .active:
      return end(reason, detail, now: now)
    case .draining: return endDraining(now: now)
    case .idle, .resolving, .connecting, .backingOff, .drained, .removed: return .none
    }
  }

  /// Ends whatever is going on; nothing that was queued is forgotten (see ``takeUnsent()``).
  mutating func end(
    _ reason: LinkEndReason, _ detail: String = "", isVerdict: Bool = false, now: Instant
  ) -> LinkAction {
    http = nil
    calls = Calls()
    failAuthentications("link lost: \(reason.name)")
    heartbeat = nil
    unsentBeginsCut = packets.writtenBytesOfFirstMessage > 0
    readyAnswer = nil
    unsafe chunk = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    messageReader = GRPCMessageReader()
    smallReader = GRPCMessageReader()
    wantsSessionEvents = false
    liveSupported = true
    var retryIn: Interval?
    switch afterwards {
    case .reconnect:
      // One that comes and goes must not be taken for a good one every time it comes.
      if let activeSince, now.since(activeSince) >= .seconds(5) { connectBackoff.reset() }
      let pause = connectBackoff.next(using: &random)
      phase = .backingOff
      phaseDeadline = now + pause
      retryIn = pause
    case .stayDrained:
      phase = .drained
      phaseDeadline = .distantFuture
    case .remove, .shutDown:
      phase = .removed
      phaseDeadline = .distantFuture
    }
    activeSince = nil
    let ended = LinkEnd(
      reason: reason, detail: detail, retryIn: retryIn, isVerdict: isVerdict)
    lastEnd = ended
    return .ended(ended)
  }

  mutating func endDraining(_ detail: String = "", now: Instant) -> LinkAction {
    end(reasonToEnd, detail, now: now)
  }

  /// Why a link ends that was told to.
  private var reasonToEnd: LinkEndReason {
    switch afterwards {
    case .reconnect: .goAway
    case .stayDrained: .drained
    case .remove: .removed
    case .shutDown: .shutdown
    }
  }

  /// Ends our direction of the packet stream, so that the worker finishes what it has and returns.
  ///
  /// The link ends when the worker has, or `timeout` from now. A link that is not active ends at
  /// once.
  public mutating func drain(
    _ next: Afterwards, now: Instant, timeout: Interval
  ) -> LinkAction {
    // A removal stands, whatever is asked for after it.
    if afterwards == .reconnect || next != .stayDrained { afterwards = next }
    switch phase {
    case .active:
      if Fault.noWaitForEndOfStream.isOn { return endDraining(now: now) }
      phase = .draining
      phaseDeadline = now + timeout
      http!.endPackets()
      return .none
    case .draining:
      phaseDeadline = min(phaseDeadline, now + timeout)
      return .none
    case .idle, .resolving, .connecting, .handshaking, .asking, .notReady, .backingOff:
      return end(reasonToEnd, "", now: now)
    case .drained, .removed:
      phase = afterwards == .stayDrained ? .drained : .removed
      return .none
    }
  }

  // MARK: Time

  /// When ``deadlinePassed(now:)`` is to be called, unless something else comes first.
  public var deadline: Instant { min(phaseDeadline, authenticationDeadline) }

  public mutating func deadlinePassed(now: Instant) -> LinkAction {
    endOverdueAuthentications(now: now)
    guard now >= phaseDeadline else { return .none }
    switch phase {
    case .idle, .drained, .removed:
      phaseDeadline = .distantFuture
      return .none
    case .backingOff: return start(now: now)
    case .resolving: return end(.resolveFailed, "no answer", now: now)
    case .connecting:
      return addresses.isEmpty
        ? end(.connectTimeout, "", now: now) : connectToNextAddress(now: now)
    case .handshaking: return end(.handshakeTimeout, "", now: now)
    case .asking: return end(.readyTimeout, "", now: now)
    case .notReady:
      phase = .asking
      phaseDeadline = now + configuration.readyTimeout
      return begin(.ready, now: now)
    case .draining: return endDraining(now: now)
    case .active: return beat(now: now)
    }
  }

  private mutating func beat(now: Instant) -> LinkAction {
    packets.trim()
    guard !heartbeat!.isOverdue(now: now) else {
      return end(.aliveTimeout, "", now: now)
    }
    if heartbeat!.nextBeat <= now {
      if case .ended(let ended) = sendBeat(now: now) { return .ended(ended) }
      if heartbeat!.sent(now: now) { http!.sendPing() }
    }
    phaseDeadline = heartbeat!.deadline
    return .none
  }

  /// Asks for a sign of life: on the `live` call, or, from a worker without it, by `ready`, whose
  /// answer does not matter then.
  private mutating func sendBeat(now: Instant) -> LinkAction {
    guard liveSupported else { return calls.ready == 0 ? begin(.ready, now: now) : .none }
    if calls.live == 0, case .ended(let ended) = begin(.live, now: now) { return .ended(ended) }
    http!.sendBeat()
    return .none
  }

  /// The owner stops reading from the socket, so that silence is not the worker's.
  public mutating func readingPaused() {
    heartbeat?.readingPaused()
    if phase == .active, let heartbeat { phaseDeadline = heartbeat.deadline }
  }

  /// The owner reads from the socket again after it had paused.
  public mutating func readingResumed(now: Instant) {
    heartbeat?.readingResumed(now: now)
    if phase == .active, let heartbeat { phaseDeadline = heartbeat.deadline }
  }
}
