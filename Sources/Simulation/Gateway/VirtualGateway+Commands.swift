internal import Gateway
internal import Primitives
internal import Upstream

/// A command that every shard has to answer.
struct GroupCommand {
  var command: Command
  /// By the shards' numbers.
  var replies: [Reply?]
}

/// A worker that an operator adds.
struct Addition {
  var worker: WorkerConfiguration
  var pool: String?
  var token: UInt64
}

/// What operators ask of a process, dealt to its shards; the answers are put together.
extension VirtualGateway {
  func perform(_ command: Command, _ token: UInt64) {
    switch command.route(shards: shards.count) {
    case .door: door.post(.command(command, token: token))
    case .shard(let number): shards[number].post(.command(command, token: token))
    case .every:
      groupCommands[token] = GroupCommand(
        command: command, replies: Array(repeating: nil, count: shards.count))
      for shard in shards { shard.post(.command(command, token: token)) }
    case .placed(let worker, let pool):
      additions.append(Addition(worker: worker, pool: pool, token: token))
      if additions.count == 1 { addNext() }
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
    group.replies[shard.number] = reply
    let replies = group.replies.compactMap { $0 }
    guard replies.count == shards.count else { return groupCommands[token] = group }
    groupCommands[token] = nil
    simulation.answered(token, MergedReplies.merge(replies, to: group.command), by: self)
  }

  private func addNext() {
    guard let next = additions.first else { return }
    let number = PoolPlaces.shard(
      for: next.worker, pool: next.pool, pools: PoolPlaces.pools(of: configuration),
      workers: shards.map { $0.shard.metrics().workers })
    shards[number].post(.command(.addWorker(pool: next.pool, next.worker), token: next.token))
  }

  /// What all shards together have counted.
  ///
  /// While ``isQuiet`` is false, sessions on their way are missing in some counts, and so is what
  /// was counted for listeners that the door has forgotten.
  func metrics() -> MetricsSnapshot {
    let replies = shards.map { Reply.metrics($0.shard.metrics()) }
    guard case .metrics(let all) = MergedReplies.merge(replies, to: .metrics) else {
      preconditionFailure("metrics of several shards make no metrics")
    }
    return all
  }
}
