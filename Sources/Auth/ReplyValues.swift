/// What is known when a reply is sent.
public struct ReplyValues: Equatable, Sendable {
  /// Unix seconds.
  public var now: Int64
  public var account: String
  /// The client's, without its port.
  public var address: String
  public var listener: String
  /// What the client may be told.
  public var reason: String
  /// The end of a ban in Unix seconds; nil when there is none.
  public var until: Int64?
  /// The ban's number.
  public var ban: Int64?

  public init(
    now: Int64, account: String = "", address: String = "", listener: String = "",
    reason: String = "", until: Int64? = nil, ban: Int64? = nil
  ) {
    self.now = now
    self.account = account
    self.address = address
    self.listener = listener
    self.reason = reason
    self.until = until
    self.ban = ban
  }
}
