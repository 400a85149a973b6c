package import Upstream

/// Where a worker goes that is added to a running gateway of several shards.
package enum PoolPlaces {
  package struct Pool: Sendable {
    package var name: String
    /// Its workers may be with any shard; else they are at the door.
    package var isSpread: Bool
  }

  package static func pools(of configuration: GatewayConfiguration) -> [Pool] {
    configuration.pools.indices.map {
      Pool(name: configuration.pools[$0].name, isSpread: configuration.isSpread(pool: $0))
    }
  }

  /// - Parameters:
  ///   - pool: its name; nil means the only one.
  ///   - workers: all that there are, by shard.
  /// - Returns: where the worker is, if it is anywhere; else the shard with the fewest workers of
  ///   its pool. The door refuses what names no pool.
  package static func shard(
    for worker: WorkerConfiguration, pool: String?, pools: [Pool], workers: [[WorkerStatus]]
  ) -> Int {
    let found =
      pool.map { name in pools.first { $0.name == name } } ?? (pools.count == 1 ? pools[0] : nil)
    guard let found else { return 0 }
    let ofPool = workers.map { $0.filter { $0.pool == found.name } }
    let holder = ofPool.firstIndex { $0.contains { $0.endpoint == worker.authority } }
    if let holder { return holder }
    guard found.isSpread else { return 0 }
    // Those that are drained carry nobody.
    let counts = ofPool.map { $0.count { $0.state != .drained } }
    return counts.indices.min { counts[$0] < counts[$1] } ?? 0
  }
}
