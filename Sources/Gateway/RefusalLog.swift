/// So many lines of a kind a second, and a count of the others on the next line.
struct LogBudget {
  private static let linesMax = 10

  private var second: Int64 = 0
  private var lines = 0
  private var unlogged: UInt64 = 0

  /// - Returns: nil when this one is not to be logged, else how many were not since the last line.
  mutating func admit(second: Int64) -> UInt64? {
    if self.second != second {
      self.second = second
      lines = 0
    }
    guard lines < Self.linesMax else {
      unlogged += 1
      return nil
    }
    lines += 1
    defer { unlogged = 0 }
    return unlogged
  }
}

/// Keeps a flood of refused clients from flooding the log: a budget for each reason and listener.
struct RefusalLog {
  private var budgets: [LogBudget] = []

  /// Makes room for one more listener.
  mutating func appendListener() {
    budgets.append(contentsOf: repeatElement(LogBudget(), count: 1 << 8))
  }

  /// Another listener has the number from here on.
  mutating func forget(listener: Int) {
    for index in listener << 8..<(listener + 1) << 8 { budgets[index] = LogBudget() }
  }

  /// - Returns: nil when this one is not to be logged, else how many were not since the last line.
  mutating func admit(listener: Int, _ reason: CloseReason, second: Int64) -> UInt64? {
    budgets[listener << 8 | Int(reason.rawValue)].admit(second: second)
  }
}
