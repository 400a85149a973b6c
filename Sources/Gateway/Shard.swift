internal import Auth
internal import Framing
public import Primitives
internal import Upstream

/// One data thread's share of the gateway: sessions, their workers, and everything decided on them.
///
/// A value without a socket, a clock or randomness of its own. A driver tells it what happened, one
/// event at a time, and performs the ``Effects`` before the next; the production driver is the
/// reactor. A turn of the driver's loop is: clients' bytes, workers' bytes, new clients, commands,
/// time, then ``endTurn(now:effects:)``.
public struct Shard: ~Copyable {
  let byAddress = ByAddress()

  /// The most shards that a gateway may have.
  public static let shardsMax = 64

  /// How long one client may hold back the reading from a worker while it works off its queue.
  static let holdMax = Interval.milliseconds(500)
  /// The same for a client that has not yet shown that it takes anything.
  static let firstHoldMax = Interval.milliseconds(100)
  /// How long all clients together may hold back the reading from all workers.
  static let totalPauseMax = Interval.milliseconds(250)
  /// How long after its client's end an answered session waits for more answers.
  static let answeredQuiet = Interval.milliseconds(250)

  /// Without its listeners, which come and go: see ``listeners``.
  let configuration: GatewayConfiguration
  let number: Int
  /// The index of the session in each of the door's slots, or one beyond all; at the door itself
  /// the slot is the index, and this is empty.
  var indexOfSlot: [UInt32] = []
  /// Sessions with other shards that are to end, and have not yet.
  var awayClosings: [UInt32: AwayClosing] = [:]
  /// Sessions that have just come, until they were given what they have missed.
  var arriving: ArrivingSessions?
  var outputs: OutputAccount
  /// Links that are not read because too much is in flight to other shards.
  var linksPausedByOutput: [LinkIndex] = []
  /// Sessions that hold back what other shards' workers send.
  var holdsOnOthers = 0
  /// Bytes of recorded sessions that the door has not noted.
  var recordingBytesInFlight = 0
  var listeners: [ListenerSlot] = []
  /// Some of ``listeners`` may be forsaken.
  var hasForsakenSlot = false
  /// Indexed like ``listeners``.
  var paths: [ListenerPath] = []
  /// Own what `paths` point to.
  var framers: [ListenerFramers] = []
  var sessionLimits: [SessionLimits?] = []
  var terms: [ListenerTerms] = []
  let prefixes: PrefixLengths
  let uuids: SessionUUIDCodec
  var random: SeededRandom
  var time: TimestampText

  var sessions: Slab<Session>
  /// The indices of all sessions that are not vacant, in no order.
  var live: [UInt32] = []
  /// Of the newest session: ids of others that had its place do not match.
  var lastGeneration: UInt32 = 0
  var sessionTimers: TimerWheel

  var pending: PendingLogins
  var identities: Identities
  /// Whose claim is verified next.
  var gate: LoginGate
  /// Who has left while the store verified them: they must not guess unseen.
  var verifications: [SessionID: Offender] = [:]
  /// So many delays the slowest refusal has needed yet.
  var refusalDelays: UInt64 = 1
  /// Claims for a pool that has no worker.
  var claimsWithoutWorker: [SessionID] = []
  var known: KnownAccounts
  /// Indexed like ``listeners``.
  var gates: [ConnectionGate] = []
  /// Indexed like the configuration's rules.
  var offences: [OffenceTable]
  var bans: BanTable
  var unrecorded = UnrecordedBans()
  var sweep: Sweep?
  var access = AccessMetrics()
  var refusalLog = RefusalLog()
  /// The same for bans that rules make.
  var banLog = LogBudget()
  /// The same for bytes that break a framer's rules.
  var violationLog = LogBudget()
  /// The same for broadcasts that are no whole packets.
  var broadcastLog = LogBudget()

  var pools: [Pool]
  var links: Slab<Link>
  var linkStates: [LinkState] = []
  var linkTimers: TimerWheel
  /// Links that have something to write at the end of this turn.
  var dirtyLinks = ReusableList<LinkIndex>()
  var lastWorkerID: UInt32 = 0

  var outbox: Outbox
  var arena = TurnArena(capacity: 1 << 20)
  /// What waits in the outbox is to be written before there is more: it lies in a link's own
  /// memory, or is more than the arena has room for.
  var mustFlush = false
  /// The link whose bytes are being delivered, or were last.
  var deliveringLink = Session.noLink

