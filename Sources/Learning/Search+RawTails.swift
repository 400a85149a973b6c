/// Packets up to a point from which the streams are enciphered or compressed.
extension Search {
  /// How many packets there may be in front of that point.
  private static let packetsMax = 16

  /// - Parameter opaqueFrom: where the streams begin to look opaque; about, for parts are coarse.
  mutating func tryRawTails(opaqueFrom: Int) {
    // What goes through to the end needs no such explanation.
    if let best = best.first, best.score.violations == 0, best.score.exactStreams > 0,
      best.score.total > 30
    {
      return
    }
    guard opaqueFrom > 0 else { return }
    for rule in plainRules() {
      var rule = rule
      guard let packets = packets(rule, before: opaqueFrom) else { continue }
      rule.rawAfter = packets
      attempt(rule)
    }
  }

  private func plainRules() -> [Rule] {
    var rules: [Rule] = []
    for offset in 0...4 {
      for (width, isLittle) in [(2, false), (2, true), (4, false), (4, true), (1, false)] {
        let header = offset + width
        for adjustment in Set([0, -header, offset - header]).sorted() {
          rules.append(
            Rule(
              LengthRule(
                offset: offset, encoding: .binary(width: width, isLittle: isLittle),
                adjustment: adjustment)))
        }
      }
    }
    rules.append(Rule(LengthRule(encoding: .leb128, adjustment: 0)))
    rules.append(Rule(.delimiter([0x0a], isTelnet: false)))
    rules.append(Rule(.delimiter([0x00], isTelnet: false)))
    return rules
  }

  /// How many packets each stream has before it becomes opaque; nil when they differ in that, or
  /// when what follows could be packets.
  private func packets(_ rule: Rule, before opaqueFrom: Int) -> Int? {
    var walk = Walk()
    var lengths: Set<Int> = []
    var fewest = Self.packetsMax + 1
    for stream in streams.prefix(12) {
      rule.walk(stream.bytes, cutsMax: Self.packetsMax + 1, into: &walk)
      let clear = walk.cuts.prefix { $0.end <= opaqueFrom + 256 }.count
      guard clear > 0 else { return nil }
      for cut in walk.cuts.prefix(clear) { lengths.insert(cut.end - cut.start) }
      fewest = min(fewest, clear)
    }
    // One packet of one length is what any constant greeting is, too.
    guard (1...Self.packetsMax).contains(fewest), lengths.count > 1 else { return nil }
    var opaque = 0
    for stream in streams.prefix(12) {
      rule.walk(stream.bytes, cutsMax: fewest, into: &walk)
      if Opacity.looksOpaque(stream.bytes[walk.reached(rule)...]) { opaque += 1 }
    }
    return opaque * 4 >= min(streams.count, 12) * 3 ? fewest : nil
  }
}
