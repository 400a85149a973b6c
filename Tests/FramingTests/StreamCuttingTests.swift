import Framing
import Testing

/// Goal: a stream gives the same packets, however the network cuts and joins it.
@Suite struct StreamCuttingTests {
  private static let layouts: [PacketLayout] = [
    PacketLayout(width: 1), PacketLayout(width: 1, counts: .packet, maximum: 255),
    PacketLayout(width: 2, endianness: .little, counts: .selfAndRest),
    PacketLayout(offset: 3, width: 2, counts: .packet),
    PacketLayout(offset: 1, width: 3, adjustment: -1), PacketLayout(width: 4, adjustment: 2),
    PacketLayout(offset: 64, width: 8, endianness: .little),
  ]

  /// Between 1 and `count` packets of 0 to `bodyBytesMax` bytes of noise behind the header.
  private func packets(
    _ layout: PacketLayout, count: Int, bodyBytesMax: Int, from random: inout SplitMix64
  ) -> [[UInt8]] {
    var packets: [[UInt8]] = []
    while packets.isEmpty || (packets.count < count && random.next() % 8 != 0) {
      let body = (0..<Int.random(in: 0...bodyBytesMax, using: &random)).map { _ in
        UInt8(truncatingIfNeeded: random.next())
      }
      if let packet = layout.packet(body: body) { packets.append(packet) }
    }
    return packets
  }

  @Test func cutInTwoAtEveryPlace() throws {
    for (seed, layout) in Self.layouts.enumerated() {
      var random = SplitMix64(seed: UInt64(seed))
      let sent = packets(layout, count: 8, bodyBytesMax: 40, from: &random)
      let stream = sent.flatMap { $0 }
      for place in 0...stream.count {
        var cutter = try StreamCutter(layout.framer())
        cutter.read(stream[..<place])
        cutter.read(stream[place...])
        #expect(cutter.packets == sent, "\(layout), cut at \(place)")
        #expect(cutter.tail.isEmpty && cutter.violation == nil, "\(layout), cut at \(place)")
      }
    }
  }

  @Test func cutInThreeAtEveryPairOfPlaces() throws {
    for layout in Self.layouts where layout.offset < 64 {
      let sent = try [[], [1, 2, 3], [0]].map { try #require(layout.packet(body: $0 + [9, 9])) }
      let stream = sent.flatMap { $0 }
      for first in 0...stream.count {
        for second in first...stream.count {
          var cutter = try StreamCutter(layout.framer())
          cutter.read(stream[..<first])
          cutter.read(stream[first..<second])
          cutter.read(stream[second...])
          #expect(cutter.packets == sent, "\(layout), cut at \(first) and \(second)")
        }
      }
    }
  }

  @Test func byteByByte() throws {
    for (seed, layout) in Self.layouts.enumerated() {
      var random = SplitMix64(seed: 100 + UInt64(seed))
      let sent = packets(layout, count: 20, bodyBytesMax: 100, from: &random)
      var cutter = try StreamCutter(layout.framer())
      for byte in sent.flatMap({ $0 }) { cutter.read([byte]) }
      #expect(cutter.packets == sent, "\(layout)")
      #expect(cutter.tail.isEmpty && cutter.violation == nil, "\(layout)")
    }
  }

  @Test func aHundredPacketsInOneRead() throws {
    for layout in Self.layouts {
      let sent = try (0..<100).map { number in
        try #require(layout.packet(body: [UInt8](repeating: UInt8(number), count: 2 + number)))
      }
      var cutter = try StreamCutter(layout.framer())
      cutter.read(sent.flatMap { $0 })
      #expect(cutter.packets == sent, "\(layout)")
    }
  }

  @Test func randomChunks() throws {
    for seed: UInt64 in 0..<150 {
      var random = SplitMix64(seed: 1_000 + seed)
      let layout = Self.layouts.randomElement(using: &random)!
      let sent = packets(layout, count: 30, bodyBytesMax: 250, from: &random)
      var rest = sent.flatMap { $0 }[...]
      let chunkBytesMax = Int.random(in: 1...600, using: &random)
      var cutter = try StreamCutter(layout.framer())
      while !rest.isEmpty {
        let chunk = rest.prefix(Int.random(in: 1...chunkBytesMax, using: &random))
        rest = rest.dropFirst(chunk.count)
        cutter.read(chunk)
      }
      #expect(cutter.packets == sent, "seed \(seed)")
      #expect(cutter.tail.isEmpty && cutter.violation == nil, "seed \(seed)")
    }
  }

  /// Goal: what comes before a violation is still delivered, and the violation is the same,
  /// wherever the stream is cut; half a packet at the end stays half a packet.
  @Test func brokenStreamsBreakAtTheSamePlace() throws {
    let layout = PacketLayout(offset: 1, width: 2, maximum: 16)
    let sent = try [[1], [], [2, 3]].map { try #require(layout.packet(body: $0)) }
    let stream = sent.flatMap { $0 } + layout.header(field: 14) + [1, 2, 3, 4]
    for place in 0...stream.count {
      var cutter = try StreamCutter(layout.framer())
      cutter.read(stream[..<place])
      cutter.read(stream[place...])
      #expect(cutter.packets == sent, "cut at \(place)")
      #expect(
        cutter.violation == .packetTooLong(announced: 17, maximum: 16), "cut at \(place)")
    }
    var cutter = try StreamCutter(layout.framer())
    cutter.read(sent.flatMap { $0 } + layout.header(field: 13))
    #expect(cutter.packets == sent)
    #expect(cutter.violation == nil && cutter.tail == layout.header(field: 13))
  }
}
