import Framing
import Testing

@Suite struct LengthPrefixFramerTests {
  /// Goal: bytes written down by hand, so that the helpers of the other tests can't be wrong in the
  /// same way as the framer.
  @Test func packetsWrittenByHand() throws {
    let table: [(layout: PacketLayout, packet: [UInt8])] = [
      (PacketLayout(width: 1), [3, 7, 7, 7]),
      (PacketLayout(width: 2), [0, 3, 7, 7, 7]),
      (PacketLayout(width: 2, endianness: .little), [3, 0, 7, 7, 7]),
      (PacketLayout(width: 2, counts: .selfAndRest), [0, 5, 7, 7, 7]),
      (PacketLayout(width: 3), [0, 0, 2, 7, 7]),
      (PacketLayout(width: 3, endianness: .little), [2, 0, 0, 7, 7]),
      (PacketLayout(width: 4, endianness: .little), [1, 0, 0, 0, 7]),
      (PacketLayout(width: 8), [0, 0, 0, 0, 0, 0, 0, 1, 7]),
      (PacketLayout(width: 8, endianness: .little), [1, 0, 0, 0, 0, 0, 0, 0, 7]),
      (PacketLayout(offset: 2, width: 2), [9, 9, 0, 1, 7]),
      (PacketLayout(offset: 2, width: 2, counts: .selfAndRest), [9, 9, 0, 3, 7]),
      (PacketLayout(offset: 2, width: 2, counts: .packet), [9, 9, 0, 5, 7]),
      (PacketLayout(offset: 1, width: 1, counts: .packet), [9, 2]),
      // A checksum of two bytes that the length leaves out, and a length that is one too high.
      (PacketLayout(width: 1, adjustment: 2), [1, 7, 8, 8]),
      (PacketLayout(width: 1, adjustment: -1), [2, 7]),
    ]
    for (layout, packet) in table {
      let framer = try layout.framer()
      #expect(try framer.step(packet) == .packet(byteCount: packet.count), "\(layout)")
      #expect(try framer.step(packet + [1, 2, 3]) == .packet(byteCount: packet.count), "\(layout)")
    }
  }

  @Test func lengthsOfSeveralBytesKeepTheirOrder() throws {
    for width in [2, 3, 4, 8] {
      for endianness in Endianness.allCases {
        let layout = PacketLayout(width: width, endianness: endianness)
        let total = 0x0102 + width
        let bytes = layout.header(field: 0x0102)
        #expect(try layout.framer().step(bytes) == .needMore(totalBytes: total), "\(layout)")
      }
    }
  }

