internal import Captures
internal import Configuration
internal import Framing

func testFramer(_ call: Call) throws -> ExitStatus {
  let found = try FoundFramer.find(call.operands[0], call.console, runsPlugins: true)
  let input = call.operands.count > 1 ? call.operands[1] : nil
  let capture = call.value(.capture)
  if input != nil, capture != nil {
    throw CommandFailure("give INPUT or --pcap, not both", .wrongCommandLine)
  }
  if input == nil, capture == nil { return try testVectors(found.definition, call) }
  if capture == nil, call.has(.serverPort) {
    throw CommandFailure("--port is for --pcap", .wrongCommandLine)
  }
  var test = try FramerTest(found.definition, call, isCapture: capture != nil)
  if let capture {
    try test.run(capture: capture, port: try serverPort(call))
  } else if let input {
    try test.run(input: input)
  }
  return try test.finish()
}

private func serverPort(_ call: Call) throws(CommandFailure) -> UInt16? {
  guard call.has(.serverPort) else { return nil }
  return UInt16(try call.number(.serverPort, in: 1...65_535, default: 0))
}

/// Which directions of a stream are cut, by a name in the command line.
private func directions(
  _ call: Call, isCapture: Bool
) throws(CommandFailure) -> [CaptureDirection] {
  switch call.value(.streamDirection) ?? (isCapture ? "both" : "to-server") {
  case "to-server": return [.clientToServer]
  case "to-client": return [.serverToClient]
  case "both" where isCapture: return CaptureDirection.allCases
  case "both":
    throw CommandFailure(
      "--direction both: a file has the bytes of one direction; --pcap has both",
      .wrongCommandLine)
  case let other:
    throw CommandFailure(
      "--direction \(quoted(other)): expected to-server, to-client or both", .wrongCommandLine)
  }
}

/// Cuts recorded streams and shows what comes of it.
private struct FramerTest {
  /// What of all streams may wait for the rest of their packets, in bytes.
  private static let waitingBytesMax = 256 << 20
  private static let authenticatedAfterMax = 1_000_000

  /// The two directions of one stream.
  private struct Stream {
    var directions: [CaptureDirection: PacketStream] = [:]
    /// The client's packets.
    var isAuthenticated = false
  }

  private let console: Console
  private let framers: [CaptureDirection: CompiledFramer]
  private let authenticatedAfter: Int?
  private var printer: PacketPrinter
  private var streams: [Int: Stream] = [:]
  private var waitingBytes = 0
  private var summary = StreamSummary()

  init(_ definition: FramerDefinition, _ call: Call, isCapture: Bool) throws {
    console = call.console
    var framers: [CaptureDirection: CompiledFramer] = [:]
    var opcodes: [CaptureDirection: LengthField] = [:]
    for direction in try directions(call, isCapture: isCapture) {
      let framer = definition.framer(of: direction)
      framers[direction] = try CompiledFramer(framer)
      opcodes[direction] = definition.opcode(in: framer)
    }
    self.framers = framers
    authenticatedAfter =
      call.has(.authenticatedAfter)
      ? try call.number(.authenticatedAfter, in: 0...Self.authenticatedAfterMax, default: 0) : nil
    printer = try PacketPrinter(
      call.console, isJSON: call.has(.json), isFull: call.has(.full),
      packetsMax: try call.number(.packetLimit, in: 0...Int.max, default: .max), opcodes: opcodes)
  }

  // MARK: One stream

  mutating func run(input: String) throws {
    let direction: CaptureDirection =
      framers[.clientToServer] != nil ? .clientToServer : .serverToClient
    open(1)
    var isFirst = true
    try InputFile.forEachPiece(input, console) { piece throws in
      if isFirst, CaptureReader.isCapture(piece) {
        throw CommandFailure(
          "\(quoted(input)) is a capture: give it with --pcap", .wrongCommandLine)
      }
      isFirst = false
      try take(piece[...], 1, direction, stream: nil)
      // Somebody may be watching a stream as it comes.
      try console.flush()
      return streams[1]?.directions[direction]?.end == nil
    }
    try close(1, stream: nil)
  }

  // MARK: Captures

  mutating func run(capture path: String, port: UInt16?) throws {
    summary.streams = 0
    let reader: CaptureReader
    do throws(CaptureError) {
      reader = try CaptureReader(path: path)
    } catch {
      throw CommandFailure("cannot read \(quoted(path)): \(visible(error.description))")
    }
    var tracker = StreamTracker(serverPort: port)
    var events: [CaptureEvent] = []
    var failure: CaptureError?
    while failure == nil {
      do throws(CaptureError) {
        guard let segment = try reader.next() else { break }
        tracker.take(segment, into: &events)
      } catch {
        failure = error
      }
      try take(&events)
    }
    tracker.finish(into: &events)
    try take(&events)
    note(reader.statistics, tracker)
    if let failure { throw CommandFailure("\(quoted(path)): \(visible(failure.description))") }
  }

