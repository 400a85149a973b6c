internal import Primitives

/// What a worker says that it must not say, or that makes no sense.
enum Lie: CaseIterable {
  /// Bytes that are no HTTP/2.
  case garbage
  /// A frame that RFC 9113 forbids.
  case violation
  /// The packet stream is reset.
  case resetStream
  /// The packet stream ends with a status, though requests are to come.
  case trailers
  /// A message that announces more than any message may have.
  case oversizedMessage
  /// A message that is not protobuf.
  case malformedMessage
  /// A message with the compressed flag.
  case compressedMessage
  /// Answers to UUIDs that nobody has or ever had.
  case wrongUUIDs
  /// An answer to a session that is over, or to another gateway's.
  case goneSession
  /// Answers without bytes, and one without a target.
  case emptyAnswers
  /// Bytes to one session that are none of its listener's packets: it is closed.
  case brokenAnswer
  /// Answers on a stream that the gateway has not begun; until the worker becomes normal.
  case answersBeforeReady
  /// `ready` is answered with nonsense; until the worker becomes normal.
  case malformedReady
  /// A heartbeat is answered with `live = false`.
  case notLive
  /// The packet stream ends within an answer to a game whose answers the gateway keeps whole.
  case halfAnswer

  /// A gateway that hears it must end the connection.
  var endsLink: Bool {
    switch self {
    case .wrongUUIDs, .goneSession, .emptyAnswers, .brokenAnswer: false
    case .garbage, .violation, .resetStream, .trailers, .oversizedMessage, .malformedMessage,
      .compressedMessage, .answersBeforeReady, .malformedReady, .notLive, .halfAnswer:
      true
    }
  }
}

/// Lies are told at the next opportunity, on each connection that has one.
extension WorkerProcess {
  /// Has the worker say something wrong: at once on open packet streams, else on the next one.
  func lie(_ kind: Lie) {
    guard isAlive else { return }
    simulation.trace.note("worker lies", number, Lie.allCases.firstIndex(of: kind) ?? 0)
    lie = kind
    switch kind {
    case .answersBeforeReady, .malformedReady:
      // Only new connections hear it.
      for socket in sockets where !socket.isForsaken { close(socket) }
    case .notLive: break
    case .garbage, .violation, .resetStream, .trailers, .oversizedMessage, .malformedMessage,
      .compressedMessage, .wrongUUIDs, .goneSession, .emptyAnswers, .halfAnswer, .brokenAnswer:
      for socket in sockets where canLie(on: socket) { tell(kind, socket) }
    }
    workAll()
  }

  private func canLie(on socket: WorkerSocket) -> Bool {
    socket.isOpen && !socket.isClosed && !socket.isForsaken && !socket.hasFinished
  }

  /// A packet stream has begun.
  func lieNow(on socket: WorkerSocket) {
    switch lie {
    case .answersBeforeReady, .malformedReady, .notLive, nil: break
    case let kind?: tell(kind, socket)
    }
  }

  /// A connection was made.
  func beginLying(on socket: WorkerSocket) {
    guard lie == .answersBeforeReady else { return }
    // The gateway's calls have odd numbers, and the second one is yet to come.
    let message = WorkerMessages.output(toAll: 0, Self.decoy)
    socket.hasLied = true
    socket.worker.sendRaw(
      HTTP2Frames.frame(
        .headers, flags: HTTP2Frames.endHeaders, stream: 3, HTTP2Frames.block(Self.responseHead))
        + HTTP2Frames.frame(.data, stream: 3, Self.prefixed(message)))
  }

