import Framing
import Testing

@Suite struct TableFramerTests {
  private func field(
    _ offset: Int, _ width: Int, _ order: Endianness, _ counts: LengthCounts = .packet,
    least: Int = 1
  ) throws -> PlainLength {
    try PlainLength(
      field: LengthField(offset: offset, width: width, endianness: order), counts: counts,
      adjustment: 0, minimum: nil, maximum: 300, least: least)
  }

  private func opcode(
    _ offset: Int, _ width: Int, _ order: Endianness = .little
  ) throws -> LengthField {
    try LengthField(offset: offset, width: width, endianness: order)
  }

  private func cut(
    _ stream: [UInt8], _ framer: Framer
  ) throws -> (packets: [[UInt8]], raw: [UInt8], violation: FramingViolation?) {
    var cutter = StreamCutter(try CompiledFramer(framer), letInAfter: nil)
    for byte in stream { cutter.read([byte]) }
    return (cutter.packets, cutter.raw, cutter.violation)
  }

  @Test func opcodesOfOneByteSayTheSize() throws {
    let framer = Framer.table(
      try TableFramer(
        opcode: opcode(0, 1),
        entries: [
          .init(opcode: 0x80, length: .fixed(62)), .init(opcode: 0x0D, length: .fixed(1)),
          .init(opcode: 0xA0, length: .fixed(3)),
          .init(opcode: 0xFF, length: .field(field(1, 2, .big))),
        ]))
    #expect(try framer.step([0x0D]) == .packet(byteCount: 1))
    #expect(try framer.step([0x80]) == .needMore(totalBytes: 62))
    #expect(try framer.step([0xA0, 1, 2, 9]) == .packet(byteCount: 3))
    #expect(try framer.step([0xFF, 0]) == .needMore(totalBytes: 3))
    #expect(try framer.step([0xFF, 0, 4, 9]) == .packet(byteCount: 4))
    #expect(
      try framer.step([0xFF, 1, 45])
        == .violation(.packetTooLong(announced: 301, maximum: 300)))
    for opcode: UInt8 in [0x00, 0x0C, 0x0E, 0x7F, 0x81, 0xFE] {
      #expect(try framer.step([opcode]) == .violation(.unknownOpcode(UInt16(opcode))))
    }
  }

  @Test func opcodesOfTwoBytesHaveAnOrder() throws {
    for (order, bytes): (Endianness, [UInt8]) in [(.little, [0x64, 0x02]), (.big, [0x02, 0x64])] {
      let framer = Framer.table(
        try TableFramer(
          opcode: opcode(1, 2, order), entries: [.init(opcode: 0x0264, length: .fixed(4))]))
      #expect(try framer.step([9] + bytes + [1]) == .packet(byteCount: 4))
      #expect(try framer.step([9]) == .needMore(totalBytes: 3))
      #expect(
        try framer.step([9] + bytes.reversed())
          == .violation(.unknownOpcode(0x6402)))
    }
  }

  /// Goal: however many opcodes there are, each is found, and nothing between them is.
  @Test func everyOpcodeOfALargeTableIsFound() throws {
    for step in [1, 7] {
      let entries = (0..<4_096).map { number in
        TableFramer.Entry(opcode: UInt16(number * step), length: .fixed(2 + number % 100))
      }
      let compiled = try CompiledFramer(
        .table(try TableFramer(opcode: opcode(0, 2, .big), entries: entries.reversed())))
      let bytes = [UInt8](repeating: 0, count: 200)
      for opcode in 0...UInt16.max {
        var (packet, state) = (bytes, FramerState())
        (packet[0], packet[1]) = (UInt8(opcode >> 8), UInt8(opcode & 0xFF))
        let known = Int(opcode) % step == 0 && Int(opcode) / step < 4_096
        let expected: PacketCutter.Step =
          known
          ? .packet(byteCount: 2 + Int(opcode) / step % 100)
          : .violation(.unknownOpcode(opcode))
        let found = packet.withUnsafeBytes { compiled.cutter.step($0, &state) }
        if found != expected { Issue.record("\(opcode): \(found)") }
      }
    }
  }

  @Test func unknownOpcodesCanHaveALength() throws {
    let framer = Framer.table(
      try TableFramer(
        opcode: opcode(0, 1), entries: [.init(opcode: 1, length: .fixed(2))],
        unknown: .field(field(1, 1, .little, .rest))))
    #expect(
      try cut([1, 9, 5, 2, 8, 8, 1, 9], framer).packets == [[1, 9], [5, 2, 8, 8], [1, 9]])
  }

  @Test func fromAnUnknownOpcodeOnTheStreamIsRaw() throws {
    let framer = Framer.table(
      try TableFramer(
        opcode: opcode(0, 2), entries: [.init(opcode: 1, length: .fixed(3))], unknown: .raw))
    let found = try cut([1, 0, 9, 2, 0, 1, 0, 9], framer)
    #expect(found.packets == [[1, 0, 9]])
    // The known opcode in it means nothing any more.
    #expect(found.raw == [2, 0, 1, 0, 9])
    #expect(found.violation == nil)
  }

  /// Goal: a length can't make a packet end within its own opcode.
  @Test func aPacketCoversItsOpcode() throws {
    let framer = Framer.table(
      try TableFramer(
        opcode: opcode(4, 1),
        entries: [.init(opcode: 7, length: .field(field(0, 1, .little, .packet, least: 5)))]))
    #expect(
      try framer.step([4, 0, 0, 0, 7]) == .violation(.packetTooShort(announced: 4, minimum: 5)))
    #expect(try framer.step([5, 0, 0, 0, 7]) == .packet(byteCount: 5))
  }

  @Test func definitionsOutOfBoundsSayWhatIsWrong() throws {
    let one = opcode
    let table: [(key: String, Int, [(UInt16, Int)], maximum: Int)] = [
      ("width", 3, [(1, 9)], 300), ("sizes", 1, [], 300),
      ("sizes", 1, [(1, 9), (1, 9)], 300), ("sizes", 1, [(256, 9)], 300),
      ("sizes", 2, [(256, 1)], 300), ("sizes", 1, [(1, 301)], 300), ("max", 2, [(1, 9)], 1),
      ("max", 2, [(1, 9)], (64 << 20) + 1),
      ("sizes", 2, (0...4_096).map { (UInt16($0), 9) }, 300),
    ]
    for (key, width, sizes, maximum) in table {
      do {
        _ = try TableFramer(
          opcode: one(0, width, .little),
          entries: sizes.map { .init(opcode: $0.0, length: .fixed($0.1)) },
          packetBytesMax: maximum)
        Issue.record("\(key): it is taken")
      } catch let error as FramerDefinitionError {
        #expect(error.key == key)
      }
    }
  }
}

