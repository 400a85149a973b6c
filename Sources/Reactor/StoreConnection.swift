public import Auth

/// The store as a shard's driver knows it: what it said at the start, and how to ask it more.
public struct StoreConnection: Sendable {
  /// In force when the gateway starts.
  public var bans: BanTable
  /// The store's last event that ``bans`` shows.
  public var event: Int64
  /// Has a claim verified; never waits.
  ///
  /// The answer comes by ``Mailbox/post(_:for:)``.
  public var verify: @Sendable (LoginRequest) -> Void
  /// Has something kept; never waits.
  public var record: @Sendable (StoreRecord) -> Void

  public init(
    bans: BanTable, event: Int64, verify: @escaping @Sendable (LoginRequest) -> Void,
    record: @escaping @Sendable (StoreRecord) -> Void
  ) {
    self.bans = bans
    self.event = event
    self.verify = verify
    self.record = record
  }
}
