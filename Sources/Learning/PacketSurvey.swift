/// What the packets that a rule cuts have in common; what a definition can say beside the rule.
struct PacketSurvey {
  /// How many bytes at the packets' beginnings and ends are compared.
  static let depth = 24

  private(set) var packets = 0
  private(set) var shortest = Int.max
  private(set) var longest = 0
  /// How many different lengths there are.
  private(set) var lengthKinds = 0
  /// The bytes that all packets begin with, and end with.
  private(set) var leading: [UInt8] = []
  private(set) var trailing: [UInt8] = []
  /// How many different bytes stand at each place behind the packets' starts, and how many packets
  /// reach there.
  private(set) var kinds = [Int](repeating: 0, count: Self.depth)
  private(set) var reaching = [Int](repeating: 0, count: Self.depth)

  private var seen = [Bool](repeating: false, count: Self.depth * 256)
  private var lengths: Set<Int> = []

  /// - Parameters:
  ///   - ends: where the packets end, of each stream.
  ///   - skipped: leading entries of `ends` that are preludes.
  init(_ streams: [LearningStream], ends: [[Int]], skipped: Int) {
    for (stream, ends) in zip(streams, ends) {
      var start = 0
      for (index, end) in ends.enumerated() {
        if index >= skipped { add(stream.bytes[start..<end]) }
        start = end
      }
    }
    lengthKinds = lengths.count
  }

  private mutating func add(_ packet: ArraySlice<UInt8>) {
    if packets == 0 {
      leading = Array(packet.prefix(Self.depth))
      trailing = Array(packet.suffix(Self.depth))
    }
    packets += 1
    shortest = min(shortest, packet.count)
    longest = max(longest, packet.count)
    if lengths.count < 4096 { lengths.insert(packet.count) }
    while !packet.starts(with: leading) { leading.removeLast() }
    while !packet.suffix(trailing.count).elementsEqual(trailing) { trailing.removeFirst() }
    for (place, byte) in packet.prefix(Self.depth).enumerated() {
      reaching[place] += 1
      guard !seen[place << 8 | Int(byte)] else { continue }
      seen[place << 8 | Int(byte)] = true
      kinds[place] += 1
    }
  }

  /// Whether the byte at `place` looks like an opcode: it is in each packet, takes several values,
  /// and each of them several times.
  func looksLikeOpcode(at place: Int) -> Bool {
    guard place < Self.depth, packets >= 8, reaching[place] == packets else { return false }
    return kinds[place] >= 2 && kinds[place] * 3 <= packets && kinds[place] <= 96
  }
}
