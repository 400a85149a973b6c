public import Auth
public import Framing
public import Primitives
public import Upstream

/// How much of what happens is logged.
public enum LogLevel: UInt8, CaseIterable, Comparable, Sendable {
  case debug, info, warning, error

  public var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// What a shard has to tell an operator: connection-level events, never payload.
///
/// Values, not text: whoever writes the log turns them into a line.
public enum LogEvent: Sendable {
  case sessionOpened(SessionOpenedEvent)
  case sessionClosed(SessionClosedEvent)
  /// A client was turned away before it was let in.
  case sessionRefused(SessionRefusedEvent)
  /// What a client sent breaks its framer's rules.
  case framingViolation(FramingViolationEvent)
  /// A rule banned an address or an account; so many others since the last such line have none of
  /// their own.
  case temporaryBan(TemporaryBan, unlogged: UInt64)
  /// The bans in force have changed; so many open sessions were ended by them.
  case bansApplied(bans: Int, sessionsClosed: Int)
  /// A worker answered `ready`; sessions may be given to it.
  case workerReady(worker: WorkerID, pool: String, endpoint: String)
  /// A worker said that it is not ready; it is asked again.
  case workerNotReady(worker: WorkerID, pool: String, endpoint: String, retryIn: Interval)
  /// A link ended, or could not be made. `detail` is the peer's or the system's own word for it.
  case workerLost(
    worker: WorkerID, pool: String, endpoint: String, reason: LinkEndReason, detail: String,
    sessionsMoved: Int, retryIn: Interval?)
  case workerDraining(worker: WorkerID, pool: String, endpoint: String)
  case workerAdded(worker: WorkerID, pool: String, endpoint: String)
  case workerRemoved(worker: WorkerID, pool: String, endpoint: String)
  /// A listener was added while the gateway runs.
  case listenerAdded(listener: String, address: String, pool: String, framer: String)
  /// A listener takes nobody any more; so many sessions are left to end by themselves, or closed.
  case listenerRemoved(listener: String, address: String, sessions: Int, closesSessions: Bool)
  /// The last session of a listener that was removed is over.
  case listenerGone(listener: String)
  /// The process has no descriptor left, or the system no memory, for another client.
  case acceptPaused(listener: String, detail: String)
  case acceptResumed(listener: String)
  case shutdownStarted(sessions: Int, grace: Interval)
  case shutdownFinished(sessionsCut: Int)
  /// A worker sent bytes for a client that do not form whole packets of its listener's framer.
  case broadcastRefused(worker: WorkerID, pool: String, listener: String, bytes: Int)
  /// From here on what new sessions send, and are sent, is copied for an operator.
  case recordingStarted(RecordingID, RecordingRequest)
  case recordingEnded(RecordingSummary)

  public var level: LogLevel {
    switch self {
    case .sessionOpened, .sessionClosed, .workerReady, .workerDraining, .workerAdded,
      .workerRemoved, .listenerAdded, .listenerRemoved, .listenerGone, .acceptResumed,
      .shutdownStarted, .shutdownFinished, .recordingEnded:
      .info
    case .workerLost(_, _, _, reason: .drained, _, _, _),
      .workerLost(_, _, _, reason: .removed, _, _, _),
      .workerLost(_, _, _, reason: .shutdown, _, _, _):
      .info
    case .bansApplied: .debug
    case .sessionRefused(let event):
      switch event.reason {
      // Scanners, health checks, and those who only ask.
      case .clientClosed, .clientReset, .answered: .info
      default: .warning
      }
    case .framingViolation, .temporaryBan, .workerNotReady, .workerLost, .acceptPaused,
      .broadcastRefused, .recordingStarted:
      .warning
    }
  }
}

/// A client was let in.
public struct SessionOpenedEvent: Sendable {
  public var uuid: SessionUUID
  public var client: SocketAddress
  public var listener: String
  /// Nil on a listener without authentication.
  public var account: AccountName?
}

/// A client was turned away.
public struct SessionRefusedEvent: Sendable {
  public var client: SocketAddress
  public var listener: String
  public var reason: CloseReason
  /// The account as claimed or verified, when there was one.
  public var account: String?
  /// What the client is not told; may be empty.
  public var detail: String
  /// Clients refused for the same reason since the last such line, which have none of their own.
  public var unlogged: UInt64
}

/// The bytes of a client can't be cut.
public struct FramingViolationEvent: Sendable {
  public var uuid: SessionUUID
  public var client: SocketAddress
  public var listener: String
  public var violation: FramingViolation
  /// Others since the last such line, which have none of their own.
  public var unlogged: UInt64
}

/// A session is over.
public struct SessionClosedEvent: Sendable {
  public var uuid: SessionUUID
  public var client: SocketAddress
  public var listener: String
  public var reason: CloseReason
  public var duration: Interval
  public var packetsIn: UInt64
  public var bytesIn: UInt64
  public var messagesOut: UInt64
  public var bytesOut: UInt64
}
