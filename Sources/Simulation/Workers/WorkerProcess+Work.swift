internal import Gateway
internal import Primitives
internal import SampleWorker

/// Something that a worker comes back to.
struct LateAnswer {
  enum Kind {
    case session(String)
    case authenticate(call: Int32, AuthenticateQuestion)
  }
  var socket: WorkerSocket
  var kind: Kind
}

/// What a worker does with its connections: reads, handles, answers, writes.
extension WorkerProcess {
  /// Answers that wait on one connection before no further packet is taken from it.
  private static let queuedCountMax = 10_000

  /// Does all that can be done for a connection.
  func work(_ socket: WorkerSocket) {
    guard isRunning, !socket.isClosed else { return }
    if !socket.isForsaken {
      read(socket)
      // Room in the output lets events out.
      while !socket.isClosed, handleEvents(socket) { write(socket) }
      write(socket)
    }
    let connection = socket.connection
    let isOver = socket.worker.isFinished && !socket.hasOutput && !socket.hasLied
    if connection.toPeer.endArrived || connection.phase == .reset || isOver { close(socket) }
  }

  // MARK: Input

  private func read(_ socket: WorkerSocket) {
    let connection = socket.connection
    while connection.toPeer.arrivedByteCount > 0 {
      let bytes = simulation.network.read(
        connection, at: .peer, bytesMax: cut(connection.toPeer.arrivedByteCount))
      do {
        try socket.worker.receive(Array(bytes))
      } catch {
        complain("\(error)", socket)
        return close(socket)
      }
    }
  }

  /// As much of `byteCount` as one system call moves.
  private func cut(_ byteCount: Int) -> Int {
    guard byteCount > 1, random.chance(simulation.scenario.cutPermille) else { return byteCount }
    return random.draw(1...byteCount)
  }

  /// Returns whether there was anything to handle.
  private func handleEvents(_ socket: WorkerSocket) -> Bool {
    var isFirst = true
    while true {
      let takes = takesPackets && socket.queuedCount < Self.queuedCountMax
      guard let event = socket.worker.nextEvent(takesPackets: takes) else { return !isFirst }
      isFirst = false
      handle(event, socket)
    }
  }

  private func handle(_ event: WorkerConnection.Event, _ socket: WorkerSocket) {
    switch event {
    case .opened:
      opened(socket)
      lieNow(on: socket)
    case .request(let request): handle(request, socket)
    case .requestsEnded: socket.requestsEnded = true
    case .ready(let call): answerReady(call, socket)
    case .live(let call): if !habits.hasLive { socket.worker.fail(call, .unimplemented) }
    case .beat(let call): answerBeat(call, socket)
    case .authenticate(let call, let question): authenticate(call, question, socket)
    case .problem(let problem): complain(problem, socket)
    }
  }

  private func answerReady(_ call: Int32, _ socket: WorkerSocket) {
    if lie == .malformedReady {
      socket.worker.answer(call, [0x80])
    } else if habits.hasReady {
      socket.worker.answerReady(call, isReady, sessionEvents: habits.sessionEvents)
    } else {
      socket.worker.fail(call, .unimplemented)
    }
  }

  private func answerBeat(_ call: Int32, _ socket: WorkerSocket) {
    guard habits.hasLive else { return }
    let isLive = lie != .notLive
    if !isLive { lie = nil }
    socket.worker.answerBeat(call, isLive: isLive)
  }

  private func handle(_ request: WorkerRequest, _ socket: WorkerSocket) {
    simulation.trace.note(
      "worker handles", socket.stream, simulation.oracle.visit(of: request.uuid) ?? -1,
      bytes: request.payload)
    simulation.oracle.handled(request, on: socket.stream)
    socket.remember(request.uuid)
    switch request.event {
    case nil:
      for _ in 0..<simulation.scenario.answerCount(&random) { answer(request.uuid, socket) }
    case .opened:
      if random.chance(simulation.scenario.workersGreetPermille) { answer(request.uuid, socket) }
    case .closed, .authenticated: break
    }
  }

  // MARK: Answers

