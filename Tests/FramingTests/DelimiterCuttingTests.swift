import Framing
import Testing

/// Goal: a stream is cut at the same places as a naive splitter cuts it, wherever the network cuts
/// the stream.
@Suite struct DelimiterCuttingTests {
  /// A few bytes only, so that delimiters, and what nearly is one, come up often.
  private func noise(_ count: Int, from random: inout SplitMix64) -> [UInt8] {
    let alphabet: [UInt8] = [0x0d, 0x0a, 0x00, 0x01, 0x0b, 0x80, 0xff, 0x41]
    return (0..<count).map { _ in alphabet[Int(random.next() >> 40 % 8)] }
  }

  /// Usable delimiters, drawn again until none hides another.
  private func framer(
    from random: inout SplitMix64
  ) -> (framer: DelimiterFramer, delimiters: [[UInt8]]) {
    while true {
      let delimiters = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        noise([1, 1, 2, 2, 3, 8].randomElement(using: &random)!, from: &random)
      }
      let maximum = [8, 9, 16, 40, 4_096].randomElement(using: &random)!
      if let framer = try? DelimiterFramer(delimiters: delimiters, packetBytesMax: maximum) {
        return (framer, delimiters)
      }
    }
  }

  /// Goes over the stream byte by byte.
  private func split(
    _ stream: [UInt8], _ delimiters: [[UInt8]], maximum: Int
  ) -> (packets: [[UInt8]], tail: [UInt8], isBroken: Bool) {
    var packets: [[UInt8]] = []
    var packet: [UInt8] = []
    for (place, byte) in stream.enumerated() {
      packet.append(byte)
      if delimiters.contains(where: { packet.suffix($0.count).elementsEqual($0) }) {
        packets.append(packet)
        packet = []
      } else if packet.count == maximum {
        return (packets, packet + stream[(place + 1)...], true)
      }
    }
    return (packets, packet, false)
  }

  private func expectSame(
    _ cutter: StreamCutter, _ expected: (packets: [[UInt8]], tail: [UInt8], isBroken: Bool),
    _ what: @autoclosure () -> String
  ) {
    guard
      cutter.packets != expected.packets || cutter.tail != expected.tail
        || (cutter.violation != nil) != expected.isBroken
    else { return }
    Issue.record("\(what()): \(cutter) instead of \(expected)")
  }

  @Test func cutInTwoAtEveryPlace() throws {
    var packetsSeen = 0
    var violationsSeen = 0
    for seed: UInt64 in 0..<300 {
      var random = SplitMix64(seed: seed)
      let (framer, delimiters) = framer(from: &random)
      let stream = noise(Int.random(in: 1...90, using: &random), from: &random)
      let expected = split(stream, delimiters, maximum: framer.bounds.maximum)
      packetsSeen += expected.packets.count
      violationsSeen += expected.isBroken ? 1 : 0
      for place in 0...stream.count {
        var cutter = try StreamCutter(.delimiter(framer))
        cutter.read(stream[..<place])
        cutter.read(stream[place...])
        expectSame(cutter, expected, "seed \(seed), cut at \(place)")
      }
    }
    #expect(packetsSeen > 500)
    #expect(violationsSeen > 20)
  }

  @Test func randomChunks() throws {
    for seed: UInt64 in 1_000..<3_000 {
      var random = SplitMix64(seed: seed)
      let (framer, delimiters) = framer(from: &random)
      let stream = noise(Int.random(in: 1...400, using: &random), from: &random)
      let expected = split(stream, delimiters, maximum: framer.bounds.maximum)
      let chunkBytesMax = Int.random(in: 1...60, using: &random)
      var rest = stream[...]
      var cutter = try StreamCutter(.delimiter(framer))
      while !rest.isEmpty {
        let chunk = rest.prefix(Int.random(in: 1...chunkBytesMax, using: &random))
        rest = rest.dropFirst(chunk.count)
        cutter.read(chunk)
      }
      expectSame(cutter, expected, "seed \(seed)")
    }
  }
}
