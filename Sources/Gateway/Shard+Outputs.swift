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
  mutating func take(_ output: WorkerOutput, now: Instant, effects: inout Effects) {
    outputs.heard(from: isDoor ? output.origin : 0)
    if isDoor {
      switch output.target {
      case .session(let uuid):
        if awayIndex(of: uuid, pool: output.pool) != nil {
          // Its sender is credited when it is delivered there.
          return passOn(output, &effects)
        }
      case .broadcast: passOn(output, &effects)
      }
    }
    outputs.delivered(output, isDoor: isDoor)
    outbox.reset()
    arena.reset()
    mustFlush = false
    deliveringLink = output.source
    unsafe output.payload.withUnsafeBytes { payload in
      // The message's own memory does not last until the effects are performed.
      if let copy = unsafe arena.copy(payload) {
        unsafe give(output, copy, now: now, effects: &effects)
      } else {
        unsafe give(output, payload, now: now, effects: &effects)
        mustFlush = true
      }
      if mustFlush { flushAll(now: now, effects: &effects) }
    }
  }

  private mutating func give(
    _ output: WorkerOutput, _ payload: UnsafeRawBufferPointer, now: Instant,
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
      unsafe give(payload, to: index, now: now, effects: &effects)
    case .broadcast(let audience):
      unsafe broadcast(
        payload, to: audience,
        from: BroadcastSource(worker: output.worker, pool: output.pool, isHere: false), now: now,
        effects: &effects)
    }
  }

  private mutating func flushAll(now: Instant, effects: inout Effects) {
    // Backwards: a session that closes is replaced by the last, which has been looked at.
    for place in live.indices.reversed() {
      flushToQueue(live[place], now: now, effects: &effects)
    }
  }

  /// Gives sessions that have just come what they have missed.
  ///
  /// At the door, what was under way to them where they were; elsewhere, broadcasts of this shard
  /// that had not reached the door when they left there.
  ///
  /// - Parameter count: so many of all messages that were sent to `shard` had come there.
  mutating func giveMissed(
    to indices: [UInt32], since count: UInt64, of shard: Int, pool: Int, now: Instant,
    effects: inout Effects
  ) {
    for output in outputs.missed(by: shard, since: count) where output.pool == pool {
      outbox.reset()
      arena.reset()
      deliveringLink = output.source
      unsafe output.payload.withUnsafeBytes { payload in
        for index in indices where sessions[index].isIn {
          unsafe giveMissed(output, payload, to: index, now: now, effects: &effects)
          if sessions[index].phase != .vacant {
            flushToQueue(index, now: now, effects: &effects)
          }
        }
      }
    }
  }

  private mutating func giveMissed(
    _ output: WorkerOutput, _ payload: UnsafeRawBufferPointer, to index: UInt32, now: Instant,
    effects: inout Effects
  ) {
    switch output.target {
    case .session(let uuid):
      // Of the others' own messages the door sends back here what is for one client.
      guard sessions[index].uuid == uuid, isDoor else { return }
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
