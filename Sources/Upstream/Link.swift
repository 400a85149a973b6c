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
/// Any of the states from `resolving` to `draining` can end.
@safe
public struct Link: ~Copyable {
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

  private(set) var phase = Phase.idle
  /// When ``deadlinePassed(now:)`` is to be called, unless something else comes first.
  public private(set) var deadline = Instant.distantFuture
  private var afterwards = Afterwards.reconnect
  private var addresses: [SocketAddress] = []
  private var connectBackoff = Backoff()
  private var readyBackoff = Backoff()
  private var heartbeat: Heartbeat?

  private var http: HTTP2Connection?
  private var calls = Calls()
  private var readyAnswer: ContractReader.Ready?
  private var liveSupported = true
  private var messageReader = GRPCMessageReader()
  private var smallReader = GRPCMessageReader()
  /// What is left of the DATA that is being cut into messages.
  private var chunk = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  private let messageBytesMax: Int
  /// For the jitter of its pauses.
  private var random: SeededRandom

  private var packets = PacketQueue()
  private var segments = OutgoingSegments()

  /// The worker asked for SESSION_EVENTS.
  public private(set) var wantsSessionEvents = false
  public private(set) var packetsSent: UInt64 = 0
  public private(set) var messagesReceived: UInt64 = 0
  public private(set) var reconnects: UInt64 = 0
  public private(set) var lastEnd: LinkEnd?

  /// The streams of the calls that are open; 0 is none.
  private struct Calls: BitwiseCopyable {
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

  public var stateName: String {
    switch phase {
    case .idle, .backingOff: "backing-off"
    case .resolving: "resolving"
    case .connecting: "connecting"
    case .handshaking: "handshaking"
    case .asking: "probing"
    case .notReady: "not-ready"
    case .active: "ready"
    case .draining: "draining"
    case .drained, .removed: "drained"
    }
  }

  // MARK: Connecting

