import Framing
import Testing

@Suite struct SwitchFramerTests {
  private func fixed(_ size: Int) throws -> Framer { .fixed(try FixedFramer(size: size)) }

  private func matching(
    _ matches: [UInt8]..., mask: [UInt8]? = nil, offset: Int = 0, to framer: Framer
  ) throws -> SwitchFramer.Case {
    try SwitchFramer.Case(
      offset: offset, matches: matches.map { try #require(ConstantBytes($0, mask: mask)) },
      framer: framer)
  }

  private func cut(_ stream: [UInt8], _ framer: Framer) throws -> StreamCutter {
    var cutter = StreamCutter(try CompiledFramer(framer), letInAfter: nil)
    for byte in stream { cutter.read([byte]) }
    return cutter
  }

  /// As MU Online: the first byte says how wide the length is.
  @Test func eachPacketIsDecidedAnew() throws {
    let narrow = Framer.lengthPrefix(
      try LengthPrefixFramer(lengthOffset: 1, lengthWidth: 1, counts: .packet))
    let wide = Framer.lengthPrefix(try LengthPrefixFramer(lengthOffset: 1, counts: .packet))
    let framer = Framer.switch(
      try SwitchFramer(cases: [matching([0xC1], [0xC3], to: narrow), matching([0xC2], to: wide)]))
    let packets: [[UInt8]] = [[0xC1, 3, 9], [0xC2, 0, 4, 9], [0xC3, 2]]
    #expect(try cut(packets.flatMap { $0 }, framer).packets == packets)
    #expect(try framer.step([0xC4]) == .violation(.noCase))
  }

  @Test func theFirstCaseThatMatchesCounts() throws {
    let framer = Framer.switch(
      try SwitchFramer(
        cases: [matching([1, 2], to: fixed(2)), matching([1], to: fixed(3))], otherwise: fixed(4)))
    #expect(try framer.step([1]) == .needMore(totalBytes: 2))
    #expect(try framer.step([1, 2, 9, 9]) == .packet(byteCount: 2))
    #expect(try framer.step([1, 3, 9, 9]) == .packet(byteCount: 3))
    #expect(try framer.step([2, 3, 9, 9]) == .packet(byteCount: 4))
  }

  /// Goal: one of a case's matches is enough, whatever the others still wait for.
  @Test func aMatchOfTheSameCaseIsNotWaitedFor() throws {
    let framer = Framer.switch(
      try SwitchFramer(cases: [matching([1, 2], [1], to: fixed(1)), matching([2], to: fixed(2))]))
    #expect(try framer.step([1]) == .packet(byteCount: 1))
  }

  @Test func aLaterCaseWaitsForAnEarlierOne() throws {
    let framer = Framer.switch(
      try SwitchFramer(cases: [matching([9], offset: 3, to: fixed(5)), matching([1], to: fixed(1))])
    )
    #expect(try framer.step([1, 1, 1]) == .needMore(totalBytes: 4))
    #expect(try framer.step([1, 1, 1, 1]) == .packet(byteCount: 1))
    #expect(try framer.step([1, 1, 1, 9]) == .needMore(totalBytes: 5))
  }

  @Test func onlyTheMaskedBitsCount() throws {
    // The version of TLS in a record's header: 03 01 to 03 04, behind the type.
    let framer = Framer.switch(
      try SwitchFramer(
        cases: [matching([0x16, 0x03, 0x00], mask: [0xFF, 0xFF, 0xF8], to: fixed(5))],
        otherwise: fixed(1)))
    for minor: UInt8 in 0...7 {
      #expect(try framer.step([0x16, 0x03, minor]) == .needMore(totalBytes: 5))
    }
    #expect(try framer.step([0x16, 0x03, 8]) == .packet(byteCount: 1))
    #expect(ConstantBytes([1, 2], mask: [1]) == nil)
    #expect(ConstantBytes([1, 2], mask: [1, 1]) == nil)
  }

  /// As a port that serves the game, and a status protocol beside it.
  @Test func aStreamIsDecidedOnce() throws {
    let lines = Framer.delimiter(try DelimiterFramer(delimiters: [[0x0A]]))
    let framer = Framer.switch(
      try SwitchFramer(
        each: .stream, cases: [matching([0x51, 0x0A], to: lines), matching([0x16], to: .raw)],
        otherwise: fixed(2)))
    #expect(
      try cut([0x51, 0x0A, 0x16, 0x0A, 0x0A], framer).packets
        == [[0x51, 0x0A], [0x16, 0x0A], [0x0A]])
    #expect(try cut([0x51, 0x51, 0x51, 0x0A], framer).packets == [[0x51, 0x51], [0x51, 0x0A]])
    let raw = try cut([0x16, 0x51, 0x0A], framer)
    #expect(raw.packets.isEmpty && raw.raw == [0x16, 0x51, 0x0A])
    #expect(try cut([0x51], framer).tail == [0x51])
  }

  @Test func aStreamThatIsNoCaseIsAViolation() throws {
    let framer = Framer.switch(
      try SwitchFramer(each: .stream, cases: [matching([1, 2, 3], to: fixed(1))]))
    #expect(try framer.step([1, 2]) == .needMore(totalBytes: 3))
    #expect(try framer.step([1, 3]) == .violation(.noCase))
  }

  @Test func definitionsOutOfBoundsSayWhatIsWrong() throws {
    let one = try #require(ConstantBytes([1]))
    #expect(throws: FramerDefinitionError(key: "offset", expected: "0 to 8")) {
      _ = try SwitchFramer.Case(offset: 9, matches: [one], framer: .raw)
    }
    for count in [0, 9] {
      #expect(throws: FramerDefinitionError(key: "match", expected: "1 to 8")) {
        _ = try SwitchFramer.Case(
          matches: [ConstantBytes](repeating: one, count: count), framer: .raw)
      }
    }
    let found = try SwitchFramer.Case(matches: [one], framer: .raw)
    for count in [0, 65] {
      #expect(throws: FramerDefinitionError(key: "case", expected: "1 to 64")) {
        _ = try SwitchFramer(cases: [SwitchFramer.Case](repeating: found, count: count))
      }
    }
  }
}
