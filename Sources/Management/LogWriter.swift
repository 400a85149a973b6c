public import Gateway
internal import Glibc
internal import Synchronization

/// Why the log could not be started.
public enum LogWriterError: Error, Equatable, CustomStringConvertible, Sendable {
  case cannotStart(errno: Int32)

  public var description: String {
    switch self {
    case .cannotStart(let code): "cannot start the log: \(errorText(code))"
    }
  }
}

/// Writes log lines to a descriptor from a thread of its own.
///
/// Whoever logs never waits: lines go through a bounded queue, and those that find it full are
/// dropped and counted. A line then says how many, in the place where they are missing.
public final class LogWriter: Sendable {
  /// How many lines may wait, unless said otherwise: some seconds of a busy gateway.
  public static let linesMaxDefault = 16_384

  /// What is less severe is not logged.
  public let level: LogLevel
  private let queue: LogQueue
  /// Signalled by the thread when it has ended.
  private let ended: SignalPipe
  private let thread: Mutex<LogThreadHandle?>

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - descriptor: stays the caller's; its flags are left alone. It must stay open until
  ///     ``stop(timeoutMilliseconds:)`` has returned true, or the process ends.
  ///   - linesMax: how many lines may wait to be written; at least 1.
  public init(
    descriptor: Int32, configuration: LogConfiguration, linesMax: Int = linesMaxDefault
  ) throws(LogWriterError) {
    precondition(linesMax >= 1)
    guard let queue = LogQueue(linesMax: linesMax), let ended = SignalPipe() else {
      throw .cannotStart(errno: errno)
    }
    level = configuration.level
    self.queue = queue
    self.ended = ended
    thread = Mutex(
      try LogThread.start(
        LogThread(
          descriptor: descriptor, queue: queue, ended: ended,
          line: LogLine(format: configuration.format))))
  }

  deinit {
    queue.end(deadline: now(CLOCK_MONOTONIC))
    thread.withLock { $0?.detach() }
  }

  /// Lines that were dropped because the queue was full, or the log stopped.
  public var linesDropped: UInt64 { queue.droppedEver }

  /// Logs what a shard reports; costs a lock that is never held for long.
  public func log(_ event: LogEvent) {
    guard event.level >= level else { return }
    queue.push(.event(event))
  }

  /// Logs a line that no shard reports.
  ///
  /// - Parameter name: in the manner of the events' names, such as `token-created`.
  public func log(
    _ level: LogLevel, _ name: String, _ fields: KeyValuePairs<String, String> = [:]
  ) {
    guard level >= self.level else { return }
    queue.push(.message(level, name, fields))
  }

  /// Accepts no more lines, and waits until what was accepted is written.
  ///
  /// - Returns: false when the time was over first, or the descriptor takes nothing.
  public func stop(timeoutMilliseconds: UInt32) -> Bool {
    queue.end(deadline: now(CLOCK_MONOTONIC) + Int64(timeoutMilliseconds) * 1_000_000)
    // A moment longer than the thread, which may just give up at its deadline.
    let patience = Int32(clamping: Int64(timeoutMilliseconds) + 100)
    // A thread that hangs in a write is left behind: it cannot be interrupted.
    guard ended.wait(timeoutMilliseconds: patience) else { return false }
    return thread.withLock { thread in
      thread?.join()
      thread = nil
      return queue.isWritten
    }
  }
}