  /// Answers a session at once or, having thought about it, later.
  private func answer(_ uuid: String, _ socket: WorkerSocket) {
    let delay = isCalm ? .zero : simulation.scenario.answerDelay(&random)
    guard delay > .zero else { return enqueue(.session(uuid), socket) }
    socket.lateCount += 1
    think(about: LateAnswer(socket: socket, kind: .session(uuid)), for: delay, .answer)
  }

  func lateAnswerDue(_ late: LateAnswer) {
    let socket = late.socket
    switch late.kind {
    case .session(let uuid):
      socket.lateCount -= 1
      enqueue(.session(uuid), socket)
    case .authenticate(let call, let question): decide(call, question, socket)
    }
    work(socket)
  }

  private func enqueue(_ target: WorkerSocket.Queued.Target, _ socket: WorkerSocket) {
    let byteCount = simulation.scenario.answerByteCount(&random)
    socket.queue.append(WorkerSocket.Queued(target: target, byteCount: byteCount))
  }

  func broadcast(on socket: WorkerSocket) {
    enqueue(.everybody(audience: UInt8(random.draw(0...2))), socket)
  }

  /// Answers a session that said something on some connection, and may be gone by now.
  func answerUnprompted() {
    let open = sockets.filter { !$0.sessions.isEmpty && !$0.isClosed && !$0.isForsaken }
    guard !open.isEmpty else { return }
    let socket = random.pick(open)
    enqueue(.session(random.pick(socket.sessions)), socket)
    work(socket)
  }

  /// Gives HTTP/2 the answers that are ready, and the stream's end when it is due.
  private func sendAnswers(_ socket: WorkerSocket) {
    guard socket.isOpen, !socket.hasLied, !socket.hasFinished, sendsAnswers else { return }
    while let queued = socket.takeQueued() {
      guard send(queued, socket) else { return }
      socket.dropQueued()
    }
    guard socket.requestsEnded, socket.lateCount == 0 else { return }
    socket.hasFinished = true
    socket.worker.finishAnswers()
  }

  private func send(_ queued: WorkerSocket.Queued, _ socket: WorkerSocket) -> Bool {
    switch queued.target {
    case .session(let uuid):
      let visit = simulation.oracle.visit(of: uuid).map { UInt32($0) } ?? Answer.nobody
      return send(visit, to: uuid, byteCount: queued.byteCount, socket)
    case .everybody(let audience):
      let answer = next(Answer.everybody, queued.byteCount, socket)
      guard socket.worker.send(WorkerMessages.output(toAll: audience, answer.bytes)) else {
        return false
      }
      socket.serial = answer.serial
      simulation.trace.note("worker broadcasts", number, socket.stream, Int(answer.serial))
      simulation.oracle.willBroadcast(answer, audience: audience, on: socket.stream)
      return true
    }
  }

  /// - Parameter uuid: what goes out as the session's UUID.
  func send(_ visit: UInt32, to uuid: String, byteCount: Int, _ socket: WorkerSocket) -> Bool {
    let answer = next(visit, byteCount, socket)
    guard sendInPieces(answer, to: uuid, socket) else { return false }
    socket.serial = answer.serial
    simulation.trace.note("worker answers", number, Int(visit), Int(answer.serial))
    simulation.oracle.willAnswer(answer, to: uuid, on: socket.stream)
    return true
  }

  /// Sends an answer in two messages now and then, of which the gateway is to make one.
  private func sendInPieces(_ answer: Answer, to uuid: String, _ socket: WorkerSocket) -> Bool {
    let target = Array(uuid.utf8)
    let bytes = answer.bytes
    guard cuts(answersTo: uuid, socket), random.chance(simulation.scenario.cutPermille) else {
      return socket.worker.send(WorkerMessages.output(to: target, bytes))
    }
    let first = random.draw(1...bytes.count - 1)
    let pieces = [bytes[..<first], bytes[first...]].map {
      WorkerMessages.output(to: target, Array($0))
    }
    // Where there is no room for all of it, none of it is sent.
    guard socket.worker.hasRoom(for: pieces) else { return false }
    for piece in pieces { _ = socket.worker.send(piece) }
    simulation.oracle.willSendPiece(on: socket.stream)
    return true
  }