  /// Indexed like ``listeners``.
  var listenerCounters: [ListenerCounters] = []
  var counters = ShardCounters()
  /// Bytes in all clients' queues.
  var clientQueueBytes = 0
  var linksPausedByTotal: [LinkIndex] = []
  /// When the largest queues are closed, unless enough was taken from them by then.
  var shedAt: Instant?
  var shutdown: Shutdown?
  /// Always as many places as there may be recordings.
  var recordings = [Recording?](repeating: nil, count: Shard.recordingsMax)
  /// When something is to be done about one of them; nil while there is none.
  var recordingDeadline: Instant?
  var lastRecordingID: UInt32 = 0

  /// What the shard knows of a link beyond the link's own life.
  struct LinkState {
    var isUsed = false
    /// It is among the shard's ``dirtyLinks``.
    var isDirty = false
    /// The deadline that its timer was set to, or ``Instant/distantFuture``.
    var armedFor = Instant.distantFuture
    /// Sessions that hold back the reading from it.
    var holds = 0
    var isRead = true
    var sessionCount = 0
    /// Bytes in its queue that came all at once, with the sessions of lost workers.
    var inherited = 0
    /// Sessions that wait until it can take more; those of pools with packet balance wait there.
    var parked: [SessionID] = []
    /// Commands that wait for the outcome of the first probe.
    var probeTokens: [UInt64] = []
  }

  /// - Parameters:
  ///   - configuration: the same for all shards of a gateway.
  ///   - number: the shard's own; below the shards of the configuration.
  ///   - groupSeed: for the disguise of session numbers in UUIDs; the same for all shards.
  ///   - seed: for jitter and the like; each shard's own.
  public init(
    configuration: GatewayConfiguration, number: Int = 0, groupSeed: UInt64, seed: UInt64,
    now: Instant, unixMilliseconds: UInt64
  ) {
    let count = configuration.shards
    precondition(number >= 0 && number < count && count <= Self.shardsMax)
    self.number = number
    outputs = OutputAccount(shards: count)
    var kept = configuration
    kept.listeners = []
    self.configuration = kept
    prefixes = PrefixLengths(
      ipv4: configuration.access.ipv4PrefixLength, ipv6: configuration.access.ipv6PrefixLength)
    var random = SeededRandom(seed: seed)
    var group = SeededRandom(seed: groupSeed)
    uuids = SessionUUIDCodec(mask: UInt32(truncatingIfNeeded: group.next()))
    // Both seeds may be the same: what disguises UUIDs must not be drawn again.
    _ = random.next()
    time = TimestampText(unixMilliseconds: unixMilliseconds)
    sessions = Slab(capacity: configuration.limits.sessionsMax) { Session() }
    sessionTimers = TimerWheel(now: now)
    pending = PendingLogins(capacity: configuration.access.logins.pendingMax)
    identities = Identities(capacity: configuration.limits.sessionsMax)
    gate = LoginGate(configuration.access.logins)
    known = KnownAccounts(seed: random.next())
    offences = []
    for rule in configuration.access.temporaryBans where number == 0 {
      offences.append(OffenceTable(rule: rule, seed: random.next()))
    }
    bans = Self.configuredBans(configuration)
    self.random = random
    pools = configuration.pools.indices.map {
      Pool(
        configuration.pools[$0], isSpread: count > 1 && configuration.isSpread(pool: $0))
    }
    let messageBytesMax = configuration.limits.messageBytesMax
    links = Slab(capacity: 4096) {
      Link(
        id: WorkerID(rawValue: 0), pool: 0, configuration: WorkerConfiguration(host: "", port: 0),
        messageBytesMax: messageBytesMax, seed: 0)
    }
    linkTimers = TimerWheel(now: now)
    outbox = Outbox(capacity: max(128 << 10, configuration.limits.sessionsMax + 1))
    // The other shards get the door's.
    for listener in configuration.listeners where number == 0 {
      let place = place(listener, ListenerFramers(listener))
      precondition(place != nil, "more than \(Self.listenersMax) listeners")
    }
  }

  /// Begins to connect to the configured workers.
  public mutating func start(now: Instant, effects: inout Effects) {
    for slot in listeners.indices { tellListener(slot, &effects) }
    var spread = 0
    for (pool, configuration) in configuration.pools.enumerated() {
      for worker in configuration.workers {
        let shard = pools[pool].isSpread ? spread % groupCount : 0
        if pools[pool].isSpread { spread += 1 }
        if shard == number { addLink(worker, pool: pool, now: now, effects: &effects) }
      }
    }
  }

  /// To be called once per loop turn, before its first event.
  public mutating func beginTurn(unixMilliseconds: UInt64) {
    time.set(unixMilliseconds: unixMilliseconds)
  }

