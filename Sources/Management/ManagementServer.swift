internal import CMicrohttpd
public import Gateway
internal import Glibc
internal import Synchronization

/// The HTTP API for operators and monitoring.
///
/// Each connection has a thread of its own, at most ``connectionsMax``, so that a request that
/// waits for a worker's first probe holds up nobody else.
@safe
public final class ManagementServer: Sendable {
  /// How many connections are served at a time; more wait to be accepted.
  public static let connectionsMax: UInt32 = 64
  /// A connection that neither sends nor takes anything for so long is closed, in seconds.
  public static let idleSeconds: UInt32 = 15

  /// Logs a line; see ``LogWriter/log(_:_:_:)``.
  public typealias Log = @Sendable (LogLevel, String, KeyValuePairs<String, String>) -> Void

  /// The port it listens on, also when the configuration says 0.
  public let port: UInt16
  private let daemon: Mutex<Daemon?>

  /// Binds the configured address and starts to serve.
  ///
  /// - Parameters:
  ///   - token: what clients have to send; see ``Token/load(_:)``.
  ///   - logLinesDropped: what `/metrics` tells of the log; see ``LogWriter/linesDropped``.
  ///   - moreMetrics: what `/metrics` tells beside what shards count.
  ///   - log: is told of wrong tokens, at most once a second. Both are called from several threads.
  ///   - listeners: adds and removes listeners.
  ///   - perform: has a shard perform the command, and blocks the calling thread until it has
  ///     answered. Nil when it did not within the given time, in milliseconds, or when the gateway
  ///     stops. Called from several threads at a time.
  /// - Throws: when the host cannot be resolved, or its port not be bound.
  public init(
    _ configuration: ManagementConfiguration, token: Token,
    logLinesDropped: @escaping @Sendable () -> UInt64 = { 0 },
    moreMetrics: @escaping @Sendable () -> [ExtraMetric] = { [] },
    log: @escaping Log = { _, _, _ in }, listeners: ListenerOperations = .none,
    perform: @escaping @Sendable (Command, _ timeoutMilliseconds: UInt32) -> Reply?
  ) throws(ManagementServerError) {
    let socket = try ListeningSocket(host: configuration.host, port: configuration.port)
    let service = HTTPService(
      api: ManagementAPI(
        token: token, isRecordingAllowed: configuration.recording,
        logLinesDropped: logLinesDropped, moreMetrics: moreMetrics, log: log,
        listeners: listeners, perform: perform))
    port = socket.port
    unsafe daemon = unsafe Mutex(try Daemon(listening: socket, service: service))
  }

  deinit { stop() }

  /// Closes the port and every connection; waits for requests that are being performed.
  public func stop() {
    // Taken out before it is stopped, so that nobody waits for the lock meanwhile.
    let running = unsafe daemon.withLock { daemon in
      defer { unsafe daemon = nil }
      return unsafe daemon
    }
    unsafe running?.stop()
  }
}

/// A running libmicrohttpd daemon and what its callbacks are given.
@unsafe private struct Daemon: @unchecked Sendable {
  private let handle: OpaquePointer
  private let service: Unmanaged<HTTPService>

  init(listening socket: ListeningSocket, service: HTTPService) throws(ManagementServerError) {
    let context = unsafe Unmanaged.passRetained(service)
    let (started, code) = unsafe withSignalsBlocked {
      let daemon = unsafe cmicrohttpd_start(
        socket.descriptor, ManagementServer.connectionsMax, ManagementServer.idleSeconds,
        HTTPService.handle, HTTPService.completed, context.toOpaque())
      return unsafe (daemon, errno)
    }
    guard let started = unsafe started else {
      // The library closes the socket on some of its ways out and not on others. One that stays
      // open is harmless in a program that does not start; one closed twice is not.
      unsafe context.release()
      throw .cannotStart(errno: code)
    }
    unsafe handle = started
    unsafe self.service = context
  }

  func stop() {
    unsafe MHD_stop_daemon(handle)
    // SAFETY: no callback runs any more; this balances the retain of the initializer.
    unsafe service.release()
  }
}
