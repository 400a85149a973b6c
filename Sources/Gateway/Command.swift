public import Auth
public import Primitives
public import Upstream

/// What an operator, by way of the management API, may ask of a shard.
public enum Command: Sendable {
  /// Adds a worker to a pool and answers once its first probe has ended, well or badly.
  case addWorker(pool: String?, WorkerConfiguration)
  case listWorkers
  /// Gives its sessions to others once it has answered what it has, then keeps it out of rotation.
  case drainWorker(WorkerID)
  /// Drains, then forgets the worker.
  case removeWorker(WorkerID)
  /// At most `limit` sessions (1 to 10,000) with slots from `cursor` on; of a subject, if one is
  /// given.
  case listSessions(of: Subject?, cursor: UInt32, limit: Int)
  case closeSession(SessionUUID)
  /// Closes all sessions of an account or a prefix.
  case closeSessions(of: Subject)
  case listListeners
  /// Closes a listener's socket; its sessions stay until they end, or are ended now.
  case removeListener(name: String, closesSessions: Bool)
  /// What applies to an account, or to an address, now.
  case explain(Subject)
  /// Begins to copy what new sessions of a listener send and are given.
  case startRecording(RecordingRequest)
  /// What was recorded since the last time.
  case takeRecorded(RecordingID)
  /// Ends a recording and forgets it, with what was not taken.
  case stopRecording(RecordingID)
  case metrics
  case health
}

/// A shard's answer to a ``Command``.
public enum Reply: Sendable {
  /// The new worker, and what its first probe found.
  case workerAdded(WorkerStatus)
  case workers([WorkerStatus])
  case sessions([SessionStatus], next: UInt32?)
  case listeners([ListenerStatus])
  case listenerAdded(ListenerStatus)
  /// The listener as it is now, with the sessions that are left.
  case listenerRemoved(ListenerStatus)
  case metrics(MetricsSnapshot)
  case health(HealthStatus)
  case done
  case closed(sessions: Int)
  case explanation(Explanation)
  case recordingStarted(RecordingID)
  case recorded(RecordedBatch)
  case recordingStopped(RecordingSummary)
  case failed(CommandError)
}

public enum CommandError: Error, Equatable, Sendable {
  case unknownPool(String)
  /// There are several pools, so one must be named.
  case poolNotNamed([String])
  case unknownWorker
  case unknownSession
  case duplicateWorker(WorkerID)
  /// 4,096 workers of one shard are the most.
  case tooManyWorkers
  case unknownListener(String)
  /// Another listener has the name; one that is gone but for so many sessions, or one that listens.
  case listenerNameTaken(sessions: Int?)
  /// ``Shard/listenersMax`` are the most.
  case tooManyListeners
  /// The system has no room for it; in its own words.
  case systemRefused(String)
  /// A listener that needs this pool's workers at the door, while they are on several shards.
  case poolIsSpread(String)
  case listenerIsRecorded(String)
  case tooManyRecordings
  case unknownRecording
  case shuttingDown
}

/// One worker as an operator sees it.
public struct WorkerStatus: Sendable {
  public typealias State = WorkerState

  public var id: WorkerID
  public var pool: String
  public var endpoint: String
  public var state: State
  public var sessions: Int
  /// Encoded bytes that wait for the worker.
  public var queuedBytes: Int
  public var packetsSent: UInt64
  public var messagesReceived: UInt64
  public var reconnects: UInt64
  public var lastEnd: LinkEndReason?
  public var lastEndDetail: String
}

/// One session as an operator sees it.
public struct SessionStatus: Sendable {
  /// Its place at the door, by which lists are ordered over all shards.
  public var slot: UInt32
  public var uuid: SessionUUID
  public var client: SocketAddress
  /// Nil on a listener without authentication, and before the client was let in.
  public var account: AccountName?
  /// It has not been let in yet.
  public var isPending: Bool
  public var listener: String
  public var worker: WorkerID?
  public var age: Interval
  public var idle: Interval
  public var packetsIn: UInt64
  public var bytesIn: UInt64
  public var messagesOut: UInt64
  public var bytesOut: UInt64
  public var queuedBytes: Int
}

/// One listener as an operator sees it.
public struct ListenerStatus: Equatable, Sendable {
  public enum State: String, Sendable {
    case listening
    /// It takes nobody any more, and goes with its last session.
    case draining
  }

