import Framing
import Testing

@Suite struct SequenceFramerTests {
  private func fixed(_ size: Int, _ leading: UInt8...) throws -> Framer {
    .fixed(try FixedFramer(size: size, leading: ConstantBytes(leading)))
  }

  private func step(
    _ framer: Framer, _ until: SequenceFramer.Until = .packets(1)
  ) throws -> SequenceFramer.Step {
    try SequenceFramer.Step(framer: framer, until: until)
  }

  private func cut(
    _ stream: [UInt8], _ framer: Framer, letInAfter: Int? = nil
  ) throws -> (packets: [[UInt8]], raw: [UInt8]) {
    let compiled = try CompiledFramer(framer)
    var whole = StreamCutter(compiled, letInAfter: letInAfter)
    whole.read(stream)
    for place in stream.indices {
      var cutter = StreamCutter(compiled, letInAfter: letInAfter)
      cutter.read(stream[..<place])
      cutter.read(stream[place...])
      #expect(cutter.packets == whole.packets && cutter.raw == whole.raw, "cut at \(place)")
    }
    return (whole.packets, whole.raw)
  }

  /// A prelude, then packets, then what is enciphered.
  @Test func packetsAreCounted() throws {
    let framer = Framer.sequence(
      try SequenceFramer(
        steps: [step(fixed(3, 7)), step(fixed(2), .packets(2))], last: .raw))
    let found = try cut([7, 1, 1, 2, 2, 3, 3, 4, 4, 4], framer)
    #expect(found.packets == [[7, 1, 1], [2, 2], [3, 3]])
    #expect(found.raw == [4, 4, 4])
  }

  @Test func untilAuthenticatedBeforeBetweenAndNever() throws {
    let framer = Framer.sequence(
      try SequenceFramer(steps: [step(fixed(1), .authenticated)], last: fixed(3)))
    let stream: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
    #expect(try cut(stream, framer).packets.map(\.count) == [1, 1, 1, 1, 1, 1, 1])
    #expect(try cut(stream, framer, letInAfter: 0).packets.map(\.count) == [3, 3])
    #expect(try cut(stream, framer, letInAfter: 1).packets.map(\.count) == [1, 3, 3])
    #expect(try cut(stream, framer, letInAfter: 4).packets.map(\.count) == [1, 1, 1, 1, 3])
  }

  @Test func aStepAfterTheLoginIsSkippedOnlyWhenItsTurnComes() throws {
    let framer = Framer.sequence(
      try SequenceFramer(
        steps: [step(fixed(2), .packets(2)), step(fixed(1), .authenticated)], last: fixed(3)))
    let stream: [UInt8] = [1, 1, 2, 2, 3, 3, 3]
    for letInAfter in [0, 1, 2] {
      #expect(
        try cut(stream, framer, letInAfter: letInAfter).packets.map(\.count) == [2, 2, 3],
        "after \(letInAfter)")
    }
    #expect(try cut(stream, framer, letInAfter: 3).packets.map(\.count) == [2, 2, 1])
  }

  /// Goal: half a packet that was looked at before is cut by the step that goes on with it.
  @Test func whatWasScannedIsScannedAnew() throws {
    let lines = Framer.delimiter(try DelimiterFramer(delimiters: [[0x0A]], isTelnet: true))
    let zeros = Framer.delimiter(try DelimiterFramer(delimiters: [[0]]))
    let framer = Framer.sequence(
      try SequenceFramer(steps: [step(lines, .authenticated)], last: zeros))
    var cutter = StreamCutter(try CompiledFramer(framer), letInAfter: nil)
    cutter.read([1, 2, 0, 255, 250])
    #expect(cutter.packets.isEmpty)
    cutter.authenticate()
    cutter.read([3, 0])
    #expect(cutter.packets == [[1, 2, 0], [255, 250, 3, 0]])
  }

  @Test func aSequenceCanEndInAnother() throws {
    let inner = Framer.sequence(try SequenceFramer(steps: [step(fixed(2))], last: fixed(3)))
    let framer = Framer.sequence(try SequenceFramer(steps: [step(fixed(1))], last: inner))
    #expect(try cut([1, 2, 2, 3, 3, 3, 3, 3, 3], framer).packets.map(\.count) == [1, 2, 3, 3])
  }

  @Test func aCaseOfAStreamCanBeASequence() throws {
    let inner = Framer.sequence(
      try SequenceFramer(steps: [step(fixed(2), .authenticated)], last: fixed(3)))
    let framer = Framer.switch(
      try SwitchFramer(
        each: .stream,
        cases: [.init(matches: [try #require(ConstantBytes([9]))], framer: inner)],
        otherwise: fixed(1)))
    let stream: [UInt8] = [9, 2, 9, 9, 9, 5, 5, 5]
    #expect(try cut(stream, framer, letInAfter: 1).packets.map(\.count) == [2, 3, 3])
    #expect(try cut(stream, framer).packets.map(\.count) == [2, 2, 2, 2])
    // Let in before a byte came: the case's step is over at once.
    #expect(try cut(stream, framer, letInAfter: 0).packets.map(\.count) == [3, 3])
    #expect(try cut([1, 9, 9], framer).packets.map(\.count) == [1, 1, 1])
  }

  /// Goal: a table that gives up does so for good, though its step counts packets.
  @Test func rawInAStepLastsForEver() throws {
    let table = Framer.table(
      try TableFramer(
        opcode: LengthField(offset: 0, width: 1, endianness: .little),
        entries: [.init(opcode: 1, length: .fixed(2))], unknown: .raw))
    let framer = Framer.sequence(
      try SequenceFramer(steps: [step(table, .packets(2))], last: fixed(3)))
    #expect(try cut([1, 1, 1, 1, 3, 3, 3], framer).packets.map(\.count) == [2, 2, 3])
    #expect(try cut([1, 1, 5, 1, 3, 3, 3], framer).raw == [5, 1, 3, 3, 3])
  }

  @Test func aLoginIsCutByAFramerOfItsOwn() throws {
    let login = Framer.delimiter(try DelimiterFramer(delimiters: [[0x0A]]))
    let compiled = try CompiledFramer(fixed(2), untilAuthenticated: login)
    var cutter = StreamCutter(compiled, letInAfter: 2)
    cutter.read([1, 0x0A, 1, 1, 0x0A, 2, 0x0A, 3])
    #expect(cutter.packets == [[1, 0x0A], [1, 1, 0x0A], [2, 0x0A]])
    #expect(cutter.tail == [3])
  }

  @Test func definitionsOutOfBoundsSayWhatIsWrong() throws {
    for count in [0, 256] {
      #expect(throws: FramerDefinitionError(key: "packets", expected: "1 to 255")) {
        _ = try step(fixed(1), .packets(count))
      }
    }
    #expect(throws: FramerDefinitionError.self) { _ = try step(.raw, .packets(1)) }
    #expect(throws: Never.self) { _ = try step(.raw, .authenticated) }
    let one = try step(fixed(1), .packets(255))
    for count in [0, 16] {
      #expect(throws: FramerDefinitionError(key: "step", expected: "2 to 16")) {
        _ = try SequenceFramer(
          steps: [SequenceFramer.Step](repeating: one, count: count), last: .raw)
      }
    }
  }

  @Test func countsUpTo255Packets() throws {
    let framer = Framer.sequence(
      try SequenceFramer(steps: [step(fixed(1), .packets(255))], last: fixed(2)))
    var cutter = try StreamCutter(framer)
    cutter.read([UInt8](repeating: 0, count: 259))
    #expect(cutter.packets.map(\.count) == [Int](repeating: 1, count: 255) + [2, 2])
  }
}
