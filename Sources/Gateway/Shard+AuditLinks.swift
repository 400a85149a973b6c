internal import Auth
package import Primitives
internal import Upstream

/// What must be true, beside what Shard+Audit looks at, of what a shard keeps of its workers and of
/// recordings; and what is left when all is over.
extension Shard {
  func auditLinks(_ audit: inout Audit) {
    var holds = [Int](repeating: 0, count: linkStates.count)
    var sessionCounts = holds
    for index in live {
      let held = sessions[index].heldLink
      if held < Session.remoteLinks { holds[Int(held)] += 1 }
      if sessions[index].link != Session.noLink { sessionCounts[Int(sessions[index].link)] += 1 }
    }
    for link in linksPausedByOutput { holds[Int(link)] += 1 }
    audit.check(links.usedCount == usedLinks.count, "places of links are lost")
    for (number, state) in linkStates.enumerated() {
      let link = LinkIndex(number)
      audit.check(state.holds == holds[number], "link \(link): \(state.holds) holds")
      audit.check(
        state.sessionCount == sessionCounts[number], "link \(link): \(state.sessionCount) sessions")
      guard state.isUsed else { continue }
      for problem in links[link].audit() { audit.check(false, "link \(link): \(problem)") }
      let isHeld = state.holds > 0 || linksPausedByTotal.contains(link)
      audit.check(state.isRead != isHeld, "link \(link): read against its holds")
      audit.check(!isHeld || links[link].isConnected, "link \(link): held without a connection")
      auditTimer(of: link, &audit)
      auditQueue(of: link, &audit)
    }
    audit.check(
      linkTimers.armedCount <= usedLinks.count, "\(linkTimers.armedCount) timers of links")
  }

  private func auditTimer(of link: LinkIndex, _ audit: inout Audit) {
    let deadline = links[link].deadline
    guard deadline != .distantFuture else { return }
    guard let armed = linkTimers.deadline(of: link) else {
      return audit.check(false, "link \(link): no timer")
    }
    audit.check(armed <= deadline + .milliseconds(8), "link \(link): its timer is late")
  }

  /// Packets stop at the bound, one may lie beyond it; events and what a lost worker left do not.
  private func auditQueue(of link: LinkIndex, _ audit: inout Audit) {
    let limits = configuration.limits
    let queued = links[link].queuedBytes
    let inherited = linkStates[Int(link)].inherited
    let factor = links[link].wantsSessionEvents ? 4 : 1
    audit.check(
      queued <= factor * limits.workerQueueBytesMax + limits.messageBytesMax + inherited,
      "link \(link): \(queued) bytes are queued")
    guard links[link].isReady, queued <= limits.workerQueueBytesMax / 2 else { return }
    for id in linkStates[Int(link)].parked {
      guard let index = index(of: id) else { continue }
      audit.check(
        sessions[index].phase == .closing || !sessions[index].pauses.contains(.workerBusy),
        "session \(index): waits for a worker that has room")
    }
  }

  func auditPools(_ audit: inout Audit) {
    var hasOrphans = false
    for (number, pool) in pools.enumerated() {
      for (place, link) in pool.rotation.enumerated() {
        audit.check(links[link].isReady, "pool \(number): link \(link) in rotation is not ready")
        audit.check(links[link].pool == number, "pool \(number): another's link")
        audit.check(
          !pool.rotation[..<place].contains(link), "pool \(number): link \(link) twice in rotation")
      }
      for link in usedLinks where links[link].pool == number && links[link].isReady {
        audit.check(pool.rotation.contains(link), "pool \(number): link \(link) not in rotation")
      }
      hasOrphans = hasOrphans || !pool.orphans.isEmpty
      audit.check(
        pool.orphans.isEmpty || !pool.hasWorker || shutdown != nil && pool.rotation.isEmpty,
        "pool \(number): orphans, and a worker")
      let hasRoom = pool.rotation.contains {
        links[$0].queuedBytes <= configuration.limits.workerQueueBytesMax / 2
      }
      guard hasRoom else { continue }
      for id in pool.parked {
        guard let index = index(of: id) else { continue }
        audit.check(
          sessions[index].phase == .closing || !sessions[index].pauses.contains(.workerBusy),
          "session \(index): waits for a pool that has room")
      }
    }
    guard !hasOrphans else { return }
    for index in live {
      audit.check(
        sessions[index].packetsWaiting == 0, "session \(index): packets wait that are not there")
    }
  }

  func auditRecordings(_ audit: inout Audit) {
    audit.check(recordings.count == Self.recordingsMax, "\(recordings.count) recordings")
    let deadline = recordings.compactMap { $0?.nextDeadline }.min()
    // One that has ended since is waited for no longer than before.
    audit.check(
      deadline.map { recordingDeadline ?? .distantFuture <= $0 } ?? true,
      "the recordings' deadline is too late")
    for recording in recordings {
      guard let recording else { continue }
      let name = "recording \(recording.summary.id.rawValue)"
      audit.check(
        recording.summary.bytes <= UInt64(recording.request.bytesMax), "\(name): too many bytes")
      audit.check(
        recording.sessionIDs.count <= recording.request.sessionsMax, "\(name): too many sessions")
      let openings = recording.sessionIDs.count * Recording.eventBytes
      audit.check(
        recording.waitingByteCount <= Recording.waitingBytesMax + openings,
        "\(name): \(recording.waitingByteCount) bytes wait")
    }
    for index in live where sessions[index].recording.isSet && isDoor {
      let recording = recordings[Int(sessions[index].recording.slot)]
      audit.check(recording?.isRunning == true, "session \(index): recorded by nobody")
      audit.check(
        recording?.sessionIDs.contains(id(of: index)) == true,
        "session \(index): another's recording")
    }
  }

