internal import Auth
internal import Primitives

/// Cuts a list of bans into entries: pure, bounded, and never stopped by a bad line.
///
/// Feed it pieces of a file, call ``next()`` until it gives nil after each, and
/// ``finish()`` at the end, with ``next()`` once more.
public struct BanListReader {
  /// The longest line, in bytes, without its end.
  public static let lineBytesMax = 8192

  private let format: BanListFormat
  private var pending: [UInt8] = []
  private var start = 0
  private var scanned = 0
  private var isFinished = false
  /// The line is too long: it is passed over up to its end.
  private var isSkipping = false
  private var line = 0
  private var columns: BanListColumns?
  /// Entries of a range, the last one first.
  private var queued: [BanListEntry] = []

  public init(format: BanListFormat) { self.format = format }

  /// Adds bytes of the file.
  public mutating func feed(_ bytes: some Sequence<UInt8>) {
    // What was cut lies in front; it goes once it is more than what is left.
    if start > pending.count / 2 {
      pending.removeFirst(start)
      scanned -= start
      start = 0
    }
    pending.append(contentsOf: bytes)
  }

  /// No more bytes come: what is left is the last line.
  public mutating func finish() { isFinished = true }

  /// The next entry, or what is wrong with the next line that has none.
  ///
  /// - Returns: nil when there is no whole line any more.
  public mutating func next() -> Result<BanListEntry, BanListProblem>? {
    while true {
      if let entry = queued.popLast() { return .success(entry) }
      let bytes: [UInt8]
      switch nextLine() {
      case nil: return nil
      case .tooLong?:
        return .failure(BanListProblem(line, "longer than \(Self.lineBytesMax) bytes"))
      case .whole(let found)?: bytes = found
      }
      do throws(BanListProblem) {
        queued = try entries(bytes).reversed()
      } catch {
        return .failure(error)
      }
    }
  }

  private enum Line {
    case whole([UInt8])
    case tooLong
  }

  private mutating func nextLine() -> Line? {
    while true {
      var end = max(start, scanned)
      while end < pending.count, pending[end] != 0x0a { end += 1 }
      scanned = end
      let hasEnd = end < pending.count
      guard hasEnd || isFinished else {
        // A carriage return may be the beginning of the line's end.
        let hasReturn = end > start && pending[end - 1] == 0x0d
        guard end - start > Self.lineBytesMax + (hasReturn ? 1 : 0) else { return nil }
        // Its rest may be of any length; none of it is kept.
        let wasSkipping = isSkipping
        isSkipping = true
        start = end
        if wasSkipping { return nil }
        line += 1
        return .tooLong
      }
      guard hasEnd || end > start || isSkipping else { return nil }
      var bytes = pending[start..<end]
      start = hasEnd ? end + 1 : end
      scanned = start
      if isSkipping {
        isSkipping = false
        continue
      }
      line += 1
      if bytes.last == 0x0d { bytes.removeLast() }
      guard bytes.count <= Self.lineBytesMax else { return .tooLong }
      return .whole(Array(bytes))
    }
  }

  private mutating func entries(_ bytes: [UInt8]) throws(BanListProblem) -> [BanListEntry] {
    guard var text = String(validating: bytes, as: UTF8.self) else {
      // Old lists have names in any encoding; only the name is in doubt then.
      guard format == .p2p || format == .dat else { throw BanListProblem(line, "not UTF-8") }
      return try ranged(String(decoding: bytes, as: UTF8.self))
    }
    if line == 1, text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
    switch format {
    case .plain: return try BanListPlain.entries(text, line: line)
    case .json: return try BanListJSON.entry(text, line: line).map { [$0] } ?? []
    case .p2p, .dat: return try ranged(text)
    case .csv:
      if let columns { return try columns.entry(text, line: line).map { [$0] } ?? [] }
      if BanListText.trimmed(text).isEmpty || text.hasPrefix("#") { return [] }
      columns = try BanListColumns(text, line: line)
      return []
    }
  }

  private func ranged(_ text: String) throws(BanListProblem) -> [BanListEntry] {
    format == .p2p
      ? try BanListPlain.p2p(text, line: line) : try BanListPlain.dat(text, line: line)
  }
}
