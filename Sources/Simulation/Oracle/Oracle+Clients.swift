internal import Gateway
internal import Primitives

/// What clients do, and what they get.
extension Oracle {
  /// - Returns: the visit's number; the first is 0.
  func began(_ visit: Visit) -> Int {
    summary.visits += 1
    return add(visit).number
  }

  /// A whole packet goes into the client's output; the first is number 0.
  func willSend(_ visit: Int, packet number: Int) {
    let record = visits[visit]
    broken(record.packets.willSend(number), record)
    record.lastSentAt = now
    summary.packetsSent += 1
  }

  /// So many further bytes of a raw game's visit go into the client's output.
  func willSend(_ visit: Int, rawByteCount: Int) {
    visits[visit].packets.willSendRaw(rawByteCount)
    visits[visit].lastSentAt = now
  }

  /// From here on what the client sends is garbage.
  func willViolate(_ visit: Int) { visits[visit].packets.willViolate() }

  /// It has ended its direction behind all that it sent.
  func clientEnded(_ visit: Int) { visits[visit].clientEnded = true }

  /// It has closed its socket.
  func clientLeft(_ visit: Int, byReset: Bool) {
    visits[visit].clientLeft = true
    settleIfOver(visits[visit])
  }

  func received(_ visit: Int, _ answer: Answer) {
    let record = visits[visit]
    summary.answersReceived += 1
    summary.bytesOut += UInt64(answer.byteCount)
    guard !record.sawEnd else {
      return broken(Finding(.answers, "an answer behind the end"), record)
    }
    guard answer.visit == UInt32(visit) || answer.visit == Answer.everybody else {
      return broken(Finding(.crossing, "an answer to visit \(answer.visit)"), record)
    }
    let stream = Int(answer.stream)
    guard (1...max(1, streams.count)).contains(stream), !streams.isEmpty else {
      return broken(Finding(.answers, "an answer of no stream"), record)
    }
    let source = streams[stream - 1]
    guard source.gateway == record.gateway, source.pool == record.listener.pool else {
      return broken(Finding(.crossing, "an answer of stream \(stream), of others"), record)
    }
    if answer.visit == Answer.everybody { judgeBroadcast(answer, source, record) }
    guard !record.hasSettled else { return }
    broken(record.answers.received(answer, isOrdered: record.isOrdered), record)
    guard let ending = record.ending else { return }
    if UInt64(record.answers.receivedCount) > ending.messagesOut {
      broken(Finding(.counters, "more answers than \(ending.messagesOut) messages"), record)
    }
  }

  /// Whether a broadcast that has arrived was for this client.
  private func judgeBroadcast(_ answer: Answer, _ stream: StreamRecord, _ record: VisitRecord) {
    guard
      let sent = stream.broadcasts.last(where: { $0.serial == answer.serial }),
      sent.byteCount == answer.byteCount
    else {
      return broken(Finding(.answers, "a broadcast that nobody sent"), record)
    }
    guard record.isIn else {
      return broken(Finding(.authentication, "a broadcast before it was let in"), record)
    }
    let pool = simulation.gateways[record.gateway].configuration.pools[stream.pool]
    let window = pool.activeWindow
    switch sent.audience {
    case 1:
      // It was not active when the worker spoke, and nothing of it was on its way.
      let isQuiet = record.packets.missingCount == 0 && record.packets.violatedAt == nil
      guard isQuiet, !record.packets.rules.mayDrop else { return }
      let wasActive = record.lastHandledAt.map { $0 + window >= sent.at } ?? false
      if !wasActive, record.packets.lostCount == 0 {
        broken(Finding(.answers, "a broadcast to the active, and it was not"), record)
      }
    case 2:
      // What was handled was sent before; it is active for that long at the least.
      let isActive = record.handledSentAt.map { $0 + window >= now } ?? false
      if isActive, let handled = record.lastHandledAt, handled < sent.at {
        broken(Finding(.answers, "a broadcast to the others, and it was active"), record)
      }
    default: break
    }
  }

  /// A refusal in the game's bytes.
  func told(_ visit: Int, _ reason: CloseReason) {
    let record = visits[visit]
    summary.refusalsTold += 1
    guard let ending = record.ending, ending.reason != reason else { return }
    broken(
      Finding(.counters, "told \(reason.name), logged \(ending.reason.name)"), record)
  }

  /// Whether what waited for the client need not have come, though the connection ended in order.
  func mayBeCut(_ visit: Int) -> Bool { visits[visit].mayBeCut }

  /// The gateway closed.
  func sawEnd(_ visit: Int, reset: Bool) {
    let record = visits[visit]
    guard !record.sawEnd else { return }
    record.sawEnd = true
    record.wasReset = reset
    defer { settleIfOver(record) }
    guard !reset, let ending = record.ending, !record.hasSettled else { return }
    guard !record.mayBeCut else { return }
    let missing = record.answers.readAndMissingCount
    if missing > 0 {
      broken(Finding(.answers, "the end before \(missing) answers that were there"), record)
    }
    let received = UInt64(record.answers.receivedCount)
    if received != ending.messagesOut {
      broken(
        Finding(.answers, "the end after \(received) of \(ending.messagesOut) messages"), record)
    } else if UInt64(record.answers.receivedByteCount) != ending.bytesOut {
      broken(
        Finding(
          .counters,
          "\(ending.bytesOut) bytes out, \(record.answers.receivedByteCount) received"),
        record)
    }
  }

  func isOver(_ visit: Int) -> Bool { visits[visit].stage == .over }
}

extension VisitRecord {
  /// The end of a gateway's grace cuts off what waits, and nobody who is banned is waited for.
  ///
  /// Of those who were not let in the log need not say why they had to go.
  fileprivate var mayBeCut: Bool { endedInShutdown || !isIn || ending?.reason == .banned }
}
