internal import Configuration
internal import Gateway
internal import Glibc
internal import JSON
internal import Primitives

let recordCommands: [Subcommand] = [
  Subcommand(
    words: ["record"],
    options: [
      .recordedListener, .out, .recordingTime, .recordingBytes, .recordingSessions, .client,
      .config,
    ],
    summary: "record what clients of the running gateway send and are sent",
    explanation: """
      Writes the streams of a listener's new sessions, both directions with their times, to a new
      file in the form of tcpdump and Wireshark (.pcap), which `gatehouse framer test` reads too.
      Sessions that are open already are not recorded: a framer needs a stream's start. It goes on
      for a minute, up to 16 MiB and 64 sessions, unless told otherwise; ctrl-C ends it sooner, and
      the file is whole.

      A recording holds what players send, their passwords too. So it works only with
      `recording = true` in [management], the file is made with mode 0600, and the gateway's log
      says that there was one. `-` as FILE is standard output. Exit status 3 means that no session
      began.
      """,
    examples: [
      "gatehouse record --listener game --out game.pcap",
      "gatehouse record --listener game --out game.pcap --for 10m --bytes 64MiB --client 192.0.2.7",
    ], run: { try record($0) })
]

extension CommandOption {
  fileprivate static let recordedListener = CommandOption(
    "listener", argument: "NAME", "the listener whose new sessions are recorded")
  fileprivate static let out = CommandOption(
    "out", letter: "o", argument: "FILE", "a file that is not there yet, or - for standard output")
  fileprivate static let recordingTime = CommandOption(
    "for", argument: "TIME", "how long: 30s, 10m, up to 1h; 1m when not given")
  fileprivate static let recordingBytes = CommandOption(
    "bytes", argument: "SIZE", "how much: 64KiB, 100MB, up to 1GiB; 16MiB when not given")
  fileprivate static let recordingSessions = CommandOption(
    "sessions", argument: "NUMBER", "at most so many sessions, up to 1024; 64 when not given")
  fileprivate static let client = CommandOption(
    "client", argument: "ADDRESS", "only sessions from this address or network")
}

/// How long the gateway is left alone between two requests.
private let pauseMilliseconds = 200
/// A batch of at least so many bytes is likely to have another right behind it.
private let largeBatchBytes = 1 << 20

private func record(_ call: Call) throws -> ExitStatus {
  let request = try recordingRequest(call)
  guard let path = call.value(.out), !path.isEmpty else {
    throw CommandFailure("--out is missing", .wrongCommandLine)
  }
  let client = try ManagementClient(call)
  let output = try RecordingOutput(path, call.console)
  let interruption = Interruption()
  defer { interruption.end() }
  let id: Int64
  do {
    id = try begin(request, client)
  } catch {
    output.remove()
    throw error
  }
  call.console.note(
    "recording what clients of \(quoted(request.listener)) send, passwords too; only sessions that "
      + "begin from here on; ctrl-C ends it")
  var recorder = Recorder(client: client, output: output, id: id)
  do {
    try recorder.run(interruption)
  } catch {
    recorder.giveUp()
    throw error
  }
  try output.finish()
  return recorder.report(call.console)
}

private func recordingRequest(_ call: Call) throws(CommandFailure) -> RecordingRequest {
  let listener = try call.text(.recordedListener)
  guard !listener.isEmpty else {
    throw CommandFailure("--listener is missing: which one?", .wrongCommandLine)
  }
  var request = RecordingRequest(listener: listener)
  if let text = call.value(.recordingTime) {
    guard let seconds = DurationText.parse(text).map({ UInt64($0) }),
      RecordingRequest.secondsRange.contains(seconds)
    else {
      throw CommandFailure(
        "--for \(quoted(text)): expected 1s to 1h, such as 30s or 10m", .wrongCommandLine)
    }
    request.duration = .seconds(seconds)
  }
  if let text = call.value(.recordingBytes) {
    let range = RecordingRequest.bytesRange
    guard let bytes = ByteCountText.parse(text), range.contains(bytes) else {
      throw CommandFailure(
        "--bytes \(quoted(text)): expected 1KiB to 1GiB, such as 64KiB or 100MB",
        .wrongCommandLine)
    }
    request.bytesMax = bytes
  }
  request.sessionsMax = try call.number(
    .recordingSessions, in: RecordingRequest.sessionsRange, default: request.sessionsMax)
  if let text = call.value(.client) { request.client = try SubjectText.address(text) }
  return request
}

