internal import Auth
internal import Framing
internal import Primitives
internal import Upstream

/// Sessions go from shard to shard, after their workers.
///
/// ```
///   door: open ─its turn falls on another shard─▶ away ─ended there─▶ vacant
///           ▲                                       │
///           └──────returned: no worker there────────┘
/// ```
///
/// The door keeps the record of a session that is away, with its place, UUID, account and counts.
/// The shard that has it knows it by an index of its own.
extension Shard {
  // MARK: Leaving

  /// Gives one session to another shard's workers.
  mutating func handOver(
    _ index: UInt32, to shard: Int, now: Instant, effects: inout Effects
  ) {
    var leaving = LeavingSessions(pool: pool(of: index))
    depart(index, to: shard, with: &leaving, now: now, effects: &effects)
    send(leaving, &effects)
  }

  /// Sends the sessions, with the packets, that leave the door together.
  mutating func send(_ leaving: LeavingSessions, _ effects: inout Effects) {
    for (shard, sessions) in leaving.batches {
      var batch = sessions
      batch.outputsHeard = outputs.heardCounts[shard]
      effects.tell(shard, .sessions(batch))
    }
  }

  /// Puts a session among those that leave the door; its record stays, without what goes along.
  ///
  /// Its packets among the pool's orphans are to follow, by
  /// ``takeOrphans(of:for:)``: until then they are counted in the record.
  mutating func depart(
    _ index: UInt32, to shard: Int, with leaving: inout LeavingSessions, now: Instant,
    effects: inout Effects
  ) {
    guard let moving = pack(index, now: now, effects: &effects) else { return }
    leaving.append(moving, to: shard)
    sessions[index].phase = .away
    sessions[index].shard = UInt8(shard)
    sessions[index].pauses = .away
    sessions[index].isRead = false
    sessionTimers.disarm(index)
    sessions[index].received.removeAll()
    sessions[index].heldByteCount = 0
    sessions[index].queue.removeAll()
    sessions[index].takesQueue = false
    sessions[index].wasHeld = false
    sessions[index].fromClient = FramerState()
    sessions[index].toClient = FramerState()
    sessions[index].traffic = Traffic()
  }

  /// Gives back to the door the sessions of a worker that ended, as no other is here for them.
  ///
  /// - Parameters:
  ///   - refused: one of them that is closed here.
  ///   - packets: what no worker has got, of these and of some that are over.
  /// - Returns: how many sessions the worker had.
  mutating func returnSessions(
    of link: LinkIndex, _ refused: UInt32?, _ packets: [UInt8], now: Instant,
    effects: inout Effects
  ) -> Int {
    let pool = links[link].pool
    var returned: [UInt32] = []
    var count = 0
    for index in live where sessions[index].link == link {
      count += 1
      detach(index)
      if sessions[index].phase == .closing || index == refused {
        sessions[index].packetsWaiting = 0
      } else {
        sessions[index].waitingSince = now
        returned.append(index)
      }
    }
    linkStates[Int(link)].sessionCount = 0
    giveBack(returned, packets, pool: pool, now: now, effects: &effects)
    return count
  }

  private mutating func giveBack(
    _ indices: [UInt32], _ packets: [UInt8], pool: Int, now: Instant, effects: inout Effects
  ) {
    var batch = MovingSessions(pool: pool)
    for index in indices {
      guard let moving = pack(index, now: now, effects: &effects) else { continue }
      batch.sessions.append(moving)
      listenerCounters[Int(sessions[index].listener)].left += 1
      leaveListener(index)
      forget(index)
    }
    if !Fault.loseReturnedPackets.isOn { batch.packets = packets }
    batch.outputsHeard = outputs.heardCounts[0]
    guard batch.count > 0 || !packets.isEmpty else { return }
    effects.tell(0, .returned(batch))
  }