  public var name: String
  public var host: String
  public var port: UInt16
  /// The name of its client-to-server framer.
  public var framer: String
  /// The kind of its authentication; `none` when everybody is let in.
  public var authentication: String
  public var pool: String
  public var sessions: Int
  public var state: State
  public var origin: ListenerOrigin

  /// `host:port`, with brackets around an IPv6 address.
  public var address: String { endpoint(host, port) }

  public init(
    name: String, host: String, port: UInt16, framer: String, authentication: String,
    pool: String, sessions: Int, state: State, origin: ListenerOrigin
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.framer = framer
    self.authentication = authentication
    self.pool = pool
    self.sessions = sessions
    self.state = state
    self.origin = origin
  }
}

public struct HealthStatus: Sendable {
  /// Not shutting down, and every pool has a worker in rotation.
  public var ready: Bool
  /// Pools without a worker in rotation.
  public var poolsWithoutWorker: [String]
  public var shuttingDown: Bool
}

/// What applies to an account or an address in a running gateway, beyond what its store says.
public struct Explanation: Sendable {
  /// A count beside its bound.
  public struct Counter: Sendable {
    /// The listener that the count is kept for; nil when it is for all.
    public var listener: String?
    /// The configuration's key, as in `limits.connections_per_address` or `temporary_ban.NAME`.
    public var name: String
    public var used: UInt64
    public var most: UInt64

    public init(listener: String?, name: String, used: UInt64, most: UInt64) {
      self.listener = listener
      self.name = name
      self.used = used
      self.most = most
    }
  }

  /// An allowance covers it: nothing else applies.
  public var isAllowed = false
  /// The bans that hold for it now, those that the store has not recorded yet included.
  public var bans: [Ban] = []
  /// Its open sessions.
  public var sessions = 0
  public var counters: [Counter] = []

  public init() {}
}

/// What became of claims to be let in, and of limits.
public struct AccessMetrics: Sendable {
  /// Clients that have not been let in yet.
  public var loginsPending = 0
  /// Those of them whose claim waits until it may be verified.
  public var loginsWaiting = 0
  /// Those of them whose claim is being verified.
  public var loginsVerifying = 0
  public var loginsAccepted: UInt64 = 0
  /// Indexed like ``LoginRefusal/allCases``.
  public var loginsRefused = [UInt64](repeating: 0, count: LoginRefusal.allCases.count)
  /// Verdicts that the store, or a worker, could not give.
  public var loginsUnavailable: UInt64 = 0
  /// Times that a session was not read for a while because it had sent too much.
  public var slowDowns: UInt64 = 0
  /// Packets forgotten because of a limit.
  public var packetsDropped: UInt64 = 0
  /// Bans that rules made.
  public var temporaryBans: UInt64 = 0
  /// Bans and allowances in force.
  public var bans = 0
  public var banTableBytes = 0
  /// Sessions that a new ban ended.
  public var sessionsBanned: UInt64 = 0

  public init() {}
}

/// All counters and gauges at one moment.
public struct MetricsSnapshot: Sendable {
  public struct Listener: Sendable {
    public var name: String
    public var sessionsOpen: Int
    public var sessionsOpened: UInt64
    /// Indexed by ``CloseReason/rawValue``.
    public var sessionsClosed: [UInt64]
    public var packetsIn: UInt64
    public var bytesIn: UInt64
    public var messagesOut: UInt64
    public var bytesOut: UInt64
  }

  public var listeners: [Listener]
  public var access: AccessMetrics
  public var workers: [WorkerStatus]
  /// Ended links by reason, indexed by ``LinkEndReason/rawValue``.
  public var linkEnds: [UInt64]
  /// Answers for sessions that were already gone.
  public var messagesToUnknownSession: UInt64
  /// Messages without a target, or with a broadcast value that the contract does not name.
  public var messagesWithoutTarget: UInt64
  public var broadcasts: UInt64
  public var broadcastsRefused: UInt64
  /// Packets that moved from a lost worker's queue to another worker's.
  public var packetsRerouted: UInt64
  /// Half packets of a server-to-client framer whose rest could not come any more.
  public var unfinishedDropped: UInt64
  /// Packets whose worker was lost before they left, and whose session was over before that.
  public var packetsOfClosedSessions: UInt64
  public var clientQueueBytes: Int
  public var acceptPauses: UInt64
  public var workerReadPauses: UInt64
  /// Recordings that go on, or have not been taken to their end.
  public var recordings = 0
}
