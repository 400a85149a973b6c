public import Auth
public import Framing
public import Primitives
public import Upstream

/// All that a gateway does, as data: what a configuration file is turned into.
///
/// Values are checked by whoever makes them (the `Configuration` module does, with line and key);
/// a shard relies on the bounds named here.
public struct GatewayConfiguration: Equatable, Sendable {
  /// Those that are there when the gateway starts: 1 to 256.
  public var listeners: [ListenerConfiguration] = []
  /// At least one; names are unique.
  public var pools: [PoolConfiguration] = []
  public var management: ManagementConfiguration?
  public var limits = Limits()
  public var log = LogConfiguration()
  /// Data threads; 1 to ``Shard/shardsMax``.
  public var shards = 1
  /// How long queues may take to flush, and workers to finish, after SIGTERM.
  public var shutdownGrace: Interval = .seconds(10)
  public var access = AccessConfiguration()
  /// Where accounts and bans are kept; without one nobody is banned but by rules, and only a worker
  /// can let accounts in.
  public var store: StoreConfiguration?
  /// Where listeners are kept that were added while the gateway ran, and are to be there again when
  /// it starts; empty when there is no such file.
  public var savedListenersFile = ""

  public init() {}
}

/// Where a listener comes from.
public enum ListenerOrigin: String, Sendable {
  /// It stands in the configuration file.
  case configuration
  /// It was added while a gateway ran, and kept.
  case saved
  /// It was added while this gateway ran, and goes with it.
  case runtime
}

/// A port, its framers and the pool its sessions go to.
public struct ListenerConfiguration: Equatable, Sendable {
  /// Unique among the listeners.
  public var name: String
  /// An IPv4 or IPv6 address without brackets; names are resolved when the gateway starts.
  public var host: String
  public var port: UInt16
  /// Index into ``GatewayConfiguration/pools``.
  public var pool: Int
  /// The name under which the client-to-server framer is shown to operators and workers.
  public var framerName: String = "raw"
  public var clientToServer: Framer = .raw
  public var serverToClient: Framer = .raw
  /// A client that sends nothing, and is sent nothing, for so long is closed as `idle-timeout`.
  public var idleTimeout: Interval = .seconds(600)
  /// A client that takes nothing of what waits for it for so long is closed as `slow-client`.
  public var writeTimeout: Interval = .seconds(15)
  /// How long a session without any worker waits, unread, before it is closed as `no-worker`.
  public var workerWait: Interval = .seconds(10)
  /// How long a session whose client has ended its direction waits for answers that are still due.
  public var halfCloseTimeout: Interval = .seconds(5)
  /// Idle time before TCP keepalive probes, in whole seconds; zero switches them off.
  public var keepalive: Interval = .seconds(60)
  /// How clients show who they are; nil lets everybody in.
  public var authentication: AuthenticationConfiguration?
  /// Cuts what clients send until they are let in; nil means ``clientToServer``.
  public var loginFramer: Framer?
  public var limits = ListenerLimits()
  /// What clients are sent before they are closed, by reason.
  public var refusals: [CloseReason: ReplyTemplate] = [:]
  public var origin = ListenerOrigin.configuration

  public init(name: String, host: String, port: UInt16, pool: Int) {
    self.name = name
    self.host = host
    self.port = port
    self.pool = pool
  }
}

/// Workers that serve the same purpose.
public struct PoolConfiguration: Equatable, Sendable {
  /// How packets are dealt to workers.
  public enum Balance: String, CaseIterable, Sendable {
    /// A session stays with the worker that round-robin gave it.
    case session
    /// Each packet goes to the next worker; for stateless workers.
    case packet
  }

  public var name: String
  public var balance: Balance = .session
  /// May be empty: workers can be added while the gateway runs.
  public var workers: [WorkerConfiguration] = []
  /// A session counts as active for so long after its last packet.
  public var activeWindow: Interval = .seconds(60)
  /// How long a draining worker may take to finish before its sessions move on without it.
  public var drainTimeout: Interval = .seconds(5)

  public init(name: String) { self.name = name }
}

/// The database of accounts, bans and logins.
public struct StoreConfiguration: Equatable, Sendable {
  public var path: String
  /// Passes of Argon2id (RFC 9106) over its memory; 1 to 64.
  public var passwordPasses: UInt64 = 2
  /// Memory of one Argon2id computation, in bytes; 8 KiB to 1 GiB.
  public var passwordMemoryBytes = 64 << 20
  /// Argon2id computations at one time; 1 to 64.
  public var passwordThreads = 1
  /// How long lines of the login history are kept, in days.
  public var loginHistoryDays = 90

  public init(path: String) { self.path = path }
}

/// The HTTP API for operators and monitoring.
public struct ManagementConfiguration: Equatable, Sendable {
  public var host: String = "127.0.0.1"
  public var port: UInt16 = 8000
  /// The bearer token itself; empty when it stands in ``tokenFile``.
  public var token: String = ""
  /// Where the bearer token is kept; made with a random token and mode 0600 when it does not exist.
  public var tokenFile: String = ""
  /// What clients send and are sent may be recorded; off by default, since passwords are among it.
  public var recording = false

  public init() {}
}

/// What goes to standard error.
public struct LogConfiguration: Equatable, Sendable {
  public enum Format: String, CaseIterable, Sendable { case text, json }

  public var level: LogLevel = .info
  public var format: Format = .text

  public init() {}
}

/// Bounds on what one gateway process keeps in memory, whatever the other sides send.
public struct Limits: Equatable, Sendable {
  /// Open sessions (1 to 16,777,215); clients beyond it are closed as `over-capacity`.
  public var sessionsMax = 100_000
  /// The longest gRPC message in either direction, in bytes; 1 KiB to 64 MiB.
  public var messageBytesMax = 4 << 20
  /// What may wait for one client, in bytes, before it is closed as `slow-client`; one message
  /// may lie beyond it.
  public var clientQueueBytesMax = 1 << 20
  /// What may wait for all clients of one shard together, in bytes, before reading from workers
  /// pauses.
  public var clientQueueBytesTotalMax = 256 << 20
  /// What may wait for one worker, in bytes, before its sessions' sockets are no longer read.
  public var workerQueueBytesMax = 8 << 20

  public init() {}
}
