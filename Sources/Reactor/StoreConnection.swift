public import Auth

/// The store as a shard's driver knows it: what it said at the start, and how to ask it more.
public final class StoreConnection: Sendable {
  /// In force when the gateway starts.
  public let bans: BanTable
  /// The store's last event that ``bans`` shows.
  public let event: Int64
  /// Has a claim verified; never waits.
  ///
  /// The answer comes by ``Mailbox/post(_:)``.
  public let verify: @Sendable (LoginRequest) -> Void
  /// Has something kept; never waits.
  public let record: @Sendable (StoreRecord) -> Void
  /// Sees to it that what was given in a turn is begun with.
  public let wake: @Sendable () -> Void

  public init(
    bans: BanTable, event: Int64, verify: @escaping @Sendable (LoginRequest) -> Void,
    record: @escaping @Sendable (StoreRecord) -> Void, wake: @escaping @Sendable () -> Void
  ) {
    self.bans = bans
    self.event = event
    self.verify = verify
    self.record = record
    self.wake = wake
  }
}
