public import Primitives

/// What a client's first packets say about who it is.
public struct Credentials: Equatable, Sendable {
  /// As extracted; nil when no field gives it (a token or a ticket names its account itself).
  public var account: String?
  /// The password, token or ticket; never logged, never shown.
  public var secret: [UInt8]
  /// What other fields gave, for the worker, in the description's order.
  public var attributes: [Attribute]

  public struct Attribute: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(account: String? = nil, secret: [UInt8] = [], attributes: [Attribute] = []) {
    self.account = account
    self.secret = secret
    self.attributes = attributes
  }
}

/// One client's claim, to be verified off the packet path.
public struct LoginRequest: Sendable {
  public enum Kind: Sendable {
    case token, password
    case ticket(TicketConfiguration)
  }

  public var session: SessionID
  public var kind: Kind
  public var credentials: Credentials
  public var client: SocketAddress
  public var listener: String

  public init(
    session: SessionID, kind: Kind, credentials: Credentials, client: SocketAddress,
    listener: String
  ) {
    self.session = session
    self.kind = kind
    self.credentials = credentials
    self.client = client
    self.listener = listener
  }
}

/// What became of a ``LoginRequest``.
public enum LoginVerdict: Equatable, Sendable {
  case accepted(AccountName, attributes: [Credentials.Attribute])
  case refused(LoginRefusal)
  /// The database can't be asked; the text is for the log.
  case unavailable(String)
}

/// Why a claim does not hold.
///
/// The client is told no difference but of a disabled account, whose secret was right: it would
/// help
/// whoever guesses.
public enum LoginRefusal: String, CaseIterable, Sendable {
  case unknownAccount = "unknown-account"
  case wrongSecret = "wrong-secret"
  /// A token or ticket that is not formed like one.
  case malformed = "malformed"
  case badSignature = "bad-signature"
  case wrongAudience = "wrong-audience"
  case notYetValid = "not-yet-valid"
  case expired = "expired"
  case revoked = "revoked"
  /// A single-use token or a ticket that was used before.
  case alreadyUsed = "already-used"
  /// The secret was right; the account is disabled.
  case accountDisabled = "account-disabled"
  /// A worker said no.
  case refusedByWorker = "refused-by-worker"
}

/// Whose tickets are taken.
public struct TicketConfiguration: Equatable, Sendable {
  public struct Key: Equatable, Sendable {
    /// Names the key in a ticket, so that keys can be changed without a break.
    public var id: String
    /// An Ed25519 public key (RFC 8032), 32 bytes.
    public var publicKey: [UInt8]

    public init(id: String, publicKey: [UInt8]) {
      self.id = id
      self.publicKey = publicKey
    }
  }

  /// At least one.
  public var keys: [Key]
  /// What a ticket must name as its audience.
  public var audience: String
  /// The longest time between a ticket's issue and its expiry, in seconds.
  public var lifetimeSecondsMax: Int64 = 3600
  /// Whether a ticket is good for one login alone.
  public var singleUse = true

  public init(keys: [Key], audience: String) {
    self.keys = keys
    self.audience = audience
  }
}

/// What the gateway tells the store without waiting for an answer.
public enum StoreRecord: Sendable {
  /// A login that was decided: for the login history.
  case login(LoginRecord)
  /// A ban that a rule made; it holds in memory already.
  case temporaryBan(TemporaryBan)
}

/// A line of the login history.
public struct LoginRecord: Equatable, Sendable {
  /// As the client gave it, or as verified; nil when there was none.
  public var account: String?
  public var client: SocketAddress
  public var listener: String
  /// `accepted`, or the close reason's name.
  public var outcome: String
  /// The refusal's name behind a `login-refused`; empty otherwise.
  public var detail: String

  public init(
    account: String?, client: SocketAddress, listener: String, outcome: String, detail: String
  ) {
    self.account = account
    self.client = client
    self.listener = listener
    self.outcome = outcome
    self.detail = detail
  }
}

/// A ban that a rule makes.
public struct TemporaryBan: Equatable, Sendable {
  public var subject: Subject
  public var listener: String?
  /// The rule's name, which stands for the author.
  public var rule: String
  public var shownReason: String
  public var internalReason: String
  /// Unix seconds.
  public var until: Int64

  public init(
    subject: Subject, listener: String?, rule: String, shownReason: String,
    internalReason: String, until: Int64
  ) {
    self.subject = subject
    self.listener = listener
    self.rule = rule
    self.shownReason = shownReason
    self.internalReason = internalReason
    self.until = until
  }
}
