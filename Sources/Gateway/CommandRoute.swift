package import Upstream

/// Which shards of a gateway a command is for; every driver asks it here.
package enum CommandRoute: Equatable {
  /// The first shard, which knows who is in and whom to keep out.
  case door
  /// All of them; ``MergedReplies`` makes one answer of theirs.
  case every
  case shard(Int)
  /// Where ``PoolPlaces`` puts the worker that it adds.
  case placed(WorkerConfiguration, pool: String?)
}

extension Command {
  /// - Parameter shards: how many there are; with one shard everything is the door's.
  package func route(shards: Int) -> CommandRoute {
    if shards == 1 { return .door }
    switch self {
    case .listWorkers, .listSessions, .metrics, .health: return .every
    case .addWorker(let pool, let worker): return .placed(worker, pool: pool)
    // One that no shard has given is unknown to whichever is asked.
    case .drainWorker(let id), .removeWorker(let id): return .shard(id.shard(of: shards))
    case .closeSession, .closeSessions, .listListeners, .removeListener, .explain,
      .startRecording, .takeRecorded, .stopRecording:
      return .door
    }
  }
}
