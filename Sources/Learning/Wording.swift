internal import Framing

/// Says in words what was found and how sure it is.
enum Wording {
  static func count(_ number: Int, _ noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
  }

  /// A count of streams and the verb in the right number: `("does", "do")`.
  static func streamsThat(_ number: Int, _ one: String, _ more: String) -> String {
    "\(count(number, "stream")) \(number == 1 ? one : more)"
  }

  /// About the streams, before anything is known of framers.
  static func notes(_ kept: [LearningStream], given: Int, doubles: Int) -> [String] {
    var notes: [String] = []
    if doubles > 0 {
      notes.append(
        streamsThat(doubles, "has", "have") + " the same bytes as another and say nothing new")
    }
    if kept.isEmpty { notes.append("there are no bytes to learn from") }
    if kept.count + doubles < given && !kept.isEmpty {
      notes.append(
        streamsThat(given - kept.count - doubles, "was", "were") + " left out, as empty or too many"
      )
    }
    let cut = kept.count { $0.isCut }
    if cut > 0 { notes.append(streamsThat(cut, "is", "are") + " known in part only") }
    return notes
  }

  /// About the streams, once it is known what fits.
  static func outcome(
    _ proposals: [FramerProposal], _ streams: [LearningStream], opaqueFrom: Int?
  ) -> [String] {
    var notes: [String] = []
    if proposals.isEmpty { notes.append("nothing fits better than raw") }
    if let opaqueFrom {
      let from = opaqueFrom == 0 ? "their first byte" : "byte \(opaqueFrom)"
      notes.append(
        proposals.isEmpty
          ? "the streams look enciphered or compressed from \(from) on: only a definition of the "
            + "protocol could say how they are cut"
          : "what the packets hold looks enciphered or compressed from \(from) on")
    }
    let byteCount = streams.reduce(0) { $0 + $1.bytes.count }
    if proposals.isEmpty && opaqueFrom == nil {
      if streams.count < 3 {
        notes.append(
          "\(count(streams.count, "stream")) of \(count(byteCount, "byte")) may be too little: "
            + "record several connections, from their first byte on")
      } else {
        notes.append(
          "the packets may have no length and no end mark, or the recordings may not begin where "
            + "the connections did")
      }
    }
    return notes
  }

  /// By the score alone; ``compare(_:)`` looks at the others.
  static func confidence(_ score: Score, _ rule: Rule) -> FramerProposal.Confidence {
    guard score.isChained || score.streamsWithPackets >= 4 else { return .thin }
    if case .table = rule.shape { return .thin }
    if score.exactStreams == 0 && score.halfStreams >= 2 && rule.rawAfter == nil {
      return rule.prelude > 0 ? .thin : .fair
    }
    if score.halfStreams > max(2, score.exactStreams) && rule.rawAfter == nil { return .fair }
    // What text is worth is known of protocols, not seen in the streams.
    let seen = score.total - max(0, score.text)
    if score.violations == 0 && seen >= 40 && score.packets >= 8 { return .strong }
    if case .delimiter = rule.shape, score.violations == 0, score.halfStreams == 0,
      score.exactStreams >= 3, score.packets >= 8, score.total >= 20
    {
      return .strong
    }
    return score.total >= 18 ? .fair : .thin
  }

  /// Lowers the confidence of what can't be told from its neighbour in the ranking.
  static func compare(_ proposals: inout [FramerProposal]) {
    for index in proposals.indices.dropFirst() { proposals[index].confidence = .thin }
    guard proposals.count > 1 else { return }
    let lead = proposals[0].bits - proposals[1].bits
    guard lead < 12 else { return }
    if proposals[0].confidence == .strong { proposals[0].confidence = .fair }
    proposals[0].doubts.append(
      "the second proposal fits almost as well (\(count(lead, "bit")) less): record longer and "
        + "more different connections")
  }

