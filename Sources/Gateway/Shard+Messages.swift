public import Primitives

/// Shards tell each other what they have to know.
extension Shard {
  /// A message came that brings no sessions.
  ///
  /// - Parameters:
  ///   - message: neither `sessions` nor `returned`; see ``take(_:from:now:effects:)``.
  ///   - shard: the number of the shard that sent it.
  public mutating func received(
    _ message: ShardMessage, from shard: Int, now: Instant, effects: inout Effects
  ) {
    switch message {
    case .sessions, .returned: preconditionFailure("sessions came without their sockets")
    case .ended(let uuid): endedElsewhere(uuid, effects: &effects)
    case .close(let uuid, let reason, let ban):
      closeForDoor(uuid, reason, ban, now: now, effects: &effects)
    case .allow(let uuid, let isAllowed):
      if let index = index(of: uuid) { sessions[index].isAllowed = isAllowed }
    case .rotation(let pool, let count):
      pools[pool].setElsewhere(shard, count)
      placeWaiting(pool: pool, now: now, effects: &effects)
    case .output(let output): take(output, now: now, effects: &effects)
    case .outputsDelivered(let count):
      outputsDelivered(count, by: shard, now: now, effects: &effects)
    case .outputCredit(let byteCount, let heard):
      outputs.acknowledge(heard: heard)
      takeCredit(byteCount, now: now, effects: &effects)
    case .listener(let slot, let listener, let framers): takeListener(slot, listener, framers)
    case .listenerGone(let slot): loseListener(slot)
    case .offence(let trigger, let offender):
      offend(trigger, offender, now: now, effects: &effects)
    case .ban(let ban): self.ban(ban, effects: &effects)
    case .recorded(let moment): note(moment, from: shard, &effects)
    case .recordingCredit(let byteCount): recordingBytesInFlight -= byteCount
    case .recordingCut(let uuid): cutRecording(of: uuid, &effects)
    case .recordingEnded(let uuid):
      if let index = index(of: uuid) { sessions[index].recording = .none }
    case .shutdown: beginShutdown(now: now, effects: &effects)
    }
  }

  /// Sessions came, with their sockets.
  ///
  /// The driver registers the sockets, to be read, as after
  /// ``accepted(listener:client:entropy:now:effects:)``, before it performs the effects. Then it
  /// calls ``continueTaking(now:effects:)`` until all is done.
  ///
  /// - Parameters:
  ///   - message: `sessions` or `returned`.
  ///   - shard: the number of the shard that sent it.
  /// - Returns: what this shard calls the sessions, in order.
  public mutating func take(
    _ message: ShardMessage, from shard: Int, now: Instant, effects: inout Effects
  ) -> [SessionID] {
    if case .sessions(let batch) = message {
      return takeHandedOver(batch, now: now, effects: &effects)
    }
    if case .returned(let batch) = message {
      return takeReturned(batch, from: shard, now: now, effects: &effects)
    }
    preconditionFailure("a message without sessions")
  }

  /// Goes on with sessions that came: what they have missed is given to them, some of it each time,
  /// so that their sockets take it before there is more; then they are given to workers.
  ///
  /// - Returns: whether effects are to be performed, and this is to be called again.
  public mutating func continueTaking(now: Instant, effects: inout Effects) -> Bool {
    guard arriving != nil else { return false }
    if giveMissed(now: now, effects: &effects) { return true }
    let arrived = arriving!
    arriving = nil
    if number == 0 {
      placeReturned(arrived, now: now, effects: &effects)
    } else {
      placeHandedOver(arrived, now: now, effects: &effects)
    }
    return true
  }

  /// Tells the door how many workers of a pool sessions may be given to here.
  mutating func tellRotation(of pool: Int, _ effects: inout Effects) {
    let count = pools[pool].rotation.count
    guard !isDoor, pools[pool].isSpread, count != pools[pool].rotationTold else { return }
    pools[pool].rotationTold = count
    effects.tell(0, .rotation(pool: pool, count: count))
  }
}
