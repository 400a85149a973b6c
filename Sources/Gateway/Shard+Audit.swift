internal import Auth
internal import Primitives
internal import Upstream

/// What must be true of a shard at the end of each turn, whatever happened.
///
/// For simulations: everything is looked at, so that it costs as much as there is.
extension Shard {
  /// What is wrong with the shard's own figures; empty when nothing is.
  ///
  /// - Parameter readBytesMax: the most that the driver gives to one call of `clientReceived` or
  ///   `linkReceived`, in bytes.
  package func audit(readBytesMax: Int = 256 << 10) -> [String] {
    var audit = Audit()
    auditSessions(&audit, readBytesMax: readBytesMax)
    auditSums(&audit, readBytesMax: readBytesMax)
    auditWaiting(&audit)
    auditLogins(&audit)
    auditListeners(&audit)
    auditGates(&audit)
    auditLinks(&audit)
    auditPools(&audit)
    auditRecordings(&audit)
    auditMoving(&audit)
    return audit.problems
  }

  /// Gathers what is wrong; makes no text for what is right.
  struct Audit {
    private(set) var problems: [String] = []

    mutating func check(_ isTrue: Bool, _ problem: @autoclosure () -> String) {
      if !isTrue, problems.count < 20 { problems.append(problem()) }
    }
  }

  // MARK: Sessions

  private func auditSessions(_ audit: inout Audit, readBytesMax: Int) {
    audit.check(sessions.usedCount == live.count, "\(sessions.usedCount) places are taken")
    var away = 0
    for (place, index) in live.enumerated() {
      audit.check(sessions[index].phase != .vacant, "session \(index): live and vacant")
      audit.check(Int(sessions[index].liveIndex) == place, "session \(index): places are mixed up")
      audit.check(
        candidateIndex(of: sessions[index].uuid) == index,
        "session \(index): its UUID names another")
      if sessions[index].phase == .away {
        away += 1
        continue
      }
      audit.check(
        sessions[index].firstPiece == Outbox.none, "session \(index): left in the outbox")
      audit.check(
        sessions[index].isRead == sessions[index].pauses.isEmpty
          || sessions[index].isRead && sessions[index].pauses == .verifying,
        "session \(index): read against its pauses")
      audit.check(
        sessions[index].phase != .closing || sessions[index].pauses.contains(.closing),
        "session \(index): closing and read")
      auditTimer(of: index, &audit)
      auditBounds(of: index, &audit, readBytesMax: readBytesMax)
    }
    audit.check(
      sessionTimers.armedCount == live.count - away,
      "\(sessionTimers.armedCount) timers, \(live.count) sessions, \(away) of them away")
    for index in 0..<UInt32(sessions.count) where sessions[index].phase == .vacant {
      audit.check(
        sessions[index].queue.isEmpty && sessions[index].received.isEmpty
          && sessions[index].unfinished.isEmpty && sessions[index].uuid == .none
          && sessions[index].login == PendingLogin.none
          && sessions[index].identity == Identities.none
          && sessions[index].link == Session.noLink && sessions[index].heldLink == Session.noLink,
        "place \(index): vacant with something in it")
    }
  }

  /// A timer may be early, when what it waits for has moved; then it is armed again.
  private func auditTimer(of index: UInt32, _ audit: inout Audit) {
    guard let armed = sessionTimers.deadline(of: index) else {
      return audit.check(false, "session \(index): no timer")
    }
    // Rounded up to a tick, or set for what had passed already: a session comes with its deadlines.
    let latest =
      max(firstDeadline(of: index), sessionTimers.handledUntil) + .milliseconds(8)
    audit.check(
      armed <= latest,
      "session \(index): its timer is \(armed.since(latest).milliseconds) ms late")
  }

  /// Bounds of what is kept for one session: its configuration's, and one message or read more.
  private func auditBounds(of index: UInt32, _ audit: inout Audit, readBytesMax: Int) {
    let limits = configuration.limits
    let queue = sessions[index].queue.count
    audit.check(
      queue < limits.clientQueueBytesMax + limits.messageBytesMax + Self.farewellBytesMax,
      "session \(index): \(queue) bytes are queued")
    let received = sessions[index].received.count
    let held = Int(sessions[index].heldByteCount)
    audit.check(
      received - held <= readBytesMax + limits.messageBytesMax,
      "session \(index): \(received) received bytes are kept")
    audit.check(held <= received, "session \(index): more is held than there is")
    audit.check(
      sessions[index].unfinished.count <= limits.messageBytesMax + readBytesMax,
      "session \(index): \(sessions[index].unfinished.count) unfinished bytes are kept")
  }

