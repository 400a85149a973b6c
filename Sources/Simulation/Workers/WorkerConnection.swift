package import SampleWorker

/// A worker's side of one connection with a gateway: the contract over real HTTP/2 and gRPC,
/// without a socket, a clock, or an opinion.
///
/// Who owns it feeds what arrives, asks ``nextEvent(takesPackets:)`` until it says nil, answers,
/// and sends what ``takeOutput(bytesMax:)`` gives. There may be events again afterwards.
package final class WorkerConnection {
  package enum Event {
    /// The packet stream has begun: answers can be sent.
    case opened
    case request(WorkerRequest)
    /// The gateway has sent all its requests, and waits for the stream's end.
    case requestsEnded
    case ready(call: Int32)
    /// The heartbeats' call has begun.
    case live(call: Int32)
    case beat(call: Int32)
    case authenticate(call: Int32, AuthenticateQuestion)
    /// The gateway says what no worker can read.
    case problem(String)
  }

  private static let waitingBytesMax = 64 << 20

  private let connection: ServerConnection
  private var readyCall: Int32 = 0
  private var liveCall: Int32 = 0
  private var packetCall: Int32 = 0
  private var authenticateCalls: [Int32] = []
  private var rawOutput: [UInt8] = []
  /// Nothing is sent any more; what comes is still understood.
  package private(set) var isMute = false
  /// A message was sent on the packet stream, so the response's head was, too.
  private(set) var hasAnswered = false

  /// - Parameter messageBytesMax: the longest message that is taken; the windows are four times as
  ///   large.
  package init(messageBytesMax: Int) throws(ServerConnectionError) {
    var limits = ServerConnection.Limits()
    limits.messageBytes = messageBytesMax
    limits.waitingBytes = Self.waitingBytesMax
    limits.waitingBytesMax = Self.waitingBytesMax
    connection = try ServerConnection(limits: limits)
  }

  /// The packet stream has begun.
  package var isOpen: Bool { packetCall != 0 }
  /// Bytes of messages that wait for the gateway's window, or for their turn.
  package var waitingByteCount: Int { connection.waitingBytes }
  /// HTTP/2 is through with it: send what is left, then close.
  package var isFinished: Bool { connection.isFinished && rawOutput.isEmpty }
  /// The number of the packet stream in HTTP/2; 0 before it began.
  var packetStream: Int32 { packetCall }

  // MARK: Input

  /// Takes bytes that arrived.
  ///
  /// - Throws: when they are no HTTP/2: close the connection.
  package func receive(_ bytes: [UInt8]) throws(ServerConnectionError) {
    try connection.receive(bytes)
  }

  /// What happened next; nil when nothing did.
  ///
  /// - Parameter takesPackets: false: the packet stream's messages stay where they are, and give
  ///   the gateway no window.
  package func nextEvent(takesPackets: Bool = true) -> Event? {
    let passedOver = takesPackets || packetCall == 0 ? nil : packetCall
    while let event = connection.nextEvent(passingOver: passedOver) {
      if let meaning = meaning(of: event) { return meaning }
    }
    return nil
  }

  private func meaning(of event: ServerConnection.Event) -> Event? {
    switch event {
    case .opened(let call, let path): return opened(call, path)
    case .message(packetCall, let bytes): return request(bytes)
    case .message(liveCall, _): return .beat(call: liveCall)
    case .message(let call, let bytes):
      guard authenticateCalls.contains(call) else { return nil }
      do {
        return .authenticate(call: call, try AuthenticateQuestion(decoding: bytes))
      } catch {
        return .problem("not an AuthenticateRequest: \(error)")
      }
    case .ended(readyCall): return .ready(call: readyCall)
    case .ended(packetCall): return .requestsEnded
    case .ended: return nil
    case .closed(let call):
      authenticateCalls.removeAll { $0 == call }
      return nil
    }
  }

  private func opened(_ call: Int32, _ path: String) -> Event? {
    switch path.split(separator: "/").last {
    case "ready":
      readyCall = call
      return nil
    case "live":
      liveCall = call
      return .live(call: call)
    case "bidirectionalStreaming":
      packetCall = call
      return .opened
    case "authenticate":
      authenticateCalls.append(call)
      return nil
    default: return .problem("no such call: \(path)")
    }
  }

  private func request(_ bytes: [UInt8]) -> Event {
    do {
      let request = try InputStreamRequest(decoding: bytes)
      return .request(
        WorkerRequest(
          uuid: request.clientUUID, payload: request.payload, event: request.event))
    } catch {
      return .problem("not an InputStreamRequest: \(error)")
    }
  }

  /// The connection is lost: what had come, or was on its way, and was not handled, in its order.
  ///
  /// - Parameter onItsWay: what had left the gateway and was not read.
  package func unhandled(onItsWay: [UInt8]) -> (requests: [WorkerRequest], problems: [String]) {
    var requests: [WorkerRequest] = []
    var problems: [String] = []
    do {
      try connection.receive(onItsWay)
    } catch {
      problems.append("late: \(error)")
    }
    while let event = connection.takeLeftEvent() {
      switch meaning(of: event) {
      case .request(let request): requests.append(request)
      case .problem(let problem): problems.append(problem)
      case .opened, .requestsEnded, .ready, .live, .beat, .authenticate, nil: break
      }
    }
    return (requests, problems)
  }

  // MARK: Answers

  package func answerReady(_ call: Int32, _ isReady: Bool, sessionEvents: Bool) {
    let features: [ReadyResult.Feature] = sessionEvents ? [.sessionEvents] : []
    answer(call, ReadyResult(time: "", ready: isReady, features: features).encoded)
  }

  package func answerBeat(_ call: Int32, isLive: Bool = true) {
    connection.send(LiveResult(time: "", live: isLive).encoded, on: call)
  }

  /// Answers a call that has one answer.
  package func answer(_ call: Int32, _ message: [UInt8]) {
    connection.send(message, on: call)
    connection.finish(call, status: .ok)
  }

  /// Ends a call without an answer.
  package func fail(_ call: Int32, _ status: GRPCStatus) {
    connection.finish(call, status: status)
  }

  /// Sends one message on the packet stream; see ``WorkerMessages``.
  ///
  /// - Returns: false when there is no room, or no stream.
  package func send(_ message: [UInt8]) -> Bool {
    guard connection.send(message, on: packetCall) else { return false }
    hasAnswered = true
    return true
  }

  /// Whether ``send(_:)`` takes all of these, once it takes the first.
  func hasRoom(for messages: [[UInt8]]) -> Bool {
    let byteCount = messages.reduce(0) { $0 + $1.count + 5 }
    return waitingByteCount + byteCount <= Self.waitingBytesMax
  }

  /// Sends bytes on the packet stream in a message's place.
  func sendUnframed(_ bytes: [UInt8]) {
    if connection.sendUnframed(bytes, on: packetCall) { hasAnswered = true }
  }

  /// Ends the packet stream, behind the answers.
  package func finishAnswers() { connection.finish(packetCall, status: .ok) }

  /// Announces that no further call will be taken; the open ones go on (RFC 9113 section 6.8).
  package func sayGoodbye() {
    sendRaw(HTTP2Frames.frame(.goAway, stream: 0, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]))
  }

  // MARK: Output

  /// Bytes that go out behind the frame under way, whatever they mean.
  package func sendRaw(_ bytes: [UInt8]) { rawOutput += bytes }

  /// Sends bytes as ``sendRaw(_:)`` does, and nothing ever after.
  func sendLast(_ bytes: [UInt8]) {
    sendRaw(bytes)
    isMute = true
  }

  /// Bytes for the gateway; empty when there are none.
  package func takeOutput(bytesMax: Int) throws(ServerConnectionError) -> [UInt8] {
    defer { rawOutput = [] }
    return isMute ? rawOutput : try connection.takeOutput(bytesMax: bytesMax) + rawOutput
  }
}
