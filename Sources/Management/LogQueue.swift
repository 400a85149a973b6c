internal import Gateway
internal import Glibc
internal import Synchronization

/// The bounded queue between those who log and the thread that writes.
final class LogQueue: Sendable {
  struct Entry: Sendable {
    enum Content: Sendable {
      case event(LogEvent)
      case message(LogLevel, String, KeyValuePairs<String, String>)
    }

    /// Nanoseconds since 1970.
    var time: Int64
    var content: Content
  }

  /// What the writing thread takes at a time.
  struct Batch: Sendable {
    var entries: [Entry] = []
    /// Lines dropped after those of `entries`, the last of them at `droppedTime`.
    var dropped: UInt64 = 0
    var droppedTime: Int64 = 0
  }

  enum Taken {
    case batch
    /// Nothing waits; the wake-up pipe tells when that changes.
    case nothing
    /// Nothing waits, and nothing will come any more.
    case ended
  }

  private struct State {
    var waiting = Batch()
    /// Entries that were taken and may not be written yet: they count against the bound too.
    var taken = 0
    var writerSleeps = false
    var droppedEver: UInt64 = 0
    /// On the monotonic clock, in nanoseconds; nil while lines are accepted.
    var deadline: Int64?
    var isWritten = false
  }

  let wakeUps: SignalPipe
  private let linesMax: Int
  private let state = Mutex(State())

  init?(linesMax: Int) {
    guard let wakeUps = SignalPipe() else { return nil }
    self.wakeUps = wakeUps
    self.linesMax = linesMax
  }

  /// Lines that found the queue full, or came after its end.
  var droppedEver: UInt64 { state.withLock { $0.droppedEver } }

  /// When to give up writing, on the monotonic clock in nanoseconds; nil before ``end(deadline:)``.
  var deadline: Int64? { state.withLock { $0.deadline } }

  /// True when the log has ended and nothing that it took was lost.
  var isWritten: Bool { state.withLock { $0.isWritten } }

  /// Takes the line, or counts it as dropped; never waits for the writer.
  func push(_ content: Entry.Content) {
    let time = now(CLOCK_REALTIME)
    let wake = state.withLock { state in
      guard state.deadline == nil, state.waiting.entries.count + state.taken < linesMax else {
        state.waiting.dropped += 1
        state.waiting.droppedTime = time
        state.droppedEver += 1
        return false
      }
      state.waiting.entries.append(Entry(time: time, content: content))
      defer { state.writerSleeps = false }
      return state.writerSleeps
    }
    if wake { wakeUps.signal() }
  }

  /// Says that the last batch is written, and swaps `batch`, emptied, for what waits.
  func take(_ batch: inout Batch) -> Taken {
    batch.entries.removeAll(keepingCapacity: true)
    batch.dropped = 0
    return state.withLock { state in
      state.taken = 0
      if state.waiting.entries.isEmpty && state.waiting.dropped == 0 {
        if state.deadline != nil { return .ended }
        state.writerSleeps = true
        return .nothing
      }
      swap(&batch, &state.waiting)
      state.taken = batch.entries.count
      return .batch
    }
  }

  /// Accepts no more lines; what waits is written until `deadline`.
  func end(deadline: Int64) {
    state.withLock { $0.deadline = $0.deadline ?? deadline }
    wakeUps.signal()
  }

  /// The writing thread's last word.
  func allWritten() { state.withLock { $0.isWritten = true } }
}
