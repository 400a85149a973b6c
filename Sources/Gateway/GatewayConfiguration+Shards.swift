internal import Auth

extension GatewayConfiguration {
  /// Whether a pool's workers may be on several shards.
  ///
  /// Else they are all at the door: with packet balance, where one session speaks to all of them,
  /// and where workers hear of clients that have not been let in.
  public func isSpread(pool: Int) -> Bool {
    guard pools[pool].balance == .session else { return false }
    return !listeners.contains { $0.keepsTogether(pool: pool) }
  }
}

extension ListenerConfiguration {
  /// The listener needs the pool's workers at the door, where its clients are until they are in.
  func keepsTogether(pool: Int) -> Bool {
    guard let authentication else { return false }
    if case .worker(pool, _) = authentication.kind { return true }
    return self.pool == pool && authentication.login.before == .forward
  }
}
