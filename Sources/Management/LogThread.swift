internal import Gateway
internal import Glibc

/// The thread that writes the log; owns what it needs to form lines.
///
/// A descriptor that takes nothing for a while (a stalled pipe, a full disk, a reader that is gone)
/// is tried again for as long as the log runs; meanwhile the queue fills, and then drops.
final class LogThread {
  /// What is written at a time, in bytes: `poll` promises that a pipe has room for so much, and
  /// such a write is not mixed with those of other processes (pipe(7), PIPE_BUF).
  private static let chunkBytesMax = 4096
  /// After an error that only somebody else can mend, in milliseconds.
  private static let pauseMilliseconds: Int64 = 1_000
  /// After a descriptor announced room and then had none, in milliseconds.
  private static let shortPauseMilliseconds: Int64 = 10

  private let descriptor: Int32
  private let queue: LogQueue
  private let ended: SignalPipe
  private var line: LogLine
  private var chunk: [UInt8] = []

  init(descriptor: Int32, queue: LogQueue, ended: SignalPipe, line: LogLine) {
    self.descriptor = descriptor
    self.queue = queue
    self.ended = ended
    self.line = line
  }

  /// Runs `log` on a thread of its own, which keeps it until it ends.
  static func start(_ log: consuming LogThread) throws(LogWriterError) -> LogThreadHandle {
    let box = unsafe Unmanaged.passRetained(log)
    var thread = pthread_t()
    let code = withSignalsBlocked {
      unsafe pthread_create(&thread, nil, LogThread.main, box.toOpaque())
    }
    guard code == 0 else {
      unsafe box.release()
      throw .cannotStart(errno: code)
    }
    return LogThreadHandle(thread: thread)
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    // SAFETY: balances the retain of `start`.
    unsafe Unmanaged<LogThread>.fromOpaque($0!).takeRetainedValue().run()
    return nil
  }

  private func run() {
    defer { ended.signal() }
    var batch = LogQueue.Batch()
    while true {
      switch queue.take(&batch) {
      case .batch:
        guard write(batch) else { return }
      case .nothing:
        _ = queue.wakeUps.wait(timeoutMilliseconds: -1)
        queue.wakeUps.drain()
      case .ended:
        queue.allWritten()
        return
      }
    }
  }

  /// False when the log's end came before the lines could be written.
  private func write(_ batch: LogQueue.Batch) -> Bool {
    for entry in batch.entries {
      let start = chunk.count
      line.append(record(entry.content), at: entry.time, to: &chunk)
      if chunk.count > Self.chunkBytesMax && start > 0 {
        guard flush(start) else { return false }
      }
    }
    if batch.dropped > 0 {
      var record = LogRecord(.warning, "log-lines-dropped")
      record.add("lines", batch.dropped)
      line.append(record, at: batch.droppedTime, to: &chunk)
    }
    return flush(chunk.count)
  }

  private func record(_ content: LogQueue.Entry.Content) -> LogRecord {
    switch content {
    case .event(let event): return LogRecord(event)
    case .message(let level, let name, let fields):
      var record = LogRecord(level, name)
      for (name, text) in fields { record.add(name, text) }
      return record
    }
  }

  /// Writes the first `count` bytes of the chunk and forgets them.
  private func flush(_ count: Int) -> Bool {
    var written = 0
    while written < count {
      guard waitUntilWritable() else { return false }
      let end = min(count, written + Self.chunkBytesMax)
      // SAFETY: the slice lies within the array.
      let result = unsafe chunk.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress! + written, end - written)
      }
      if result > 0 {
        written += result
      } else if errno != EINTR {
        let mayPass = errno == EAGAIN
        // At the end of the log nobody is waited for who would have to mend something.
        if let left = millisecondsLeft(), !mayPass || left <= 0 { return false }
        pause(mayPass ? Self.shortPauseMilliseconds : Self.pauseMilliseconds)
      }
    }
    chunk.removeFirst(count)
    return true
  }

  /// False when the log's deadline came first.
  private func waitUntilWritable() -> Bool {
    while true {
      let left = millisecondsLeft()
      if let left, left <= 0 { return isWritableNow() }
      var watched = [
        pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: queue.wakeUps.readEnd, events: Int16(POLLIN), revents: 0),
      ]
      _ = unsafe poll(&watched, 2, Int32(clamping: left ?? -1))
      // Errors count too: writing tells which.
      if watched[0].revents != 0 { return true }
      // The end was announced, and with it a deadline.
      if watched[1].revents != 0 { queue.wakeUps.drain() }
    }
  }

  private func isWritableNow() -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&watched, 1, 0) > 0
  }

  /// Waits, but not beyond the log's end.
  private func pause(_ milliseconds: Int64) {
    let until = now(CLOCK_MONOTONIC) + milliseconds * 1_000_000
    while queue.deadline == nil {
      let left = (until - now(CLOCK_MONOTONIC)) / 1_000_000
      guard left > 0 else { return }
      if queue.wakeUps.wait(timeoutMilliseconds: Int32(clamping: left)) { queue.wakeUps.drain() }
    }
    // A wake-up is spent by its first reader, so the rest of a short pause is not watched.
    let rest = max(0, min(Self.shortPauseMilliseconds, millisecondsLeft() ?? 0))
    _ = poll(nil, 0, Int32(rest))
  }

  /// Nil while the log is not to end.
  private func millisecondsLeft() -> Int64? {
    queue.deadline.map { ($0 - now(CLOCK_MONOTONIC)) / 1_000_000 }
  }
}

/// A thread that was started and not yet joined.
struct LogThreadHandle: Sendable {
  let thread: pthread_t

  func join() { pthread_join(thread, nil) }

  func detach() { pthread_detach(thread) }
}
