internal import Upstream

/// Makes one answer of those of all shards.
package enum MergedReplies {
  /// - Parameters:
  ///   - replies: by the shards' numbers, the door's first; at least one.
  ///   - command: what each shard was asked.
  /// - Returns: a reply that is no answer to the command, if there is one.
  package static func merge(_ replies: [Reply], to command: Command) -> Reply {
    switch command {
    case .listWorkers: return workers(replies)
    case .listSessions(_, _, let limit): return sessions(replies, pageMax: limit)
    case .metrics: return metrics(replies)
    case .health: return health(replies)
    // One shard answers these.
    case .addWorker, .drainWorker, .removeWorker, .closeSession, .closeSessions, .listListeners,
      .removeListener, .explain, .startRecording, .takeRecorded, .stopRecording:
      return replies[0]
    }
  }

  /// By their ids, which is the order in which they were added, as far as one shard is concerned.
  private static func workers(_ replies: [Reply]) -> Reply {
    var all: [WorkerStatus] = []
    for reply in replies {
      guard case .workers(let some) = reply else { return reply }
      all += some
    }
    return .workers(all.sorted { $0.id.rawValue < $1.id.rawValue })
  }

  /// By their places at the door, as a cursor counts.
  ///
  /// Each shard has answered with as many as a page takes, or with all that it has.
  private static func sessions(_ replies: [Reply], pageMax: Int) -> Reply {
    var all: [SessionStatus] = []
    var next: UInt32?
    // One that moved meanwhile may be with two. Shards beside the door come first: the door's may
    // be stale.
    for reply in replies.reversed() {
      guard case .sessions(let some, let rest) = reply else { return reply }
      all += some
      if let rest { next = min(next ?? rest, rest) }
    }
    all = inOrder(all)
    if all.count > pageMax { next = min(next ?? .max, all[pageMax].slot) }
    return .sessions(Array(all.prefix(pageMax)), next: next)
  }

  /// Sorted, each place once: with the status that came first.
  private static func inOrder(_ sessions: [SessionStatus]) -> [SessionStatus] {
    let order = sessions.indices.sorted {
      (sessions[$0].slot, $0) < (sessions[$1].slot, $1)
    }
    var result: [SessionStatus] = []
    result.reserveCapacity(sessions.count)
    for index in order where result.last?.slot != sessions[index].slot {
      result.append(sessions[index])
    }
    return result
  }

  /// Ready when the gateway does not end and each pool has a worker with some shard.
  private static func health(_ replies: [Reply]) -> Reply {
    var merged: HealthStatus?
    for reply in replies {
      guard case .health(let one) = reply else { return reply }
      guard var health = merged else {
        merged = one
        continue
      }
      health.poolsWithoutWorker.removeAll { !one.poolsWithoutWorker.contains($0) }
      health.shuttingDown = health.shuttingDown || one.shuttingDown
      health.ready = !health.shuttingDown && health.poolsWithoutWorker.isEmpty
      merged = health
    }
    return .health(merged!)
  }

  private static func metrics(_ replies: [Reply]) -> Reply {
    var merged: MetricsSnapshot?
    for reply in replies {
      guard case .metrics(let one) = reply else { return reply }
      merged = merged.map { $0.adding(one) } ?? one
    }
    var all = merged!
    all.workers.sort { $0.id.rawValue < $1.id.rawValue }
    return .metrics(all)
  }
}

extension MetricsSnapshot {
  /// The door's figures, with another shard's.
  ///
  /// The door alone knows which listeners there are, who is in and who is banned; what happened to
  /// sessions is counted where it happened.
  fileprivate func adding(_ other: MetricsSnapshot) -> MetricsSnapshot {
    var all = self
    for index in all.listeners.indices {
      let name = all.listeners[index].name
      guard let one = other.listeners.first(where: { $0.name == name }) else { continue }
      all.listeners[index].add(one)
    }
    all.access.add(other.access)
    all.workers += other.workers
    all.linkEnds.add(other.linkEnds)
    all.messagesToUnknownSession += other.messagesToUnknownSession
    all.messagesWithoutTarget += other.messagesWithoutTarget
    all.broadcasts += other.broadcasts
    all.broadcastsRefused += other.broadcastsRefused
    all.packetsRerouted += other.packetsRerouted
    all.unfinishedDropped += other.unfinishedDropped
    all.packetsOfClosedSessions += other.packetsOfClosedSessions
    all.clientQueueBytes += other.clientQueueBytes
    all.acceptPauses += other.acceptPauses
    all.workerReadPauses += other.workerReadPauses
    return all
  }
}

extension MetricsSnapshot.Listener {
  /// Who is in, and who has come, the door counts.
  fileprivate mutating func add(_ other: MetricsSnapshot.Listener) {
    sessionsClosed.add(other.sessionsClosed)
    packetsIn += other.packetsIn
    bytesIn += other.bytesIn
    messagesOut += other.messagesOut
    bytesOut += other.bytesOut
  }
}

extension AccessMetrics {
  /// Logins and bans are the door's.
  fileprivate mutating func add(_ other: AccessMetrics) {
    slowDowns += other.slowDowns
    packetsDropped += other.packetsDropped
    temporaryBans += other.temporaryBans
    sessionsBanned += other.sessionsBanned
  }
}

extension [UInt64] {
  fileprivate mutating func add(_ other: [UInt64]) {
    for index in indices where index < other.count { self[index] += other[index] }
  }
}
