/// Byte strings that end packets, and packets of one size.
extension Search {
  mutating func tryDelimiters() {
    let isTelnet = streams.contains { TelnetByte.isSpoken(in: $0.bytes) }
    for delimiter in Self.usual + endCandidates() {
      attempt(Rule(.delimiter(delimiter, isTelnet: false)))
      if isTelnet && delimiter.last == 0x0a {
        attempt(Rule(.delimiter(delimiter, isTelnet: true)))
      }
    }
  }

  /// Of delimiters of which one ends with the other, makes the longer one win where the shorter one
  /// is only a part of it.
  static func preferWholeDelimiters(_ found: inout [Found]) {
    for index in found.indices {
      guard case .delimiter(let long, _) = found[index].rule.shape, long.count > 1 else { continue }
      for other in found where other.score.total > found[index].score.total {
        guard case .delimiter(let short, _) = other.rule.shape, long.count > short.count,
          long.suffix(short.count).elementsEqual(short), other.score.violations == 0
        else { continue }
        let within = (short.count...long.count).count { end in
          long[(end - short.count)..<end].elementsEqual(short)
        }
        let longs = found[index].score.packets
        let shorts = other.score.packets
        // Each of the short ones lies inside a long one; or most do, and the rest is chance.
        let isPart = within > 1 && shorts == within * longs
        let isMostly = TextShare.isText(short[short.count - 1]) && longs * 10 >= shorts * 9
        guard isPart || isMostly || other.score.cutHash == found[index].score.cutHash
        else { continue }
        guard long.isWhole(among: found, cutHash: found[index].score.cutHash) else { continue }
        found[index].score.text += other.score.total - found[index].score.total + 12
      }
    }
  }

  /// What many protocols end their messages with.
  private static let usual: [[UInt8]] = [
    [0x0a], [0x0d, 0x0a], [0x00], [0x0a, 0x00], [0x0d], [0xff], [0x01], [0x03], [0x04], [0x1e],
    [0x1f], [0x17], [0x0a, 0x0d], [0x00, 0x00], [0x3b], [0x7c], [0x0d, 0x0a, 0x00],
  ]

  /// What most streams end with and what stands in front of that, if it occurs elsewhere, too.
  private func endCandidates() -> [[UInt8]] {
    var candidates: [[UInt8]] = []
    var ends: [UInt8: Int] = [:]
    for stream in streams where !stream.isCut {
      if let last = stream.bytes.last { ends[last, default: 0] += 1 }
    }
    for (last, count) in ends.sorted(by: { $0.key < $1.key }) where count * 2 >= streams.count {
      let ended = streams.filter { $0.bytes.last == last && !$0.isCut }.map(\.bytes)
      for byteCount in 1...8 where ended[0].count >= byteCount {
        let common = Array(ended[0].suffix(byteCount))
        guard ended.allSatisfy({ $0.suffix(byteCount).elementsEqual(common) }) else { break }
        // At the ends alone it may be the last message, not the end of each.
        let occurrences = streams.reduce(0) { $0 + $1.occurrences(of: common) }
        guard occurrences >= 2 * streams.count, !Self.usual.contains(common) else { continue }
        candidates.append(common)
      }
    }
    return candidates
  }

  mutating func tryFixedSizes() {
    let longest = streams.map(\.bytes.count).max() ?? 0
    guard longest >= 4 else { return }
    for prelude in [0] + Array(1...Self.preludeMax) where prelude < longest {
      for size in 2...min(512, max(2, (longest - prelude) / 2)) where prelude == 0 || size < 64 {
        // Without a length field only ends can speak for a size.
        let whole = streams.count { ($0.bytes.count - prelude) % size == 0 || $0.isCut }
        guard whole * 4 >= streams.count * 3 else { continue }
        attempt(Rule(prelude: prelude, .fixed(size)))
      }
    }
  }
}

extension LearningStream {
  fileprivate func occurrences(of text: [UInt8]) -> Int {
    guard bytes.count >= text.count else { return 0 }
    return (0...(bytes.count - text.count)).count { start in
      bytes[start] == text[0] && text.indices.allSatisfy { bytes[start + $0] == text[$0] }
    }
  }
}

extension [UInt8] {
  fileprivate var controls: Int { count { !TextShare.isText($0) || $0 < 0x20 } }

  /// Whether this is how a person would name the delimiter, of all `found` that cut alike: the
  /// shortest with all control characters, or the longest where there are none.
  fileprivate func isWhole(among found: [Search.Found], cutHash: UInt64) -> Bool {
    let alike = found.compactMap { other -> [UInt8]? in
      guard other.score.cutHash == cutHash, case .delimiter(let text, _) = other.rule.shape
      else { return nil }
      return text
    }
    let controls = alike.map(\.controls).max() ?? 0
    let whole = alike.filter { $0.controls == controls }
    return count == (controls == 0 ? whole.map(\.count).max() : whole.map(\.count).min())
      && self.controls == controls
  }
}
