internal import Auth
public import Primitives
internal import Upstream

/// Operators ask, and the shard answers.
extension Shard {
  /// Carries out a command; its answer, at once or later, is a reply with the same token.
  public mutating func handle(
    _ command: Command, token: UInt64, now: Instant, effects: inout Effects
  ) {
    switch command {
    case .addWorker(let pool, let worker):
      addWorker(worker, to: pool, token: token, now: now, effects: &effects)
    case .listWorkers:
      reply(.workers(usedLinks.map { status(of: $0) }), token, &effects)
    case .drainWorker(let id):
      drainWorker(id, .stayDrained, token: token, now: now, effects: &effects)
    case .removeWorker(let id):
      drainWorker(id, .remove, token: token, now: now, effects: &effects)
    case .listSessions(let subject, let cursor, let limit):
      reply(listSessions(of: subject, from: cursor, limit: limit, now: now), token, &effects)
    case .closeSession(let uuid):
      closeSession(uuid, token: token, now: now, effects: &effects)
    case .closeSessions(let subject):
      reply(
        .closed(sessions: closeSessions(of: subject, now: now, effects: &effects)), token, &effects)
    case .listListeners: reply(.listeners(listenerStatuses()), token, &effects)
    case .removeListener(let name, let closesSessions):
      do throws(CommandError) {
        let status = try removeListener(
          named: name, closesSessions: closesSessions, now: now, effects: &effects)
        reply(.listenerRemoved(status), token, &effects)
      } catch {
        reply(.failed(error), token, &effects)
      }
    case .explain(let subject): reply(.explanation(explain(subject, now: now)), token, &effects)
    case .startRecording(let request):
      reply(startRecording(request, now: now, effects: &effects), token, &effects)
    case .takeRecorded(let id): reply(takeRecorded(id, now: now), token, &effects)
    case .stopRecording(let id): reply(stopRecording(id, effects: &effects), token, &effects)
    case .metrics: reply(.metrics(metrics()), token, &effects)
    case .health: reply(.health(health()), token, &effects)
    }
  }

  private func reply(_ reply: Reply, _ token: UInt64, _ effects: inout Effects) {
    effects.replies.append((token, reply))
  }

  // MARK: Workers

  private mutating func addWorker(
    _ worker: WorkerConfiguration, to poolName: String?, token: UInt64, now: Instant,
    effects: inout Effects
  ) {
    guard shutdown == nil else { return reply(.failed(.shuttingDown), token, &effects) }
    let names = pools.map { $0.configuration.name }
    let pool: Int
    if let poolName {
      guard let found = names.firstIndex(of: poolName) else {
        return reply(.failed(.unknownPool(poolName)), token, &effects)
      }
      pool = found
    } else {
      guard names.count == 1 else { return reply(.failed(.poolNotNamed(names)), token, &effects) }
      pool = 0
    }
    for link in usedLinks
    where links[link].pool == pool && links[link].configuration.authority == worker.authority {
      guard links[link].isDrained else {
        return reply(.failed(.duplicateWorker(links[link].id)), token, &effects)
      }
      forget(link, effects: &effects)
    }
    guard let link = addLink(worker, pool: pool, now: now, effects: &effects) else {
      return reply(.failed(.tooManyWorkers), token, &effects)
    }
    linkStates[Int(link)].probeTokens.append(token)
  }

  /// The first probe of a worker has an outcome: tell who asked for it.
  mutating func answerProbe(_ link: LinkIndex, effects: inout Effects) {
    guard !linkStates[Int(link)].probeTokens.isEmpty else { return }
    for token in linkStates[Int(link)].probeTokens {
      reply(.workerAdded(status(of: link)), token, &effects)
    }
    linkStates[Int(link)].probeTokens = []
  }

  private mutating func drainWorker(
    _ id: WorkerID, _ next: Link.Afterwards, token: UInt64, now: Instant, effects: inout Effects
  ) {
    guard let link = usedLinks.first(where: { links[$0].id == id }) else {
      return reply(.failed(.unknownWorker), token, &effects)
    }
    drain(link, next, now: now, effects: &effects)
    reply(.done, token, &effects)
  }

  func status(of link: LinkIndex) -> WorkerStatus {
    WorkerStatus(
      id: links[link].id, pool: poolName(of: link), endpoint: endpoint(of: link),
      state: links[link].state,
      sessions: linkStates[Int(link)].sessionCount, queuedBytes: links[link].queuedBytes,
      packetsSent: links[link].packetsSent, messagesReceived: links[link].messagesReceived,
      reconnects: links[link].reconnects, lastEnd: links[link].lastEnd?.reason,
      lastEndDetail: links[link].lastEnd?.detail ?? "")
  }

  // MARK: Sessions

  private func listSessions(
    of subject: Subject?, from cursor: UInt32, limit: Int, now: Instant
  ) -> Reply {
    var found: [SessionStatus] = []
    var slot = cursor
    while Int(slot) < (isDoor ? sessions.count : indexOfSlot.count) {
      if let index = listed(at: slot), subject.map({ isOf($0, index) }) ?? true {
        if found.count == limit { return .sessions(found, next: slot) }
        found.append(status(of: index, now: now))
      }
      slot += 1
    }
    return .sessions(found, next: nil)
  }

