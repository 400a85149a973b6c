internal import Captures
internal import JSON
internal import Learning
internal import Primitives

let framerLearnCommand = Subcommand(
  words: ["framer", "learn"], operands: "FILE...", operandCount: 1...1024,
  options: [.pcap, .learnDirection, .serverPort, .top, .json],
  summary: "propose framers for recorded streams",
  explanation: """
    Looks for the rule by which recorded streams are cut into packets, and proposes framers, the
    likeliest first, with what speaks for and against each and a definition ready to paste. Nothing
    is proposed that the streams don't bear out; the exit status is then 3.

    Each FILE holds the bytes of one direction of one connection, from its first byte; "-" is
    standard input. With --pcap it is a capture (as `gatehouse record` or tcpdump writes them) of
    any number of connections, and both directions are looked at. Several connections on which
    different things were done tell more than a long one. The files hold what players sent, maybe
    passwords: the proposals do not.
    """,
  examples: [
    "gatehouse framer learn login-1.bin login-2.bin login-3.bin",
    "gatehouse framer learn --pcap evening.pcap --port 7171",
  ], run: { try learnFramers($0) })

extension CommandOption {
  fileprivate static let pcap = CommandOption(
    "pcap", "the files are captures (.pcap or .pcapng), and not one direction's bytes")
  fileprivate static let learnDirection = CommandOption(
    "direction", argument: "WHICH",
    "to-server, to-client or both; what is not a capture is taken for to-server")
  fileprivate static let top = CommandOption(
    "top", argument: "NUMBER", "at most so many proposals for a direction; 3 when not given")
}

/// A direction and what was recorded of it.
private struct Direction {
  /// As definitions call it.
  var table: String
  var title: String
  var streams: [LearningStream] = []

  static let toServer = Direction(table: "client_to_server", title: "To the server")
  static let toClient = Direction(table: "server_to_client", title: "To the client")
}

private func learnFramers(_ call: Call) throws -> ExitStatus {
  var limits = FramerLearner.Limits()
  limits.proposalsMax = try call.number(.top, in: 1...20, default: limits.proposalsMax)
  let wanted = call.value(.learnDirection) ?? (call.has(.pcap) ? "both" : "to-server")
  guard ["to-server", "to-client", "both"].contains(wanted) else {
    throw CommandFailure(
      "--direction \(quoted(wanted)): expected to-server, to-client or both", .wrongCommandLine)
  }
  let directions = try call.has(.pcap) ? captured(call, wanted) : recorded(call, wanted, limits)
  let learnt = directions.map { ($0, FramerLearner.learn($0.streams, limits: limits)) }
  if call.has(.json) {
    try call.console.write(json(learnt) + [UInt8(ascii: "\n")])
  } else {
    try call.console.write(text(learnt))
  }
  return learnt.contains { !$0.1.proposals.isEmpty } ? .done : .nothingMatched
}

private func recorded(
  _ call: Call, _ wanted: String, _ limits: FramerLearner.Limits
) throws -> [Direction] {
  if call.has(.serverPort) {
    throw CommandFailure("--port: only captures know of ports; add --pcap", .wrongCommandLine)
  }
  guard wanted != "both" else {
    throw CommandFailure(
      "--direction both: a file has one direction unless it is a capture; add --pcap",
      .wrongCommandLine)
  }
  var direction = wanted == "to-client" ? Direction.toClient : .toServer
  // Each may be large; more than is looked at is not kept.
  for path in call.operands.prefix(4 * limits.streamsMax) {
    let bytes = try InputFile.read(path, call.console)
    guard !CaptureReader.isCapture(bytes) else {
      throw CommandFailure(
        "\(quoted(path)) is a capture: give it with --pcap", .wrongCommandLine)
    }
    direction.streams.append(
      LearningStream(
        bytes: Array(bytes.prefix(limits.streamBytesMax)),
        isCut: bytes.count > limits.streamBytesMax))
  }
  return [direction]
}

private func captured(_ call: Call, _ wanted: String) throws -> [Direction] {
  let port = try call.number(.serverPort, in: 1...65_535, default: 0)
  var streams: [RecordedStream] = []
  for path in call.operands {
    do {
      streams += try CaptureReader.streams(
        path: path, serverPort: port == 0 ? nil : UInt16(port), limits: captureLimits)
    } catch {
      throw CommandFailure("cannot read \(quoted(path)): \(error)")
    }
  }
  try checkPorts(streams)
  var toServer = Direction.toServer
  var toClient = Direction.toClient
  var withoutStart = 0
  for stream in streams {
    if stream.clientEnd.isFromStart {
      toServer.streams.append(
        LearningStream(stream.clientToServer, stream, .clientToServer, stream.clientEnd))
    } else {
      withoutStart += 1
    }
    if stream.serverEnd.isFromStart {
      toClient.streams.append(
        LearningStream(stream.serverToClient, stream, .serverToClient, stream.serverEnd))
    }
  }
  if withoutStart > 0 {
    call.console.note(
      "\(withoutStart) connections began before the capture and are left out")
  }
  switch wanted {
  case "to-server": return [toServer]
  case "to-client": return [toClient]
  default: return [toServer, toClient]
  }
}