  /// Goal: every definition finds the whole packet and nothing else, however much of it is there.
  ///
  /// Method: bodies from none to 200 bytes, each prefix of the packet, and bytes of the next one.
  @Test func everyLayoutFindsTheWholePacket() throws {
    var packetsSeen = 0
    for layout in PacketLayout.all(adjustments: [-3, 0, 3]) {
      let framer = try layout.framer()
      for bodyByteCount in [0, 1, 2, 17, 180] {
        let body = [UInt8](repeating: 0xee, count: bodyByteCount)
        guard let packet = layout.packet(body: body) else { continue }
        packetsSeen += 1
        for count in Set([1, layout.headerByteCount - 1, layout.headerByteCount, packet.count - 1])
        where count > 0 && count < packet.count {
          let wanted = count < layout.headerByteCount ? layout.headerByteCount : packet.count
          #expect(
            try framer.step(packet[..<count]) == .needMore(totalBytes: wanted),
            "\(layout), \(count) of \(packet.count) bytes")
        }
        #expect(try framer.step(packet) == .packet(byteCount: packet.count), "\(layout)")
        #expect(try framer.step(packet + packet) == .packet(byteCount: packet.count), "\(layout)")
      }
    }
    #expect(packetsSeen > 1_500)
  }

  @Test func anEmptyBodyIsAPacketOfTheHeaderAlone() throws {
    for layout in PacketLayout.all() {
      let packet = try #require(layout.packet(body: []))
      #expect(packet.count == layout.headerByteCount)
      #expect(try layout.framer().step(packet) == .packet(byteCount: packet.count), "\(layout)")
    }
  }

  /// Goal: the maximum is the longest packet that passes, and one byte more is refused as soon as
  /// its header is there, before anyone waits for the rest.
  @Test func theMaximumIsInclusive() throws {
    for maximum in [80, 200] {
      for layout in PacketLayout.all(maximum: maximum) {
        let framer = try layout.framer()
        let body = [UInt8](repeating: 0, count: maximum - layout.headerByteCount)
        let longest = try #require(layout.packet(body: body))
        #expect(try framer.step(longest) == .packet(byteCount: maximum), "\(layout)")

        let tooLong = try #require(layout.packet(body: body + [0]))
        #expect(
          try framer.step(tooLong[..<layout.headerByteCount])
            == .violation(.packetTooLong(announced: UInt64(maximum) + 1, maximum: maximum)),
          "\(layout)")
      }
    }
  }

  @Test func aMaximumOfTheHeaderAloneTakesEmptyBodiesOnly() throws {
    for var layout in PacketLayout.all() {
      layout.maximum = layout.headerByteCount
      let framer = try layout.framer()
      let empty = try #require(layout.packet(body: []))
      #expect(try framer.step(empty) == .packet(byteCount: layout.maximum))
      let one = try #require(layout.packet(body: [0]))
      #expect(
        try framer.step(one)
          == .violation(
            .packetTooLong(announced: UInt64(layout.maximum) + 1, maximum: layout.maximum)))
    }
  }

  /// Goal: no value of an eight-byte field overflows, is taken for negative, or passes.
  @Test func lengthsNearTheEndOfTheIntegersAreTooLong() throws {
    let middle: UInt64 = 1 << 63
    var fields: [UInt64] = []
    for distance: UInt64 in [0, 1, 2, 64, 65_536, 65_608, 131_072, 131_073, 1 << 32] {
      fields += [middle - distance, middle + distance, .max - distance]
    }
    for counts in LengthCounts.allCases {
      for endianness in Endianness.allCases {
        for adjustment in [-65_536, -1, 0, 1, 65_536] {
          for offset in [0, 64] {
            let layout = PacketLayout(
              offset: offset, width: 8, endianness: endianness, counts: counts,
              adjustment: adjustment, maximum: 64 << 20)
            let framer = try layout.framer()
            for field in fields {
              let announced = UInt64(clamping: layout.totalByteCount(field: field))
              #expect(
                try framer.step(layout.header(field: field))
                  == .violation(.packetTooLong(announced: announced, maximum: 64 << 20)),
                "\(layout), field \(field)")
            }
          }
        }
      }
    }
  }

  /// Goal: the largest adjustments, up and down, move the two bounds by exactly as much.
  @Test func boundsHoldUnderTheLargestAdjustments() throws {
    for width in [3, 4, 8] {
      for counts in LengthCounts.allCases {
        for adjustment in [-65_536, -65_535, 65_535, 65_536] {
          let layout = PacketLayout(
            offset: 7, width: width, counts: counts, adjustment: adjustment, maximum: 200_000)
          let framer = try layout.framer()
          let implied = layout.uncountedByteCount + adjustment
          let longest = 200_000 - implied
          let shortest = max(0, layout.headerByteCount - implied)
          for field in [
            shortest - 1, shortest, shortest + 1, longest - 1, longest, longest + 1,
            200_000 + 131_072, 200_000 + 131_073,
          ] where field >= 0 {
            let header = layout.header(field: UInt64(field))
            #expect(
              try framer.step(header) == layout.expectedStep(header), "\(layout), field \(field)")
          }
        }
      }
    }
  }

  @Test func aPacketShorterThanItsHeaderIsRefused() throws {
    for layout in PacketLayout.all(adjustments: [-65_536, -100, 0]) {
      let framer = try layout.framer()
      for field in 0..<UInt64(layout.headerByteCount)
      where layout.totalByteCount(field: field) < Int128(layout.headerByteCount) {
        #expect(
          try framer.step(layout.header(field: field))
            == .violation(
              .packetTooShort(
                announced: Int64(layout.totalByteCount(field: field)),
                minimum: layout.headerByteCount)),
          "\(layout), field \(field)")
      }
    }
  }

  @Test func aNegativeTotalIsToldAsSuch() throws {
    let framer = try PacketLayout(width: 1, counts: .packet, adjustment: -10).framer()
    #expect(try framer.step([4]) == .violation(.packetTooShort(announced: -6, minimum: 1)))
    #expect(try framer.step([10]) == .violation(.packetTooShort(announced: 0, minimum: 1)))
    #expect(try framer.step([11]) == .packet(byteCount: 1))
  }

  /// Goal: bytes before and after the length field have no say.
  @Test func onlyTheLengthFieldIsRead() throws {
    for layout in PacketLayout.all(offsets: [3, 64]) {
      let framer = try layout.framer()
      for filler: UInt8 in [0x00, 0x7f, 0xff] {
        let field = UInt64(layout.headerByteCount - layout.uncountedByteCount) + 2
        let header = layout.header(field: field, filler: filler)
        #expect(try framer.step(header + [filler, filler]) == .packet(byteCount: header.count + 2))
      }
    }
  }
}
