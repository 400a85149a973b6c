import CFramer
import Framing
import Testing

/// Goal: what a plugin answers is checked, and it is told what its header promises.
///
/// Method: the plugin's functions are C functions made here.
@Suite struct PluginFramerTests {
  /// What a plugin of these tests was told; its context points to one.
  private final class Record {
    var answers: [gatehouse_framer_step] = []
    var shown: [(count: Int, scanned: Int)] = []
    var taken = 0
    var ended = 0
    var closed = 0
    var unloaded = 0
    /// What `step` leaves in the stream's memory.
    var stream: UInt64 = 0
  }

  private static func record(_ context: UnsafeMutableRawPointer?) -> Record {
    Unmanaged<Record>.fromOpaque(context!).takeUnretainedValue()
  }

  private static func answer(
    _ answer: gatehouse_framer_answer, _ byteCount: UInt64, dropped: UInt32 = 0
  ) -> gatehouse_framer_step {
    gatehouse_framer_step(answer: answer.rawValue, dropped: dropped, byte_count: byteCount)
  }

  private func plugin(
    _ record: Record, minimum: Int? = nil, maximum: Int = 100
  ) throws -> PluginFramer {
    let functions = gatehouse_framer(
      abi: UInt32(GATEHOUSE_FRAMER_ABI), size: UInt32(MemoryLayout<gatehouse_framer>.size),
      open: nil, close: { Self.record($0).closed += 1 },
      step: { context, stream, bytes, count, scanned in
        let record = Self.record(context)
        record.shown.append((count, scanned))
        if record.stream != 0 { stream!.pointee = record.stream }
        return record.answers.isEmpty
          ? Self.answer(GATEHOUSE_FRAMER_PACKET, UInt64(bytes![0])) : record.answers.removeFirst()
      },
      taken: { context, stream in Self.record(context).taken += 1 },
      end: { context, stream in Self.record(context).ended += 1 })
    nonisolated(unsafe) let told = record
    return PluginFramer(
      path: "p.so", arguments: "",
      bounds: try PacketBounds(minimum: minimum, maximum: maximum, least: 1, of: "a packet"),
      functions: functions, context: Unmanaged.passUnretained(record).toOpaque(),
      unload: { told.unloaded += 1 })
  }

  private func step(
    _ answer: gatehouse_framer_step, minimum: Int? = nil, maximum: Int = 100, count: Int = 5
  ) throws -> PacketCutter.Step {
    let record = Record()
    record.answers = [answer]
    return try withExtendedLifetime(record) {
      try Framer.plugin(plugin(record, minimum: minimum, maximum: maximum))
        .step([UInt8](repeating: 1, count: count))
    }
  }