  private func tell(_ kind: Lie, _ socket: WorkerSocket) {
    lie = nil
    if kind.endsLink { socket.hasLied = true }
    let worker = socket.worker
    switch kind {
    case .garbage:
      worker.sendLast(
        random.chance(500)
          ? Array(repeating: 0xff, count: 64) : Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    case .violation: worker.sendLast(violation(worker.packetStream))
    case .resetStream:
      let code = UInt32(random.draw(0...13))
      worker.sendLast(
        HTTP2Frames.frame(.resetStream, stream: worker.packetStream, HTTP2Frames.number(code)))
    case .trailers: worker.sendLast(trailers(worker))
    case .oversizedMessage: worker.sendUnframed([0, 0xff, 0xff, 0xff, 0xff] + Self.decoy)
    case .malformedMessage:
      worker.sendUnframed(
        Self.prefixed(random.pick([[0x12, 0x7f], [0x80], [0x22, 5, 1], [0x07], [0xff, 0xff]])))
    case .compressedMessage:
      worker.sendUnframed([1] + Self.prefixed(WorkerMessages.output(toAll: 0, Self.decoy))[1...])
    case .wrongUUIDs: sendToWrongUUIDs(socket)
    case .goneSession: sendToGoneSession(socket)
    case .emptyAnswers: sendEmptyAnswers(socket)
    case .halfAnswer: sendHalfAnswers(socket)
    case .brokenAnswer: sendBrokenAnswer(socket)
    case .answersBeforeReady, .malformedReady, .notLive: break
    }
  }

  // MARK: What is said

  /// No client may ever get these bytes.
  private static let decoy = Array("no client may get this".utf8)
  private static let responseHead = [(":status", "200"), ("content-type", "application/grpc")]

  /// A message with gRPC's prefix.
  private static func prefixed(_ message: [UInt8]) -> [UInt8] {
    [0] + HTTP2Frames.number(UInt32(message.count)) + message
  }

  /// One of the frames that end a connection (RFC 9113 sections 6.1 to 6.10).
  private func violation(_ stream: Int32) -> [UInt8] {
    switch random.draw(0...7) {
    case 0: HTTP2Frames.frame(.data, stream: 0, [1, 2, 3])
    case 1: HTTP2Frames.frame(.settings, stream: 0, [0, 1, 2])
    case 2: HTTP2Frames.frame(.windowUpdate, stream: 0, [0, 0, 0, 0])
    case 3: HTTP2Frames.frame(.ping, stream: 0, [0])
    case 4: HTTP2Frames.frame(.pushPromise, flags: 4, stream: stream, [0, 0, 0, 2])
    case 5: HTTP2Frames.frame(.resetStream, stream: 0, [0, 0, 0, 0])
    case 6: HTTP2Frames.frame(.continuation, stream: stream, [])
    default: HTTP2Frames.frame(.headers, flags: 4, stream: 2, [])
    }
  }

  private func trailers(_ worker: WorkerConnection) -> [UInt8] {
    let status = random.pick(["0", "1", "3", "8", "13", "14"])
    let head = worker.hasAnswered ? [] : Self.responseHead
    return HTTP2Frames.frame(
      .headers, flags: HTTP2Frames.endHeaders | HTTP2Frames.endStream,
      stream: worker.packetStream, HTTP2Frames.block(head + [("grpc-status", status)]))
  }

  private func sendToWrongUUIDs(_ socket: WorkerSocket) {
    var wrong = [
      "", "x", "00000000-0000-0000-0000-000000000000", String(repeating: "a", count: 5000),
    ]
    if let right = socket.sessions.last {
      wrong += [right.uppercased() + " ", String(right.dropLast()), right + "0"]
    }
    for uuid in wrong {
      _ = send(Answer.nobody, to: uuid, byteCount: Answer.headByteCount, socket)
    }
  }

  private func sendToGoneSession(_ socket: WorkerSocket) {
    let others = sockets.filter { $0.connection.gateway != socket.connection.gateway }
    let known = (socket.sessions + others.flatMap(\.sessions)).filter { uuid in
      let isOthers = !socket.sessions.contains(uuid)
      return isOthers || simulation.oracle.visit(of: uuid).map(simulation.oracle.isOver) ?? false
    }
    guard !known.isEmpty else { return }
    _ = send(Answer.nobody, to: random.pick(known), byteCount: Answer.headByteCount, socket)
  }

  private func sendBrokenAnswer(_ socket: WorkerSocket) {
    let framed = socket.sessions.filter {
      simulation.oracle.framesAnswers(to: $0, on: socket.stream)
    }
    guard !framed.isEmpty else { return }
    let uuid = random.pick(framed)
    // Shorter than any answer is.
    let bytes: [UInt8] = [0, UInt8(random.draw(0...Answer.headByteCount - 3))] + Self.decoy
    guard socket.worker.send(WorkerMessages.output(to: Array(uuid.utf8), bytes)) else { return }
    simulation.oracle.willBreakFraming(of: uuid)
  }

  private func sendEmptyAnswers(_ socket: WorkerSocket) {
    for uuid in socket.sessions.prefix(8) {
      _ = socket.worker.send(WorkerMessages.output(to: Array(uuid.utf8), []))
    }
    _ = socket.worker.send(WorkerMessages.output(toAll: 0, []))
    _ = socket.worker.send(WorkerMessages.output(toNobody: Self.decoy))
  }

  /// Nobody may get anything of these; then the stream ends.
  private func sendHalfAnswers(_ socket: WorkerSocket) {
    let oracle = simulation.oracle
    for uuid in socket.sessions.suffix(8) {
      guard let visit = oracle.visit(of: uuid), oracle.visits[visit].game.framesAnswers else {
        continue
      }
      let answer = Answer(
        visit: UInt32(visit), stream: UInt32(socket.stream), serial: socket.serial + 1,
        byteCount: 100)
      let front = answer.bytes.prefix(random.draw(1...99))
      _ = socket.worker.send(WorkerMessages.output(to: Array(uuid.utf8), Array(front)))
    }
    // Behind the halves, as far as the gateway's window lets them go.
    socket.worker.sendRaw(trailers(socket.worker))
  }
}
