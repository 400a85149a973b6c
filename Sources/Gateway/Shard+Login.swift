internal import Auth
internal import Framing
internal import Primitives

/// A client that has not been let in yet says who it is.
extension Shard {
  /// The bytes that a client may still be read for; 0 when it must wait.
  ///
  /// What it sends before it is let in is kept within its login's bound; the rest waits in the
  /// system's own buffer.
  func loginBytesWanted(_ index: UInt32) -> Int {
    let description = loginDescription(of: index)
    let progress = pending.records[sessions[index].login].progress
    return max(1, description.bytesMax - Int(progress.bytes) - sessions[index].received.count)
  }

  mutating func beginLogin(_ index: UInt32, now: Instant, effects: inout Effects) {
    if pending.count >= configuration.access.logins.pendingMax {
      evictOldestLogin(now: now, effects: &effects)
    }
    sessions[index].phase = .login
    // Its place is the one that was just given back, at the least.
    sessions[index].login = pending.add(index)!
    let description = loginDescription(of: index)
    if let greeting = description.greeting { reply(greeting, to: index, now: now, &effects) }
    if description.before == .forward {
      assignWorker(to: index, now: now, effects: &effects)
    }
  }

  /// Makes room for a client; those that have said who they are stay, if there are others.
  private mutating func evictOldestLogin(now: Instant, effects: inout Effects) {
    var place = pending.oldest
    // No more than this many can be verified at a time.
    for _ in 0...configuration.access.logins.verificationsMax {
      if case .reading = pending.records[place].phase { break }
      let newer = pending.records[place].newer
      guard newer != PendingLogin.none else { break }
      place = newer
    }
    let session = pending.records[place].session
    close(session, .loginEvicted, flush: true, now: now, effects: &effects)
  }

  /// Bytes came from a client that has not been let in.
  mutating func loginReceived(
    _ index: UInt32, _ bytes: UnsafeRawBufferPointer, now: Instant, effects: inout Effects
  ) {
    unsafe sessions[index].received.append(bytes)
    readLogin(index, now: now, effects: &effects)
  }

  /// Reads as many packets as it takes to know who a client is.
  mutating func readLogin(_ index: UInt32, now: Instant, effects: inout Effects) {
    let cutter = paths[Int(sessions[index].listener)].clientToServer
    let description = loginDescription(of: index)
    while sessions[index].phase == .login, !sessions[index].pauses.contains(.verifying) {
      if !answersStream(index, description, now: now, effects: &effects) { return }
      guard !sessions[index].received.isEmpty else { break }
      if description.before == .forward, !canForward(index) {
        return pauseUntilWorkerTakes(index, effects: &effects)
      }
      switch unsafe cutter.step(sessions[index].received.readable, &sessions[index].fromClient) {
      case .packet(let byteCount, let dropped):
        // Before it is looked at: what it says may let the client in, which changes the framer.
        cutter.took(&sessions[index].fromClient)
        takeLoginPacket(
          byteCount, dropped: dropped, of: index, description, now: now, effects: &effects)
      case .violation(let violation):
        return refuse(violation, of: index, now: now, effects: &effects)
      case .needMore, .needAnyMore:
        return refuseIfTooLong(index, description, now: now, effects: &effects)
      }
    }
    guard sessions[index].phase == .login else { return }
    if sessions[index].received.isEmpty { sessions[index].received.removeAll() }
    endIfSilent(index, now: now, effects: &effects)
  }

  /// A client that has ended its direction without having said who it is never will.
  private mutating func endIfSilent(_ index: UInt32, now: Instant, effects: inout Effects) {
    guard sessions[index].pauses.contains(.ended),
      case .reading = pending.records[sessions[index].login].phase
    else { return }
    close(index, .clientClosed, flush: true, now: now, effects: &effects)
  }

  private mutating func refuseIfTooLong(
    _ index: UInt32, _ description: LoginDescription, now: Instant, effects: inout Effects
  ) {
    let before = pending.records[sessions[index].login].progress.bytes
    if Int(before) + sessions[index].received.count >= description.bytesMax {
      invalid(index, LoginFault.tooManyBytes, now: now, effects: &effects)
    } else {
      endIfSilent(index, now: now, effects: &effects)
    }
  }

