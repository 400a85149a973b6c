internal import Primitives
internal import Upstream

/// What a worker says to clients of other shards.
///
/// A broadcast is for all of its pool; and a worker may answer a client that is not its own. All
/// goes by way of the door, which knows where clients are. As messages between two shards keep
/// their order, a client hears what it should exactly once, also while it moves: the shard that it
/// comes to gives it what was under way when it left, and was not heard where it was. How much may
/// be in flight, and who says when it has arrived: see ``OutputAccount``.
extension Shard {
  // MARK: Sending

  /// A worker names a client that is not here, or nobody.
  mutating func answerElsewhere(
    _ output: ContractReader.Output, from link: LinkIndex, effects: inout Effects
  ) {
    let pool = links[link].pool
    guard pools[pool].isSpread, unsafe output.uuid.count == SessionUUID.byteCount else {
      counters.messagesToUnknownSession += 1
      return
    }
    let uuid = unsafe SessionUUID(copying: output.uuid)
    let mayBeElsewhere =
      isDoor
      ? awayIndex(of: uuid, pool: pool) != nil
      : uuids.slot(of: uuid) != nil && index(of: uuid) == nil
    guard mayBeElsewhere else {
      counters.messagesToUnknownSession += 1
      return
    }
    guard unsafe output.payload.count > 0 else { return }
    unsafe send(output.payload, to: .session(uuid), from: link, effects: &effects)
  }

  /// The index of a session of a pool that is with another shard; nil when the UUID names none.
  private func awayIndex(of uuid: SessionUUID, pool: Int) -> UInt32? {
    guard let index = index(of: uuid), sessions[index].phase == .away,
      self.pool(of: index) == pool
    else { return nil }
    return index
  }

  /// Has other shards give a message of a worker to their clients.
  mutating func send(
    _ payload: UnsafeRawBufferPointer, to target: WorkerOutput.Target, from link: LinkIndex,
    effects: inout Effects
  ) {
    let output = unsafe WorkerOutput(
      target: target, pool: links[link].pool, worker: links[link].id, origin: number,
      source: Session.remoteLink(of: links[link].id, reconnects: links[link].reconnects),
      payload: Array(payload))
    outputs.sent(output)
    if isDoor {
      passOn(output, &effects)
    } else {
      outputs.passedOn(output, to: 0)
      effects.tell(0, .output(output))
    }
    guard outputs.isOverfull, !linksPausedByOutput.contains(link), links[link].isConnected else {
      return
    }
    linksPausedByOutput.append(link)
    linkStates[Int(link)].holds += 1
    if linkStates[Int(link)].holds == 1 { pauseReading(link, effects: &effects) }
  }

  /// The link here that stood for `source` elsewhere; `source`, when its connection is over.
  private func ownLink(for source: UInt32) -> UInt32 {
    usedLinks.first {
      Session.remoteLink(of: links[$0].id, reconnects: links[$0].reconnects) == source
    } ?? source
  }

  // MARK: Passing on

  private mutating func passOn(_ output: WorkerOutput, _ effects: inout Effects) {
    switch output.target {
    case .session(let uuid):
      let shard = Int(sessions[uuids.slot(of: uuid)!].shard)
      passOn(output, to: shard, &effects)
    case .broadcast:
      for shard in 1..<groupCount where shard != output.origin {
        passOn(output, to: shard, &effects)
      }
    }
  }

  private mutating func passOn(_ output: WorkerOutput, to shard: Int, _ effects: inout Effects) {
    outputs.passedOn(output, to: shard)
    effects.tell(shard, .output(output))
  }

  // MARK: Taking

  /// A worker of another shard has a message for clients here, or at the door for any.
  ///
  /// It waits while a client here holds back what comes from elsewhere.
  mutating func take(_ output: WorkerOutput, now: Instant, effects: inout Effects) {
    guard holdsOnOthers == 0, !outputs.hasHeld else { return outputs.hold(output) }
    outbox.reset()
    arena.reset()
    give(output, now: now, effects: &effects)
  }

  /// Takes what has waited, as much at one time as one read of a worker brings, once nobody holds
  /// it back.
  mutating func takeHeld(now: Instant, effects: inout Effects) {
    guard outputs.hasHeld, holdsOnOthers == 0 else { return }
    outbox.reset()
    arena.reset()
    var byteCount = 0
    while byteCount < OutputAccount.bytesInFlightMax, outbox.room > live.count, !arena.isExceeded,
      let output = outputs.takeHeld()
    {
      byteCount += OutputAccount.byteCount(output)
      give(output, now: now, effects: &effects)
    }
  }

  /// Takes all that has waited, whoever holds it back.
  mutating func takeAllHeld(now: Instant, effects: inout Effects) {
    outbox.reset()
    arena.reset()
    while let output = outputs.takeHeld() {
      give(output, now: now, effects: &effects)
      guard outbox.room <= live.count else { continue }
      // Backwards: a session that closes is replaced by the last, which has been looked at.
      for place in live.indices.reversed() {
        flushToQueue(live[place], now: now, effects: &effects)
      }
      outbox.reset()
      arena.reset()
    }
  }