  /// A reply of the configuration may lie beyond a client's queue: a refusal, a greeting.
  private static let farewellBytesMax = 64 << 10

  private func auditSums(_ audit: inout Audit, readBytesMax: Int) {
    let limits = configuration.limits
    audit.check(live.count <= limits.sessionsMax, "\(live.count) sessions")
    var queued = 0
    for index in live { queued += sessions[index].queue.count }
    audit.check(clientQueueBytes == queued, "\(clientQueueBytes) bytes in queues, not \(queued)")
    // What one read brought for each before reading paused; a broadcast counts for everybody.
    let slack = max(1, live.count) * (readBytesMax + limits.messageBytesMax)
    audit.check(
      clientQueueBytes <= limits.clientQueueBytesTotalMax + slack,
      "\(clientQueueBytes) bytes are queued for all")
    if linksPausedByTotal.isEmpty {
      audit.check(shedAt == nil || outputs.hasUnacknowledged, "queues are to be shed for no link")
    } else {
      audit.check(shedAt != nil, "links are paused for ever")
      audit.check(
        clientQueueBytes > limits.clientQueueBytesTotalMax / 2, "links are paused for nothing")
    }
  }

  // MARK: Waiting

  /// Whoever waits waits for something that will wake it up.
  private func auditWaiting(_ audit: inout Audit) {
    for index in live where sessions[index].phase != .closing && sessions[index].phase != .away {
      let pauses = sessions[index].pauses
      let pool = pool(of: index)
      let balancesPackets = configuration.pools[pool].balance == .packet
      let link = sessions[index].link
      audit.check(!balancesPackets || link == Session.noLink, "session \(index): has a link")
      if pauses.contains(.workerBusy), !pauses.contains(.noWorker) {
        let parked =
          balancesPackets
          ? pools[pool].parked : link == Session.noLink ? [] : linkStates[Int(link)].parked
        audit.check(
          parked.contains(id(of: index)), "session \(index): waits for a worker that forgot it")
      }
      guard hasWorkers(index), !pauses.contains(.closing) else { continue }
      if pauses.contains(.noWorker) {
        audit.check(link == Session.noLink, "session \(index): waits for the worker that it has")
        audit.check(
          pools[pool].rotation.isEmpty && (shutdown != nil || !pools[pool].hasWorker),
          "session \(index): waits though there is a worker")
      } else if !balancesPackets {
        audit.check(link != Session.noLink, "session \(index): neither a worker nor a wait")
      }
      if link != Session.noLink {
        audit.check(linkStates[Int(link)].isUsed, "session \(index): its link is gone")
        audit.check(links[link].pool == pool, "session \(index): with another pool's worker")
        audit.check(
          links[link].isReady || links[link].isDraining, "session \(index): its link is down")
      }
    }
  }

  // MARK: Logins

  private func auditLogins(_ audit: inout Audit) {
    var pendingCount = 0
    var waiting = 0
    var verifying = 0
    var identified = 0
    for index in live {
      let place = sessions[index].login
      audit.check(
        (place != PendingLogin.none) == (sessions[index].phase == .login),
        "session \(index): at the door or not")
      if sessions[index].identity != Identities.none {
        identified += 1
        let account = identities.account(at: sessions[index].identity)
        audit.check(
          account.map { identities.sessions(of: $0).contains(index) } ?? false,
          "session \(index): its account does not know it")
      }
      guard place != PendingLogin.none else { continue }
      pendingCount += 1
      audit.check(
        pending.records[place].session == index, "session \(index): another's place at the door")
      switch pending.records[place].phase {
      case .reading: break
      case .waiting: waiting += 1
      case .verifying: verifying += 1
      case .refused: break
      }
      auditPending(index, place, &audit)
    }
    audit.check(pending.count == pendingCount, "\(pending.count) at the door, not \(pendingCount)")
    audit.check(pending.records.usedCount == pendingCount, "places at the door are lost")
    audit.check(pendingCount <= configuration.access.logins.pendingMax, "a crowd at the door")
    audit.check(identities.count == identified, "\(identities.count) identities, not \(identified)")
    var byAge = 0
    var place = pending.oldest
    while place != PendingLogin.none, byAge <= pendingCount {
      byAge += 1
      place = pending.records[place].newer
    }
    audit.check(byAge == pendingCount, "the list by age has \(byAge) of \(pendingCount)")
    audit.check(gate.verifying >= verifying, "\(gate.verifying) verified, \(verifying) wait for it")
    audit.check(
      gate.verifying <= configuration.access.logins.verificationsMax, "too many are verified")
    guard waiting > 0 else { return }
    audit.check(
      gate.candidate != nil || !claimsWithoutWorker.isEmpty, "claims wait that nobody knows of")
    if gate.candidate != nil {
      audit.check(
        gate.verifying > 0 || gate.nextDeadline != nil, "claims wait for nothing")
    }
  }

