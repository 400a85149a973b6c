internal import Auth
internal import Gateway
internal import Primitives

/// All that is known of one visit.
///
/// What takes memory is let go of once nothing more can be said of it.
final class VisitRecord {
  enum Stage {
    /// No gateway has accepted it.
    case asking
    /// It has a session.
    case session
    /// The gateway has closed its socket, or refused it.
    case over
  }

  let number: Int
  let visit: Visit
  let game: Game
  let listener: ListenerConfiguration
  /// The session is with one worker at a time.
  let isOrdered: Bool
  var stage = Stage.asking
  /// Its gateway's, once that has accepted it.
  weak var account: GatewayAccount?
  var uuid = SessionUUID.none
  /// What the door calls its session.
  var id = SessionID(index: 0, generation: 0)
  /// The shard that has its socket; nil while that is on its way from one to another.
  var shard: Int?
  /// What that shard calls it.
  var localID = SessionID(index: 0, generation: 0)
  /// Its place among its gateway's open visits.
  var place = 0
  /// The log has said that it was let in.
  var isIn = false
  var accountName: AccountName?
  /// What the store said of its claim.
  var verdict: LoginVerdict?
  /// What the log said at its end; nil for who was not let in.
  var ending: SessionClosedEvent?
  /// Its listener was forgotten in the turn in which it was closed.
  var listenerIsGone = false
  /// Its gateway had begun to shut down by then.
  var endedInShutdown = false

  /// When its gateway accepted it, and when that last read anything of it.
  var acceptedAt = Instant(nanoseconds: 0)
  var lastReadAt = Instant(nanoseconds: 0)
  var closedAt = Instant(nanoseconds: 0)
  /// What was counted at its end has been compared with what workers took.
  var packetsAreChecked = false
  /// When its gateway closed the socket, the connection was broken, or the client had closed it.
  var wasBroken = false

  var packets: PacketAccount
  var answers = AnswerAccount()
  /// When the client last put a packet into its output, and when a worker last handled one.
  var lastSentAt: Instant?
  var lastHandledAt: Instant?
  /// When the client put a packet into its output that a worker has handled since.
  var handledSentAt: Instant?
  /// A worker has sent it bytes that its listener's framer does not take.
  var wasSentNonsense = false
  /// It was with some stream.
  var hadStream = false

  var bytesRead: UInt64 = 0
  var gatewaySawEnd = false
  /// Since the client's end its packets had to wait at some time.
  var wasHindered = false
  /// Its end was decided, and what waited for the client had still to be written.
  var tookItsTime = false
  var clientEnded = false
  var clientLeft = false
  var sawEnd = false
  var wasReset = false
  var hasSettled = false

  // Of the listener's limits.
  var packetsSeen: UInt64 = 0
  /// When ``packetsSeen`` was looked at.
  var packetsSeenAt = Instant(nanoseconds: 0)
  var packetRate: RateAccount?

  init(
    number: Int, visit: Visit, game: Game, listener: ListenerConfiguration, isOrdered: Bool
  ) {
    self.number = number
    self.visit = visit
    self.game = game
    self.listener = listener
    self.isOrdered = isOrdered
    var rules = PacketAccount.Rules()
    rules.isOrdered = isOrdered
    rules.mayDrop = Self.mayDrop(listener.limits)
    if let login = game.login, !login.forwards { rules.withheld = login.packetNumber }
    packets = PacketAccount(visit: number, form: game.form, rules: rules)
  }

  private static func mayDrop(_ limits: ListenerLimits) -> Bool {
    (limits.packets != nil && limits.packetsAction == .drop)
      || (limits.bytes != nil && limits.bytesAction == .drop)
      || (limits.packetBytesMax != nil && limits.packetBytesAction == .drop)
  }

  var gateway: Int { visit.connection.gateway }
  var address: SocketAddress { visit.connection.address }
  var isOpen: Bool { stage == .session }

  /// A limit slows it down: how fast it comes through is not to be foretold.
  var isSlowed: Bool {
    let limits = listener.limits
    return (limits.packets != nil && limits.packetsAction == .slowDown)
      || (limits.bytes != nil && limits.bytesAction == .slowDown)
  }
}

/// All that is known of one packet stream.
final class StreamRecord {
  struct Broadcast {
    var serial: UInt32
    var audience: UInt8
    var byteCount: Int
    var at: Instant
  }

  let number: Int
  let worker: Int
  let gateway: Int
  let pool: Int
  let hasEvents: Bool
  /// Of the gateway's process.
  weak var account: GatewayAccount?
  var events = EventAccount()
  var lastSerial: UInt32 = 0
  var broadcasts: [Broadcast] = []
  var handledCount = 0
  var lostCount = 0
  /// Answers and broadcasts.
  var sentCount = 0
  var hasEnded = false
  var losesAnswers = false
  /// When its gateway closed it though the worker was not through.
  var cutOffAt: Instant?

  init(number: Int, worker: Int, gateway: Int, pool: Int, hasEvents: Bool) {
    self.number = number
    self.worker = worker
    self.gateway = gateway
    self.pool = pool
    self.hasEvents = hasEvents
  }
}