@Suite struct FixedFramerTests {
  @Test func allPacketsHaveOneSize() throws {
    let framer = Framer.fixed(try FixedFramer(size: 3))
    #expect(try framer.step([1]) == .needMore(totalBytes: 3))
    #expect(try framer.step([1, 2, 3]) == .packet(byteCount: 3))
    #expect(try framer.step([1, 2, 3, 4]) == .packet(byteCount: 3))
  }

  @Test func theFirstWrongByteIsSeenWhenItComes() throws {
    let framer = Framer.fixed(try FixedFramer(size: 5, leading: ConstantBytes([1, 2, 3])))
    #expect(try framer.step([1]) == .needMore(totalBytes: 2))
    #expect(try framer.step([1, 2]) == .needMore(totalBytes: 3))
    #expect(try framer.step([1, 2, 3]) == .needMore(totalBytes: 5))
    #expect(try framer.step([1, 3]) == .violation(.wrongConstant(offset: 0)))
    #expect(try framer.step([1, 2, 3, 4, 5]) == .packet(byteCount: 5))
  }

  @Test func sizesAreBounded() {
    for size in [0, -1, (64 << 20) + 1] {
      #expect(throws: FramerDefinitionError.self) { _ = try FixedFramer(size: size) }
    }
    #expect(throws: Never.self) { _ = try FixedFramer(size: 64 << 20) }
    #expect(throws: FramerDefinitionError.self) {
      _ = try FixedFramer(size: 1, leading: ConstantBytes([1, 2]))
    }
  }
}