private var captureLimits: StreamCollector.Limits {
  var limits = StreamCollector.Limits()
  limits.streamBytesMax = 1 << 20
  limits.bytesMax = 64 << 20
  return limits
}

/// Streams of different protocols can't be learnt from together.
private func checkPorts(_ streams: [RecordedStream]) throws(CommandFailure) {
  var counts: [UInt16: Int] = [:]
  for stream in streams { counts[stream.server.port, default: 0] += 1 }
  guard counts.count > 1 else { return }
  let shown = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8)
    .map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
  throw CommandFailure(
    "there are connections to several ports: \(shown); name one with --port", .wrongCommandLine)
}

extension LearningStream {
  fileprivate init(
    _ bytes: [UInt8], _ stream: RecordedStream, _ direction: CaptureDirection,
    _ end: CapturedDirectionEnd
  ) {
    var ends: [Int] = []
    var place = 0
    for chunk in stream.chunks where chunk.direction == direction {
      place += chunk.byteCount
      ends.append(place)
    }
    self.init(
      bytes: bytes, writeEnds: ends, isCut: end.isCut || !end.isEnded || stream.isShortened)
  }
}

// MARK: What is shown

/// What the definitions are called until somebody has a better name.
private let proposedName = "learnt"

private func text(_ learnt: [(Direction, LearningReport)]) -> String {
  var text = ""
  for (direction, report) in learnt {
    text +=
      "\(direction.title): \(report.streams) \(report.streams == 1 ? "stream" : "streams"), "
      + "\(report.bytes) bytes\n"
    for note in report.notes { text += "  \(note)\n" }
    for (index, proposal) in report.proposals.enumerated() {
      text += "\n\(index + 1). \(proposal.summary)\n"
      text += "   \(proposal.confidence.rawValue), \(proposal.bits) bits\n"
      for reason in proposal.reasons { text += "   + \(reason)\n" }
      for doubt in proposal.doubts { text += "   - \(doubt)\n" }
      for other in proposal.alternatives { text += "   = cuts alike: \(other)\n" }
      text += "\n"
      let definition = definition(proposal, direction)
      for line in definition.split(separator: "\n") { text += "     \(line)\n" }
    }
    text += "\n"
  }
  if learnt.contains(where: { !$0.1.proposals.isEmpty }) {
    text += """
      Paste a definition into the configuration, say framer = "\(proposedName)" in the listener, and
      try `gatehouse framer test` on other recordings before you rely on it.

      """
  }
  return text
}

private func definition(_ proposal: FramerProposal, _ direction: Direction) -> String {
  var text = proposal.definition(table: "framer.\(proposedName).\(direction.table)")
  for option in proposal.options { text += "# \(option)\n" }
  if let offset = proposal.opcodeOffset, direction.table == Direction.toServer.table {
    text += "[framer.\(proposedName).opcode]\noffset = \(offset)\nwidth = 1\n"
  }
  return text
}

private func json(_ learnt: [(Direction, LearningReport)]) -> [UInt8] {
  JSONWriter.object { object in
    for (direction, report) in learnt {
      object.key(direction.table)
      object.object { object in
        object.member("streams", report.streams)
        object.member("bytes", report.bytes)
        object.member("opaque_from", report.opaqueFrom)
        object.member("notes", report.notes)
        object.key("proposals")
        object.array { array in
          for proposal in report.proposals { array.object { write(proposal, direction, to: &$0) } }
        }
      }
    }
  }
}

private func write(
  _ proposal: FramerProposal, _ direction: Direction, to object: inout JSONWriter
) {
  object.member("summary", proposal.summary)
  object.member("confidence", proposal.confidence.rawValue)
  object.member("bits", proposal.bits)
  object.member("packets", proposal.packets)
  object.member("shortest", proposal.shortestPacket)
  object.member("longest", proposal.longestPacket)
  object.member("opcode_offset", proposal.opcodeOffset)
  object.member("reasons", proposal.reasons)
  object.member("doubts", proposal.doubts)
  object.member("alternatives", proposal.alternatives)
  object.member("options", proposal.options)
  object.member("definition", definition(proposal, direction))
}
