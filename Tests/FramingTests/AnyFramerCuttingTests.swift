import Framing
import Testing

/// Goal: any framer cuts a stream at the same places as a naive model of it, wherever the network
/// cuts the stream.
@Suite struct AnyFramerCuttingTests {
  /// What came of a stream.
  private struct Cut: Equatable {
    var packets: [[UInt8]] = []
    var dropped: [Int] = []
    var violation: String?
    var tail: [UInt8] = []
    /// What went by once nothing was cut any more.
    var raw: [UInt8] = []
  }

  /// A framer, a stream for it, and what the model says of it.
  private struct Example {
    var plan: FramerPlan
    var stream: [UInt8] = []
    var letInAfter: Int?
    var expected = Cut()

    init(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      plan = FramerPlan.random(from: &random)
      letInAfter = Bool.random(using: &random) ? Int.random(in: 0...6, using: &random) : nil
      compose(from: &random)
      expect()
    }

    /// Up to nine packets, mostly whole ones, and noise behind them.
    private mutating func compose(from random: inout SplitMix64) {
      var model = FramerModel(plan)
      for count in 0..<Int.random(in: 1...9, using: &random) {
        if count == letInAfter { model.authenticated() }
        for _ in 0..<8 {
          let bytes = model.plan.likely(from: &random)
          var after = model
          guard case .packet(let byteCount, _) = after.step(bytes) else { continue }
          stream += bytes.prefix(byteCount)
          after.took()
          model = after
          break
        }
      }
      stream += model.plan.likely(from: &random).prefix(Int.random(in: 0...30, using: &random))
    }

    private mutating func expect() {
      var model = FramerModel(plan)
      var rest = stream
      while true {
        if expected.packets.count == letInAfter { model.authenticated() }
        guard !rest.isEmpty else { return }
        switch model.step(rest) {
        case .packet(let byteCount, let dropped):
          expected.packets.append(Array(rest.prefix(byteCount)))
          expected.dropped.append(dropped)
          rest.removeFirst(byteCount)
          model.took()
          continue
        case .more: expected.tail = rest
        case .raw: expected.raw = rest
        case .violation(let name):
          expected.violation = name
          expected.tail = rest
        }
        return
      }
    }

    /// The stream, coming in pieces of these sizes, round and round.
    func cut(_ sizes: [Int], _ compiled: CompiledFramer, asksTwice: Bool) -> Cut {
      var cutter = StreamCutter(compiled, letInAfter: letInAfter, asksTwice: asksTwice)
      var rest = stream[...]
      var turn = 0
      while !rest.isEmpty {
        cutter.read(rest.prefix(sizes[turn % sizes.count]))
        rest = rest.dropFirst(sizes[turn % sizes.count])
        turn += 1
      }
      return Cut(
        packets: cutter.packets, dropped: cutter.dropped, violation: cutter.violation?.name,
        tail: cutter.tail, raw: cutter.raw)
    }
  }

  private func expectSame(_ example: Example, _ sizes: [Int], seed: UInt64) throws {
    let framer = try example.plan.framer()
    let found = example.cut(sizes, try CompiledFramer(framer), asksTwice: seed % 3 == 0)
    guard found != example.expected else { return }
    Issue.record(
      """
      seed \(seed), pieces \(sizes): \(framer), let in after \(example.letInAfter ?? -1)
      stream \(example.stream)
      found \(found)
      model \(example.expected)
      """)
  }

  @Test func wholeAndByteByByteAndInRandomPieces() throws {
    var packets: [String: Int] = [:]
    var violations: [String: Int] = [:]
    var (dropped, raw) = (0, 0)
    for seed: UInt64 in 0..<1_000 {
      let example = Example(seed: seed)
      packets[example.plan.kind, default: 0] += example.expected.packets.count
      if let violation = example.expected.violation { violations[violation, default: 0] += 1 }
      dropped += example.expected.dropped.count { $0 > 0 }
      raw += example.expected.raw.isEmpty ? 0 : 1
      var random = SplitMix64(seed: ~seed)
      let pieces = (0..<7).map { _ in Int.random(in: 1...40, using: &random) }
      for sizes in [[1_000_000], [1], pieces] { try expectSame(example, sizes, seed: seed) }
    }
    // Each kind, and each way to go wrong, was met often enough to mean something.
    #expect(packets.count == 13 && packets.values.allSatisfy { $0 > 50 }, "\(packets)")
    #expect(violations.count == 7 && violations.values.allSatisfy { $0 > 3 }, "\(violations)")
    #expect(dropped > 100 && raw > 20, "\(dropped) dropped, \(raw) raw")
  }

  @Test func cutInTwoAtEveryPlace() throws {
    for seed: UInt64 in 10_000..<10_100 {
      let example = Example(seed: seed)
      for place in 1..<max(2, min(example.stream.count, 150)) {
        try expectSame(example, [place, 1_000_000], seed: seed)
      }
    }
  }
}
