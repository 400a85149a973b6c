internal import Auth
internal import Framing

/// Which pools' workers may be on all shards, their sessions with them.
extension GatewayConfiguration {
  /// Whether the workers of a pool may be on any shard; those of other pools are at the door.
  ///
  /// At the door stay those that hear of sessions which were not let in yet or that let them in,
  /// those that are given packets in turn, and those of listeners with a plugin, whose contexts
  /// belong to one thread.
  ///
  /// - Parameter pool: index into ``pools``.
  public func isSpread(pool: Int) -> Bool {
    pools[pool].balance == .session && !listeners.contains { $0.keepsAtDoor(pool) }
  }
}

extension ListenerConfiguration {
  /// Whether a pool's workers have to be at the door for this listener.
  func keepsAtDoor(_ pool: Int) -> Bool {
    if case .worker(let asked, _)? = authentication?.kind, asked == pool { return true }
    guard self.pool == pool else { return false }
    return authentication?.login.before == .forward || clientToServer.hasPlugin
      || serverToClient.hasPlugin || loginFramer?.hasPlugin == true
  }
}