  /// All that a session takes along; nil when it was closed, as too much waited for its client.
  private mutating func pack(
    _ index: UInt32, now: Instant, effects: inout Effects
  ) -> MovingSession? {
    flushToQueue(index, now: now, effects: &effects)
    guard sessions[index].phase != .vacant else { return nil }
    dropUnfinished(of: index)
    sessions[index].unfinishedLink = Session.noLink
    releaseHold(of: index, now: now, effects: &effects)
    clientQueueBytes -= sessions[index].queue.count
    resumeLinksPausedByTotal(now: now, effects: &effects)
    let traffic = sessions[index].traffic
    listenerCounters[Int(sessions[index].listener)].traffic &+= traffic
    let identity = sessions[index].identity
    return unsafe MovingSession(
      sender: id(of: index), uuid: sessions[index].uuid, listener: sessions[index].listener,
      client: sessions[index].client, account: identities.account(at: identity),
      attributes: identities.attributes(at: identity),
      hasEnded: sessions[index].pauses.contains(.ended),
      isLimited: sessions[index].pauses.contains(.limited), hadWorker: sessions[index].hadWorker,
      isAllowed: sessions[index].isAllowed, isRecorded: sessions[index].recording.isSet,
      takesQueue: sessions[index].takesQueue, wasHeld: sessions[index].wasHeld,
      unanswered: sessions[index].unanswered, packetsWaiting: sessions[index].packetsWaiting,
      received: Array(sessions[index].received.readable),
      heldByteCount: sessions[index].heldByteCount, fromClient: sessions[index].fromClient,
      toClient: sessions[index].toClient, queue: Array(sessions[index].queue.readable),
      openedAt: sessions[index].openedAt, activeAt: sessions[index].activeAt,
      packetAt: sessions[index].packetAt, waitingSince: sessions[index].waitingSince,
      progressAt: sessions[index].progressAt, packetMeter: sessions[index].packetMeter,
      byteMeter: sessions[index].byteMeter, limitedUntil: sessions[index].limitedUntil,
      outputsBefore: sessions[index].outputsBefore, traffic: traffic)
  }

  // MARK: Coming

  /// Takes sessions from the door.
  mutating func takeHandedOver(
    _ batch: MovingSessions, now: Instant, effects: inout Effects
  ) -> [SessionID] {
    let ids = batch.sessions.map { id(of: install($0, effects: &effects)) }
    arriving = ArrivingSessions(
      pool: batch.pool, ids: ids, packets: batch.packets,
      missed: outputs.missed(by: 0, since: batch.outputsHeard), missedFrom: batch.outputsHeard)
    return ids
  }

  /// Gives sessions that have come from the door to workers, their packets first.
  mutating func placeHandedOver(
    _ arrived: ArrivingSessions, now: Instant, effects: inout Effects
  ) {
    let here = arrived.ids.compactMap { index(of: $0) }.filter { sessions[$0].isIn }
    if pools[arrived.pool].rotation.isEmpty {
      // The door was told before it could get these back: it will not send them here again. They
      // wait from now on, as they would if they had come to that worker a moment before.
      for index in here { sessions[index].waitingSince = now }
      return giveBack(here, arrived.packets, pool: arrived.pool, now: now, effects: &effects)
    }
    for index in here {
      attach(index)
      if sessions[index].phase == .halfClosed { sessions[index].activeAt = now }
    }
    reroute(arrived.packets, pool: arrived.pool)
    for index in here { resume(index, now: now, effects: &effects) }
  }

  private mutating func install(_ moving: MovingSession, effects: inout Effects) -> UInt32 {
    // The door has no more sessions than there are places, those included that are away.
    let index = takeSession()!
    sessions[index].uuid = moving.uuid
    sessions[index].listener = moving.listener
    sessions[index].client = moving.client
    sessions[index].isAllowed = moving.isAllowed
    if moving.isRecorded { sessions[index].recording = .elsewhere }
    if let account = moving.account {
      sessions[index].identity = identities.add(account, moving.attributes, session: index)
    }
    let slot = Int(uuids.slot(of: moving.uuid)!)
    while indexOfSlot.count <= slot { indexOfSlot.append(.max) }
    indexOfSlot[slot] = index
    sessions[index].liveIndex = UInt32(live.count)
    live.append(index)
    listeners[Int(moving.listener)].sessions += 1
    listenerCounters[Int(moving.listener)].arrived += 1
    unpack(moving, into: index, effects: &effects)
    sessions[index].outputsBefore = outputs.cameCount
    return index
  }