  @Test func answersWithinBoundsAreTaken() throws {
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_PACKET, 5, dropped: 2))
        == .packet(byteCount: 5, dropped: 2))
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_PACKET, 1, dropped: 1))
        == .packet(byteCount: 1, dropped: 1))
    #expect(try step(Self.answer(GATEHOUSE_FRAMER_NEED_MORE, 6)) == .needMore(totalBytes: 6))
    #expect(try step(Self.answer(GATEHOUSE_FRAMER_NEED_MORE, 100)) == .needMore(totalBytes: 100))
    #expect(try step(Self.answer(GATEHOUSE_FRAMER_NEED_ANY_MORE, 0)) == .needAnyMore)
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_VIOLATION, 77)) == .violation(.plugin(code: 77)))
  }

  @Test func answersOutOfBoundsAreFaults() throws {
    let faults = [
      Self.answer(GATEHOUSE_FRAMER_PACKET, 0), Self.answer(GATEHOUSE_FRAMER_PACKET, 6),
      Self.answer(GATEHOUSE_FRAMER_PACKET, .max),
      Self.answer(GATEHOUSE_FRAMER_PACKET, 2, dropped: 3),
      Self.answer(GATEHOUSE_FRAMER_PACKET, 2, dropped: .max),
      Self.answer(GATEHOUSE_FRAMER_NEED_MORE, 5), Self.answer(GATEHOUSE_FRAMER_NEED_MORE, 0),
      gatehouse_framer_step(answer: 4, dropped: 0, byte_count: 1),
      gatehouse_framer_step(answer: .max, dropped: 0, byte_count: 1),
    ]
    for fault in faults {
      #expect(try step(fault) == .violation(.pluginFault), "\(fault)")
    }
  }

  @Test func theGatewaysBoundsHold() throws {
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_PACKET, 2), minimum: 3)
        == .violation(.packetTooShort(announced: 2, minimum: 3)))
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_PACKET, 5), maximum: 4)
        == .violation(.packetTooLong(announced: 5, maximum: 4)))
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_NEED_MORE, .max))
        == .violation(.packetTooLong(announced: .max, maximum: 100)))
    #expect(
      try step(Self.answer(GATEHOUSE_FRAMER_NEED_ANY_MORE, 0), maximum: 5)
        == .violation(.noDelimiter(maximum: 5)))
  }

  @Test func itIsToldWhatWasScannedAndTaken() throws {
    let record = Record()
    record.answers = [
      Self.answer(GATEHOUSE_FRAMER_NEED_ANY_MORE, 0), Self.answer(GATEHOUSE_FRAMER_PACKET, 3),
      Self.answer(GATEHOUSE_FRAMER_NEED_MORE, 2),
    ]
    try withExtendedLifetime(record) {
      var cutter = try StreamCutter(.plugin(plugin(record)))
      cutter.read([9, 9])
      cutter.read([9, 2])
      cutter.read([9])
      #expect(cutter.packets == [[9, 9, 9], [2, 9]])
    }
    #expect(record.shown.map(\.count) == [2, 4, 1, 2])
    #expect(record.shown.map(\.scanned) == [0, 2, 0, 0])
    #expect(record.taken == 2)
  }

  @Test func aStreamsMemoryIsEndedOnceAndTheContextClosedLast() throws {
    let record = Record()
    record.stream = 42
    try withExtendedLifetime(record) {
      let framer = Framer.sequence(
        try SequenceFramer(
          steps: [.init(framer: .plugin(plugin(record)), until: .packets(2))], last: .raw))
      let compiled = try CompiledFramer(framer)
      #expect(compiled.cutter.hasPlugin)
      var state = FramerState()
      for _ in 0..<2 {
        _ = [UInt8](repeating: 1, count: 1).withUnsafeBytes { compiled.cutter.step($0, &state) }
        compiled.cutter.took(&state)
      }
      // The next step of the sequence goes on: the memory is the plugin's no more.
      #expect(record.ended == 1)
      compiled.cutter.ended(&state)
      #expect(record.ended == 1 && record.closed == 0)
    }
    #expect(record.closed == 1 && record.unloaded == 1)
  }

  @Test func aStreamThatEndsInThePluginIsEnded() throws {
    for (stream, ended) in [(UInt64(7), 1), (0, 0)] {
      let record = Record()
      record.stream = stream
      try withExtendedLifetime(record) {
        let compiled = try CompiledFramer(.plugin(plugin(record)))
        var state = FramerState()
        _ = [UInt8](repeating: 1, count: 1).withUnsafeBytes { compiled.cutter.step($0, &state) }
        compiled.cutter.ended(&state)
        compiled.cutter.ended(&state)
      }
      #expect(record.ended == ended)
    }
  }

  @Test func itIsNoCaseOfASwitchOfPackets() throws {
    let record = Record()
    try withExtendedLifetime(record) {
      let plugin = Framer.plugin(try plugin(record))
      let one = try #require(ConstantBytes([1]))
      for each in SwitchFramer.Each.allCases {
        let framer = Framer.switch(
          try SwitchFramer(each: each, cases: [.init(matches: [one], framer: plugin)]))
        #expect(((try? CompiledFramer(framer)) == nil) == (each == .packet))
      }
    }
  }
}
