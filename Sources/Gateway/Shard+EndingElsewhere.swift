internal import Auth
internal import Primitives

/// Sessions end that are with another shard, or are on their way.
///
/// The door says which are to end, and the shard that has one says when it is over: until then the
/// door keeps the record, so that the session's place, UUID and account are nobody else's. One that
/// comes back meanwhile ends at the door.
extension Shard {
  // MARK: At the door

  /// Ends a session that is with another shard; its record stays until that says that it is over.
  mutating func closeAway(
    _ index: UInt32, _ reason: CloseReason, _ ban: BanMatch?, _ effects: inout Effects
  ) {
    guard awayClosings[index] == nil else { return }
    awayClosings[index] = AwayClosing(reason: reason, ban: ban)
    guard !Fault.forgetCloseOfAway.isOn else { return }
    effects.tell(Int(sessions[index].shard), .close(sessions[index].uuid, reason, ban))
  }

  /// A session is with another shard, and was told to end.
  func isEndingAway(_ index: UInt32) -> Bool {
    sessions[index].phase == .away && awayClosings[index] != nil
  }

  /// Another shard says that a session is over.
  mutating func endedElsewhere(_ uuid: SessionUUID, effects: inout Effects) {
    guard let index = index(of: uuid), sessions[index].phase == .away else { return }
    finishAway(index, effects: &effects)
  }

  /// Forgets a session that was with another shard, which has counted and logged its end.
  mutating func finishAway(_ index: UInt32, effects: inout Effects) {
    if sessions[index].recording.isSet { record(.closed, of: index, effects: &effects) }
    awayClosings[index] = nil
    listenerCounters[Int(sessions[index].listener)].left += 1
    leaveListener(index)
    forget(index)
  }

  /// Ends a session that came back, if it was to end while it was away.
  mutating func endIfDue(
    _ index: UInt32, _ closing: AwayClosing?, now: Instant, effects: inout Effects
  ) {
    guard sessions[index].phase != .closing else { return }
    if let closing {
      close(
        index, closing.reason, flush: flushes(index, closing.reason), ban: closing.ban, now: now,
        effects: &effects)
    } else if let shutdown {
      pause(index, .closing, effects: &effects)
      sessions[index].closeReason = .shutdown
      guard shutdown.sessionsAreClosing else { return }
      close(index, .shutdown, flush: true, now: now, effects: &effects)
    }
  }

  // MARK: At other shards

  /// The door says that a session is to end.
  mutating func closeForDoor(
    _ uuid: SessionUUID, _ reason: CloseReason, _ ban: BanMatch?, now: Instant,
    effects: inout Effects
  ) {
    // It may be over by now, on its way back, or about to end for a reason of its own.
    guard let index = index(of: uuid), sessions[index].phase != .closing else { return }
    close(
      index, reason, flush: flushes(index, reason), ban: ban, now: now, effects: &effects)
  }

  /// What waits for a banned client is not worth waiting for: it may be one that takes nothing.
  private func flushes(_ index: UInt32, _ reason: CloseReason) -> Bool {
    reason != .banned || sessions[index].queue.isEmpty
  }
}

/// How a session is to end that is with another shard.
struct AwayClosing {
  var reason: CloseReason
  var ban: BanMatch?
}
