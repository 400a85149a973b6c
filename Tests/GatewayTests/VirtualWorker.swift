import Primitives
import Upstream

@testable import SampleWorker

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

  struct Answer {
    enum Target { case session([UInt8]), broadcast(UInt8), none }
    var target: Target
    var payload: [UInt8]
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

  private var connection: ServerConnection?
  private var readyStream: Int32 = 0
  private var liveStream: Int32 = 0
  private(set) var packetStream: Int32 = 0
  private var answers: [Answer] = []
  private var answersStart = 0
  private var rawOutput: [UInt8] = []
  private var limits = ServerConnection.Limits()

  /// - Parameter windowBytes: a fourth of it is the longest message; at least 256 KiB.
  init(port: UInt16, windowBytes: Int = 16 << 20) {
    self.port = port
    configuration = WorkerConfiguration(host: "worker-\(port)", port: port)
    limits.messageBytes = windowBytes / 4
    limits.waitingBytes = 64 << 20
    limits.waitingBytesMax = 64 << 20
  }

  var packets: [Request] { requests.filter { $0.event == nil } }
  var events: [Request] { requests.filter { $0.event != nil } }
  var hasConnection: Bool { connection != nil }
  var unsentAnswers: Int { answers.count - answersStart }

  // MARK: What the test makes it do

  func answer(_ uuid: String, _ payload: [UInt8]) {
    answerRaw(Array(uuid.utf8), payload)
  }

  /// - Parameter uuid: whatever bytes are to stand for the session's UUID.
  func answerRaw(_ uuid: [UInt8], _ payload: [UInt8]) {
    answers.append(Answer(target: .session(uuid), payload: payload))
  }

  /// - Parameter audience: a value of `Broadcast` in proto/upstream.proto.
  func broadcast(_ audience: UInt8, _ payload: [UInt8]) {
    answers.append(Answer(target: .broadcast(audience), payload: payload))
  }

  func answerNobody(_ payload: [UInt8]) {
    answers.append(Answer(target: .none, payload: payload))
  }

  /// Announces that no further call will be taken; the open ones go on (RFC 9113 section 6.8).
  func sayGoodbye() {
    rawOutput += [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]
  }

  /// Bytes that go out behind the frame under way, whatever they mean.
  func sendRaw(_ bytes: [UInt8]) { rawOutput += bytes }

  // MARK: What the network does

  func connect() {
    connections += 1
    do {
      connection = try ServerConnection(limits: limits)
    } catch {
      problems.append("connect: \(error)")
    }
    answers = []
    answersStart = 0
    rawOutput = []
    (readyStream, liveStream, packetStream) = (0, 0, 0)
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
    while takesPackets || packetStream == 0, let event = connection.nextEvent() {
      handle(event, connection)
    }
    sendAnswers(connection)
    do {
      guard outputBytesMax > 0 else { return [] }
      defer { rawOutput = [] }
      return try connection.takeOutput(bytesMax: outputBytesMax) + rawOutput
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
    if losingOutput || unsentAnswers > 0 || connection.waitingBytes > 0 { noteLossyStream() }
    do {
      try connection.receive(onItsWay)
    } catch {
      problems.append("late: \(error)")
    }
    while let event = connection.nextEvent() {
      if case .opened(let stream, let path) = event { opened(stream, path) }
      if case .message(packetStream, let bytes) = event, let request = decode(bytes) {
        lost.append(request)
      }
    }
    self.connection = nil
    packetStream = 0
  }

  /// Answers of the latest packet stream did not reach the gateway.
  func noteLossyStream() { lossyStreams.insert(packetStreams) }

  // MARK: Events

  private func handle(_ event: ServerConnection.Event, _ connection: ServerConnection) {
    switch event {
    case .opened(let stream, let path): opened(stream, path)
    case .message(packetStream, let bytes):
      guard let request = decode(bytes) else { return }
      requests.append(request)
      if request.event == nil { onPacket(self, request) } else { onEvent(self, request) }
    case .message(liveStream, _):
      beats += 1
      connection.send(LiveResult(time: "", live: true).encoded, on: liveStream)
    case .ended(readyStream):
      guard let ready else { return }
      let features: [ReadyResult.Feature] = sessionEvents ? [.sessionEvents] : []
      connection.send(
        ReadyResult(time: "", ready: ready, features: features).encoded, on: readyStream)
      connection.finish(readyStream, status: .ok)
    case .ended(packetStream): requestsEnded = true
    case .message, .ended, .closed: break
    }
  }

  private func opened(_ stream: Int32, _ path: String) {
    if path.hasSuffix("/ready") { readyStream = stream }
    if path.hasSuffix("/live") { liveStream = stream }
    if path.hasSuffix("/bidirectionalStreaming") {
      packetStream = stream
      packetStreams += 1
    }
  }

  private func decode(_ bytes: [UInt8]) -> Request? {
    do {
      let request = try InputStreamRequest(decoding: bytes)
      return Request(
        uuid: request.clientUUID, payload: request.payload, event: request.event,
        stream: packetStreams)
    } catch {
      problems.append("not a request: \(error)")
      return nil
    }
  }

  private func sendAnswers(_ connection: ServerConnection) {
    guard sendsAnswers, packetStream != 0 else { return }
    while answersStart < answers.count {
      guard connection.send(encode(answers[answersStart]), on: packetStream) else { return }
      answersStart += 1
    }
    answers.removeAll(keepingCapacity: true)
    answersStart = 0
    if requestsEnded && returnsAtEnd { connection.finish(packetStream, status: .ok) }
  }

  private func encode(_ answer: Answer) -> [UInt8] {
    var writer = ProtobufWriter()
    switch answer.target {
    case .session(let uuid):
      writer.field(2, message: uuid)
      writer.field(4, bytes: answer.payload)
      return writer.bytes
    case .broadcast(let audience):
      writer.field(4, bytes: answer.payload)
      // A member of a oneof is written even when it is zero.
      return [3 << 3, audience] + writer.bytes
    case .none:
      writer.field(4, bytes: answer.payload)
      return writer.bytes
    }
  }
}
