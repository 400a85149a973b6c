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
    lastWorkerID += 1
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
    var resumed: [UInt32] = []
    for index in live where self.pool(of: index) == pool {
      guard sessions[index].pauses.contains(.noWorker), sessions[index].phase != .closing else {
        continue
      }
      attach(index)
      // Its client has ended and now waits for this worker's answers.
      if sessions[index].phase == .halfClosed { sessions[index].activeAt = now }
      resumed.append(index)
    }
    sendOrphans(of: pool)
    for index in resumed {
      unpause(index, .noWorker, effects: &effects)
      forwardReceived(of: index, now: now, effects: &effects)
      if sessions[index].phase != .vacant { armTimer(of: index) }
    }
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
    let moved = moveSessions(from: link, now: now, effects: &effects)
    if Fault.misorderAfterMove.isOn {
      pools[pool].orphans += unsent
    } else {
      reroute(unsent, pool: pool)
    }
    pauseIfNoWorker(pool: pool, now: now, effects: &effects)
    effects.log.append(
      .workerLost(
        worker: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link),
        reason: end.reason, detail: end.detail, sessionsMoved: moved, retryIn: end.retryIn))
    if let refused {
      close(refused, .packetRefused, flush: true, now: now, effects: &effects)
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
    guard linkStates[Int(link)].holds > 0 else { return }
    for index in live where sessions[index].heldLink == link {
      sessions[index].heldLink = Session.noLink
    }
    linkStates[Int(link)].holds = 0
  }

  // MARK: Sessions and their workers

  /// Gives a new session to the worker whose turn it is.
  mutating func assignWorker(to index: UInt32, now: Instant, effects: inout Effects) {
    let path = paths[Int(sessions[index].listener)]
    if pools[path.pool].rotation.isEmpty {
      wait(index, now: now, effects: &effects)
    } else if path.balancesPackets {
      for link in pools[path.pool].rotation { announceOpened(index, to: link) }
    } else {
      attach(index)
    }
  }

  /// - Precondition: a worker is in rotation, or packets are balanced one by one.
  private mutating func attach(_ index: UInt32) {
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

  /// Ends a link whose queue has grown far beyond its bound by events, which do not heed it.
  mutating func endIfOverfull(_ link: LinkIndex, now: Instant, effects: inout Effects) {
    let limits = configuration.limits
    // Not what it inherited: that would have to end the next heir, and the next.
    let most = 4 * limits.workerQueueBytesMax + limits.messageBytesMax
    guard links[link].queuedBytes > most + linkStates[Int(link)].inherited else { return }
    linkLost(link, .queueFull, "", now: now, effects: &effects)
  }

  private mutating func wait(_ index: UInt32, now: Instant, effects: inout Effects) {
    sessions[index].waitingSince = now
    pause(index, .noWorker, effects: &effects)
    armTimer(of: index)
  }

  /// Gives the sessions of a worker that ended to others; returns how many there were.
  private mutating func moveSessions(
    from link: LinkIndex, now: Instant, effects: inout Effects
  ) -> Int {
    guard linkStates[Int(link)].sessionCount > 0 else { return 0 }
    var moved = 0
    for index in live where sessions[index].link == link {
      moved += 1
      sessions[index].link = Session.noLink
      sessions[index].isAnnounced = false
      sessions[index].hadWorker = true
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
  private mutating func pauseIfNoWorker(pool: Int, now: Instant, effects: inout Effects) {
    guard pools[pool].rotation.isEmpty, configuration.pools[pool].balance == .packet else {
      return
    }
    for index in live where self.pool(of: index) == pool {
      guard !sessions[index].pauses.contains(.noWorker), hasWorkers(index) else { continue }
      wait(index, now: now, effects: &effects)
    }
  }

  // MARK: Packets of lost workers

  /// Takes the packet that a worker began to get and then refused, by ending the stream.
  ///
  /// It goes to no other: one that no worker can take would end them all. Its session is closed
  /// instead.
  private mutating func takeRefused(_ messages: inout [UInt8], isCut: Bool) -> UInt32? {
    guard isCut else { return nil }
    var session: UInt32?
    var byteCount = 0
    unsafe messages.withUnsafeBytes { bytes in
      guard bytes.count > 0 else { return }
      byteCount = unsafe ContractWriter.messageByteCount(at: bytes)
      if unsafe ContractWriter.isPacket(bytes) { session = unsafe self.session(of: bytes) }
    }
    messages.removeFirst(byteCount)
    return session
  }

  /// Notes which sessions have packets in `messages`, for whoever is told of those sessions next.
  private func countWaitingPackets(_ messages: [UInt8]) {
    unsafe messages.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let packet = unsafe nextPacket(&rest) {
        if let session = unsafe packet.session { sessions[session].packetsWaiting += 1 }
      }
    }
  }

  /// Gives the packets that had not left for a lost worker to those that have its sessions now.
  ///
  /// What sessions sent that are gone meanwhile goes, together, to the worker whose turn it is,
  /// unless that one follows sessions: it would get packets of one that it never heard of.
  private mutating func reroute(_ messages: [UInt8], pool: Int) {
    let isPacketBalanced = configuration.pools[pool].balance == .packet
    let heir = messages.isEmpty ? nil : pools[pool].next()
    unsafe messages.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let (message, named) = unsafe nextPacket(&rest) {
        let session = named.flatMap { sessions[$0].phase == .closing ? nil : $0 }
        let own = session.flatMap { isPacketBalanced ? pools[pool].next() : linkOrNil(of: $0) }
        guard let link = own ?? heir else {
          unsafe pools[pool].orphans.append(contentsOf: message)
          continue
        }
        if let named { sessions[named].packetsWaiting -= 1 }
        if session == nil, links[link].wantsSessionEvents {
          counters.packetsOfClosedSessions += 1
          continue
        }
        counters.packetsRerouted += 1
        linkStates[Int(link)].inherited += message.count
        unsafe links[link].sendEncoded(message)
        markDirty(link)
      }
    }
  }

  /// Takes the next packet from the front of encoded messages, and whose it is if that is there.
  ///
  /// Events are passed over: the next worker is told of its sessions anew.
  private func nextPacket(
    _ rest: inout UnsafeRawBufferPointer
  ) -> (message: UnsafeRawBufferPointer, session: UInt32?)? {
    while rest.count > 0 {
      let byteCount = unsafe ContractWriter.messageByteCount(at: rest)
      let message = unsafe UnsafeRawBufferPointer(rebasing: rest[..<byteCount])
      unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[byteCount...])
      if unsafe ContractWriter.isPacket(message) { return unsafe (message, session(of: message)) }
    }
    return nil
  }

  private func session(of message: UnsafeRawBufferPointer) -> UInt32? {
    let uuid = unsafe ContractWriter.uuid(of: message)
    guard let index = uuids.slot(of: uuid), Int(index) < sessions.count,
      sessions[index].uuid == uuid
    else { return nil }
    return index
  }

  private mutating func sendOrphans(of pool: Int) {
    let orphans = pools[pool].orphans
    pools[pool].orphans = []
    reroute(orphans, pool: pool)
  }

  /// Forgets the packets of a session that is told that no worker had them.
  mutating func dropOrphans(of index: UInt32) {
    guard sessions[index].packetsWaiting > 0 else { return }
    sessions[index].packetsWaiting = 0
    let pool = pool(of: index)
    var kept: [UInt8] = []
    unsafe pools[pool].orphans.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let (message, session) = unsafe nextPacket(&rest) {
        if session != index { unsafe kept.append(contentsOf: message) }
      }
    }
    pools[pool].orphans = kept
  }

  private func linkOrNil(of index: UInt32) -> LinkIndex? {
    sessions[index].link == Session.noLink ? nil : sessions[index].link
  }

  func poolName(of link: LinkIndex) -> String { pools[links[link].pool].configuration.name }
  func endpoint(of link: LinkIndex) -> String { links[link].configuration.authority }
}
