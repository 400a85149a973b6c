/// Keeps a flood of refused clients from flooding the log: so many lines a second for each reason
/// and listener, and a count of the others on the next line.
struct RefusalLog {
  private static let linesMax = 10

  private struct Entry {
    var second: Int64 = 0
    var lines = 0
    var unlogged: UInt64 = 0
  }

  private var entries: [Entry]

  init(listeners: Int) { entries = Array(repeating: Entry(), count: listeners << 8) }

  /// - Returns: nil when this one is not to be logged, else how many were not since the last line.
  mutating func admit(listener: Int, _ reason: CloseReason, second: Int64) -> UInt64? {
    let index = listener << 8 | Int(reason.rawValue)
    if entries[index].second != second {
      entries[index].second = second
      entries[index].lines = 0
    }
    guard entries[index].lines < Self.linesMax else {
      entries[index].unlogged += 1
      return nil
    }
    entries[index].lines += 1
    defer { entries[index].unlogged = 0 }
    return entries[index].unlogged
  }
}