  private func auditPending(_ index: UInt32, _ place: UInt32, _ audit: inout Audit) {
    let description = loginDescription(of: index)
    let kept = Int(pending.records[place].progress.bytes) + sessions[index].received.count
    // At least one byte is read, so that it shows that there are too many.
    audit.check(
      kept <= description.bytesMax + 1, "session \(index): \(kept) bytes before its login")
    // Each held packet takes four bytes more.
    audit.check(
      pending.records[place].held.count <= 5 * description.bytesMax,
      "session \(index): \(pending.records[place].held.count) bytes are held")
    if case .verifying = pending.records[place].phase {
      audit.check(
        sessions[index].pauses.contains(.verifying), "session \(index): verified and read")
    } else if case .worker? = listener(of: index).authentication?.kind {
      audit.check(
        pending.records[place].askedLink == Session.noLink,
        "session \(index): a worker is asked in vain")
    }
  }

  // MARK: Listeners

  private func auditListeners(_ audit: inout Audit) {
    var sessionCounts = [Int](repeating: 0, count: listeners.count)
    var claimCounts = sessionCounts
    for index in live {
      sessionCounts[Int(sessions[index].listener)] += 1
      let login = sessions[index].login
      if login != PendingLogin.none, pending.records[login].isVerifiedByStore {
        claimCounts[Int(sessions[index].listener)] += 1
      }
    }
    for (slot, listener) in listeners.enumerated() {
      let name = listener.configuration.name
      audit.check(
        listener.sessions == sessionCounts[slot], "\(name): \(listener.sessions) sessions")
      let claims = verifications.values.count { $0.listener == slot } + claimCounts[slot]
      audit.check(listener.claims == claims, "\(name): \(listener.claims) claims, not \(claims)")
      audit.check(!listener.isForsaken, "\(name): gone, and has a place")
      guard listener.state != .vacant else { continue }
      let counters = listenerCounters[slot]
      let closed = counters.closed.reduce(0, +)
      audit.check(
        counters.opened + counters.arrived == closed + counters.left + UInt64(listener.sessions),
        "\(name): opened \(counters.opened), closed \(closed)")
    }
  }

  /// Connections are counted by address and prefix as they are.
  private func auditGates(_ audit: inout Audit) {
    for slot in listeners.indices where listeners[slot].state != .vacant {
      let limits = gates[slot].limits
      guard limits.concurrentPerAddress != nil || limits.concurrentPerPrefix != nil else {
        continue
      }
      var ofAddress = ConnectionCounts()
      var ofPrefix = ConnectionCounts()
      for index in live where Int(sessions[index].listener) == slot && sessions[index].isCounted {
        ofAddress.open(AddressPrefix(sessions[index].client))
        ofPrefix.open(prefixes.network(of: sessions[index].client))
      }
      for index in live where Int(sessions[index].listener) == slot && sessions[index].isCounted {
        let client = sessions[index].client
        let address = AddressPrefix(client)
        let prefix = prefixes.network(of: client)
        audit.check(
          limits.concurrentPerAddress == nil
            || gates[slot].ofAddress.count(address) == ofAddress.count(address),
          "connections of \(client.host)")
        audit.check(
          limits.concurrentPerPrefix == nil
            || gates[slot].ofPrefix.count(prefix) == ofPrefix.count(prefix),
          "connections of the prefix of \(client.host)")
      }
      audit.check(
        limits.concurrentPerAddress == nil
          || gates[slot].ofAddress.keyCount == ofAddress.keyCount, "addresses without connections")
      audit.check(
        limits.concurrentPerPrefix == nil || gates[slot].ofPrefix.keyCount == ofPrefix.keyCount,
        "prefixes without connections")
    }
  }
}