  /// Puts into a session's record what came along with it.
  private mutating func unpack(
    _ moving: MovingSession, into index: UInt32, effects: inout Effects
  ) {
    sessions[index].phase = moving.hasEnded ? .halfClosed : .open
    // As the driver has registered its socket.
    sessions[index].pauses = []
    sessions[index].isRead = true
    if moving.hasEnded { pause(index, .ended, effects: &effects) }
    if moving.isLimited { pause(index, .limited, effects: &effects) }
    sessions[index].hadWorker = moving.hadWorker
    sessions[index].takesQueue = moving.takesQueue
    sessions[index].wasHeld = moving.wasHeld
    sessions[index].unanswered = moving.unanswered
    sessions[index].packetsWaiting = moving.packetsWaiting
    unsafe moving.received.withUnsafeBytes { unsafe sessions[index].received.append($0) }
    sessions[index].heldByteCount = moving.heldByteCount
    sessions[index].fromClient = moving.fromClient
    sessions[index].toClient = moving.toClient
    unsafe moving.queue.withUnsafeBytes { unsafe sessions[index].queue.append($0) }
    clientQueueBytes += moving.queue.count
    if !moving.queue.isEmpty { effects.io.append(.awaitWritable(id(of: index), true)) }
    sessions[index].openedAt = moving.openedAt
    sessions[index].activeAt = moving.activeAt
    sessions[index].packetAt = moving.packetAt
    sessions[index].waitingSince = moving.waitingSince
    sessions[index].progressAt = moving.progressAt
    sessions[index].packetMeter = moving.packetMeter
    sessions[index].byteMeter = moving.byteMeter
    sessions[index].limitedUntil = moving.limitedUntil
    sessions[index].outputsBefore = moving.outputsBefore
    sessions[index].traffic = moving.traffic
    listenerCounters[Int(sessions[index].listener)].traffic &-= moving.traffic
  }

  /// Takes sessions back that have no worker where they were; they have their old places.
  mutating func takeReturned(
    _ batch: MovingSessions, from shard: Int, now: Instant, effects: inout Effects
  ) -> [SessionID] {
    if shutdown?.isFinished == true { return dropReturned(batch, effects: &effects) }
    // They may have heard what that shard said before they left it.
    takeAllHeld(now: now, effects: &effects)
    var indices: [UInt32] = []
    var closings: [AwayClosing?] = []
    for moving in batch.sessions {
      let index = uuids.slot(of: moving.uuid)!
      precondition(sessions[index].uuid == moving.uuid && sessions[index].phase == .away)
      closings.append(awayClosings.removeValue(forKey: index))
      unpack(moving, into: index, effects: &effects)
      pause(index, .noWorker, effects: &effects)
      indices.append(index)
    }
    let ids = indices.map { id(of: $0) }
    arriving = ArrivingSessions(
      pool: batch.pool, ids: ids, closings: closings,
      missed: outputs.missed(by: shard, since: batch.outputsHeard),
      missedFrom: batch.outputsHeard)
    if Fault.misorderReturnedPackets.isOn {
      arriving!.packets = batch.packets
    } else {
      keepOrphans(batch.packets, of: batch.pool)
    }
    return ids
  }

  /// Gives sessions that have come back to the door to workers, unless they are to end.
  mutating func placeReturned(
    _ arrived: ArrivingSessions, now: Instant, effects: inout Effects
  ) {
    for (place, id) in arrived.ids.enumerated() where index(of: id) != nil {
      armTimer(of: id.index)
      endIfDue(id.index, arrived.closings[place], now: now, effects: &effects)
    }
    placeWaiting(pool: arrived.pool, now: now, effects: &effects)
    if Fault.misorderReturnedPackets.isOn { keepOrphans(arrived.packets, of: arrived.pool) }
  }

  /// Closes the sockets of sessions that come back when nobody has waited for them any longer.
  private func dropReturned(_ batch: MovingSessions, effects: inout Effects) -> [SessionID] {
    batch.sessions.map { moving in
      let slot = uuids.slot(of: moving.uuid)!
      // Names no session, and no other socket is in the place.
      let id = SessionID(index: slot, generation: sessions[slot].generation &- 1)
      effects.io.append(.closeClient(id, .abort))
      return id
    }
  }
}
