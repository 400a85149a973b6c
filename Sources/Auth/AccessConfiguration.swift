public import Primitives

/// So many in a second on average, and so many at once.
public struct Rate: Equatable, Sendable {
  /// Events, or bytes, a second; at least 1.
  public var perSecond: UInt64
  /// How many may come at once after a rest; at least 1.
  public var burst: UInt64

  public init(perSecond: UInt64, burst: UInt64) {
    self.perSecond = perSecond
    self.burst = burst
  }
}

/// What is done to a session that goes beyond a limit.
public enum LimitAction: String, CaseIterable, BitwiseCopyable, Sendable {
  /// It is not read until its allowance has grown again.
  case slowDown = "slow-down"
  /// The packet is forgotten, and counted.
  case drop
  case close
  /// It is closed, and its address banned for ``ListenerLimits/banFor``.
  case ban
}

/// What one listener allows to one address, prefix or session; nil means no limit.
public struct ListenerLimits: Equatable, Sendable {
  /// New connections of one address.
  public var connectionsPerAddress: Rate?
  /// New connections of one prefix.
  public var connectionsPerPrefix: Rate?
  /// Connections of one address at a time.
  public var concurrentPerAddress: Int?
  /// Connections of one prefix at a time.
  public var concurrentPerPrefix: Int?
  /// Packets of one session.
  public var packets: Rate?
  public var packetsAction = LimitAction.slowDown
  /// Bytes of packets of one session.
  public var bytes: Rate?
  public var bytesAction = LimitAction.slowDown
  /// The longest packet, in bytes; an action of ``LimitAction/slowDown`` makes no sense here.
  public var packetBytesMax: Int?
  public var packetBytesAction = LimitAction.close
  /// How long ``LimitAction/ban`` bans.
  public var banFor: Interval = .seconds(600)

  public init() {}
}

/// How claims are let through to be verified, all listeners together.
public struct LoginLimits: Equatable, Sendable {
  /// Logins that are verified; nil means no limit.
  ///
  /// What comes too fast waits, within its deadline.
  public var rate: Rate?
  /// The share of ``rate``'s burst, in percent, that only known accounts may use (0 to 90).
  public var reservedPercent = 50
  /// An account is known for so long after its last login.
  public var knownFor: Interval = .seconds(14 * 86_400)
  /// Claims that are with the store or with workers at one time; the others wait.
  ///
  /// Few: what is being verified is verified to its end, though its client may have left.
  public var verificationsMax = 16
  /// Clients that have not been let in yet, at one time; the oldest goes for a newer one.
  public var pendingMax = 1024
  /// No refusal goes out sooner after the claim began to be verified: what is quick to refuse can't
  /// be told from what is not.
  public var refusalDelay: Interval = .milliseconds(250)

  public init() {}
}

/// When a rule bans an address or an account for a while.
public struct TemporaryBanRule: Equatable, Sendable {
  public enum Trigger: String, CaseIterable, Sendable {
    /// A login that was refused.
    case failedLogins = "failed-logins"
    /// A session closed for a breach of its framer's or login's form, or of a limit.
    case violations
    /// A connection that was refused because its address or prefix had too many.
    case refusedConnections = "refused-connections"
  }

  public enum Target: String, CaseIterable, Sendable { case address, account }

  public var name: String
  public var trigger: Trigger
  public var target: Target
  /// So many (1 to 10,000) within ``within`` make a ban.
  public var count: Int
  public var within: Interval
  /// The first ban's length.
  public var duration: Interval
  /// Each further ban is so many times as long as the one before (1 to 100).
  public var growth = 2
  /// No ban is longer.
  public var durationMax: Interval = .seconds(7 * 86_400)
  /// After so long without a ban the next is a first one again.
  public var forgetAfter: Interval = .seconds(7 * 86_400)
  /// What the banned are told.
  public var shownReason = ""

  public init(
    name: String, trigger: Trigger, target: Target, count: Int, within: Interval,
    duration: Interval
  ) {
    self.name = name
    self.trigger = trigger
    self.target = target
    self.count = count
    self.within = within
    self.duration = duration
  }
}

/// Who may come in, for the whole gateway.
public struct AccessConfiguration: Equatable, Sendable {
  public var logins = LoginLimits()
  public var temporaryBans: [TemporaryBanRule] = []
  /// Neither bans nor limits nor rules touch these; more may stand in the store.
  public var allow: [Subject] = []
  /// What "per prefix" means, in bits of an IPv4 address.
  public var ipv4PrefixLength: UInt8 = 24
  /// What "per prefix" means, in bits of an IPv6 address; rules that ban an IPv6 address ban this.
  public var ipv6PrefixLength: UInt8 = 64

  public init() {}
}

/// How a listener learns who its clients are.
public struct AuthenticationConfiguration: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case token, password
    case ticket(TicketConfiguration)
    /// A worker of the pool with this index is asked.
    case worker(pool: Int, timeout: Interval)

    /// The word for it in a configuration.
    public var name: String {
      switch self {
      case .token: "token"
      case .password: "password"
      case .ticket: "ticket"
      case .worker: "worker"
      }
    }
  }

  /// What happens when an account that is in comes again.
  public enum DuplicateLogin: String, CaseIterable, Sendable {
    case allow, reject, replace
  }

  public var kind: Kind
  public var login: LoginDescription
  /// Counted from accept.
  public var deadline: Interval = .seconds(10)
  /// Whether the packets that made the identity go to the worker too.
  public var forwardsFirstPacket = true
  public var duplicateLogin = DuplicateLogin.allow

  public init(kind: Kind, login: LoginDescription) {
    self.kind = kind
    self.login = login
  }
}