  static func reasons(
    _ found: Search.Found, _ survey: PacketSurvey, _ streams: [LearningStream]
  ) -> [String] {
    let score = found.score
    var reasons: [String] = []
    let each = survey.packets == 1 ? "1 packet" : "each of \(survey.packets) packets"
    let within = count(score.streamsWithPackets, "stream")
    switch found.rule.shape {
    case .delimiter(let delimiter, _):
      reasons.append("\(each) in \(within) ends with \(DefinitionText.text(delimiter))")
      if score.text > 0 { reasons.append("all else is text") }
    case .table(let sizes):
      reasons.append(
        "\(each) in \(within) has the size of its opcode, of which there are \(sizes.count)")
    case .length, .choice, .fixed:
      let next = found.rule.rawAfter == nil ? "the next" : "the next, or the rest,"
      reasons.append("\(each) in \(within) ends where \(next) begins")
    }
    if score.lengthKinds > 1 {
      reasons.append(
        "the length takes \(score.lengthKinds) different values, for packets of "
          + "\(survey.shortest) to \(survey.longest) bytes")
    }
    if found.rule.rawAfter != nil {
      reasons.append("what follows looks enciphered or compressed")
    } else if score.violations == 0 && score.halfStreams + score.cutStreams == 0 {
      reasons.append("nothing is left over")
    } else if score.violations == 0 {
      reasons.append(
        "nothing is left over but part of a packet in "
          + "\(count(score.halfStreams + score.cutStreams, "stream")) of \(streams.count)")
    }
    if case .length(let rule) = found.rule.shape, let header = rule.fixedHeader {
      for place in Array(0..<rule.offset) + [header] where survey.looksLikeOpcode(at: place) {
        reasons.append("the byte at \(place) takes only \(survey.kinds[place]) values")
        break
      }
    }
    if score.writesKnown > 0 {
      reasons.append(
        "\(score.writesAtPacketEnds) of \(score.writesKnown) writes end where a packet does")
    }
    return reasons
  }

  static func doubts(
    _ found: Search.Found, _ survey: PacketSurvey, _ streams: [LearningStream],
    alike: [Search.Found]
  ) -> [String] {
    let score = found.score
    var doubts: [String] = []
    if score.violations > 0 {
      doubts.append(streamsThat(score.violations, "does", "do") + " not fit to the end")
    }
    if !score.isChained {
      doubts.append(
        "no stream has two packets: record connections on which more is sent")
    } else if survey.lengthKinds == 1 {
      doubts.append(
        "all packets have \(survey.longest) bytes: record one in which other things are done")
    } else if case .length(let rule) = found.rule.shape, case .binary(let width, _) = rule.encoding,
      width > 1, survey.longest < 256
    {
      doubts.append(
        "no packet is longer than 255 bytes: one that is would settle the width of the length")
    }
    if streams.count == 1 { doubts.append("one stream only: a second would make it surer") }
    if score.exactStreams == 0 && score.cutStreams == 0 && found.rule.rawAfter == nil {
      doubts.append(
        "no stream ends where a packet does: it may be cut one place too early or too late")
    }
    if found.rule.prelude > 0 {
      doubts.append(
        "the first \(count(found.rule.prelude, "byte")) may be a packet of another kind")
    }
    if case .table = found.rule.shape {
      doubts.append("opcodes that were not recorded are missing")
    }
    return doubts
  }

  /// Other rules with the same cuts, the simplest ones only.
  static func alternatives(_ rule: Rule, _ alike: [Search.Found]) -> [String] {
    var texts: [String] = []
    for other in alike.sorted(by: { $0.rule.bits < $1.rule.bits }) {
      guard other.rule.prelude == 0, other.rule.isAsPlain(as: rule) else { continue }
      let text = other.rule.words
      if text != rule.words && !texts.contains(text) { texts.append(text) }
      if texts.count == 3 { break }
    }
    return texts
  }
}
