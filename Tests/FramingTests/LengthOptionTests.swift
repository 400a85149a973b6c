import Framing
import Testing

/// Goal: what may be done to a length between its field and the packet's end, by hand.
@Suite struct LengthOptionTests {
  private func step(_ framer: LengthPrefixFramer, _ bytes: [UInt8]) throws -> PacketCutter.Step {
    try Framer.lengthPrefix(framer).step(bytes)
  }

  @Test func aMaskTakesBitsAndShiftsThemDown() throws {
    let framer = try LengthPrefixFramer(endianness: .little, mask: 0x07FC)
    // 0xFC0B & 0x07FC is 0x0408, and 0x102 once shifted.
    #expect(try step(framer, [0x0B, 0xFC]) == .needMore(totalBytes: 0x104))
    #expect(try step(framer, [0x0B, 0xF8]) == .needMore(totalBytes: 4))
    let top = try LengthPrefixFramer(lengthWidth: 8, mask: 1 << 63)
    #expect(try step(top, [0x80, 0, 0, 0, 0, 0, 0, 1, 5]) == .packet(byteCount: 9))
  }

  /// As Ragnarok-like ports hide theirs: the field's bytes, XORed with those of another field.
  @Test func aSecondFieldIsXoredBeforeTheMask() throws {
    let framer = try LengthPrefixFramer(
      lengthOffset: 3, mask: 0x00FF, xorOffset: 0, counts: .packet)
    #expect(try step(framer, [0xAA, 0x55, 7, 0xAA, 0x50]) == .packet(byteCount: 5))
    #expect(try step(framer, [0xAA, 0x55, 7, 0x11, 0x50]) == .packet(byteCount: 5))
    #expect(try step(framer, [0xAA, 0x55, 7, 0xAA]) == .needMore(totalBytes: 5))
    // The header ends behind the later of both fields.
    let behind = try LengthPrefixFramer(lengthWidth: 1, xorOffset: 2)
    #expect(try step(behind, [1]) == .needMore(totalBytes: 3))
    #expect(try step(behind, [3, 9, 1, 7, 7]) == .packet(byteCount: 5))
  }

  /// As newer Tibia clients count: blocks of eight bytes behind six that are not counted.
  @Test func theValueCountsBlocks() throws {
    let framer = try LengthPrefixFramer(endianness: .little, multiplier: 8, adjustment: 4)
    #expect(try step(framer, [2, 0] + [UInt8](repeating: 1, count: 20)) == .packet(byteCount: 22))
    #expect(try step(framer, [0, 0]) == .needMore(totalBytes: 6))
  }

