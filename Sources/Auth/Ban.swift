public import Primitives

/// Whom a ban, an allowance or a question is about.
public enum Subject: Hashable, Sendable {
  case addresses(AddressPrefix)
  case account(AccountName)

  /// Whether it is about a client that comes from an address, and is in with an account.
  ///
  /// - Parameter account: nil for one that is in without an account, or not in.
  package func covers(_ address: SocketAddress, _ account: AccountName?) -> Bool {
    switch self {
    case .addresses(let prefix): prefix.contains(address)
    case .account(let name): name == account
    }
  }
}

/// A ban that holds, as the packet path needs it; the store knows more of it.
public struct Ban: Equatable, Sendable {
  /// The store's number for it; negative for one that the store has not recorded.
  public var id: Int64
  public var subject: Subject
  /// The listener that it is for; nil when it is for all.
  public var listener: String?
  /// What the banned may be told.
  public var shownReason: String
  /// Unix seconds; nil when it has no end.
  public var until: Int64?

  public init(
    id: Int64, subject: Subject, listener: String? = nil, shownReason: String = "",
    until: Int64? = nil
  ) {
    self.id = id
    self.subject = subject
    self.listener = listener
    self.shownReason = shownReason
    self.until = until
  }
}