  /// The session that has a slot at the door and is with this shard, or nil.
  private func listed(at slot: UInt32) -> UInt32? {
    let index = isDoor ? slot : indexOfSlot[Int(slot)]
    guard Int(index) < sessions.count, sessions[index].phase != .vacant,
      sessions[index].phase != .away, isDoor || uuids.slot(of: sessions[index].uuid) == slot
    else { return nil }
    return index
  }

  private func status(of index: UInt32, now: Instant) -> SessionStatus {
    let link = sessions[index].link
    return SessionStatus(
      slot: uuids.slot(of: sessions[index].uuid) ?? index, uuid: sessions[index].uuid,
      client: sessions[index].client, account: identities.account(at: sessions[index].identity),
      isPending: sessions[index].phase == .login, listener: listener(of: index).name,
      worker: link == Session.noLink ? nil : links[link].id,
      age: now.since(sessions[index].openedAt), idle: now.since(sessions[index].activeAt),
      packetsIn: sessions[index].traffic.packetsIn, bytesIn: sessions[index].traffic.bytesIn,
      messagesOut: sessions[index].traffic.messagesOut, bytesOut: sessions[index].traffic.bytesOut,
      queuedBytes: sessions[index].queue.count)
  }

  private mutating func closeSession(
    _ uuid: SessionUUID, token: UInt64, now: Instant, effects: inout Effects
  ) {
    guard let index = index(of: uuid) else {
      return reply(.failed(.unknownSession), token, &effects)
    }
    close(index, .closedByOperator, flush: true, now: now, effects: &effects)
    reply(.done, token, &effects)
  }

  /// Closes all sessions of an account or of addresses; returns how many there were.
  private mutating func closeSessions(
    of subject: Subject, now: Instant, effects: inout Effects
  ) -> Int {
    // Backwards: a session that closes is replaced by the last, which has been looked at.
    var closed = 0
    for place in live.indices.reversed() {
      let index = live[place]
      guard sessions[index].phase != .closing, !isEndingAway(index), isOf(subject, index)
      else { continue }
      close(index, .closedByOperator, flush: true, now: now, effects: &effects)
      closed += 1
    }
    return closed
  }

  // MARK: Numbers

  private func accessMetrics() -> AccessMetrics {
    var metrics = access
    metrics.loginsPending = pending.count
    metrics.loginsVerifying = gate.verifying
    metrics.loginsWaiting = loginsWaiting
    // The others keep no bans.
    guard isDoor else { return metrics }
    metrics.bans = bans.count + unrecorded.count
    metrics.banTableBytes = bans.byteCount
    return metrics
  }

  private var loginsWaiting: Int {
    var count = 0
    for index in live where sessions[index].phase == .login {
      if case .waiting = pending.records[sessions[index].login].phase { count += 1 }
    }
    return count
  }

  private func health() -> HealthStatus {
    let without = pools.filter { $0.rotation.isEmpty }.map { $0.configuration.name }
    return HealthStatus(
      ready: shutdown == nil && without.isEmpty, poolsWithoutWorker: without,
      shuttingDown: shutdown != nil)
  }

  private func metrics(ofListener slot: Int, _ traffic: Traffic) -> MetricsSnapshot.Listener {
    MetricsSnapshot.Listener(
      name: listeners[slot].configuration.name,
      // The door counts those too that are with other shards.
      sessionsOpen: isDoor ? listeners[slot].sessions : 0,
      sessionsOpened: listenerCounters[slot].opened,
      sessionsClosed: listenerCounters[slot].closed, packetsIn: traffic.packetsIn,
      bytesIn: traffic.bytesIn, messagesOut: traffic.messagesOut, bytesOut: traffic.bytesOut)
  }

  /// All counters and gauges, as ``Command/metrics`` is answered.
  package func metrics() -> MetricsSnapshot {
    // See `ListenerCounters`.
    var traffic = listenerCounters.map(\.traffic)
    for index in live { traffic[Int(sessions[index].listener)] &+= sessions[index].traffic }
    let inUse = listeners.indices.filter { listeners[$0].state != .vacant }
    return MetricsSnapshot(
      listeners: inUse.map { metrics(ofListener: $0, traffic[$0]) }, access: accessMetrics(),
      workers: usedLinks.map { status(of: $0) },
      linkEnds: counters.linkEnds,
      messagesToUnknownSession: counters.messagesToUnknownSession,
      messagesWithoutTarget: counters.messagesWithoutTarget, broadcasts: counters.broadcasts,
      broadcastsRefused: counters.broadcastsRefused, packetsRerouted: counters.packetsRerouted,
      unfinishedDropped: counters.unfinishedDropped,
      packetsOfClosedSessions: counters.packetsOfClosedSessions,
      clientQueueBytes: clientQueueBytes, acceptPauses: counters.acceptPauses,
      workerReadPauses: counters.workerReadPauses, recordings: recordings.count { $0 != nil })
  }
}
