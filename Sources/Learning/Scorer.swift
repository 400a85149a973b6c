/// Weighs rules against streams.
struct Scorer {
  let streams: [LearningStream]
  let model: ByteModel
  private let textShare: Double

  private var walk = Walk()
  private var lengths = LengthCosts()
  /// The sizes of streams that have spoken for packets of one size.
  private var weighedSizes: Set<Int> = []

  init(_ streams: [LearningStream]) {
    self.streams = streams
    model = ByteModel(streams.map(\.bytes))
    textShare = TextShare.of(streams.map(\.bytes))
  }

  /// - Parameters:
  ///   - streamsMax: only so many streams are looked at.
  ///   - cutsMax: of each stream, only so many packets.
  /// - Returns: nil when the rule fits too badly to be looked at again.
  mutating func score(_ rule: Rule, streamsMax: Int = .max, cutsMax: Int = .max) -> Score? {
    var score = Score()
    score.rule = rule.bits
    lengths.reset()
    weighedSizes.removeAll(keepingCapacity: true)
    var places: PlaceModels?
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    var lengthsSeen = LengthCosts()
    for (index, stream) in streams.prefix(streamsMax).enumerated() {
      rule.walk(stream.bytes, cutsMax: cutsMax, into: &walk)
      if walk.end == .violation {
        score.violations += 1
        // Not a rule for most of the streams, unless it holds for long.
        if score.violations * 4 > index + 4 { return nil }
        if walk.cuts.count < 2 && streams.count == 1 { return nil }
      }
      mix(UInt64(index) << 32, into: &hash)
      if rule.prelude > 0 { mix(UInt64(rule.prelude), into: &hash) }
      for cut in walk.cuts { mix(UInt64(cut.end), into: &hash) }
      if places == nil {
        // Models are large; most rules have failed before they need them.
        guard !walk.cuts.isEmpty || walk.half != nil else { continue }
        places = PlaceModels(choices: rule.choiceCount)
      }
      weigh(stream, index, rule, &score, &places!, &lengthsSeen)
    }
    guard score.isPlausible(rule, streams: min(streams.count, streamsMax)), var places else {
      return nil
    }
    // Where the recording ends a packet should, at least once; and few protocols have a prelude.
    if score.exactStreams == 0 && score.halfStreams >= 3 { score.trust *= 0.75 }
    if rule.prelude > 0 { score.trust *= 0.9 }
    // What stands behind a delimiter the byte model can tell by itself.
    score.places = rule.tailByteCount > 0 ? 0 : places.gain()
    score.lengthKinds = lengths.kinds
    // That a constant stands where a length could be is no evidence, unless it is the right one.
    if lengths.kinds == 1 && !rule.countsNaturally { score.rule += 40 }
    score.packetLengthKinds = lengthsSeen.kinds
    score.cutHash = hash
    if case .delimiter(let delimiter, let isTelnet) = rule.shape {
      score.text = TextShare.bits(
        delimiter: delimiter, isTelnet: isTelnet, share: textShare, streams: streams)
    }
    return score
  }

  private func mix(_ value: UInt64, into hash: inout UInt64) {
    hash = (hash ^ value) &* 0x0000_0100_0000_01b3
    hash ^= hash >> 29
  }

  private mutating func weigh(
    _ stream: LearningStream, _ index: Int, _ rule: Rule, _ score: inout Score,
    _ places: inout PlaceModels, _ lengthsSeen: inout LengthCosts
  ) {
    let end = stream.bytes.count
    var weighed = 0
    for cut in walk.cuts {
      weighField(cut, index, rule, &score)
      weighPlaces(cut, stream.bytes, index, &places, &weighed)
      let byteCount = cut.end - cut.start
      score.shortest = min(score.shortest, byteCount)
      score.longest = max(score.longest, byteCount)
      _ = lengthsSeen.take(byteCount)
    }
    if let half = walk.half {
      weighField(half, index, rule, &score)
      weighPlaces(half, stream.bytes, index, &places, &weighed)
    }
    score.packets += walk.cuts.count
    score.packetsInLargestStream = max(score.packetsInLargestStream, walk.cuts.count)
    if !walk.cuts.isEmpty { score.streamsWithPackets += 1 }

    let reached = max(walk.reached(rule), 1)
    let density = min(0.9, Double(max(walk.cuts.count, 1)) / Double(reached))
    switch walk.end {
    case .stopped: break
    case .exact:
      score.exactStreams += 1
      // Where a recording was cut says nothing.
      if !stream.isCut && isNews(stream, rule) { score.ends += binaryLogarithm(0.9 / density) }
    case .half where stream.isCut: score.cutStreams += 1
    case .half:
      score.halfStreams += 1
      score.ends += binaryLogarithm(0.1 / (1 - density))
    case .violation: score.ends -= 16
    }
    weighWrites(stream, end, density, &score)
  }

  /// Streams of one size fit a size of packets all together or not at all.
  private mutating func isNews(_ stream: LearningStream, _ rule: Rule) -> Bool {
    guard case .fixed = rule.shape else { return true }
    return weighedSizes.insert(stream.bytes.count).inserted
  }

  /// The field's bytes are known once the length is, which must be said instead.
  private mutating func weighField(
    _ cut: Cut, _ index: Int, _ rule: Rule, _ score: inout Score
  ) {
    guard cut.fieldEnd > cut.fieldStart else { return }
    var known: Float = 0
    for place in cut.fieldStart..<cut.fieldEnd { known += model.costs[index][place] }
    score.lengths += Double(known) * rule.fieldShare - lengths.take(cut.value)
  }

  /// Places 0 to 7 in front of the length field, 8 to 15 behind it.
  ///
  /// Those in front may belong to the packet before, so that it makes no difference here where
  /// between two length fields the packets are cut.
  ///
  /// - Parameter weighed: up to where the stream's bytes have been looked at already.
  private func weighPlaces(
    _ cut: Cut, _ bytes: [UInt8], _ index: Int, _ places: inout PlaceModels,
    _ weighed: inout Int
  ) {
    let base = cut.choice * PlaceModels.places
    let likely = model.probabilities[index]
    for place in max(weighed, cut.fieldStart - 8)..<max(weighed, cut.fieldStart) {
      places.take(
        bytes[place], likely: likely[place],
        at: base + 8 + place - cut.fieldStart)
    }
    let end = max(cut.fieldEnd, min(cut.fieldEnd + 8, cut.end, bytes.count))
    for place in cut.fieldEnd..<end {
      places.take(
        bytes[place], likely: likely[place],
        at: base + 8 + place - cut.fieldEnd)
    }
    weighed = end
  }

  private func weighWrites(
    _ stream: LearningStream, _ end: Int, _ density: Double, _ score: inout Score
  ) {
    let reached = walk.cuts.last?.end ?? 0
    var next = 0
    // The last write ends where the stream does, which has been counted.
    for write in stream.writeEnds where write < end && write <= reached {
      while next < walk.cuts.count && walk.cuts[next].end < write { next += 1 }
      let isAtEnd = next < walk.cuts.count && walk.cuts[next].end == write
      score.writesKnown += 1
      if isAtEnd { score.writesAtPacketEnds += 1 }
      // A capture's segments are cut anywhere when much is sent at once.
      score.writes +=
        isAtEnd ? binaryLogarithm(0.6 / density) : binaryLogarithm(0.4 / (1 - density))
    }
  }
}
