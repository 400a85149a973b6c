/// Why a session was closed.
///
/// One enum for logs, counters, the management API and the contract: raw values are those of
/// `CloseReason` in proto/upstream.proto. Append only, never renumber.
public enum CloseReason: UInt8, CaseIterable, BitwiseCopyable, Sendable {
  // The client's doing.
  case clientClosed = 1
  case clientReset = 2
  case idleTimeout = 3
  case slowClient = 4
  case framingViolation = 5
  /// It was not let in within its listener's deadline.
  case loginTimeout = 6
  /// What it sent is no login as its listener describes one.
  case loginInvalid = 7
  /// Its claim does not hold: no such account, a wrong password, an expired ticket…
  case loginRefused = 8
  case accountDisabled = 9
  case banned = 10
  /// Its account is in already, and the listener lets no account in twice.
  case duplicateLogin = 11
  /// Its account came in again.
  case replaced = 12
  /// It was answered from the configuration, as policy requests and server-list pings are.
  case answered = 13
  /// It sent more, or longer packets, than its listener allows.
  case rateLimited = 14
  /// Its address or prefix has too many connections, or opens them too fast.
  case connectionLimit = 15
  // A worker's doing.
  case noWorker = 64
  case workerViolation = 65
  case packetRefused = 66
  // The gateway's doing.
  case overCapacity = 128
  case shutdown = 129
  case closedByOperator = 130
  /// The database can't be asked.
  case storeUnavailable = 131
  /// It had waited longest to be let in when there were too many such clients.
  case loginEvicted = 132
  /// No worker could be asked whether to let it in.
  case authUnavailable = 133
  /// Its listener was taken away, and its sessions with it.
  case listenerRemoved = 134

  /// The name in logs, metrics and the management API.
  public var name: String {
    switch self {
    case .clientClosed: "client-closed"
    case .clientReset: "client-reset"
    case .idleTimeout: "idle-timeout"
    case .slowClient: "slow-client"
    case .framingViolation: "framing-violation"
    case .loginTimeout: "login-timeout"
    case .loginInvalid: "login-invalid"
    case .loginRefused: "login-refused"
    case .accountDisabled: "account-disabled"
    case .banned: "banned"
    case .duplicateLogin: "duplicate-login"
    case .replaced: "replaced"
    case .answered: "answered"
    case .rateLimited: "rate-limited"
    case .connectionLimit: "connection-limit"
    case .noWorker: "no-worker"
    case .workerViolation: "worker-violation"
    case .packetRefused: "packet-refused"
    case .overCapacity: "over-capacity"
    case .shutdown: "shutdown"
    case .closedByOperator: "closed-by-operator"
    case .storeUnavailable: "store-unavailable"
    case .loginEvicted: "login-evicted"
    case .authUnavailable: "auth-unavailable"
    case .listenerRemoved: "listener-removed"
    }
  }
}