  /// Begins an attempt.
  public mutating func start(now: Instant) -> LinkAction {
    switch phase {
    case .idle, .backingOff, .drained:
      phase = .resolving
      afterwards = .reconnect
      deadline = now + .seconds(10)
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
    deadline = now + configuration.connectTimeout
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
    deadline = now + configuration.connectTimeout
    return begin(.ready, now: now)
  }

  private mutating func begin(
    _ call: HTTP2Connection.Call, now: Instant
  ) -> LinkAction {
    do {
      let stream = try http!.begin(call, authority: configuration.authority)
      switch call {
      case .packets: calls.packets = stream
      case .ready: calls.ready = stream
      case .live:
        calls.live = stream
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
  private mutating func end(
    _ reason: LinkEndReason, _ detail: String, now: Instant
  ) -> LinkAction {
    http = nil
    calls = Calls()
    heartbeat = nil
    readyAnswer = nil
    unsafe chunk = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    messageReader = GRPCMessageReader()
    smallReader = GRPCMessageReader()
    wantsSessionEvents = false
    liveSupported = true
    var retryIn: Interval?
    switch afterwards {
    case .reconnect:
      let pause = connectBackoff.next(using: &random)
      phase = .backingOff
      deadline = now + pause
      retryIn = pause
    case .stayDrained:
      phase = .drained
      deadline = .distantFuture
    case .remove, .shutDown:
      phase = .removed
      deadline = .distantFuture
    }
    let ended = LinkEnd(reason: reason, detail: detail, retryIn: retryIn)
    lastEnd = ended
    return .ended(ended)
  }

  private mutating func endDraining(now: Instant) -> LinkAction {
    end(reasonToEnd, http?.statusMessage ?? "", now: now)
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
    afterwards = next
    switch phase {
    case .active:
      phase = .draining
      deadline = now + timeout
      http!.endPackets()
      return .none
    case .draining: return .none
    case .idle, .resolving, .connecting, .handshaking, .asking, .notReady, .backingOff:
      return end(reasonToEnd, "", now: now)
    case .drained, .removed:
      phase = next == .stayDrained ? .drained : .removed
      return .none
    }
  }

  // MARK: Time

  public mutating func deadlinePassed(now: Instant) -> LinkAction {
    guard now >= deadline else { return .none }
    switch phase {
    case .idle, .drained, .removed:
      deadline = .distantFuture
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
      deadline = now + configuration.readyTimeout
      return begin(.ready, now: now)
    case .draining: return endDraining(now: now)
    case .active: return beat(now: now)
    }
  }

  private mutating func beat(now: Instant) -> LinkAction {
    guard !heartbeat!.isOverdue(now: now) else {
      return end(.aliveTimeout, "", now: now)
    }
    if heartbeat!.nextBeat <= now {
      if case .ended(let ended) = sendBeat(now: now) { return .ended(ended) }
      if heartbeat!.sent(now: now) { http!.sendPing() }
    }
    deadline = heartbeat!.deadline
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

  /// The owner reads from the socket again after it had paused.
  public mutating func readingResumed(now: Instant) {
    heartbeat?.readingResumed(now: now)
    if phase == .active, let heartbeat { deadline = heartbeat.deadline }
  }

  // MARK: Receiving

  /// Takes bytes from the worker's socket; then call ``nextDelivery(now:)`` until there is none.
  ///
  /// `bytes` must stay where they are until then.
  public mutating func receive(
    _ bytes: UnsafeRawBufferPointer, now: Instant
  ) -> LinkAction {
    guard http != nil else { return .none }
    do {
      unsafe try http!.receive(bytes)
      return .none
    } catch {
      return connectionLost(.protocolError, error.description, now: now)
    }
  }

  public mutating func nextDelivery(now: Instant) -> LinkDelivery {
    while http != nil {
      if unsafe chunk.count > 0 {
        if let delivery = nextMessage(now: now) { return delivery }
      }
      guard let event = http!.nextEvent() else { return .nothing }
      let action = handle(event, now: now)
      if case .none = action { continue }
      return .action(action)
    }
    return .nothing
  }

  private mutating func nextMessage(now: Instant) -> LinkDelivery? {
    switch unsafe messageReader.next(&chunk, messageBytesMax: messageBytesMax) {
    case .needMore: return nil
    case .message(let message, let inPlace):
      guard let output = unsafe ContractReader.output(message) else {
        return .action(fail(.malformedMessage, now: now))
      }
      messagesReceived += 1
      return .output(output, inPlace: inPlace)
    case .compressed:
      return .action(fail(.compressedMessage, now: now))
    case .tooLarge(let byteCount):
      return .action(
        fail(
          .messageTooLarge, "\(byteCount) bytes, \(messageBytesMax) allowed", now: now))
    }
  }

  private mutating func fail(
    _ reason: LinkEndReason, _ detail: String = "", now: Instant
  ) -> LinkAction {
    end(reason, detail, now: now)
  }

  private mutating func handle(
    _ event: HTTP2Event, now: Instant
  ) -> LinkAction {
    switch event {
    case .settings: return settingsReceived(now: now)
    case .data(let stream, let bytes):
      if stream == calls.packets {
        unsafe chunk = unsafe bytes
        return .none
      }
      return unsafe smallMessage(on: stream, bytes, now: now)
    case .headers(let stream, let fields):
      return headers(fields, on: stream, now: now)
    case .endOfStream(let stream):
      return streamEnded(stream, .streamEnded, "no trailers", now: now)
    case .streamClosed(let stream, let errorCode):
      return streamEnded(
        stream, .streamReset, "HTTP/2 error \(errorCode)", now: now)
    case .pingAcknowledged:
      heartbeat?.pingAnswered()
      return .none
    case .goAway(let errorCode):
      if errorCode == 0, phase == .active { return .drainRequested }
      if phase == .draining { return .none }
      return fail(.goAway, "HTTP/2 error \(errorCode)", now: now)
    }
  }

  private mutating func settingsReceived(now: Instant) -> LinkAction {
    guard phase == .handshaking else { return .none }
    phase = .asking
    deadline = now + configuration.readyTimeout
    return .none
  }

  /// A message of the `ready` or the `live` call.
  private mutating func smallMessage(
    on stream: Int32, _ bytes: UnsafeRawBufferPointer, now: Instant
  ) -> LinkAction {
    guard stream == calls.ready || stream == calls.live else { return .none }
    var rest = unsafe bytes
    while true {
      switch unsafe smallReader.next(&rest, messageBytesMax: 64 << 10) {
      case .needMore: return .none
      case .compressed: return fail(.compressedMessage, now: now)
      case .tooLarge: return fail(.messageTooLarge, now: now)
      case .message(let message, _):
        if stream == calls.ready {
          guard let answer = unsafe ContractReader.ready(message) else {
            return fail(.malformedMessage, "ready", now: now)
          }
          readyAnswer = answer
        } else {
          guard let isLive = unsafe ContractReader.live(message) else {
            return fail(.malformedMessage, "live", now: now)
          }
          guard isLive else { return fail(.notLive, now: now) }
          calls.liveWasAnswered = true
          heartbeat?.answered()
        }
      }
    }
  }

  private mutating func headers(
    _ fields: HTTP2Fields, on stream: Int32, now: Instant
  ) -> LinkAction {
    guard stream == calls.packets || stream == calls.ready || stream == calls.live else {
      return .none
    }
    if fields.httpStatus != 0 {
      if (100..<200).contains(fields.httpStatus) { return .none }
      guard fields.httpStatus == 200 else {
        return fail(.httpStatus, "\(fields.httpStatus)", now: now)
      }
      guard fields.isGRPC else { return fail(.notGRPC, now: now) }
    }
    guard let status = fields.grpcStatus else { return .none }
    return callEnded(stream, status: status, now: now)
  }

  /// A call's `grpc-status` arrived.
  private mutating func callEnded(
    _ stream: Int32, status: Int32, now: Instant
  ) -> LinkAction {
    let unimplemented: Int32 = 12
    let message = http?.statusMessage ?? ""
    let detail = message.isEmpty ? "\(status)" : "\(status) \(message)"
    if stream == calls.ready {
      calls.ready = 0
      guard phase == .asking || phase == .handshaking else {
        readyAnswer = nil
        heartbeat?.answered()
        return .none
      }
      if status == 0 { return readyAnswered(now: now) }
      guard status == unimplemented else {
        return fail(.grpcStatus, "ready: \(detail)", now: now)
      }
      readyAnswer = ContractReader.Ready(isReady: true)
      return readyAnswered(now: now)
    }
    if stream == calls.live {
      calls.live = 0
      if status == unimplemented {
        liveSupported = false
        heartbeat?.answered()
        return .none
      }
      // A worker that answers and returns is asked again with the next beat.
      let isGood = status == 0 && calls.liveWasAnswered
      return isGood || phase == .draining ? .none : fail(.liveEnded, detail, now: now)
    }
    calls.packets = 0
    if phase == .draining { return endDraining(now: now) }
    return fail(
      status == 0 ? .streamEnded : .grpcStatus, status == 0 ? "" : detail, now: now)
  }

  /// A stream ended without the trailers that gRPC demands.
  private mutating func streamEnded(
    _ stream: Int32, _ reason: LinkEndReason, _ detail: String, now: Instant
  ) -> LinkAction {
    guard stream == calls.packets || stream == calls.ready || stream == calls.live else {
      return .none
    }
    if phase == .draining {
      if stream == calls.packets { return endDraining(now: now) }
      calls.live = 0
      return .none
    }
    return fail(reason, detail, now: now)
  }

  private mutating func readyAnswered(now: Instant) -> LinkAction {
    guard let answer = readyAnswer else {
      return fail(.malformedMessage, "ready: no answer", now: now)
    }
    readyAnswer = nil
    guard answer.isReady else {
      let pause = readyBackoff.next(using: &random)
      phase = .notReady
      deadline = now + pause
      return .notReady(retryIn: pause)
    }
    wantsSessionEvents = answer.sessionEvents
    if case .ended(let ended) = begin(.packets, now: now) {
      return .ended(ended)
    }
    if lastEnd != nil { reconnects += 1 }
    connectBackoff.reset()
    readyBackoff.reset()
    phase = .active
    heartbeat = Heartbeat(aliveTimeout: configuration.aliveTimeout, now: now)
    deadline = now
    return .becameReady
  }

  // MARK: Sending

  /// Encoded bytes that wait for the socket.
  public var queuedBytes: Int { packets.unwrittenBytes }

  /// Queues a packet of a session.
  @inline(__always)
  public mutating func sendPacket(
    _ payload: UnsafeRawBufferPointer, of uuid: SessionUUID, time: TimestampText
  ) {
    unsafe ContractWriter.appendPacket(payload, of: uuid, time: time, to: &packets.bytes)
    packetsSent += 1
  }

  /// Queues a message that was encoded for another link.
  public mutating func sendEncoded(_ message: UnsafeRawBufferPointer) {
    unsafe packets.bytes.append(message)
    packetsSent += 1
  }

  public mutating func sendOpened(
    _ opened: SessionOpened, of uuid: SessionUUID, time: TimestampText
  ) {
    ContractWriter.appendOpened(opened, of: uuid, time: time, to: &packets.bytes)
  }

  /// - Parameter reason: a value of `CloseReason` in proto/upstream.proto.
  public mutating func sendClosed(reason: UInt8, of uuid: SessionUUID, time: TimestampText) {
    ContractWriter.appendClosed(reason: reason, of: uuid, time: time, to: &packets.bytes)
  }

  /// Frames what waits and says where it lies; 0 slices when there is nothing to write.
  ///
  /// Follow with ``wrote(_:)``, and call again until there is nothing or the socket takes no more.
  public mutating func prepareWrite(
    _ slices: UnsafeMutableBufferPointer<IOSlice>, now: Instant
  ) -> (count: Int, action: LinkAction) {
    guard http != nil else { return (0, .none) }
    if segments.isEmpty {
      do {
        try http!.frame(&packets, into: &segments, byteCountMax: 4 << 20)
      } catch {
        return (0, connectionLost(.protocolError, error.description, now: now))
      }
    }
    guard segments.isEmpty else { return unsafe (segments.fill(slices, packets: packets), .none) }
    guard http?.isFinished == true else { return (0, .none) }
    let reason: LinkEndReason = phase == .handshaking ? .notHTTP2 : .protocolError
    return (0, connectionLost(reason, http?.errorText ?? "", now: now))
  }

  /// The socket took `byteCount` bytes.
  public mutating func wrote(_ byteCount: Int) { segments.wrote(byteCount, packets: &packets) }

  /// The messages that the worker can't have got whole, prefixes included, oldest first.
  ///
  /// - Precondition: the link has ended.
  public mutating func takeUnsent() -> [UInt8] {
    precondition(http == nil)
    let unsent = packets.takeUnwrittenMessages()
    segments = OutgoingSegments()
    return unsent
  }
}
