internal import Auth
internal import Gateway
internal import Primitives
internal import SampleWorker

/// What workers get, and what they say.
extension Oracle {
  /// - Returns: the packet stream's number; the first is 1.
  func opened(worker: Int, gateway: Int, sessionEvents: Bool) -> Int {
    let pool = Game.pool(ofWorker: worker, in: scenario)
    streams.append(
      StreamRecord(
        number: streams.count + 1, worker: worker, gateway: gateway, pool: pool,
        hasEvents: sessionEvents))
    if gateway < gateways.count { streams[streams.count - 1].account = gateways[gateway] }
    summary.streams += 1
    return streams.count
  }

  func handled(_ request: WorkerRequest, on stream: Int) {
    take(request, streams[stream - 1], isLost: false)
  }

  /// What the gateway had written wholly and nobody will handle; told when the gateway has closed.
  func lost(_ requests: [WorkerRequest], on stream: Int) {
    for request in requests { take(request, streams[stream - 1], isLost: true) }
  }

  private func take(_ request: WorkerRequest, _ stream: StreamRecord, isLost: Bool) {
    guard let visit = visit(of: request.uuid) else {
      return broken(
        .crossing, "stream \(stream.number): a packet of \(request.uuid), which nobody has",
        gateway: stream.gateway)
    }
    let record = visits[visit]
    guard record.gateway == stream.gateway, record.listener.pool == stream.pool else {
      return broken(Finding(.crossing, "heard of on stream \(stream.number)"), record)
    }
    guard !stream.hasEnded || isLost else {
      return broken(Finding(.driver, "handled on a stream that is over"), record)
    }
    if let event = request.event {
      if stream.hasEvents {
        take(event, record, stream)
      } else {
        broken(Finding(.sessionEvents, "told to a worker that did not ask"), record)
      }
    } else {
      takePacket(request.payload, record, stream, isLost: isLost)
    }
    if !isLost, !record.hasSettled { record.answers.isWith(stream.number) }
    record.hadStream = true
  }

  // MARK: Packets

  private func takePacket(
    _ payload: [UInt8], _ record: VisitRecord, _ stream: StreamRecord, isLost: Bool
  ) {
    if !record.isIn { judgeEarly(payload, record) }
    if stream.hasEvents {
      broken(
        stream.events.packet(record.number, isIdentified: isIdentified(payload, record)), record)
    }
    let finding = record.packets.took(
      payload, isLost: isLost, forgivesGaps: losesPackets(record))
    broken(finding, record)
    if isLost {
      stream.lostCount += 1
      summary.packetsLost += 1
    } else {
      stream.handledCount += 1
      summary.packetsHandled += 1
      record.lastHandledAt = now
      // Then the last one that was sent is among those that were handled.
      if record.packets.missingCount == 0 { record.handledSentAt = record.lastSentAt }
    }
    judgeCount(record)
  }

  /// A worker that refused a packet of it ends the session, and what follows may go on before that.
  private func losesPackets(_ record: VisitRecord) -> Bool {
    if let ending = record.ending { return ending.reason == .packetRefused }
    guard let figures = figures(of: record) else { return record.stage == .over }
    return figures.isClosing && figures.closeReason == .packetRefused
  }

  /// The packet's number is the login's, or follows it.
  private func isIdentified(_ payload: [UInt8], _ record: VisitRecord) -> Bool {
    guard let login = record.game.login else { return false }
    guard let (_, number) = record.game.form.read(payload) else { return true }
    return number >= login.packetNumber
  }

  private func judgeEarly(_ payload: [UInt8], _ record: VisitRecord) {
    let forwards = record.listener.authentication?.login.before == .forward
    guard !forwards || isIdentified(payload, record) else { return }
    broken(Finding(.authentication, "a packet before it was let in"), record)
  }

  private func judgeCount(_ record: VisitRecord) {
    guard let counted = record.ending?.packetsIn ?? figures(of: record)?.packetsIn else { return }
    let taken = UInt64(record.packets.takenCount)
    if taken > counted {
      broken(Finding(.counters, "\(taken) packets taken, \(counted) counted"), record)
    }
  }

  // MARK: Events

  private func take(
    _ event: InputStreamRequest.Event, _ record: VisitRecord, _ stream: StreamRecord
  ) {
    let known = known(of: record)
    switch event {
    case .opened(let opened):
      broken(stream.events.opened(record.number, opened, known), record)
    case .authenticated(let session):
      let finding = stream.events.authenticated(record.number, account: session.account, known)
      broken(finding, record)
    case .closed(let reason):
      broken(stream.events.closed(record.number, reason: reason, known), record)
    }
    summary.events += 1
  }

