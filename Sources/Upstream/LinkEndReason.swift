/// Why a link to a worker ended, or why it could not be made.
///
/// Raw values are in metrics: append only, never renumber.
public enum LinkEndReason: UInt8, CaseIterable, BitwiseCopyable, Sendable {
  // Never got as far as gRPC.
  case resolveFailed = 1
  case connectFailed = 2
  case connectTimeout = 3
  case handshakeTimeout = 4
  // The worker went away or stopped answering.
  case connectionClosed = 16
  case connectionReset = 17
  case readyTimeout = 18
  case aliveTimeout = 19
  case notLive = 20
  case goAway = 21
  case streamReset = 22
  case streamEnded = 23
  case liveEnded = 24
  case queueFull = 25
  // The worker broke a protocol.
  case notHTTP2 = 32
  case protocolError = 33
  case httpStatus = 34
  case notGRPC = 35
  case grpcStatus = 36
  case compressedMessage = 37
  case messageTooLarge = 38
  case malformedMessage = 39
  // The gateway's doing.
  case drained = 64
  case removed = 65
  case shutdown = 66

  /// The name in logs, metrics and the management API.
  public var name: String {
    switch self {
    case .resolveFailed: "resolve-failed"
    case .connectFailed: "connect-failed"
    case .connectTimeout: "connect-timeout"
    case .handshakeTimeout: "handshake-timeout"
    case .connectionClosed: "connection-closed"
    case .connectionReset: "connection-reset"
    case .readyTimeout: "ready-timeout"
    case .aliveTimeout: "alive-timeout"
    case .notLive: "not-live"
    case .goAway: "go-away"
    case .streamReset: "stream-reset"
    case .streamEnded: "stream-ended"
    case .liveEnded: "live-ended"
    case .queueFull: "queue-full"
    case .notHTTP2: "not-http2"
    case .protocolError: "protocol-error"
    case .httpStatus: "http-status"
    case .notGRPC: "not-grpc"
    case .grpcStatus: "grpc-status"
    case .compressedMessage: "compressed-message"
    case .messageTooLarge: "message-too-large"
    case .malformedMessage: "malformed-message"
    case .drained: "drained"
    case .removed: "removed"
    case .shutdown: "shutdown"
    }
  }
}
