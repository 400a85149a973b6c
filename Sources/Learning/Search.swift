/// Tries rules of all kinds against streams and keeps those that fit best.
///
/// Most rules fail at their first packets. So each is tried on a few packets of some streams first;
/// the best of them on more; the best of those on all.
struct Search {
  /// A rule and what speaks for it.
  struct Found {
    var rule: Rule
    var score: Score
  }

  /// How many streams and packets of each are looked at, and how many rules go on, round by round.
  private static let rounds = [
    (streams: 8, cuts: 16, kept: 600), (streams: 32, cuts: 400, kept: 80),
    (streams: Int.max, cuts: Int.max, kept: 48),
  ]

  var scorer: Scorer
  private var found: [Found] = []
  /// Kept for its storage.
  private var firstWalk = Walk()
  /// How many rules were tried.
  private(set) var tried = 0

  init(_ streams: [LearningStream]) { scorer = Scorer(streams) }

  var streams: [LearningStream] { scorer.streams }

  /// - Parameter opaqueFrom: from which byte on the streams look enciphered; nil when they don't.
  /// - Returns: the best rules, best first.
  mutating func run(opaqueFrom: Int? = nil) -> [Found] {
    tryLengths()
    trySpecialLengths()
    tryTextLengths()
    settle(round: 0)
    tryDelimiters()
    tryFixedSizes()
    keepBest(found.count)
    tryChoices()
    tryTables()
    if let opaqueFrom { tryRawTails(opaqueFrom: opaqueFrom) }
    settle(round: 1)
    dropNeedlessPreludes()
    Self.preferWholeDelimiters(&found)
    keepBest(found.count)
    return found
  }

  /// Looks at `rule` as the first round does.
  mutating func attempt(_ rule: Rule) {
    tried += 1
    let round = Self.rounds[0]
    guard startsWell(rule, streamsMax: round.streams) else { return }
    guard let score = scorer.score(rule, streamsMax: round.streams, cutsMax: round.cuts)
    else { return }
    found.append(Found(rule: rule, score: score))
    // Bounds what is kept of very many rules.
    if found.count > 8 * round.kept { keepBest(round.kept) }
  }

  /// Whether at least three of four streams may begin with a packet, and one of the first few does.
  private mutating func startsWell(_ rule: Rule, streamsMax: Int) -> Bool {
    var bad = 0
    var whole = 0
    for index in 0..<min(streamsMax, scorer.streams.count) {
      rule.walk(scorer.streams[index].bytes, cutsMax: 1, into: &firstWalk)
      if firstWalk.end == .violation { bad += 1 }
      if !firstWalk.cuts.isEmpty { whole += 1 }
      if bad * 4 > index + 4 || (index == 3 && whole == 0) { return false }
      // More would only be looked at again.
      if whole >= 3 { return true }
    }
    return whole > 0
  }

  /// The best rules so far, best first.
  var best: [Found] { found }

  /// Lets the best of `round` go on to the next.
  private mutating func settle(round: Int) {
    keepBest(Self.rounds[round].kept)
    let next = Self.rounds[round + 1]
    var kept: [Found] = []
    for candidate in found {
      guard
        let score = scorer.score(
          candidate.rule, streamsMax: next.streams, cutsMax: next.cuts)
      else { continue }
      kept.append(Found(rule: candidate.rule, score: score))
    }
    found = kept
    keepBest(next.kept)
  }

  /// Where a rule cuts its own prelude rightly, into a packet or several, that is no prelude.
  private mutating func dropNeedlessPreludes() {
    var walk = Walk()
    found = found.map { candidate in
      let prelude = candidate.rule.prelude
      guard prelude > 0 else { return candidate }
      var plain = candidate.rule
      plain.prelude = 0
      let fitting = streams.count { stream in
        plain.walk(stream.bytes, cutsMax: prelude, into: &walk)
        return walk.cuts.contains { $0.end == prelude }
      }
      guard fitting == streams.count, let score = scorer.score(plain) else { return candidate }
      return Found(rule: plain, score: score)
    }
  }

  private mutating func keepBest(_ count: Int) {
    found.sort { $0.score.total > $1.score.total }
    if found.count > count { found.removeLast(found.count - count) }
  }
}