  /// Answers what comes in place of a login, before any framing.
  ///
  /// - Returns: false when nothing more is to be read now.
  private mutating func answersStream(
    _ index: UInt32, _ description: LoginDescription, now: Instant, effects: inout Effects
  ) -> Bool {
    let place = sessions[index].login
    guard !pending.records[place].isPastStreamAnswers, !sessions[index].received.isEmpty else {
      return true
    }
    switch unsafe description.streamAnswer(for: sessions[index].received.readable) {
    case .none:
      pending.records[place].isPastStreamAnswers = true
      return true
    case .undecided:
      endIfSilent(index, now: now, effects: &effects)
      return false
    case .matched(let byteCount, let answer):
      pending.records[place].isPastStreamAnswers = true
      sessions[index].received.removeFirst(byteCount)
      if let template = answer.reply { reply(template, to: index, now: now, &effects) }
      guard answer.then == .close else { return true }
      close(index, .answered, flush: true, now: now, effects: &effects)
      return false
    }
  }

  private mutating func takeLoginPacket(
    _ byteCount: Int, dropped: Int, of index: UInt32, _ description: LoginDescription,
    now: Instant, effects: inout Effects
  ) {
    let place = sessions[index].login
    let packet = unsafe UnsafeRawBufferPointer(
      rebasing: sessions[index].received.readable[..<(byteCount - dropped)])
    let step = unsafe pending.records[place].progress.take(packet, of: description)
    switch step.disposition {
    case .identity:
      if terms[Int(sessions[index].listener)].asksWorker {
        unsafe pending.records[place].packets.append(Array(packet))
      }
      if terms[Int(sessions[index].listener)].forwardsIdentity {
        unsafe HeldPackets.append(packet, to: &pending.records[place].held)
      }
    case .hold: unsafe HeldPackets.append(packet, to: &pending.records[place].held)
    // What waits already is not overtaken, whatever it waits for.
    case .forward where pending.records[place].held.isEmpty && workersAreTold(index):
      unsafe send(packet, of: index, now: now)
    case .forward: unsafe HeldPackets.append(packet, to: &pending.records[place].held)
    case .consume: break
    }
    sessions[index].received.removeFirst(byteCount)
    if let template = step.reply { reply(template, to: index, now: now, &effects) }
    guard sessions[index].phase == .login else { return }
    switch step.next {
    case .more: break
    case .complete(let credentials):
      beginClaim(index, credentials, now: now, effects: &effects)
    case .close: close(index, .answered, flush: true, now: now, effects: &effects)
    case .fault(let fault): invalid(index, fault, step.field, now: now, effects: &effects)
    }
  }

  /// What a client sent is no login.
  private mutating func invalid(
    _ index: UInt32, _ fault: LoginFault, _ field: String? = nil, now: Instant,
    effects: inout Effects
  ) {
    offend(.violations, index, now: now, effects: &effects)
    let detail = field.map { "\(fault.rawValue): \($0)" } ?? fault.rawValue
    close(index, .loginInvalid, flush: true, detail: detail, now: now, effects: &effects)
  }

  /// Lets a client in: what it is called is known, and nothing speaks against it.
  mutating func letIn(
    _ index: UInt32, _ account: AccountName, _ attributes: [Credentials.Attribute],
    now: Instant, effects: inout Effects
  ) {
    let place = sessions[index].login
    sessions[index].identity = identities.add(account, attributes, session: index)
    sessions[index].phase = sessions[index].pauses.contains(.ended) ? .halfClosed : .open
    sessions[index].activeAt = now
    if !Fault.dropHeld.isOn { restoreHeld(index, place) }
    authenticateStreams(of: index)
    sessions[index].login = PendingLogin.none
    pending.remove(place)
    access.loginsAccepted += 1
    known.insert(account, at: time.unixSeconds)
    recordLogin(index, account: account.text, outcome: "accepted", detail: "", &effects)
    logOpened(index, &effects)
    if terms[Int(sessions[index].listener)].forwardsBefore {
      announceAuthenticated(index)
    } else {
      assignWorker(to: index, now: now, effects: &effects)
      // It goes on where its worker is.
      if sessions[index].phase == .away { return }
    }
    unpause(index, .verifying, effects: &effects)
    if !sessions[index].pauses.contains(.noWorker) {
      forwardReceived(of: index, now: now, effects: &effects)
    }
    if sessions[index].phase != .vacant { armTimer(of: index) }
  }

  /// Framers may go on differently from here.
  func authenticateStreams(of index: UInt32) {
    let path = paths[Int(sessions[index].listener)]
    path.clientToServer.authenticated(&sessions[index].fromClient)
    path.serverToClient.authenticated(&sessions[index].toClient)
  }

  /// Puts the packets that were held in front of what came behind them.
  private func restoreHeld(_ index: UInt32, _ place: UInt32) {
    guard !pending.records[place].held.isEmpty else { return }
    sessions[index].heldByteCount = UInt32(pending.records[place].held.count)
    unsafe pending.records[place].held.append(sessions[index].received.readable)
    swap(&pending.records[place].held, &sessions[index].received)
  }
}
