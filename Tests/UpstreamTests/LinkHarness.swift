import Primitives
import Testing

@testable import Upstream

/// A link and a worker with a wire in between, and a clock that is moved by hand.
final class LinkHarness {
  /// An action that the link asked for, without its details.
  enum Seen: Equatable {
    case resolve
    case connect(SocketAddress)
    case becameReady
    case notReady
    case drainRequested
    case ended(LinkEndReason)
  }

  struct Delivered: Equatable {
    var uuid: String
    var payload: [UInt8]
  }

  static let address = SocketAddress(ipv4: 192, 0, 2, 1, port: 50051)

  var link: Link
  var worker: ScriptedWorker
  private let options: ScriptedWorker.Options
  private(set) var now = Instant(nanoseconds: 77_000_000_000)
  private(set) var seen: [Seen] = []
  private(set) var delivered: [Delivered] = []
  private(set) var lastPause: Interval?
  private var answers: [AuthenticateAnswer] = []
  /// How many more bytes the socket takes from the link.
  var socketTakes = Int.max
  /// What the link says goes nowhere, and nothing comes back.
  var isWorkerSilent = false
  /// How many bytes are read from the worker at a time.
  var readBytes = 65_536

  init(
    seed: UInt64 = 1, messageBytesMax: Int = 1 << 20,
    worker options: ScriptedWorker.Options = .init()
  ) {
    var configuration = WorkerConfiguration(host: "worker.test", port: 50051)
    configuration.connectTimeout = .seconds(2)
    configuration.readyTimeout = .seconds(5)
    configuration.aliveTimeout = .seconds(9)
    link = Link(
      id: WorkerID(rawValue: 3), pool: 0, configuration: configuration,
      messageBytesMax: messageBytesMax, seed: seed)
    self.options = options
    worker = ScriptedWorker(options)
  }

  // MARK: Actions

  var phase: Link.Phase { link.phase }
  var end: LinkEnd? { link.lastEnd }
  var deadline: Instant { link.deadline }
  var isConnected: Bool { link.isConnected }
  var isReady: Bool { link.isReady }
  var wantsSessionEvents: Bool { link.wantsSessionEvents }
  var queuedBytes: Int { link.queuedBytes }
  var packetsSent: UInt64 { link.packetsSent }
  var reconnects: UInt64 { link.reconnects }
  var openAuthentications: Int { link.authentications.count }
  var stateName: String { link.state.rawValue }

  func lose(_ reason: LinkEndReason = .connectionClosed) {
    note(link.connectionLost(reason, "", now: now))
  }

  /// Takes what was seen since the last time.
  func takeSeen() -> [Seen] {
    defer { seen = [] }
    return seen
  }

  func note(_ action: LinkAction) {
    answers += link.takeAnswers()
    switch action {
    case .none: break
    case .resolve: seen.append(.resolve)
    case .connect(let address): seen.append(.connect(address))
    case .becameReady: seen.append(.becameReady)
    case .notReady(let pause):
      lastPause = pause
      seen.append(.notReady)
    case .drainRequested: seen.append(.drainRequested)
    case .ended(let end):
      lastPause = end.retryIn
      seen.append(.ended(end.reason))
    }
  }

  /// Takes what became of calls of `authenticate` since the last time.
  func takeAnswers() -> [AuthenticateAnswer] {
    defer { answers = [] }
    return answers + link.takeAnswers()
  }

  // MARK: Time

  func advance(by interval: Interval) { advance(to: now + interval) }

  /// Moves the clock, stopping at the link's deadlines on the way, and lets both sides talk.
  func advance(to instant: Instant) {
    var steps = 0
    while link.deadline <= instant {
      now = max(now, link.deadline)
      note(link.deadlinePassed(now: now))
      talk()
      steps += 1
      if steps > 1000 {
        Issue.record("a driver would spin")
        return
      }
    }
    now = instant
    note(link.deadlinePassed(now: now))
    talk()
  }

  /// Moves the clock to the next deadline and reports it.
  func passDeadline() { advance(to: link.deadline) }

  // MARK: The wire

