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
  // A worker's doing.
  case noWorker = 64
  case workerViolation = 65
  case packetRefused = 66
  // The gateway's doing.
  case overCapacity = 128
  case shutdown = 129
  case closedByOperator = 130

  /// The name in logs, metrics and the management API.
  public var name: String {
    switch self {
    case .clientClosed: "client-closed"
    case .clientReset: "client-reset"
    case .idleTimeout: "idle-timeout"
    case .slowClient: "slow-client"
    case .framingViolation: "framing-violation"
    case .noWorker: "no-worker"
    case .workerViolation: "worker-violation"
    case .packetRefused: "packet-refused"
    case .overCapacity: "over-capacity"
    case .shutdown: "shutdown"
    case .closedByOperator: "closed-by-operator"
    }
  }
}
