/// What speaks for a rule, in bits.
///
/// By so many a description of the streams gets shorter when it may use the rule. A rule that fits
/// by chance saves less than it takes to write the rule down.
struct Score {
  /// Length fields, which need not be said when the packets' lengths are.
  var lengths = 0.0
  /// Bytes at the same place of their packets that are alike.
  var places = 0.0
  /// Streams that end where a packet does, and those that don't.
  var ends = 0.0
  /// Writes that end where a packet does, and those that don't.
  var writes = 0.0
  /// Text that is cut at what is no text.
  var text = 0.0
  /// What the rule takes to be written down; counts against it.
  var rule = 0.0

  /// What is taken off for what makes a rule suspicious as a whole: 1 when there is nothing.
  ///
  /// Bytes of one packet depend on one another, so that bits are counted more than once; a lead of
  /// some per cent decides nothing, and common sense may.
  var trust = 1.0

  var total: Double {
    let sum = lengths + places + ends + writes + text - rule
    return sum > 0 ? sum * trust : sum
  }

  var packets = 0
  var packetsInLargestStream = 0
  var exactStreams = 0
  var halfStreams = 0
  /// Streams of which the recording was cut.
  var cutStreams = 0
  var violations = 0
  /// Streams in which at least one whole packet was found.
  var streamsWithPackets = 0
  /// How many different values the length field takes.
  var lengthKinds = 0
  /// How many different lengths the packets have.
  var packetLengthKinds = 0
  var shortest = Int.max
  var longest = 0
  var writesAtPacketEnds = 0
  var writesKnown = 0
  /// Of the places where packets end, in all streams; alike for rules that can't be told apart.
  var cutHash: UInt64 = 0

  /// Whether there is a packet that another follows.
  var isChained: Bool { packetsInLargestStream > 1 }

  /// Whether enough was found to be looked at again: whole packets in a third of the streams, and
  /// one behind the other or to the streams' ends, not only one and a half.
  func isPlausible(_ rule: Rule, streams: Int) -> Bool {
    guard packets > 0, streamsWithPackets * 3 >= streams else { return false }
    return isChained || exactStreams > 0 || rule.rawAfter != nil
  }
}
