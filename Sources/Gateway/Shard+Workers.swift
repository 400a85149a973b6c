internal import Auth
public import Primitives
public import Upstream

/// Workers come and go, and sessions move between them.
extension Shard {
  // MARK: What the driver reports

  /// The worker at the other end of a link.
  public func worker(of link: LinkIndex) -> WorkerConfiguration { links[link].configuration }

  public mutating func linkResolved(
    _ link: LinkIndex, _ addresses: [SocketAddress], now: Instant, effects: inout Effects
  ) {
    perform(links[link].resolved(addresses, now: now), on: link, now: now, effects: &effects)
  }

  public mutating func linkResolveFailed(
    _ link: LinkIndex, _ detail: String, now: Instant, effects: inout Effects
  ) {
    let action = links[link].resolveFailed(detail, now: now)
    perform(action, on: link, now: now, effects: &effects)
  }

  public mutating func linkConnected(
    _ link: LinkIndex, now: Instant, effects: inout Effects
  ) {
    markDirty(link)
    let action = links[link].connected(now: now)
    perform(action, on: link, now: now, effects: &effects)
  }

  public mutating func linkConnectFailed(
    _ link: LinkIndex, _ detail: String, now: Instant, effects: inout Effects
  ) {
    let action = links[link].connectFailed(detail, now: now)
    perform(action, on: link, now: now, effects: &effects)
  }

  /// The connection to a worker broke, or the worker closed it.
  public mutating func linkLost(
    _ link: LinkIndex, _ reason: LinkEndReason, _ detail: String, now: Instant,
    effects: inout Effects
  ) {
    let action = links[link].connectionLost(reason, detail, now: now)
    perform(action, on: link, now: now, effects: &effects)
  }

  /// Says where the bytes for a worker lie; 0 slices when there is nothing to write.
  public mutating func prepareLinkWrite(
    _ link: LinkIndex, into slices: UnsafeMutableBufferPointer<IOSlice>, now: Instant,
    effects: inout Effects
  ) -> Int {
    let (count, action) = unsafe links[link].prepareWrite(slices, now: now)
    // Nothing happened: the link must not count as dirty again, or every turn would write.
    if case .none = action {
      takeAnswers(of: link, now: now, effects: &effects)
      return count
    }
    perform(action, on: link, now: now, effects: &effects)
    return count
  }

  /// A worker's socket took `byteCount` bytes.
  public mutating func linkWrote(
    _ link: LinkIndex, _ byteCount: Int, now: Instant, effects: inout Effects
  ) {
    links[link].wrote(byteCount)
    if links[link].isReady,
      links[link].queuedBytes <= configuration.limits.workerQueueBytesMax / 2
    {
      linkStates[Int(link)].inherited = 0
      if !Fault.loseWorkerWakeUp.isOn { unpark(link, now: now, effects: &effects) }
    }
  }

  // MARK: A link's life

  @discardableResult
  mutating func addLink(
    _ worker: WorkerConfiguration, pool: Int, now: Instant, effects: inout Effects
  ) -> LinkIndex? {
    guard let link = links.take() else { return nil }
    // Over all shards none is given twice; see ``WorkerID/shard(of:)``.
    lastWorkerID += lastWorkerID == 0 ? UInt32(number) + 1 : UInt32(groupCount)
    links[link] = Link(
      id: WorkerID(rawValue: lastWorkerID), pool: pool, configuration: worker,
      messageBytesMax: configuration.limits.messageBytesMax, seed: random.next())
    while linkStates.count <= Int(link) { linkStates.append(LinkState()) }
    linkStates[Int(link)] = LinkState()
    linkStates[Int(link)].isUsed = true
    effects.log.append(
      .workerAdded(
        worker: links[link].id, pool: pools[pool].configuration.name,
        endpoint: worker.authority))
    perform(links[link].start(now: now), on: link, now: now, effects: &effects)
    return link
  }

  /// Sets a link's timer to its deadline; most of what happens to a link does not change that.
  mutating func rearm(_ link: LinkIndex) {
    let deadline = links[link].deadline
    guard linkStates[Int(link)].armedFor != deadline else { return }
    linkStates[Int(link)].armedFor = deadline
    if deadline == .distantFuture {
      linkTimers.disarm(link)
    } else {
      linkTimers.arm(link, at: deadline)
    }
  }

  /// Something was queued for a worker: it is written at the end of the turn.
  @inline(__always)
  mutating func markDirty(_ link: LinkIndex) {
    guard !linkStates[Int(link)].isDirty else { return }
    linkStates[Int(link)].isDirty = true
    dirtyLinks.append(link)
  }

  mutating func writeDirtyLinks(now: Instant, effects: inout Effects) {
    var next = 0
    // One that is too full gives its packets to others, which join the list.
    while next < dirtyLinks.count {
      let link = dirtyLinks[next]
      next += 1
      // It may have been forgotten, and another may have its place.
      guard linkStates[Int(link)].isDirty else { continue }
      linkStates[Int(link)].isDirty = false
      endIfOverfull(link, now: now, effects: &effects)
      effects.io.append(.writeLink(link))
    }
    dirtyLinks.removeAll()
  }

