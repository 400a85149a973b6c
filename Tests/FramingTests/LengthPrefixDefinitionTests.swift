import Framing
import Testing

@Suite struct LengthPrefixDefinitionTests {
  @Test func boundsOfADefinitionAreInclusive() throws {
    for layout in [
      PacketLayout(offset: 0), PacketLayout(offset: 64),
      PacketLayout(width: 1), PacketLayout(width: 2), PacketLayout(width: 3),
      PacketLayout(width: 4), PacketLayout(width: 8),
      PacketLayout(adjustment: -65_536), PacketLayout(adjustment: 65_536),
      PacketLayout(maximum: 2), PacketLayout(maximum: 64 << 20),
      PacketLayout(offset: 64, width: 8, maximum: 72),
    ] {
      #expect(throws: Never.self, "\(layout)") { _ = try layout.framer() }
    }
  }

  @Test func definitionsOutOfBoundsSayWhichKeyIsWrong() {
    let table: [(key: String, layouts: [PacketLayout])] = [
      ("offset", [-1, 65, .min, .max].map { PacketLayout(offset: $0) }),
      ("width", [-2, 0, 5, 6, 7, 9, .max].map { PacketLayout(width: $0) }),
      ("adjustment", [-65_537, 65_537, .min, .max].map { PacketLayout(adjustment: $0) }),
      ("max", [0, -1, 1, (64 << 20) + 1, .max].map { PacketLayout(maximum: $0) }),
      ("max", [PacketLayout(offset: 64, width: 8, maximum: 71)]),
    ]
    for (key, layouts) in table {
      for layout in layouts {
        do {
          _ = try layout.framer()
          Issue.record("\(layout) is taken")
        } catch {
          #expect(error.key == key, "\(layout): \(error)")
        }
      }
    }
  }

  @Test func withoutKeysTheLengthIsTwoBytesBigEndianOfTheRest() throws {
    let framer = Framer.lengthPrefix(try LengthPrefixFramer())
    #expect(try framer.step([0, 1, 7]) == .packet(byteCount: 3))
    #expect(try framer.step([0xff, 0xfe]) == .needMore(totalBytes: 65_536))
    #expect(
      try framer.step([0xff, 0xff])
        == .violation(.packetTooLong(announced: 65_537, maximum: 65_536)))
  }

  /// Goal: names that stand in configuration files stay.
  @Test func namesInConfigurationFiles() {
    #expect(Endianness.allCases.map(\.rawValue) == ["big", "little"])
    #expect(
      LengthCounts.allCases.map(\.rawValue) == ["rest", "self-and-rest", "packet"])
  }
}
