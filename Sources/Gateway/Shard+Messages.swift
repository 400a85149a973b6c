public import Primitives

/// Shards tell each other what they have to know.
extension Shard {
  /// A message came that brings no sessions.
  public mutating func received(
    _ message: ShardMessage, from shard: Int, now: Instant, effects: inout Effects
  ) {
  }

  /// Sessions came, with their sockets.
  ///
  /// The driver registers the sockets, to be read, as after
  /// ``accepted(listener:client:entropy:now:effects:)``, before it performs the effects.
  ///
  /// - Parameter message: `sessions` or `returned`.
  /// - Returns: what this shard calls the sessions, in order.
  public mutating func take(
    _ message: ShardMessage, from shard: Int, now: Instant, effects: inout Effects
  ) -> [SessionID] {
    []
  }
}