  private mutating func take(_ events: inout [CaptureEvent]) throws {
    for event in events {
      switch event {
      case .opened(let stream):
        try open(stream)
      case .bytes(let number, let direction, let bytes, _):
        try take(bytes, number, direction, stream: number)
      case .ended(let number, let client, let server):
        try remark(client, number, .clientToServer)
        try remark(server, number, .serverToClient)
        try close(number, stream: number)
      }
    }
    events.removeAll(keepingCapacity: true)
  }

  private mutating func open(_ stream: CapturedStream) throws {
    let source = PacketPrinter.Source(stream: stream.number, direction: .clientToServer)
    let name = "\(stream.client) → \(stream.server)"
    guard stream.isFromStart else {
      // In the middle of a stream nobody knows where a packet begins.
      try printer.remark("\(name): began before the capture, left out", source)
      return
    }
    summary.streams! += 1
    open(stream.number)
    try printer.remark(name, source)
  }

  private mutating func remark(
    _ end: CapturedDirectionEnd, _ number: Int, _ direction: CaptureDirection
  ) throws {
    guard framers[direction] != nil, streams[number] != nil else { return }
    let source = PacketPrinter.Source(stream: number, direction: direction)
    if !end.isFromStart {
      try printer.remark("its first segments are missing", source)
    }
    if end.isCut { try printer.remark("segments are missing: cut off in front of them", source) }
  }

  private func note(_ statistics: CaptureReader.Statistics, _ tracker: StreamTracker) {
    let fragments = statistics.skipped[PacketParser.Skipped.fragment.rawValue]
    if fragments > 0 { console.note("\(fragments) fragments of IP packets were left out") }
    if statistics.shortened > 0 {
      console.note(
        "\(statistics.shortened) packets were captured in part only: capture with a larger "
          + "snapshot length")
    }
    if tracker.segmentsWithoutRoom > 0 {
      console.note("there were too many streams at a time: some were left out")
    }
    if summary.streams == 0 { console.note("no TCP stream is in it that is looked for") }
  }

  // MARK: Streams

  private mutating func open(_ number: Int) {
    var stream = Stream()
    for (direction, framer) in framers { stream.directions[direction] = PacketStream(framer) }
    if authenticatedAfter == 0 { for cut in stream.directions.values { cut.authenticate() } }
    stream.isAuthenticated = authenticatedAfter == 0
    streams[number] = stream
  }

  private mutating func take(
    _ bytes: ArraySlice<UInt8>, _ number: Int, _ direction: CaptureDirection, stream: Int?
  ) throws {
    guard let both = streams[number], let cut = both.directions[direction], cut.end == nil
    else { return }
    let source = PacketPrinter.Source(stream: stream, direction: direction)
    let before = cut.leftOver
    let counts = direction == .clientToServer || framers[.clientToServer] == nil
    try cut.take(bytes) { packet in
      try printer.packet(packet, source)
      summary.packets += 1
      summary.bytes += packet.bytes.count
      if counts, packet.number == authenticatedAfter {
        streams[number]!.isAuthenticated = true
        for other in both.directions.values { other.authenticate() }
      }
    }
    waitingBytes += cut.leftOver - before
    guard waitingBytes <= Self.waitingBytesMax else {
      throw CommandFailure(
        "more than \(Self.waitingBytesMax) bytes wait for the rest of their packets: is the framer "
          + "the right one?")
    }
    guard let found = cut.end, let framer = framers[direction]?.framer else { return }
    summary.violations += 1
    let text = ViolationText(
      found, framer, packets: cut.packets, isAuthenticated: streams[number]!.isAuthenticated)
    try printer.violation(found, text, source, packets: cut.packets)
  }

  private mutating func close(_ number: Int, stream: Int?) throws {
    guard let both = streams.removeValue(forKey: number) else { return }
    for direction in CaptureDirection.allCases {
      guard let cut = both.directions[direction], cut.leftOver > 0 else { continue }
      waitingBytes -= cut.leftOver
      summary.leftOver += cut.leftOver
      guard cut.end == nil else { continue }
      try printer.leftOver(cut, PacketPrinter.Source(stream: stream, direction: direction))
    }
  }

  mutating func finish() throws -> ExitStatus {
    try printer.finish(summary)
    if summary.streams == 0 { return .nothingMatched }
    return summary.violations == 0 ? .done : .failed
  }
}

extension FramerDefinition {
  func framer(of direction: CaptureDirection) -> Framer {
    switch direction {
    case .clientToServer: clientToServer
    case .serverToClient: serverToClient ?? .raw
    }
  }
}