/// - Returns: the recording's number.
private func begin(
  _ request: RecordingRequest, _ client: ManagementClient
) throws(CommandFailure) -> Int64 {
  let body = JSONWriter.object { json in
    json.member("listener", request.listener)
    json.member("bytes", request.bytesMax)
    json.member("sessions", request.sessionsMax)
    json.member("seconds", request.duration.nanoseconds / 1_000_000_000)
    if let prefix = request.client { json.member("client", prefix.description) }
  }
  let answer = try client.exchange("POST", "/recordings", body: body).whenGood()
  guard let id = answer["recording"]?["id"]?.number else {
    throw CommandFailure("the gateway does not say what the recording is called")
  }
  return id
}

/// Takes what the gateway records until there is nothing more, or somebody ends it.
private struct Recorder {
  let client: ManagementClient
  let output: RecordingOutput
  let id: Int64
  private var summary: JSONValue?
  private var wasInterrupted = false

  private var target: String { "/recordings/\(id)" }

  init(client: ManagementClient, output: RecordingOutput, id: Int64) {
    self.client = client
    self.output = output
    self.id = id
  }

  mutating func run(_ interruption: Interruption) throws(CommandFailure) {
    // At once at first, so that there is a file that can be read, whatever comes.
    var isUrgent = true
    while true {
      wasInterrupted =
        interruption.comes(withinMilliseconds: isUrgent ? 0 : pauseMilliseconds) || wasInterrupted
      switch try client.piece(target) {
      case .octets(let bytes):
        try output.write(bytes)
        isUrgent = bytes.count >= largeBatchBytes
      case .ended(let answer):
        summary = answer["recording"]
        // A gateway that has just ended has forgotten it by itself.
        _ = try client.requestUnlessStopped("DELETE", target)
        return
      }
      if wasInterrupted {
        summary = try client.request("DELETE", target)["recording"]
        return
      }
    }
  }

  /// The file has what could be written; the gateway need not go on.
  func giveUp() {
    do throws(CommandFailure) {
      _ = try client.requestUnlessStopped("DELETE", target)
    } catch {
      // It ends by itself when nobody takes anything; the reason that counts is another one.
      output.console.note("the recording may go on for 10 s: \(error.message)")
    }
  }

  func report(_ console: Console) -> ExitStatus {
    let sessions = summary?["sessions"]?.number ?? 0
    guard sessions > 0 else {
      console.note("no session began; those that were open before are not recorded")
      return .nothingMatched
    }
    let bytes = summary?["bytes"]?.number ?? 0
    let end = summary?["end"]?.text.flatMap { RecordingEnd(rawValue: $0) }
    console.note(
      "recorded \(sessions) \(sessions == 1 ? "session" : "sessions"), \(bytes) bytes; "
        + (end.map(reason) ?? "the gateway does not say why it ended"))
    if let cut = summary?["sessions_cut"]?.number, cut > 0 {
      console.note(
        "of \(cut) of them only the beginning: they had more than could be taken in time")
    }
    return .done
  }

  private func reason(_ end: RecordingEnd) -> String {
    switch end {
    case .time: "its time is over"
    case .bytes: "it has as many bytes as it may have"
    case .sessions: "it had as many sessions as it may have"
    case .stopped: "stopped"
    case .abandoned: "the gateway had waited too long"
    case .listenerRemoved: "its listener was removed"
    }
  }
}

/// Where a recording goes: whole pieces, so that it can be read wherever it ends.
private final class RecordingOutput {
  let console: Console
  private let file: OutputFile?

  init(_ path: String, _ console: Console) throws(CommandFailure) {
    self.console = console
    guard path == "-" else {
      file = try OutputFile(creating: path, mode: 0o600)
      return
    }
    guard !console.surroundings.isTerminal() else {
      throw CommandFailure(
        "--out -: a recording is nothing for a terminal; redirect it", .wrongCommandLine)
    }
    file = nil
  }

  func write(_ bytes: [UInt8]) throws(CommandFailure) {
    if let file {
      try file.write(bytes)
      try file.flush()
    } else {
      try console.write(bytes)
      try console.flush()
    }
  }

  func finish() throws(CommandFailure) { try file?.finish() }

  func remove() { file?.remove() }
}
