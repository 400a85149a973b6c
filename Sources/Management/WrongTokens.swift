internal import Synchronization

/// Counts wrong tokens, and says when a line in the log is due: who tries many does not fill it.
final class WrongTokens: Sendable {
  /// Between two lines, in nanoseconds.
  static let pauseNanoseconds: Int64 = 1_000_000_000

  private struct State {
    var lastLineAt: Int64?
    /// Since the last line.
    var count: UInt64 = 0
  }

  private let state = Mutex(State())

  /// A wrong token came at `now`, in nanoseconds of a clock that does not go back.
  ///
  /// - Returns: how many came since the last line, this one included, when a line is due.
  func note(at now: Int64) -> UInt64? {
    state.withLock { state in
      state.count += 1
      if let last = state.lastLineAt, now - last < Self.pauseNanoseconds { return nil }
      state.lastLineAt = now
      defer { state.count = 0 }
      return state.count
    }
  }
}
