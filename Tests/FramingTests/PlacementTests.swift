import Framing
import Testing

/// Goal: what can't be laid out for the packet path is refused with a reason; what can is small.
@Suite struct PlacementTests {
  private static let one = ConstantBytes([1])!

  private func fixed(_ size: Int) throws -> Framer { .fixed(try FixedFramer(size: size)) }

  private func sequence(
    _ framer: Framer, _ until: SequenceFramer.Until = .packets(1), then last: Framer
  ) throws -> Framer {
    .sequence(
      try SequenceFramer(
        steps: [SequenceFramer.Step(framer: framer, until: until)], last: last))
  }

  private func choice(_ each: SwitchFramer.Each, _ framers: [Framer]) throws -> Framer {
    .switch(
      try SwitchFramer(
        each: each, cases: framers.map { try .init(matches: [Self.one], framer: $0) }))
  }

  private func reason(_ framer: Framer) -> String? {
    do throws(FramerDefinitionError) {
      _ = try CompiledFramer(framer)
      return nil
    } catch {
      return error.expected
    }
  }

  @Test func sequencesAndStreamsStandOnlyWhereOneBegins() throws {
    let inner = try sequence(fixed(1), then: fixed(2))
    let stream = try choice(.stream, [fixed(1)])
    let expected =
      "a sequence, or a switch of streams, only at the top, at the end of a sequence, or in a "
      + "case of a switch of streams"
    for nested in [inner, stream] {
      #expect(try reason(sequence(nested, then: .raw)) == expected)
      #expect(try reason(choice(.packet, [nested])) == expected)
      #expect(try reason(sequence(fixed(1), then: nested)) == nil)
      #expect(try reason(choice(.stream, [nested])) == nil)
    }
  }

  @Test func oneLoginIsNotInsideAnother() throws {
    let inner = try sequence(fixed(1), .authenticated, then: fixed(2))
    #expect(
      try reason(sequence(inner, .authenticated, then: .raw))
        == "one step until authenticated, and not one in another")
    // One behind another is fine, if of no use.
    #expect(try reason(sequence(fixed(1), .authenticated, then: inner)) == nil)
  }

  @Test func framersStandInOneAnotherToADepthOfFour() throws {
    var packets = try fixed(1)
    var streams = try fixed(1)
    for depth in 2...5 {
      packets = try choice(.packet, [packets])
      streams = try choice(.stream, [streams])
      for framer in [packets, streams] {
        #expect((reason(framer) == nil) == (depth <= Framer.depthMax), "\(depth)")
      }
    }
    #expect(reason(packets) == "at most 4 of them in one another")
  }

  @Test func aFramerHasAtMost200Parts() throws {
    let many = try choice(.packet, (0..<64).map { _ in try fixed(1) })
    #expect(reason(try choice(.packet, [many, many, many])) == nil)
    #expect(
      reason(try choice(.packet, [many, many, many, many])) == "at most 200 framers in it")
    let streams = try choice(.stream, (0..<64).map { _ in try fixed(1) })
    #expect(
      reason(try choice(.stream, [streams, streams, streams, streams]))
        == "at most 200 framers in it")
  }

  /// Goal: a session has two of these, and the packet path copies them without a thought.
  @Test func statesAndAnswersAreSmallAndTrivial() {
    func isTrivial<T: BitwiseCopyable>(_ type: T.Type) -> Bool { true }
    #expect(MemoryLayout<FramerState>.size <= 16)
    #expect(MemoryLayout<PacketCutter>.size <= 24)
    #expect(MemoryLayout<PacketCutter.Step>.size <= 32)
    #expect(isTrivial(FramerState.self) && isTrivial(PacketCutter.self))
    #expect(_isPOD(PacketCutter.Step.self) && _isPOD(FramingViolation.self))
  }

  @Test func whatIsSameEverywhereNeedsNoCounting() throws {
    let table = try TableFramer(
      opcode: LengthField(offset: 0, width: 1, endianness: .little),
      entries: [.init(opcode: 1, length: .fixed(2))], unknown: .raw)
    let cases: [(Framer, Bool)] = [
      (.raw, true), (try fixed(1), true), (try choice(.packet, [fixed(1)]), true),
      (try choice(.stream, [fixed(1)]), false), (.table(table), false),
      (try sequence(fixed(1), then: fixed(2)), false),
      (try sequence(fixed(1), .authenticated, then: fixed(2)), false),
    ]
    for (framer, expected) in cases {
      let compiled = try CompiledFramer(framer)
      withExtendedLifetime(compiled) {
        #expect(compiled.cutter.isSameEverywhere == expected, "\(framer)")
      }
    }
  }
}