  /// What the socket takes of what the link has to write.
  func takeWritten() -> [UInt8] {
    var bytes: [UInt8] = []
    while socketTakes > 0 {
      var piece: [UInt8] = []
      withUnsafeTemporaryAllocation(of: IOSlice.self, capacity: 8) { slices in
        slices.initialize(repeating: IOSlice(base: nil, count: 0))
        let (count, action) = link.prepareWrite(slices, now: now)
        note(action)
        for slice in slices[..<count] {
          piece += UnsafeRawBufferPointer(start: slice.base, count: slice.count)
        }
      }
      guard !piece.isEmpty else { break }
      piece = Array(piece.prefix(socketTakes))
      link.wrote(piece.count)
      socketTakes -= socketTakes == .max ? 0 : piece.count
      bytes += piece
    }
    return bytes
  }

  /// Bytes arrive from the worker.
  func receive(_ bytes: [UInt8]) {
    var start = 0
    while start < bytes.count {
      let piece = Array(bytes[start..<min(start + readBytes, bytes.count)])
      start += piece.count
      piece.withUnsafeBytes { piece in
        note(link.receive(piece, now: now))
        takeDeliveries()
      }
    }
  }

  private func takeDeliveries() {
    while true {
      switch link.nextDelivery(now: now) {
      case .nothing: return
      case .action(let action): note(action)
      case .output(let output, _):
        delivered.append(
          Delivered(
            uuid: String(decoding: output.uuid, as: UTF8.self), payload: Array(output.payload)))
      }
    }
  }

  /// Goes on until neither side has anything to say.
  func talk() {
    // One that has ended keeps what it had to send until that is taken.
    defer { if link.isConnected { for problem in link.audit() { Issue.record("\(problem)") } } }
    if isWorkerSilent {
      _ = takeWritten()
      return
    }
    for _ in 0..<1000 {
      let out = takeWritten()
      if !out.isEmpty, !worker.receive(out) { Issue.record("the link does not speak HTTP/2") }
      let back = worker.takeOutput()
      // Bytes for a connection that is gone lead nowhere.
      if link.isConnected { receive(back) }
      if out.isEmpty && (back.isEmpty || !link.isConnected) { return }
    }
    Issue.record("the two talk for ever")
  }

  // MARK: Getting somewhere

  /// Up to a connected socket on which nothing was said.
  func connectSocket() {
    worker = ScriptedWorker(options)
    if link.phase == .idle || link.phase == .drained { note(link.start(now: now)) }
    note(link.resolved([Self.address], now: now))
    note(link.connected(now: now))
  }

  /// Up to the question whether the worker is ready.
  func connect() {
    connectSocket()
    talk()
  }

  /// Answers the last `ready` call.
  func answerReady(_ message: [UInt8] = Wire.integer(2, 1)) {
    guard let stream = worker.last("ready") else {
      Issue.record("ready was not asked")
      return
    }
    worker.send(message, on: stream)
    worker.finish(stream)
    talk()
  }

  /// Up to the first beat, and its answer.
  func becomeReady() {
    connect()
    answerReady()
    advance(by: .zero)
    answerLive()
    seen = []
  }

  func answerLive(_ message: [UInt8] = Wire.integer(2, 1)) {
    guard let stream = worker.last("live") else {
      Issue.record("live was not asked")
      return
    }
    worker.send(message, on: stream)
    talk()
  }

  /// The call that carries packets.
  var packets: Int32 { worker.last("bidirectionalStreaming") ?? 0 }

  func send(_ payload: [UInt8], of number: UInt64 = 1) {
    payload.withUnsafeBytes {
      link.sendPacket(
        $0, of: SessionUUID(text: uuid(number))!,
        time: TimestampText(unixMilliseconds: anyTimeMilliseconds))
    }
  }

  @discardableResult
  func authenticate(
    _ call: UInt64, _ message: [UInt8] = [7], timeout: Interval = .seconds(3),
    isSent: Bool = true
  ) -> Bool {
    defer { if isSent { talk() } }
    return link.authenticate(
      call: call, request: Wire.framed(message), timeout: timeout, now: now)
  }

  func cancelAuthentication(_ call: UInt64, isSent: Bool = true) {
    link.cancelAuthentication(call: call)
    if isSent { talk() }
  }

  func takeUnsent() -> [UInt8] { link.takeUnsent() }
  func drain(_ next: Link.Afterwards, timeout: Interval = .seconds(30)) {
    note(link.drain(next, now: now, timeout: timeout))
    talk()
  }
}
