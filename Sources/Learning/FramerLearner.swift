internal import Framing

/// Finds out how recorded streams are cut into packets.
///
/// A framer is as likely as it makes the streams easier to describe: the minimum description length
/// (Rissanen, "Modeling by shortest data description", 1978). ``Score`` names what counts.
public enum FramerLearner {
  /// How much is looked at; bounds time and memory.
  public struct Limits: Sendable {
    /// Further streams are left out.
    public var streamsMax = 64
    /// Of each stream, in bytes.
    public var streamBytesMax = 256 << 10
    /// Of all streams together, in bytes: each has an equal share.
    public var bytesMax = 2 << 20
    public var proposalsMax = 3

    public init() {}
  }

  /// What saves fewer bits may be chance.
  private static let bitsMin = 8.0

  /// - Parameter streams: of one direction of the same protocol, each from its start.
  public static func learn(
    _ streams: [LearningStream], limits: Limits = Limits()
  ) -> LearningReport {
    var seen: Set<[UInt8]> = []
    var kept: [LearningStream] = []
    var doubles = 0
    let share = limits.bytesMax / max(1, min(streams.count, limits.streamsMax))
    for stream in streams where !stream.bytes.isEmpty && kept.count < limits.streamsMax {
      let stream = stream.prefix(min(limits.streamBytesMax, share))
      // The same bytes again say nothing new.
      if seen.insert(stream.bytes).inserted { kept.append(stream) } else { doubles += 1 }
    }
    var notes = Wording.notes(kept, given: streams.count, doubles: doubles)
    let opaqueFrom = Opacity.start(kept)
    guard !kept.isEmpty else {
      return LearningReport(
        proposals: [], notes: notes, streams: 0, bytes: 0, opaqueFrom: nil)
    }
    var search = Search(kept)
    let found = search.run(opaqueFrom: opaqueFrom)
    let proposals = proposals(from: found, kept, limits.proposalsMax)
    notes += Wording.outcome(proposals, kept, opaqueFrom: opaqueFrom)
    return LearningReport(
      proposals: proposals, notes: notes, streams: kept.count,
      bytes: kept.reduce(0) { $0 + $1.bytes.count }, opaqueFrom: opaqueFrom)
  }

  private static func proposals(
    from found: [Search.Found], _ streams: [LearningStream], _ countMax: Int
  ) -> [FramerProposal] {
    var proposals: [FramerProposal] = []
    var hashes: Set<UInt64> = []
    let floor = max(bitsMin, (found.first?.score.total ?? 0) * 0.3)
    for (index, candidate) in found.enumerated() {
      guard proposals.count < countMax, candidate.score.total >= floor else { break }
      guard !isVariant(candidate, of: found[..<index]) else { continue }
      guard hashes.insert(candidate.score.cutHash).inserted else { continue }
      var alike = ArraySlice(found[index...].filter { $0.score.cutHash == candidate.score.cutHash })
      let best = alike.remove(at: plainest(of: alike))
      guard let proposal = proposal(best, alike: Array(alike), streams) else { continue }
      proposals.append(proposal)
    }
    Wording.compare(&proposals)
    return proposals
  }

  /// Which of rules that cut alike a person would write down.
  private static func plainest(of alike: ArraySlice<Search.Found>) -> Int {
    let floor = alike[alike.startIndex].score.total * 0.9 - 10
    func rank(_ found: Search.Found) -> (Int, Int, Int) {
      // The first packet may look like a prelude, but is one only where no rule cuts it.
      let prelude = found.rule.prelude == 0 ? 0 : 1
      guard case .length(let rule) = found.rule.shape else { return (prelude, 0, 0) }
      let natural = found.rule.countsNaturally ? 0 : 1
      guard case .binary(let width, _) = rule.encoding else { return (prelude, natural, 3) }
      let isOdd = rule.mask != nil || rule.xorOffset != nil || rule.multiplier != 1
      // A byte that is always zero beside a length is a part of it: 2 and 4 bytes are usual.
      let widths = [4: 0, 2: 1, 1: 2, 3: 3]
      return (prelude, (isOdd ? 2 : 0) + natural, widths[width] ?? 4)
    }
    var best = alike.startIndex
    for index in alike.indices where alike[index].score.total >= floor {
      if case .length = alike[index].rule.shape, case .length = alike[best].rule.shape {
        if rank(alike[index]) < rank(alike[best]) { best = index }
      } else if rank(alike[index]).0 < rank(alike[best]).0 {
        best = index
      }
    }
    return best
  }

  /// Whether it is a better rule with a part of the first packet taken for a prelude, or with
  /// packets cut a few bytes off: both chain as well, but say nothing new.
  private static func isVariant(
    _ candidate: Search.Found, of better: ArraySlice<Search.Found>
  ) -> Bool {
    better.contains { other in
      if candidate.rule.prelude > 0, other.rule.shape == candidate.rule.shape { return true }
      guard case .length(let rule) = candidate.rule.shape,
        case .length(let otherRule) = other.rule.shape
      else { return false }
      return candidate.score.exactStreams == 0 && other.score.exactStreams > 0
        && rule.encoding == otherRule.encoding && rule.multiplier == otherRule.multiplier
    }
  }

  /// What the real cutter confirms; nil when it cuts otherwise.
  private static func proposal(
    _ found: Search.Found, alike: [Search.Found], _ streams: [LearningStream]
  ) -> FramerProposal? {
    let rule = found.rule
    var walk = Walk()
    var ends: [[Int]] = []
    for stream in streams {
      rule.walk(stream.bytes, into: &walk)
      let prelude = rule.prelude > 0 && rule.prelude <= stream.bytes.count ? [rule.prelude] : []
      ends.append(prelude + walk.cuts.map(\.end))
    }
    let survey = PacketSurvey(streams, ends: ends, skipped: rule.prelude > 0 ? 1 : 0)
    guard survey.packets > 0 else { return nil }
    let suggestion = Suggestion(found, survey, streams)
    let compiled: CompiledFramer
    do {
      compiled = try CompiledFramer(suggestion.framer(of: rule, survey))
    } catch {
      // A rule that no definition can say is of no use.
      return nil
    }
    var cuttings: [StreamCutting] = []
    for (stream, expected) in zip(streams, ends) {
      let cutting = StreamCutting(stream.bytes, by: compiled)
      let whole = rule.rawAfter == nil ? cutting.ends : Array(cutting.ends.prefix(expected.count))
      guard whole == expected else { return nil }
      cuttings.append(cutting)
    }
    return FramerProposal(
      framer: compiled.framer, bits: Int(found.score.total.rounded()),
      confidence: Wording.confidence(found.score, rule),
      reasons: Wording.reasons(found, survey, streams),
      doubts: Wording.doubts(found, survey, streams, alike: alike),
      alternatives: Wording.alternatives(rule, alike), options: suggestion.options,
      opcodeOffset: suggestion.opcodeOffset, packets: survey.packets,
      shortestPacket: survey.shortest, longestPacket: survey.longest,
      packetEnds: cuttings.map(\.ends))
  }
}
