internal import Auth
internal import Framing
internal import Primitives
internal import Upstream

/// Sessions end, and deadlines make them end.
extension Shard {
  /// Ends a session for `reason`.
  ///
  /// - Parameters:
  ///   - flush: what is queued for the client is written first, within the write timeout.
  ///   - abort: otherwise, what the system has not delivered is thrown away.
  ///   - ban: what the client may be told of, when it is banned.
  ///   - detail: more for the log than the reason says, of a client that was not let in.
  mutating func close(
    _ index: UInt32, _ reason: CloseReason, flush: Bool, abort: Bool = false,
    ban: BanMatch? = nil, detail: String = "", now: Instant, effects: inout Effects
  ) {
    if sessions[index].phase == .away { return closeAway(index, reason, ban, &effects) }
    if sessions[index].phase == .closing {
      if !flush { finish(index, abort: abort, now: now, effects: &effects) }
      return
    }
    sessions[index].closeReason = reason
    if flush {
      sayFarewell(to: index, reason, ban, now: now, &effects)
      // What was gathered for it may have filled its queue, and ended it.
      guard sessions[index].phase != .vacant else { return }
    }
    endLogin(index, detail: detail, &effects)
    if !(Fault.closedNotSent.isOn && reason == .clientReset) { announceClosed(index) }
    if reason == .noWorker { dropOrphans(of: index) }
    let hasOutput = !sessions[index].queue.isEmpty || sessions[index].firstPiece != Outbox.none
    guard flush, hasOutput else {
      finish(index, abort: abort, now: now, effects: &effects)
      return
    }
    if sessions[index].queue.isEmpty { sessions[index].progressAt = now }
    if Fault.freeListenerEarly.isOn { leaveListener(index) }
    sessions[index].phase = .closing
    // Nothing more is given to it, so that its worker need not wait.
    releaseHold(of: index, now: now, effects: &effects)
    sessions[index].received.removeAll()
    sessions[index].heldByteCount = 0
    pause(index, .closing, effects: &effects)
    armTimer(of: index)
  }

  /// What the listener's configuration has clients told that are closed for this reason.
  private mutating func sayFarewell(
    to index: UInt32, _ reason: CloseReason, _ ban: BanMatch?, now: Instant,
    _ effects: inout Effects
  ) {
    let listener = Int(sessions[index].listener)
    guard let template = listeners[listener].configuration.refusals[reason] else { return }
    let account = identities.account(at: sessions[index].identity)?.text ?? claimedAccount(index)
    reply(
      template, to: index, reason: ban?.shownReason, until: ban?.until, ban: ban?.id,
      account: account, now: now, &effects)
  }

  /// A client that was not let in yet will not be.
  private mutating func endLogin(_ index: UInt32, detail: String, _ effects: inout Effects) {
    guard sessions[index].login != PendingLogin.none else { return }
    logRefused(
      sessions[index].client, listener: Int(sessions[index].listener),
      sessions[index].closeReason, account: claimedAccount(index), detail: detail, &effects)
    recordUndecided(index, detail: detail, &effects)
    cancelClaim(of: index)
    pending.remove(sessions[index].login)
    sessions[index].login = PendingLogin.none
    sessions[index].wasRefused = true
  }

  /// The history has a line for each claim that the gateway turned away, decided or not.
  private mutating func recordUndecided(
    _ index: UInt32, detail: String, _ effects: inout Effects
  ) {
    switch pending.records[sessions[index].login].phase {
    case .reading, .refused: return
    case .waiting, .verifying: break
    }
    let reason = sessions[index].closeReason
    switch reason {
    case .loginTimeout, .loginEvicted, .storeUnavailable, .authUnavailable:
      recordLogin(
        index, account: claimedAccount(index), outcome: reason.name, detail: detail, &effects)
    default: return
    }
  }

  /// Closes the socket and forgets the session.
  mutating func finish(_ index: UInt32, abort: Bool, now: Instant, effects: inout Effects) {
    effects.io.append(.closeClient(id(of: index), manner(of: index, abort: abort)))
    if sessions[index].recording.isSet { record(.closed, of: index, effects: &effects) }
    endLogin(index, detail: "", &effects)
    if Fault.keepAddressCount.isOn, abort { sessions[index].isCounted = false }
    if !Fault.leakHold.isOn { releaseHold(of: index, now: now, effects: &effects) }
    clientQueueBytes -= sessions[index].queue.count
    resumeLinksPausedByTotal(now: now, effects: &effects)
    if sessions[index].link != Session.noLink {
      linkStates[Int(sessions[index].link)].sessionCount -= 1
    }
    count(index, now: now, effects: &effects)
    let listener = Int(sessions[index].listener)
    paths[listener].clientToServer.ended(&sessions[index].fromClient)
    paths[listener].serverToClient.ended(&sessions[index].toClient)
    if !(Fault.freeListenerEarly.isOn && sessions[index].phase == .closing) { leaveListener(index) }
    if !isDoor, !Fault.forgetEndOfAway.isOn {
      effects.tell(0, .ended(sessions[index].uuid))
    }
    forget(index)
  }

  /// Takes a session out of all lists, and its place is free.
  mutating func forget(_ index: UInt32) {
    if sessions[index].identity != Identities.none { identities.remove(sessions[index].identity) }
    if !Fault.leakTimer.isOn { sessionTimers.disarm(index) }
    let liveIndex = Int(sessions[index].liveIndex)
    let last = live.removeLast()
    if last != index {
      live[liveIndex] = last
      sessions[last].liveIndex = UInt32(liveIndex)
    }
    sessions[index].vacate()
    sessions.giveBack(index)
  }