  /// To be called at the end of a loop turn: every link writes what it gathered.
  public mutating func endTurn(now: Instant, effects: inout Effects) {
    writeDirtyLinks(now: now, effects: &effects)
    if let shedAt, shedAt <= now { shedQueues(now: now, effects: &effects) }
    if groupCount > 1 {
      takeHeld(now: now, effects: &effects)
      acknowledgeOutputs(now: now, effects: &effects)
    }
    if shutdown != nil { advanceShutdown(now: now, effects: &effects) }
    vacateSlots(effects: &effects)
  }

  /// When ``timePassed(now:effects:)`` is to be called at the latest, or nil.
  public var nextDeadline: Instant? {
    mutating get {
      var next = sessionTimers.nextDeadline ?? .distantFuture
      func consider(_ other: Instant?) { if let other, other < next { next = other } }
      consider(linkTimers.nextDeadline)
      consider(shutdownDeadline)
      consider(shedAt)
      consider(claimDeadline)
      consider(sweep?.due)
      consider(recordingDeadline)
      return next == .distantFuture ? nil : next
    }
  }

  private var shutdownDeadline: Instant? {
    shutdown.flatMap { $0.isFinished ? nil : $0.deadline }
  }

  /// When a claim that waits for the rate of logins may be verified.
  private var claimDeadline: Instant? { gate.nextDeadline }

  /// Something was queued for a worker after the turn's end, or there is more for clients than one
  /// turn gives them: the next turn must not wait.
  public var hasUnwritten: Bool { !dirtyLinks.isEmpty || outputs.hasHeld && holdsOnOthers == 0 }

  /// Acts on every deadline that has come.
  public mutating func timePassed(now: Instant, effects: inout Effects) {
    continueSweep(now: now, effects: &effects)
    if let claimDeadline, claimDeadline <= now { dispatchClaims(now: now, effects: &effects) }
    if let recordingDeadline, recordingDeadline <= now {
      endRecordings(now: now, effects: &effects)
    }
    while let index = sessionTimers.popExpired(now: now) {
      sessionDeadlinePassed(index, now: now, effects: &effects)
    }
    while let link = linkTimers.popExpired(now: now) {
      linkStates[Int(link)].armedFor = .distantFuture
      let action = links[link].deadlinePassed(now: now)
      perform(action, on: link, now: now, effects: &effects)
    }
  }

  /// What the configuration alone says on who is banned or allowed.
  private static func configuredBans(_ configuration: GatewayConfiguration) -> BanTable {
    guard !configuration.access.allow.isEmpty else { return .empty }
    var builder = BanTable.Builder(listeners: configuration.listeners.map(\.name))
    for subject in configuration.access.allow {
      builder.add(Ban(id: 0, subject: subject), allows: true)
    }
    return builder.finish()
  }

  /// The shards of the gateway, at least one.
  var groupCount: Int { configuration.shards }

  /// Shard 0 is the door: all clients come by it.
  var isDoor: Bool { number == 0 }

  /// A place for a session, or nil when all are in use.
  mutating func takeSession() -> UInt32? {
    guard let index = sessions.take() else { return nil }
    lastGeneration = lastGeneration == .max ? 1 : lastGeneration + 1
    sessions[index].generation = lastGeneration
    return index
  }

  /// The index of the only session that may have a UUID: its own must still be compared, and there
  /// need be none at all.
  @inline(__always)
  func candidateIndex(of uuid: SessionUUID) -> UInt32? {
    guard let slot = uuids.slot(of: uuid) else { return nil }
    if isDoor { return slot }
    return Int(slot) < indexOfSlot.count ? indexOfSlot[Int(slot)] : nil
  }

  /// The index of the session that has a UUID, or nil.
  func index(of uuid: SessionUUID) -> UInt32? {
    guard let index = candidateIndex(of: uuid), Int(index) < sessions.count,
      sessions[index].uuid == uuid
    else { return nil }
    return index
  }

  /// What the session's worker and the log call it.
  ///
  /// - Precondition: the session is open.
  package func uuid(of id: SessionID) -> SessionUUID { sessions[id.index].uuid }

  func loginDescription(of index: UInt32) -> LoginDescription {
    listener(of: index).authentication!.login
  }

  /// The index of a session that an id still names, or nil.
  @inline(__always)
  func index(of id: SessionID) -> UInt32? {
    guard Int(id.index) < sessions.count, sessions[id.index].generation == id.generation,
      sessions[id.index].phase != .vacant
    else { return nil }
    return id.index
  }

  func id(of index: UInt32) -> SessionID {
    SessionID(index: index, generation: sessions[index].generation)
  }

  func listener(of index: UInt32) -> ListenerConfiguration {
    listeners[Int(sessions[index].listener)].configuration
  }

  func pool(of index: UInt32) -> Int {
    paths[Int(sessions[index].listener)].pool
  }
}
