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
  /// At most `limit` sessions (1 to 10,000) with slots from `cursor` on.
  case listSessions(cursor: UInt32, limit: Int)
  case closeSession(SessionUUID)
  case metrics
  case health
}

/// A shard's answer to a ``Command``.
public enum Reply: Sendable {
  /// The new worker, and what its first probe found.
  case workerAdded(WorkerStatus)
  case workers([WorkerStatus])
  case sessions([SessionStatus], next: UInt32?)
  case metrics(MetricsSnapshot)
  case health(HealthStatus)
  case done
  case failed(CommandError)
}

public enum CommandError: Error, Equatable, Sendable {
  case unknownPool(String)
  /// There are several pools, so one must be named.
  case poolNotNamed([String])
  case unknownWorker
  case unknownSession
  case duplicateWorker(WorkerID)
  /// 4,096 workers are the most.
  case tooManyWorkers
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
  public var uuid: SessionUUID
  public var client: SocketAddress
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

public struct HealthStatus: Sendable {
  /// Not shutting down, and every pool has a worker in rotation.
  public var ready: Bool
  /// Pools without a worker in rotation.
  public var poolsWithoutWorker: [String]
  public var shuttingDown: Bool
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
}