  /// A session is no longer among those of its listener and its address.
  mutating func leaveListener(_ index: UInt32) {
    let listener = Int(sessions[index].listener)
    if sessions[index].isCounted { gates[listener].closed(sessions[index].client, prefixes) }
    listeners[listener].sessions -= 1
    noteIfForsaken(listener)
  }

  /// How the socket is to be closed: with unread bytes in it, closing would throw away what the
  /// client has not got yet.
  private func manner(of index: UInt32, abort: Bool) -> ClosingManner {
    if abort { return .abort }
    return sessions[index].pauses.contains(.ended) ? .plain : .lingering
  }

  private mutating func count(_ index: UInt32, now: Instant, effects: inout Effects) {
    let listener = Int(sessions[index].listener)
    listenerCounters[listener].closed[Int(sessions[index].closeReason.rawValue)] += 1
    let traffic = sessions[index].traffic
    listenerCounters[listener].traffic &+= traffic
    // Of a client that was not let in, that has been said.
    guard !sessions[index].wasRefused else { return }
    effects.log.append(
      .sessionClosed(
        SessionClosedEvent(
          uuid: sessions[index].uuid, client: sessions[index].client,
          listener: listeners[listener].configuration.name, reason: sessions[index].closeReason,
          duration: now.since(sessions[index].openedAt), packetsIn: traffic.packetsIn,
          bytesIn: traffic.bytesIn, messagesOut: traffic.messagesOut,
          bytesOut: traffic.bytesOut)))
  }

  // MARK: Deadlines

  /// What a session is waiting for, and until when.
  private enum Wait: BitwiseCopyable {
    case worker, hold, write, answers, activity, login, refusal, limit
  }

  /// The first deadline of a session.
  private func nextWait(of index: UInt32) -> (wait: Wait, deadline: Instant) {
    let terms = terms[Int(sessions[index].listener)]
    if sessions[index].phase == .closing {
      // Whatever it waited for before, it only waits for its flush now.
      return (.write, sessions[index].progressAt + terms.writeTimeout)
    }
    var first: (wait: Wait, deadline: Instant) = (
      .activity, sessions[index].activeAt + terms.idleTimeout
    )
    if sessions[index].phase == .login { first = loginWait(of: index, terms) }
    func consider(_ wait: Wait, _ deadline: Instant) {
      if deadline < first.deadline { first = (wait, deadline) }
    }
    if sessions[index].phase == .halfClosed, !sessions[index].pauses.contains(.noWorker) {
      let quiet =
        sessions[index].seemsAnswered
        ? min(Self.answeredQuiet, terms.halfCloseTimeout) : terms.halfCloseTimeout
      consider(.answers, sessions[index].activeAt + quiet)
    }
    if sessions[index].pauses.contains(.limited) { consider(.limit, sessions[index].limitedUntil) }
    if sessions[index].pauses.contains(.noWorker) {
      consider(.worker, sessions[index].waitingSince + terms.workerWait)
    }
    if sessions[index].heldLink != Session.noLink {
      let longest = sessions[index].takesQueue ? Self.holdMax : Self.firstHoldMax
      consider(.hold, sessions[index].heldSince + longest)
    }
    if !sessions[index].queue.isEmpty {
      consider(.write, sessions[index].progressAt + terms.writeTimeout)
    }
    return first
  }

  /// When something is to be done about a session at the latest.
  func firstDeadline(of index: UInt32) -> Instant { nextWait(of: index).deadline }

  private func loginWait(
    of index: UInt32, _ terms: ListenerTerms
  ) -> (wait: Wait, deadline: Instant) {
    let place = sessions[index].login
    if case .refused = pending.records[place].phase {
      return (.refusal, pending.records[place].refusalDue)
    }
    return (.login, sessions[index].openedAt + terms.loginTimeout)
  }

  mutating func armTimer(of index: UInt32) {
    // One that was just handed over waits for nothing here.
    guard sessions[index].phase != .away else { return }
    sessionTimers.arm(index, at: nextWait(of: index).deadline)
  }

  mutating func sessionDeadlinePassed(_ index: UInt32, now: Instant, effects: inout Effects) {
    if Fault.leakTimer.isOn, sessions[index].phase == .vacant { return }
    let (wait, deadline) = nextWait(of: index)
    guard deadline <= now else {
      sessionTimers.arm(index, at: deadline)
      return
    }
    switch wait {
    case .worker: close(index, .noWorker, flush: true, now: now, effects: &effects)
    case .hold:
      releaseHold(of: index, now: now, effects: &effects)
      armTimer(of: index)
    case .write:
      close(index, .slowClient, flush: false, abort: true, now: now, effects: &effects)
    case .answers: close(index, .clientClosed, flush: true, now: now, effects: &effects)
    case .login: close(index, .loginTimeout, flush: true, now: now, effects: &effects)
    case .refusal:
      guard case .refused(let reason) = pending.records[sessions[index].login].phase else { return }
      sendRefusal(index, reason, now: now, effects: &effects)
    case .limit: endSlowDown(index, now: now, effects: &effects)
    case .activity: close(index, .idleTimeout, flush: true, now: now, effects: &effects)
    }
    // A close that flushes first has armed the timer for the flush.
  }
}