  /// Whether an answer to a session may come in pieces.
  ///
  /// Its listener must frame answers, and no other worker may speak to the session in between:
  /// then the gateway gives up the first half.
  private func cuts(answersTo uuid: String, _ socket: WorkerSocket) -> Bool {
    let pools = Game.pools(of: simulation.scenario)
    let pool = number % pools.count
    guard !isExiting, pools[pool].balance == .session, simulation.scenario.drainsPerMinute == 0,
      simulation.workers.count(where: { $0.number % pools.count == pool }) == 1
    else { return false }
    return simulation.oracle.framesAnswers(to: uuid, on: socket.stream)
  }

  /// Halves of answers whose rest never comes.
  func leaveHalves() {
    for socket in sockets
    where socket.isOpen && !socket.isClosed && !socket.isForsaken && !socket.hasLied {
      guard let uuid = socket.sessions.last, cuts(answersTo: uuid, socket), !socket.hasFinished
      else { continue }
      let bytes = next(Answer.nobody, 200, socket).bytes.prefix(random.draw(1...199))
      let message = WorkerMessages.output(to: Array(uuid.utf8), Array(bytes))
      guard socket.worker.send(message) else { continue }
      simulation.oracle.willSendPiece(on: socket.stream)
      send(socket)
    }
  }

  private func next(_ visit: UInt32, _ byteCount: Int, _ socket: WorkerSocket) -> Answer {
    Answer(
      visit: visit, stream: UInt32(socket.stream), serial: socket.serial + 1,
      byteCount: byteCount)
  }

  // MARK: Logins

  /// Names that end in an odd digit are kept out, all others are let in.
  private func authenticate(
    _ call: Int32, _ question: AuthenticateQuestion, _ socket: WorkerSocket
  ) {
    let scenario = simulation.scenario
    if !isCalm {
      if random.chance(scenario.workersAuthenticateSilentPermille) { return }
      if random.chance(scenario.workersAuthenticateErrorPermille) {
        return socket.worker.fail(call, random.pick([.internalError, .unavailable]))
      }
      if random.chance(scenario.workersAuthenticateLatePermille) {
        let mean = Interval.milliseconds(UInt64(scenario.workersAuthenticateDelayMilliseconds))
        let late = LateAnswer(socket: socket, kind: .authenticate(call: call, question))
        return think(about: late, for: random.exponential(mean: mean), .authenticate)
      }
    }
    decide(call, question, socket)
  }

  private func decide(_ call: Int32, _ question: AuthenticateQuestion, _ socket: WorkerSocket) {
    let isRefused = Self.refuses(question.account)
    simulation.trace.note("worker decides", number, isRefused ? 0 : 1)
    socket.worker.answer(
      call,
      WorkerMessages.authenticateResult(allowed: !isRefused, reason: isRefused ? "odd" : ""))
  }

  /// Whether workers keep an account out.
  static func refuses(_ account: String) -> Bool {
    guard let last = account.utf8.last, (48...57).contains(last) else { return false }
    return last % 2 == 1
  }

  // MARK: Output

  /// Sends what there is, as far as the system takes it.
  func write(_ socket: WorkerSocket) {
    guard !socket.isClosed, !socket.isForsaken else { return }
    sendAnswers(socket)
    send(socket)
  }

  /// Sends what HTTP/2 has.
  private func send(_ socket: WorkerSocket) {
    let connection = socket.connection
    while socket.hasOutput || socket.fetchOutput() {
      let room = simulation.network.room(on: connection, from: .peer)
      let byteCount = cut(min(socket.output.count - socket.outputStart, room))
      let bytes = socket.output[socket.outputStart...].prefix(byteCount)
      let written = simulation.network.write(bytes, on: connection, from: .peer)
      // Full or broken; what is broken is found by reading.
      guard written > 0 else { return }
      socket.wrote(written)
    }
  }
}