  private mutating func give(_ output: WorkerOutput, now: Instant, effects: inout Effects) {
    // The door takes all before sessions come back, and need not look who has heard of it.
    let place = isDoor ? .max : outputs.heardCounts[0]
    outputs.heard(from: isDoor ? output.origin : 0)
    if isDoor {
      switch output.target {
      case .session(let uuid):
        if let index = awayIndex(of: uuid, pool: output.pool) {
          // It was on its way to the sender, which gives it whatever had not been heard here.
          guard Int(sessions[index].shard) != output.origin else {
            return outputs.delivered(output, isDoor: true)
          }
          // Its sender is credited when it is delivered there.
          return passOn(output, &effects)
        }
      case .broadcast: passOn(output, &effects)
      }
    }
    outputs.delivered(output, isDoor: isDoor)
    deliveringLink = output.source
    // The message's own memory does not last until the effects are performed.
    let payload = unsafe output.payload.withUnsafeBytes { unsafe arena.keep($0) }
    unsafe give(output, payload, place, now: now, effects: &effects)
  }

  private mutating func give(
    _ output: WorkerOutput, _ payload: UnsafeRawBufferPointer, _ place: UInt64, now: Instant,
    effects: inout Effects
  ) {
    switch output.target {
    case .session(let uuid):
      guard let index = index(of: uuid) else {
        // Elsewhere it may be on its way back, and the door sees to it.
        if isDoor { counters.messagesToUnknownSession += 1 }
        return
      }
      guard sessions[index].isIn, pool(of: index) == output.pool else {
        counters.messagesToUnknownSession += 1
        return
      }
      guard sessions[index].outputsBefore <= place else { return }
      unsafe give(payload, to: index, now: now, effects: &effects)
    case .broadcast(let audience):
      unsafe broadcast(
        payload, to: audience,
        from: BroadcastSource(
          worker: output.worker, pool: output.pool, isHere: false, place: place),
        now: now, effects: &effects)
    }
  }

  /// Gives sessions that have just come what they have missed, as much as may wait at one time.
  ///
  /// At the door, what was under way to them where they were; elsewhere, what workers of this shard
  /// had said and the door had not heard when they left there.
  ///
  /// - Returns: false when they have got it all before.
  mutating func giveMissed(now: Instant, effects: inout Effects) -> Bool {
    guard let arriving, !arriving.missed.isEmpty else { return false }
    let indices = arriving.ids.compactMap { index(of: $0) }
    var missed = arriving.missed
    var place = arriving.missedFrom
    outbox.reset()
    arena.reset()
    while let output = missed.first, outbox.room >= indices.count, !arena.isExceeded {
      missed.removeFirst()
      defer { place += 1 }
      guard output.pool == arriving.pool else { continue }
      deliveringLink = isDoor ? output.source : ownLink(for: output.source)
      let payload = unsafe output.payload.withUnsafeBytes { unsafe arena.keep($0) }
      for index in indices
      where sessions[index].isIn && (!isDoor || sessions[index].outputsBefore <= place) {
        unsafe giveMissed(output, payload, to: index, now: now, effects: &effects)
      }
    }
    self.arriving!.missed = missed
    self.arriving!.missedFrom = place
    return true
  }

  private mutating func giveMissed(
    _ output: WorkerOutput, _ payload: UnsafeRawBufferPointer, to index: UInt32, now: Instant,
    effects: inout Effects
  ) {
    switch output.target {
    case .session(let uuid):
      guard sessions[index].uuid == uuid else { return }
      unsafe give(payload, to: index, now: now, effects: &effects)
    case .broadcast(let audience):
      unsafe broadcast(payload, to: audience, reaching: index, now: now, effects: &effects)
    }
  }

  // MARK: How much is in flight

  /// Tells senders, once in a turn, what was delivered; not while clients here can take no more.
  ///
  /// Where it is all of them together that can't, their largest queues are closed before long: the
  /// senders' workers are not read meanwhile, and must not wait for ever.
  mutating func acknowledgeOutputs(now: Instant, effects: inout Effects) {
    guard outputs.hasUnacknowledged, holdsOnOthers == 0 else { return }
    if shedAt != nil || isTotalReached { return planShedding(now: now) }
    if isDoor {
      credit(outputs.takeUnacknowledgedBytes(), now: now, effects: &effects)
    } else {
      effects.tell(0, .outputsDelivered(count: outputs.takeUnacknowledgedCount()))
    }
  }

  /// Another shard has given so many of the messages that were passed on to it to its clients.
  mutating func outputsDelivered(
    _ count: Int, by shard: Int, now: Instant, effects: inout Effects
  ) {
    credit(outputs.acknowledge(count, by: shard), now: now, effects: &effects)
  }

  /// - Parameter bytes: delivered, by the shards that sent them.
  private mutating func credit(_ bytes: [Int], now: Instant, effects: inout Effects) {
    for origin in bytes.indices where bytes[origin] > 0 {
      if origin == 0 {
        takeCredit(bytes[origin], now: now, effects: &effects)
      } else {
        effects.tell(
          origin, .outputCredit(byteCount: bytes[origin], heard: outputs.heardCounts[origin]))
      }
    }
  }

  /// So many bytes of what workers of this shard sent were delivered.
  mutating func takeCredit(_ byteCount: Int, now: Instant, effects: inout Effects) {
    outputs.credit(byteCount)
    guard !linksPausedByOutput.isEmpty, outputs.hasRoom else { return }
    let paused = linksPausedByOutput
    linksPausedByOutput = []
    for link in paused { endHold(on: link, now: now, effects: &effects) }
  }
}
