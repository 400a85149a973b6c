internal import Primitives

/// What must be true, beside what Shard+Audit looks at, of sessions that are with other shards, and
/// of what the door and another shard know of each other.
extension Shard {
  func auditMoving(_ audit: inout Audit) {
    var closing = 0
    for index in live where sessions[index].phase == .away {
      let shard = Int(sessions[index].shard)
      audit.check(isDoor, "session \(index): away, and not from the door")
      audit.check(shard > 0 && shard < groupCount, "session \(index): with shard \(shard)")
      audit.check(
        pools[pool(of: index)].isSpread, "session \(index): away, and its pool is at the door")
      audit.check(
        sessions[index].pauses == .away && !sessions[index].isRead
          && sessionTimers.deadline(of: index) == nil, "session \(index): away and read")
      audit.check(
        sessions[index].queue.isEmpty && sessions[index].received.isEmpty
          && sessions[index].unfinished.isEmpty && sessions[index].firstPiece == Outbox.none
          && sessions[index].heldByteCount == 0, "session \(index): has left bytes behind")
      audit.check(
        sessions[index].link == Session.noLink && sessions[index].heldLink == Session.noLink
          && sessions[index].login == PendingLogin.none && sessions[index].packetsWaiting == 0,
        "session \(index): away, with something here")
      if awayClosings[index] != nil { closing += 1 }
    }
    audit.check(awayClosings.count == closing, "\(awayClosings.count) to end elsewhere")
    var held = 0
    for index in live where sessions[index].heldLink == Session.othersLinks { held += 1 }
    audit.check(holdsOnOthers == held, "\(holdsOnOthers) hold back others' workers, not \(held)")
    audit.check(
      linksPausedByOutput.isEmpty || !outputs.hasRoom, "links are paused, and there is room")
    guard !isDoor else { return }
    audit.check(pending.count == 0 && recordings.allSatisfy { $0 == nil }, "it is not the door")
    for (number, pool) in pools.enumerated() {
      audit.check(pool.orphans.isEmpty || shutdown != nil, "pool \(number): orphans wait here")
      audit.check(pool.isSpread || pool.rotation.isEmpty, "pool \(number): not at the door")
      audit.check(
        !pool.isSpread || pool.rotationTold == pool.rotation.count,
        "pool \(number): the door does not know its workers")
    }
    guard shutdown == nil else { return }
    for index in live where sessions[index].phase != .closing {
      audit.check(
        sessions[index].isIn && sessions[index].link != Session.noLink,
        "session \(index): here without a worker")
    }
  }

  /// What the door and another shard do not agree on; empty when they do.
  ///
  /// - Precondition: nothing is under way between them.
  package func audit(with other: borrowing Shard) -> [String] {
    guard shutdown?.isFinished != true else { return [] }
    var audit = Audit()
    var away = 0
    for index in live where sessions[index].phase == .away {
      if Int(sessions[index].shard) == other.number { away += 1 }
    }
    audit.check(away == other.live.count, "\(away) sessions are there, not \(other.live.count)")
    for index in other.live {
      let uuid = other.sessions[index].uuid
      guard let own = self.index(of: uuid) else {
        audit.check(false, "session \(uuid): unknown at the door")
        continue
      }
      audit.check(
        sessions[own].phase == .away && Int(sessions[own].shard) == other.number,
        "session \(uuid): at two places")
      audit.check(
        sessions[own].listener == other.sessions[index].listener
          && sessions[own].client == other.sessions[index].client
          && identities.account(at: sessions[own].identity)
            == other.identities.account(at: other.sessions[index].identity),
        "session \(uuid): is not the same")
      audit.check(
        sessions[own].isAllowed == other.sessions[index].isAllowed,
        "session \(uuid): is allowed, or not")
      audit.check(
        sessions[own].recording.isSet || !other.sessions[index].recording.isSet,
        "session \(uuid): recorded by nobody")
    }
    for pool in pools.indices where pools[pool].isSpread {
      let known =
        pools[pool].elsewhere.count > other.number ? pools[pool].elsewhere[other.number] : 0
      audit.check(
        known == other.pools[pool].rotation.count, "pool \(pool): \(known) workers there")
    }
    for slot in listeners.indices where listeners[slot].state != .vacant {
      audit.check(
        other.listeners.count > slot
          && other.listeners[slot].configuration == listeners[slot].configuration,
        "listener \(slot): is not the same")
    }
    return audit.problems
  }
}
