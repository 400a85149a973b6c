import Framing
import Testing

@Suite struct FramerFuzzTests {
  /// A definition that is usually usable, with values near the bounds more often than chance.
  private func layout(from random: inout SplitMix64) -> PacketLayout {
    var layout = PacketLayout()
    layout.offset = [0, 0, 1, 2, 4, 63, 64, 65].randomElement(using: &random)!
    layout.width = [1, 2, 3, 4, 8, 2, 4, 5].randomElement(using: &random)!
    layout.endianness = Bool.random(using: &random) ? .big : .little
    layout.counts = LengthCounts.allCases.randomElement(using: &random)!
    layout.adjustment = [
      0, 0, 1, -1, 65_536, -65_536, 65_537, Int.random(in: -300...300, using: &random),
    ].randomElement(using: &random)!
    layout.maximum = [
      64 << 20, 65_536, layout.headerByteCount, layout.headerByteCount - 1,
      Int.random(in: 1...400, using: &random),
    ].randomElement(using: &random)!
    return layout
  }

  /// 1 to 400 bytes; half of the time mostly zeros, so that short lengths come up.
  private func noise(from random: inout SplitMix64) -> [UInt8] {
    let isSparse = Bool.random(using: &random)
    return (0..<Int.random(in: 1...400, using: &random)).map { _ in
      let value = random.next()
      return isSparse && value >> 32 % 4 != 0 ? 0 : UInt8(truncatingIfNeeded: value)
    }
  }

  private func isUsable(_ layout: PacketLayout) -> Bool {
    layout.offset <= 64 && layout.width != 5 && abs(layout.adjustment) <= 65_536
      && layout.maximum >= layout.headerByteCount
  }

  /// Goal: whatever the definition and the bytes, a packet is never longer than what is there or
  /// than the maximum; what is asked for is more than what is there and never beyond the maximum.
  @Test func noBytesMakeAFramerBreakItsBounds() throws {
    var packets = 0
    var waits = 0
    var violations = 0
    for seed: UInt64 in 0..<8_000 {
      var random = SplitMix64(seed: seed)
      let layout = layout(from: &random)
      guard isUsable(layout) else {
        #expect(throws: FramerDefinitionError.self, "seed \(seed)") {
          _ = try layout.framer()
        }
        continue
      }
      let framer = try layout.framer()
      let bytes = noise(from: &random)
      let step = try framer.step(bytes)
      switch step {
      case .packet(let byteCount, _):
        packets += 1
        #expect(byteCount >= layout.headerByteCount, "seed \(seed)")
        #expect(byteCount <= bytes.count && byteCount <= layout.maximum, "seed \(seed)")
      case .needMore(let totalBytes):
        waits += 1
        #expect(totalBytes > bytes.count && totalBytes <= layout.maximum, "seed \(seed)")
      case .needAnyMore: Issue.record("a length is known or not; seed \(seed)")
      case .violation:
        violations += 1
      }
      #expect(step == layout.expectedStep(bytes), "seed \(seed)")
    }
    // Each outcome was met often enough to mean something.
    #expect(packets > 200 && waits > 200 && violations > 200)
  }

  /// Goal: noise in random chunks is cut into packets that together are the stream up to the tail.
  @Test func noiseIsCutWithoutLossUpToItsViolation() throws {
    for seed: UInt64 in 0..<1_000 {
      var random = SplitMix64(seed: 50_000 + seed)
      let layout = layout(from: &random)
      guard isUsable(layout) else { continue }
      let stream = noise(from: &random)
      var cutter = try StreamCutter(layout.framer())
      var rest = stream[...]
      while !rest.isEmpty {
        let chunk = rest.prefix(Int.random(in: 1...50, using: &random))
        rest = rest.dropFirst(chunk.count)
        cutter.read(chunk)
      }
      #expect(cutter.packets.flatMap { $0 } + cutter.tail == stream, "seed \(seed)")

      var whole = try StreamCutter(layout.framer())
      whole.read(stream)
      #expect(whole.packets == cutter.packets, "seed \(seed)")
      #expect(whole.violation == cutter.violation, "seed \(seed)")
    }
  }
}
