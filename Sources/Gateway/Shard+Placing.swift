internal import Primitives
internal import Upstream

/// Which worker has which session.
extension Shard {
  /// Gives a new session to the worker whose turn it is, which may be on another shard.
  mutating func assignWorker(to index: UInt32, now: Instant, effects: inout Effects) {
    let path = paths[Int(sessions[index].listener)]
    guard let shard = nextShard(for: path.pool) else {
      return wait(index, now: now, effects: &effects)
    }
    if shard != number {
      handOver(index, to: shard, now: now, effects: &effects)
    } else if path.balancesPackets {
      for link in pools[path.pool].rotation { announceOpened(index, to: link) }
    } else {
      attach(index)
    }
  }

  /// The shard whose workers have the next session of a pool; nil when there is no worker.
  private mutating func nextShard(for pool: Int) -> Int? {
    // Then nothing goes away any more.
    guard isDoor, shutdown == nil else {
      return pools[pool].rotation.isEmpty ? nil : number
    }
    return pools[pool].nextShard()
  }

  /// - Precondition: a worker is in rotation, or packets are balanced one by one.
  mutating func attach(_ index: UInt32) {
    let path = paths[Int(sessions[index].listener)]
    guard !path.balancesPackets, let link = nextForSession(of: path.pool) else { return }
    sessions[index].link = link
    linkStates[Int(link)].sessionCount += 1
    announceOpened(index, to: link)
  }

  /// The next worker in turn, rather one whose queue has room.
  private mutating func nextForSession(of pool: Int) -> LinkIndex? {
    for _ in pools[pool].rotation {
      if let link = pools[pool].next(), linkCanForward(link) { return link }
    }
    return pools[pool].next()
  }

  mutating func wait(_ index: UInt32, now: Instant, effects: inout Effects) {
    sessions[index].waitingSince = now
    pause(index, .noWorker, effects: &effects)
    armTimer(of: index)
  }

  /// Gives the sessions of a pool that wait to workers, here or elsewhere, their packets first.
  mutating func placeWaiting(pool: Int, now: Instant, effects: inout Effects) {
    guard shutdown == nil ? pools[pool].hasWorker : !pools[pool].rotation.isEmpty else { return }
    var waiting: [UInt32] = []
    for index in live where self.pool(of: index) == pool {
      guard sessions[index].pauses.contains(.noWorker), sessions[index].phase != .closing else {
        continue
      }
      waiting.append(index)
    }
    var leaving = LeavingSessions(pool: pool)
    var resumed: [UInt32] = []
    for index in waiting {
      guard let shard = nextShard(for: pool) else { continue }
      guard shard == number else {
        depart(index, to: shard, with: &leaving, now: now, effects: &effects)
        continue
      }
      attach(index)
      // Its client has ended and now waits for this worker's answers.
      if sessions[index].phase == .halfClosed { sessions[index].activeAt = now }
      resumed.append(index)
    }
    if pools[pool].isSpread { takeOrphans(of: pool, for: &leaving) }
    sendOrphans(of: pool)
    send(leaving, &effects)
    for index in resumed { resume(index, now: now, effects: &effects) }
  }

  /// Reads on a session that has waited for a worker, and has one now.
  mutating func resume(_ index: UInt32, now: Instant, effects: inout Effects) {
    unpause(index, .noWorker, effects: &effects)
    forwardReceived(of: index, now: now, effects: &effects)
    if sessions[index].phase != .vacant { armTimer(of: index) }
  }

  /// A session's worker has ended, and another one is to be told of it anew.
  mutating func detach(_ index: UInt32) {
    sessions[index].link = Session.noLink
    sessions[index].isAnnounced = false
    sessions[index].hadWorker = true
  }

  /// Gives the sessions of a worker that ended to others; returns how many there were.
  mutating func moveSessions(
    from link: LinkIndex, now: Instant, effects: inout Effects
  ) -> Int {
    guard linkStates[Int(link)].sessionCount > 0 else { return 0 }
    var moved = 0
    for index in live where sessions[index].link == link {
      moved += 1
      detach(index)
      if sessions[index].phase == .closing { continue }
      if pools[links[link].pool].rotation.isEmpty {
        wait(index, now: now, effects: &effects)
      } else {
        attach(index)
      }
    }
    linkStates[Int(link)].sessionCount = 0
    return moved
  }

  /// With packet balance, stops all sessions of a pool that has no worker left.
  mutating func pauseIfNoWorker(pool: Int, now: Instant, effects: inout Effects) {
    guard pools[pool].rotation.isEmpty, configuration.pools[pool].balance == .packet else {
      return
    }
    for index in live where self.pool(of: index) == pool {
      guard !sessions[index].pauses.contains(.noWorker), hasWorkers(index) else { continue }
      wait(index, now: now, effects: &effects)
    }
  }
}