  mutating func perform(
    _ action: LinkAction, on link: LinkIndex, now: Instant, effects: inout Effects
  ) {
    switch action {
    case .none: break
    case .resolve: effects.io.append(.resolve(link))
    case .connect(let address):
      // Also ends an attempt with another address that is still under way.
      effects.io.append(.closeLink(link))
      effects.io.append(.connect(link, address))
    case .becameReady: becameReady(link, now: now, effects: &effects)
    case .notReady(let retryIn):
      effects.log.append(
        .workerNotReady(
          worker: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link),
          retryIn: retryIn))
      answerProbe(link, effects: &effects)
    case .drainRequested: drain(link, .reconnect, now: now, effects: &effects)
    case .ended(let end): ended(link, end, now: now, effects: &effects)
    }
    if linkStates[Int(link)].isUsed {
      markDirty(link)
      rearm(link)
    }
    takeAnswers(of: link, now: now, effects: &effects)
  }

  private mutating func becameReady(_ link: LinkIndex, now: Instant, effects: inout Effects) {
    let pool = links[link].pool
    pools[pool].enter(link)
    effects.log.append(
      .workerReady(
        worker: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link)))
    announceAll(to: link, pool: pool)
    tellRotation(of: pool, &effects)
    placeWaiting(pool: pool, now: now, effects: &effects)
    retryClaims(now: now, effects: &effects)
    // With packet balance some may wait because all others are full.
    unpark(link, now: now, effects: &effects)
    answerProbe(link, effects: &effects)
  }

  /// Takes a worker out of rotation and lets it finish.
  mutating func drain(
    _ link: LinkIndex, _ next: Link.Afterwards, now: Instant, effects: inout Effects
  ) {
    let pool = links[link].pool
    pools[pool].leave(link)
    tellRotation(of: pool, &effects)
    var timeout = pools[pool].configuration.drainTimeout
    if shutdown != nil { timeout = configuration.shutdownGrace / 2 }
    let wasReady = links[link].isReady
    let action = links[link].drain(next, now: now, timeout: timeout)
    if wasReady {
      effects.log.append(
        .workerDraining(
          worker: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link)))
      if configuration.pools[pool].balance == .packet {
        pauseIfNoWorker(pool: pool, now: now, effects: &effects)
      }
    }
    perform(action, on: link, now: now, effects: &effects)
    // A worker without a connection has nothing to finish, and no end to wait for.
    if linkStates[Int(link)].isUsed, links[link].isRemoved { forget(link, effects: &effects) }
  }

  private mutating func ended(
    _ link: LinkIndex, _ end: LinkEnd, now: Instant, effects: inout Effects
  ) {
    effects.io.append(.closeLink(link))
    counters.linkEnds[Int(end.reason.rawValue)] += 1
    let pool = links[link].pool
    pools[pool].leave(link)
    tellRotation(of: pool, &effects)
    linkStates[Int(link)].isRead = true
    linksPausedByTotal.removeAll { $0 == link }
    if linksPausedByTotal.isEmpty { shedAt = nil }
    linkStates[Int(link)].inherited = 0
    if !Fault.keepHalfAnswer.isOn { dropUnfinished(from: link) }
    releaseHolds(on: link)
    var unsent = links[link].takeUnsent()
    if Fault.dropOnFailover.isOn { unsent = [] }
    let refused = end.isVerdict ? takeRefused(&unsent, isCut: links[link].unsentBeginsCut) : nil
    countWaitingPackets(unsent)
    let moved: Int
    if !isDoor, shutdown == nil, pools[pool].rotation.isEmpty {
      moved = returnSessions(of: link, refused, unsent, now: now, effects: &effects)
    } else {
      moved = moveSessions(from: link, now: now, effects: &effects)
      if Fault.misorderAfterMove.isOn {
        pools[pool].orphans += unsent
      } else {
        reroute(unsent, pool: pool)
      }
    }
    pauseIfNoWorker(pool: pool, now: now, effects: &effects)
    effects.log.append(
      .workerLost(
        worker: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link),
        reason: end.reason, detail: end.detail, sessionsMoved: moved, retryIn: end.retryIn))
    if let refused {
      close(refused, .packetRefused, flush: true, now: now, effects: &effects)
    }
    // Other shards may have workers for those that wait.
    if isDoor, pools[pool].isSpread {
      placeWaiting(pool: pool, now: now, effects: &effects)
    }
    answerProbe(link, effects: &effects)
    unpark(link, now: now, effects: &effects)
    takeAnswers(of: link, now: now, effects: &effects)
    if links[link].isRemoved { forget(link, effects: &effects) }
  }

  mutating func forget(_ link: LinkIndex, effects: inout Effects) {
    effects.log.append(
      .workerRemoved(
        worker: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link)))
    linkStates[Int(link)] = LinkState()
    linkTimers.disarm(link)
    links.giveBack(link)
  }

  private mutating func releaseHolds(on link: LinkIndex) {
    linksPausedByOutput.removeAll { $0 == link }
    guard linkStates[Int(link)].holds > 0 else { return }
    for index in live where sessions[index].heldLink == link {
      sessions[index].heldLink = Session.noLink
    }
    linkStates[Int(link)].holds = 0
  }

  func poolName(of link: LinkIndex) -> String { pools[links[link].pool].configuration.name }
  func endpoint(of link: LinkIndex) -> String { links[link].configuration.authority }

  /// Ends a link whose queue has grown far beyond its bound by events, which do not heed it.
  mutating func endIfOverfull(_ link: LinkIndex, now: Instant, effects: inout Effects) {
    let limits = configuration.limits
    // Not what it inherited: that would have to end the next heir, and the next.
    let most = 4 * limits.workerQueueBytesMax + limits.messageBytesMax
    guard links[link].queuedBytes > most + linkStates[Int(link)].inherited else { return }
    linkLost(link, .queueFull, "", now: now, effects: &effects)
  }
}

extension WorkerID {
  /// The number of the shard that gave it, of `count` shards: 0 gives 1, `count` + 1 and so on.
  ///
  /// One that no shard has given names any of them.
  package func shard(of count: Int) -> Int { Int((rawValue &- 1) % UInt32(count)) }
}