  private func known(of record: VisitRecord) -> EventAccount.Known {
    var known = EventAccount.Known()
    known.isIn = record.isIn
    known.account = record.accountName?.text
    known.address = record.address.description
    known.listener = record.listener.name
    let figures = figures(of: record)
    let isEnding = record.stage == .over || figures?.isClosing == true
    if record.isOrdered {
      if !isEnding { known.nextSequence = UInt64(record.packets.takenCount) + 1 }
      known.wasElsewhere = record.hadStream
    }
    // A shutdown is announced before its sessions end, and some end otherwise then.
    if record.account?.hasStartedShutdown == false {
      let reason = record.ending?.reason ?? (isEnding ? figures?.closeReason : nil)
      known.closeReason = reason.map { UInt64($0.rawValue) }
    }
    return known
  }

  // MARK: Answers

  /// HTTP/2 has taken an answer.
  func willAnswer(_ answer: Answer, to uuid: String, on stream: Int) {
    let source = streams[stream - 1]
    sent(answer, source)
    guard let visit = visit(of: uuid), answer.visit == UInt32(visit) else { return }
    let record = visits[visit]
    // Others get nothing of it, and whoever is gone.
    guard record.isOpen, record.gateway == source.gateway, record.listener.pool == source.pool
    else { return }
    record.answers.willAnswer(answer, on: stream)
    summary.answersSent += 1
  }

  /// - Parameter audience: a value of `Broadcast` in proto/upstream.proto.
  func willBroadcast(_ answer: Answer, audience: UInt8, on stream: Int) {
    let source = streams[stream - 1]
    sent(answer, source)
    source.broadcasts.append(
      StreamRecord.Broadcast(
        serial: answer.serial, audience: audience, byteCount: answer.byteCount, at: now))
    summary.broadcasts += 1
    guard audience == 0, source.gateway < gateways.count else { return }
    for record in gateways[source.gateway].open
    where record.isIn && record.listener.pool == source.pool {
      record.answers.willBroadcast(answer, on: stream)
    }
  }

  /// What was read for a session before it was closed has been given to it.
  ///
  /// Holds the log against what was sent, also where the client then resets its connection. What
  /// the client has read is held against what was noted as read, once it sees the end
  /// (``sawEnd(_:reset:)``): neither implies the other.
  func judgeLastAnswers(_ event: SessionClosedEvent, _ record: VisitRecord) -> Finding? {
    // Whoever takes long to go gets no more, nor does what is between shards reach it any more.
    guard !record.tookItsTime, record.account?.gateway.isQuiet ?? true,
      record.answers.streams.allSatisfy({ isReadUp($0) })
    else {
      return nil
    }
    guard event.messagesOut < UInt64(record.answers.sentCount) else { return nil }
    return Finding(
      .answers, "\(event.messagesOut) messages out, and \(record.answers.sentCount) were read")
  }

  /// The gateway has read all that a stream's worker has said.
  func isReadUp(_ number: Int) -> Bool {
    let stream = streams[number - 1]
    if stream.hasEnded { return !stream.losesAnswers }
    let socket = simulation.workers[stream.worker].sockets.first { $0.stream == number }
    return socket?.isReadUp ?? false
  }

  /// A message that is a part of an answer, and not its last.
  func willSendPiece(on stream: Int) { streams[stream - 1].sentCount += 1 }

  /// Whether a session is there that a stream's gateway sends whole answers only.
  func framesAnswers(to uuid: String, on stream: Int) -> Bool {
    guard let visit = visit(of: uuid) else { return false }
    let record = visits[visit]
    return record.isOpen && record.game.framesAnswers
      && record.gateway == streams[stream - 1].gateway
      && record.listener.pool == streams[stream - 1].pool
  }

  /// A worker sends a session what is no answer: its gateway is to close it.
  func willBreakFraming(of uuid: String) {
    if let visit = visit(of: uuid) { visits[visit].wasSentNonsense = true }
  }

  private func sent(_ answer: Answer, _ stream: StreamRecord) {
    if answer.serial <= stream.lastSerial {
      broken(
        .driver, "stream \(stream.number): serial \(answer.serial) again", gateway: stream.gateway)
    }
    stream.lastSerial = answer.serial
    stream.sentCount += 1
  }

  /// - Parameters:
  ///   - losesAnswers: the gateway may not have read all of its answers.
  ///   - isCutOff: the gateway has closed, and neither worker nor network gave it a reason.
  func ended(_ stream: Int, losesAnswers: Bool, isCutOff: Bool = false) {
    streams[stream - 1].hasEnded = true
    streams[stream - 1].losesAnswers = losesAnswers
    streams[stream - 1].cutOffAt = isCutOff ? now : nil
  }
}
