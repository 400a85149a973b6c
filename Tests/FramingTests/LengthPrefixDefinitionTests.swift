import Framing
import Testing

@Suite struct LengthPrefixDefinitionTests {
  private typealias DefinitionError = LengthPrefixFramer.DefinitionError

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
    let table: [(layout: PacketLayout, error: DefinitionError)] = [
      (PacketLayout(offset: -1), .offsetOutOfRange(-1)),
      (PacketLayout(offset: 65), .offsetOutOfRange(65)),
      (PacketLayout(offset: .min), .offsetOutOfRange(.min)),
      (PacketLayout(offset: .max), .offsetOutOfRange(.max)),
      (PacketLayout(width: -2), .widthNotSupported(-2)),
      (PacketLayout(width: 0), .widthNotSupported(0)),
      (PacketLayout(width: 5), .widthNotSupported(5)),
      (PacketLayout(width: 6), .widthNotSupported(6)),
      (PacketLayout(width: 7), .widthNotSupported(7)),
      (PacketLayout(width: 9), .widthNotSupported(9)),
      (PacketLayout(width: .max), .widthNotSupported(.max)),
      (PacketLayout(adjustment: -65_537), .adjustmentOutOfRange(-65_537)),
      (PacketLayout(adjustment: 65_537), .adjustmentOutOfRange(65_537)),
      (PacketLayout(adjustment: .min), .adjustmentOutOfRange(.min)),
      (PacketLayout(adjustment: .max), .adjustmentOutOfRange(.max)),
      (PacketLayout(maximum: 0), .maximumOutOfRange(0, minimum: 2)),
      (PacketLayout(maximum: -1), .maximumOutOfRange(-1, minimum: 2)),
      (PacketLayout(maximum: 1), .maximumOutOfRange(1, minimum: 2)),
      (PacketLayout(offset: 64, width: 8, maximum: 71), .maximumOutOfRange(71, minimum: 72)),
      (
        PacketLayout(maximum: (64 << 20) + 1),
        .maximumOutOfRange((64 << 20) + 1, minimum: 2)
      ),
      (PacketLayout(maximum: .max), .maximumOutOfRange(.max, minimum: 2)),
    ]
    for (layout, error) in table {
      #expect(throws: error, "\(layout)") { _ = try layout.framer() }
    }
  }

  @Test func withoutKeysTheLengthIsTwoBytesBigEndianOfTheRest() throws {
    let framer = Framer.lengthPrefix(try LengthPrefixFramer())
    #expect(framer.step([0, 1, 7]) == .packet(byteCount: 3))
    #expect(framer.step([0xff, 0xfe]) == .needMore(totalBytes: 65_536))
    #expect(
      framer.step([0xff, 0xff])
        == .violation(.packetTooLong(announced: 65_537, maximum: 65_536)))
  }

  /// Goal: names that stand in configuration files stay.
  @Test func namesInConfigurationFiles() {
    #expect(LengthPrefixFramer.Endianness.allCases.map(\.rawValue) == ["big", "little"])
    #expect(
      LengthPrefixFramer.Counts.allCases.map(\.rawValue) == ["rest", "self-and-rest", "packet"])
  }
}