  @Test func constantsStandAtBothEnds() throws {
    let framer = try LengthPrefixFramer(
      lengthOffset: 2, lengthWidth: 1, adjustment: 1, leading: ConstantBytes([0xAA, 0x55]),
      trailing: ConstantBytes([0x0D]))
    #expect(try step(framer, [0xAA, 0x55, 1, 7, 0x0D]) == .packet(byteCount: 5))
    #expect(try step(framer, [0xAA, 0x55, 0, 0x0D]) == .packet(byteCount: 4))
    #expect(try step(framer, [0xAA, 0x55, 1, 7]) == .needMore(totalBytes: 5))
    #expect(try step(framer, [0xAA]) == .needMore(totalBytes: 2))
    #expect(try step(framer, [0xAB]) == .violation(.wrongConstant(offset: 0)))
    #expect(try step(framer, [0xAA, 0]) == .violation(.wrongConstant(offset: 0)))
    #expect(
      try step(framer, [0xAA, 0x55, 1, 7, 0x0A]) == .violation(.wrongConstant(offset: 4)))
  }

  /// Goal: a packet too short for what it ends with is told as such, not read backwards.
  @Test func constantsAtTheEndAreNoPartOfTheHeader() throws {
    let framer = try LengthPrefixFramer(
      lengthWidth: 1, counts: .packet, trailing: ConstantBytes([1, 1]))
    #expect(
      try step(framer, [1, 1, 1]) == .violation(.packetTooShort(announced: 1, minimum: 3)))
    #expect(
      try step(framer, [2, 1, 1]) == .violation(.packetTooShort(announced: 2, minimum: 3)))
    #expect(try step(framer, [3, 1, 1]) == .packet(byteCount: 3))
  }

  @Test func leadingBytesLongerThanTheHeaderAreTheLeast() throws {
    let framer = try LengthPrefixFramer(
      lengthOffset: 1, lengthWidth: 1, leading: ConstantBytes([7, 2, 9, 9, 9]))
    #expect(
      try step(framer, [7, 2, 9, 9, 9]) == .violation(.packetTooShort(announced: 4, minimum: 5)))
  }

  @Test func theMinimumIsInclusive() throws {
    let framer = try LengthPrefixFramer(lengthWidth: 1, packetBytesMin: 3, packetBytesMax: 5)
    #expect(try step(framer, [1]) == .violation(.packetTooShort(announced: 2, minimum: 3)))
    #expect(try step(framer, [2]) == .needMore(totalBytes: 3))
    #expect(try step(framer, [4]) == .needMore(totalBytes: 5))
    #expect(try step(framer, [5]) == .violation(.packetTooLong(announced: 6, maximum: 5)))
  }

  /// As Minecraft's legacy ping and others use a value for something else.
  @Test func aValueCanStandForAnother() throws {
    let framer = try LengthPrefixFramer(
      lengthWidth: 1, escapes: [.init(0xFE...0xFE, .value(2)), .init(0...255, .value(0))],
      multiplier: 3)
    #expect(try step(framer, [0xFE]) == .needMore(totalBytes: 7))
    #expect(try step(framer, [0xFD]) == .packet(byteCount: 1))
  }

  /// As freeciv marks its compressed packets: lengths from 16,384 on, and a longer field at 65,535.
  @Test func rangesHaveAdjustmentsAndFieldsOfTheirOwn() throws {
    let framer = try LengthPrefixFramer(
      escapes: [
        .init(16_384...65_534, .adjustment(-16_384)),
        .init(
          65_535...65_535,
          .field(LengthField(offset: 2, width: 4, endianness: .big), .packet, adjustment: 0)),
      ], counts: .packet)
    #expect(try step(framer, [0, 5, 1, 1, 1]) == .packet(byteCount: 5))
    #expect(try step(framer, [0x40, 5, 1, 1, 1]) == .packet(byteCount: 5))
    #expect(try step(framer, [0xFF, 0xFE]) == .needMore(totalBytes: 49_150))
    #expect(try step(framer, [0xFF, 0xFF, 0, 0]) == .needMore(totalBytes: 6))
    #expect(try step(framer, [0xFF, 0xFF, 0, 0, 0, 8, 1, 1]) == .packet(byteCount: 8))
    // The header ends behind the longer field.
    #expect(
      try step(framer, [0xFF, 0xFF, 0, 0, 0, 5])
        == .violation(.packetTooShort(announced: 5, minimum: 6)))
    #expect(try step(framer, [0x40, 0]) == .violation(.packetTooShort(announced: 0, minimum: 2)))
  }

  @Test func anEscapedFieldCountsItsRestFromItsEnd() throws {
    let field = try LengthField(offset: 1, width: 2, endianness: .little)
    let framer = try LengthPrefixFramer(
      lengthWidth: 1, escapes: [.init(255...255, .field(field, .rest, adjustment: 1))],
      multiplier: 2)
    #expect(try step(framer, [255, 2, 0, 1, 1, 1, 1, 1]) == .packet(byteCount: 8))
    let own = try LengthPrefixFramer(
      lengthWidth: 1, escapes: [.init(255...255, .field(field, .selfAndRest, adjustment: 0))])
    #expect(try step(own, [255, 3, 0, 1]) == .packet(byteCount: 4))
  }

  /// Goal: whatever header comes, no more bytes are asked for than the maximum.
  @Test func theLongestHeaderFitsTheMaximum() throws {
    let far = try LengthField(offset: 8, width: 4, endianness: .big)
    for maximum in [11, 12] {
      let error: FramerDefinitionError? =
        maximum == 12
        ? nil
        : FramerDefinitionError(
          key: "max", expected: "at least the 12 bytes of the packet's header, and at most 64MiB")
      #expect(
        thrown {
          try LengthPrefixFramer(
            escapes: [.init(9...9, .field(far, .rest, adjustment: 0))], packetBytesMax: maximum)
        }
          == error)
    }
    let headers: [(LengthPrefixFramer.Encoding, Int, UInt8?, least: Int)] = [
      (.leb128, 3, nil, 4), (.prefix, 1, nil, 6), (.base64, 3, nil, 4), (.decimal, 3, nil, 4),
      (.decimal, 3, 0x20, 5), (.binary, 3, nil, 4),
    ]
    for (encoding, width, terminator, least) in headers {
      for maximum in [least - 1, least] {
        let error = thrown {
          try LengthPrefixFramer(
            encoding: encoding, lengthOffset: 1, lengthWidth: width, terminator: terminator,
            packetBytesMax: maximum)
        }
        #expect((error == nil) == (maximum == least), "\(encoding), max \(maximum)")
      }
    }
  }

  @Test func optionsThatDoNotFitSayWhichKeyIsWrong() throws {
    let escape = try LengthPrefixFramer.Escape(0...0, .value(1))
    let five = [LengthPrefixFramer.Escape](repeating: escape, count: 5)
    let errors: [(key: String, FramerDefinitionError?)] = [
      ("mask", thrown { try LengthPrefixFramer(mask: 0) }),
      ("mask", thrown { try LengthPrefixFramer(mask: 0x1_0000) }),
      ("mask", thrown { try LengthPrefixFramer(encoding: .leb128, mask: 1) }),
      ("xor_offset", thrown { try LengthPrefixFramer(xorOffset: 65) }),
      ("xor_offset", thrown { try LengthPrefixFramer(encoding: .decimal, xorOffset: 2) }),
      ("terminator", thrown { try LengthPrefixFramer(terminator: 0x20) }),
      ("terminator", thrown { try LengthPrefixFramer(encoding: .decimal, terminator: 0x39) }),
      ("multiplier", thrown { try LengthPrefixFramer(multiplier: 0) }),
      ("multiplier", thrown { try LengthPrefixFramer(multiplier: 65_537) }),
      ("escapes", thrown { try LengthPrefixFramer(escapes: five) }),
      ("min", thrown { try LengthPrefixFramer(packetBytesMin: 0) }),
      ("min", thrown { try LengthPrefixFramer(packetBytesMin: 70_000) }),
      (
        "max",
        thrown { try LengthPrefixFramer(trailing: ConstantBytes([1, 2]), packetBytesMax: 3) }
      ),
    ]
    for (index, (key, error)) in errors.enumerated() {
      #expect(error?.key == key, "number \(index)")
    }
    #expect(throws: FramerDefinitionError.self) {
      _ = try LengthPrefixFramer.Escape(0...0, .value((64 << 20) + 1))
    }
    #expect(throws: FramerDefinitionError.self) {
      _ = try LengthPrefixFramer.Escape(0...0, .adjustment(65_537))
    }
  }

  private func thrown(_ make: () throws -> LengthPrefixFramer) -> FramerDefinitionError? {
    do {
      _ = try make()
      return nil
    } catch {
      return error as? FramerDefinitionError
    }
  }
}
