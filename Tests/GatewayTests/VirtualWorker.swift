import Primitives
import SampleWorker
import Simulation
import Upstream

/// A worker behind real HTTP/2 and gRPC, without a socket or a clock.
///
/// It survives its own crashes: what it saw is kept, the connection is not.
final class VirtualWorker {
  /// Something the worker was sent.
  struct Request: Equatable {
    var uuid: String
    var payload: [UInt8]
    var event: InputStreamRequest.Event?
    /// Counts the worker's packet streams from 1.
    var stream: Int
  }

  let port: UInt16
  var configuration: WorkerConfiguration

  // What the test decides.
  enum Reachability { case accepts, refuses, swallows }
  var reachability = Reachability.accepts
  /// What `ready` answers; nil: nothing.
  var ready: Bool? = true
  var sessionEvents = false
  /// False: stopped, as by SIGSTOP, so that its socket takes what the network holds and no more.
  var isRunning = true
  /// False: it reads and answers heartbeats, but leaves packets where they are, without a window.
  var takesPackets = true
  /// False: answers are made, but kept back.
  var sendsAnswers = true
  /// False: it does not return when the gateway has ended its requests.
  var returnsAtEnd = true
  /// What it does with a packet; by default it echoes.
  var onPacket: (VirtualWorker, Request) -> Void = { worker, packet in
    worker.answer(packet.uuid, packet.payload)
  }
  var onEvent: (VirtualWorker, Request) -> Void = { _, _ in }

  // What the test reads.
  /// Everything that was handled, in order.
  private(set) var requests: [Request] = []
  /// What had come, or was on its way, when the connection was lost, and was not handled.
  private(set) var lost: [Request] = []
  /// Packet streams that ended before the gateway had read all answers.
  private(set) var lossyStreams: Set<Int> = []
  private(set) var connections = 0
  private(set) var packetStreams = 0
  private(set) var beats = 0
  private(set) var requestsEnded = false

  /// Messages that nobody could read are counted, never ignored.
  private(set) var problems: [String] = []

  private var connection: WorkerConnection?
  /// Messages for the packet stream that it has not taken.
  private var answers: [[UInt8]] = []
  private var answersStart = 0
  private let messageBytesMax: Int

  /// - Parameter windowBytes: a fourth of it is the longest message; at least 256 KiB.
  init(port: UInt16, windowBytes: Int = 16 << 20) {
    self.port = port
    configuration = WorkerConfiguration(host: "worker-\(port)", port: port)
    messageBytesMax = windowBytes / 4
  }

  var packets: [Request] { requests.filter { $0.event == nil } }
  var events: [Request] { requests.filter { $0.event != nil } }
  var hasConnection: Bool { connection != nil }
  var isOpen: Bool { connection?.isOpen ?? false }
  var unsentAnswers: Int { answers.count - answersStart }

  // MARK: What the test makes it do

  func answer(_ uuid: String, _ payload: [UInt8]) {
    answerRaw(Array(uuid.utf8), payload)
  }

  /// - Parameter uuid: whatever bytes are to stand for the session's UUID.
  func answerRaw(_ uuid: [UInt8], _ payload: [UInt8]) {
    answers.append(WorkerMessages.output(to: uuid, payload))
  }

  /// - Parameter audience: a value of `Broadcast` in proto/upstream.proto.
  func broadcast(_ audience: UInt8, _ payload: [UInt8]) {
    answers.append(WorkerMessages.output(toAll: audience, payload))
  }

  func answerNobody(_ payload: [UInt8]) {
    answers.append(WorkerMessages.output(toNobody: payload))
  }

  /// Announces that no further call will be taken; the open ones go on.
  func sayGoodbye() { connection?.sayGoodbye() }

  /// Bytes that go out behind the frame under way, whatever they mean.
  func sendRaw(_ bytes: [UInt8]) { connection?.sendRaw(bytes) }

  // MARK: What the network does

  func connect() {
    connections += 1
    do {
      connection = try WorkerConnection(messageBytesMax: messageBytesMax)
    } catch {
      problems.append("connect: \(error)")
    }
    answers = []
    answersStart = 0
    requestsEnded = false
  }

  /// Takes bytes that arrived; false when the connection can't go on.
  func receive(_ bytes: [UInt8]) -> Bool {
    guard let connection else { return false }
    do {
      try connection.receive(bytes)
      return true
    } catch {
      problems.append("receive: \(error)")
      return false
    }
  }

  /// Handles what arrived and returns bytes for the gateway.
  func run(outputBytesMax: Int) -> [UInt8] {
    guard let connection else { return [] }
    while let event = connection.nextEvent(takesPackets: takesPackets) {
      handle(event, connection)
    }
    sendAnswers(connection)
    do {
      guard outputBytesMax > 0 else { return [] }
      return try connection.takeOutput(bytesMax: outputBytesMax)
    } catch {
      problems.append("output: \(error)")
      return []
    }
  }

  /// The connection is gone; `onItsWay` had left the gateway and was not read.
  ///
  /// - Parameter losingOutput: some of what it had sent is not read by the gateway.
  func disconnect(onItsWay: [UInt8], losingOutput: Bool) {
    guard let connection else { return }
    if losingOutput || unsentAnswers > 0 || connection.waitingByteCount > 0 { noteLossyStream() }
    let wasOpen = connection.isOpen
    let unhandled = connection.unhandled(onItsWay: onItsWay)
    if connection.isOpen, !wasOpen { packetStreams += 1 }
    lost += unhandled.requests.map(inItsStream)
    problems += unhandled.problems
    self.connection = nil
  }

  /// Answers of the latest packet stream did not reach the gateway.
  func noteLossyStream() { lossyStreams.insert(packetStreams) }

  // MARK: Events

  private func handle(_ event: WorkerConnection.Event, _ connection: WorkerConnection) {
    switch event {
    case .opened: packetStreams += 1
    case .request(let message):
      let request = inItsStream(message)
      requests.append(request)
      if request.event == nil { onPacket(self, request) } else { onEvent(self, request) }
    case .beat(let call):
      beats += 1
      connection.answerBeat(call)
    case .ready(let call):
      guard let ready else { return }
      connection.answerReady(call, ready, sessionEvents: sessionEvents)
    case .requestsEnded: requestsEnded = true
    case .live, .authenticate: break
    case .problem(let problem): problems.append(problem)
    }
  }

  private func inItsStream(_ request: WorkerRequest) -> Request {
    Request(
      uuid: request.uuid, payload: request.payload, event: request.event, stream: packetStreams)
  }

  private func sendAnswers(_ connection: WorkerConnection) {
    guard sendsAnswers, connection.isOpen else { return }
    while answersStart < answers.count {
      guard connection.send(answers[answersStart]) else { return }
      answersStart += 1
    }
    answers.removeAll(keepingCapacity: true)
    answersStart = 0
    if requestsEnded && returnsAtEnd { connection.finishAnswers() }
  }
}