  // MARK: When all is over

  /// What a shard without a client still has of those it had; empty when nothing is left.
  package func leftovers() -> [String] {
    var left: [String] = []
    func check(_ count: Int, _ what: String) { if count != 0 { left.append("\(count) \(what)") } }
    check(live.count, "sessions")
    check(sessionTimers.armedCount, "timers of sessions")
    check(clientQueueBytes, "bytes in clients' queues")
    check(pending.count, "clients at the door")
    check(identities.count, "identities")
    check(verifications.count, "claims that are verified")
    check(gate.verifying, "claims that the gate counts")
    check(linksPausedByTotal.count, "links paused by the total")
    check(linksPausedByOutput.count, "links paused by what is under way")
    check(holdsOnOthers, "holds on other shards' workers")
    check(awayClosings.count, "sessions that are to end elsewhere")
    check(recordingBytesInFlight, "bytes of recordings under way")
    check(outputs.isSettled ? 0 : 1, "messages under way")
    for pool in pools {
      check(pool.orphans.count, "bytes of orphans")
      check(stillThere(pool.parked), "parked sessions")
    }
    for link in usedLinks {
      check(linkStates[Int(link)].holds, "holds of link \(link)")
      check(linkStates[Int(link)].sessionCount, "sessions of link \(link)")
      check(stillThere(linkStates[Int(link)].parked), "parked sessions of link \(link)")
      for problem in links[link].leftovers() { left.append("link \(link): \(problem)") }
    }
    for slot in listeners.indices where listeners[slot].state != .vacant {
      check(gates[slot].ofAddress.keyCount, "addresses with connections")
      check(gates[slot].ofPrefix.keyCount, "prefixes with connections")
      check(listeners[slot].claims, "claims of a listener")
    }
    return left
  }

  private func stillThere(_ ids: [SessionID]) -> Int { ids.count { index(of: $0) != nil } }

  // MARK: Figures for drivers

  /// What a driver has to agree with the shard on, and what the gateway says of a session.
  package struct SessionFigures {
    package var id: SessionID
    package var uuid: SessionUUID
    /// It takes nothing more in; it waits for its output to be taken.
    package var isClosing: Bool
    /// It is with another shard, which alone can say more of it.
    package var isAway: Bool
    package var isIn: Bool
    package var isRead: Bool
    package var queuedBytes: Int
    /// Not all that it sent could go to a worker at once.
    package var isHindered: Bool
    /// Neither bans nor limits touch it.
    package var isAllowed: Bool
    package var closeReason: CloseReason
    package var packetsIn: UInt64
    package var bytesIn: UInt64
    package var messagesOut: UInt64
    package var bytesOut: UInt64
  }

  package var sessionCount: Int { live.count }

  /// Of one of the sessions, numbered from 0 in no order; nil beyond the last.
  package func figures(at place: Int) -> SessionFigures? {
    place < live.count ? figures(ofIndex: live[place]) : nil
  }

  /// Nil when the session is gone.
  package func figures(of id: SessionID) -> SessionFigures? {
    index(of: id).map { figures(ofIndex: $0) }
  }

  private func figures(ofIndex index: UInt32) -> SessionFigures {
    SessionFigures(
      id: id(of: index), uuid: sessions[index].uuid, isClosing: sessions[index].phase == .closing,
      isAway: sessions[index].phase == .away, isIn: sessions[index].isIn,
      isRead: sessions[index].isRead,
      queuedBytes: sessions[index].queue.count,
      isHindered: !sessions[index].pauses.isDisjoint(with: [.noWorker, .workerBusy, .limited]),
      isAllowed: sessions[index].isAllowed, closeReason: sessions[index].closeReason,
      packetsIn: sessions[index].traffic.packetsIn, bytesIn: sessions[index].traffic.bytesIn,
      messagesOut: sessions[index].traffic.messagesOut, bytesOut: sessions[index].traffic.bytesOut)
  }

  /// Whether the driver is to read from a link that is connected.
  package func isRead(link: LinkIndex) -> Bool { linkStates[Int(link)].isRead }

  /// Whether a link has a connection, or one is being made.
  package func wantsSocket(link: LinkIndex) -> Bool {
    Int(link) < linkStates.count && linkStates[Int(link)].isUsed
      && (links[link].isConnected || links[link].state == .connecting)
  }

  package func isListening(_ slot: Int) -> Bool { listeners[slot].state == .listening }
  package var hasBegunShutdown: Bool { shutdown != nil }
}
