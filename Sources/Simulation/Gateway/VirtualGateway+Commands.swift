internal import Gateway
internal import Primitives
internal import Upstream

/// A command that every shard has to answer.
struct GroupCommand {
  var command: Command
  var replies: [Reply] = []
}

/// A worker that an operator adds.
struct Addition {
  var pool: String?
  var worker: WorkerConfiguration
  var token: UInt64
}

/// What operators ask of a process, dealt to its shards; the answers are put together.
extension VirtualGateway {
  func perform(_ command: Command, _ token: UInt64) {
    guard shards.count > 1 else { return door.post(.command(command, token: token)) }
    switch command {
    case .listWorkers, .metrics, .health, .listSessions:
      groupCommands[token] = GroupCommand(command: command)
      for shard in shards { shard.post(.command(command, token: token)) }
    case .drainWorker(let worker), .removeWorker(let worker):
      let place = (Int(worker.rawValue) - 1) % shards.count
      shards[max(place, 0)].post(.command(command, token: token))
    case .addWorker(let pool, let worker):
      additions.append(Addition(pool: pool, worker: worker, token: token))
      if additions.count == 1 { addNext() }
    default: door.post(.command(command, token: token))
    }
  }

  func answered(_ token: UInt64, _ reply: Reply, by shard: VirtualShard) {
    guard var group = groupCommands[token] else {
      if additions.first?.token == token {
        additions.removeFirst()
        addNext()
      }
      return simulation.answered(token, reply, by: self)
    }
    group.replies.append(reply)
    groupCommands[token] = group
    guard group.replies.count == shards.count else { return }
    groupCommands[token] = nil
    simulation.answered(token, merged(group), by: self)
  }

  // MARK: Adding workers

  private func addNext() {
    guard let next = additions.first else { return }
    shard(for: next).post(.command(.addWorker(pool: next.pool, next.worker), token: next.token))
  }

  /// Where the worker is already; else where its pool has the fewest.
  private func shard(for addition: Addition) -> VirtualShard {
    let workers = shards.map { $0.shard.metrics().workers }
    let pools = configuration.pools
    let pool = pools.firstIndex { $0.name == addition.pool } ?? 0
    let own = workers.map { $0.filter { $0.pool == pools[pool].name } }
    if let place = own.firstIndex(where: { workers in
      workers.contains { $0.endpoint == addition.worker.authority }
    }) {
      return shards[place]
    }
    guard configuration.isSpread(pool: pool) else { return door }
    let counts = own.map(\.count)
    return shards[counts.firstIndex(of: counts.min()!)!]
  }

  // MARK: Answers

  private func merged(_ group: GroupCommand) -> Reply {
    switch group.command {
    case .listWorkers:
      var all: [WorkerStatus] = []
      for case .workers(let workers) in group.replies { all += workers }
      return .workers(all.sorted { $0.id.rawValue < $1.id.rawValue })
    case .listSessions(_, _, let limit): return sessions(group.replies, limit)
    case .metrics: return .metrics(metrics())
    default: return group.replies[0]
    }
  }

  private func sessions(_ replies: [Reply], _ limit: Int) -> Reply {
    var all: [SessionStatus] = []
    var hasMore = false
    for case .sessions(let sessions, let next) in replies {
      all += sessions
      if next != nil { hasMore = true }
    }
    all.sort { $0.slot < $1.slot }
    let page = Array(all.prefix(limit))
    let next = hasMore || all.count > limit ? page.last.map { $0.slot + 1 } : nil
    return .sessions(page, next: next)
  }

  /// What all shards together have counted.
  ///
  /// While something ``isQuiet`` denies is on its way, sessions are missing in some counts.
  func metrics() -> MetricsSnapshot {
    var sum = door.shard.metrics()
    for shard in shards.dropFirst() {
      let other = shard.shard.metrics()
      for listener in other.listeners {
        guard let place = sum.listeners.firstIndex(where: { $0.name == listener.name }) else {
          sum.listeners.append(listener)
          continue
        }
        sum.listeners[place].add(listener)
      }
      sum.workers += other.workers
      for index in sum.linkEnds.indices { sum.linkEnds[index] += other.linkEnds[index] }
      sum.clientQueueBytes += other.clientQueueBytes
      sum.access.temporaryBans += other.access.temporaryBans
      sum.access.loginsAccepted += other.access.loginsAccepted
    }
    return sum
  }
}

extension MetricsSnapshot.Listener {
  fileprivate mutating func add(_ other: Self) {
    sessionsOpen += other.sessionsOpen
    sessionsOpened += other.sessionsOpened
    for index in sessionsClosed.indices { sessionsClosed[index] += other.sessionsClosed[index] }
    packetsIn += other.packetsIn
    bytesIn += other.bytesIn
    messagesOut += other.messagesOut
    bytesOut += other.bytesOut
  }
}
