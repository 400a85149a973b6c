import Captures
import Gateway
import Primitives
import Testing

@testable import Gateway
@testable import Management

/// Goal: recordings are begun where that is allowed, taken as the pieces of one file, and ended.
@Suite struct RecordingTests {
  private static let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 50_112)
  private static let server = SocketAddress(ipv4: 127, 0, 0, 1, port: 7171)

  private func summary(_ end: RecordingEnd? = nil) -> RecordingSummary {
    var summary = RecordingSummary(id: RecordingID(rawValue: 5), listener: "game")
    summary.sessions = 2
    summary.sessionsCut = 1
    summary.bytes = 77
    summary.end = end
    return summary
  }

  private func batch(
    _ kinds: [(RecordedEvent.Kind, String, up: UInt64, down: UInt64, ended: Bool)] = [],
    isFirst: Bool, end: RecordingEnd? = nil
  ) -> RecordedBatch {
    RecordedBatch(
      server: Self.server, clients: [Self.client],
      events: kinds.map {
        RecordedEvent(
          kind: $0.0, session: 0, byteCount: $0.1.utf8.count, unixMilliseconds: 1_700_000_000_123,
          clientBytes: $0.up, serverBytes: $0.down, clientHasEnded: $0.ended)
      }, bytes: kinds.flatMap { Array($0.1.utf8) }, isFirst: isFirst, summary: summary(end))
  }

  @Test func withoutTheKeyNothingIsRecorded() throws {
    let gateway = try FakeGateway { _ in .recordingStarted(RecordingID(rawValue: 1)) }
    let answer = try gateway.request("POST", "/recordings", body: #"{"listener": "game"}"#)
    #expect(answer.status == 403)
    #expect(try answer.errorCode == "recording-disabled")
    #expect(try answer.errorMessage.contains("recording = true"))
    #expect(gateway.asked.isEmpty)
  }

  @Test func aRecordingIsBegun() throws {
    let gateway = try FakeGateway(records: true) { _ in
      .recordingStarted(RecordingID(rawValue: 5))
    }
    let body =
      #"{"listener":"game","bytes":2048,"sessions":3,"seconds":90,"client":"192.0.2.0/24"}"#
    let answer = try gateway.request("POST", "/recordings", body: body)
    #expect(answer.status == 201)
    let recording = try #require(try answer.json["recording"] as? [String: Any])
    #expect(recording["id"] as? Int == 5 && recording["seconds"] as? Int == 90)
    guard case .startRecording(let request) = gateway.asked[0].command else {
      Issue.record("another command")
      return
    }
    #expect(request.listener == "game" && request.bytesMax == 2048 && request.sessionsMax == 3)
    #expect(request.duration == .seconds(90))
    #expect(request.client == AddressPrefix(text: "192.0.2.0/24"))
  }

  @Test(arguments: [
    "{}", #"{"listener":5}"#, #"{"listener":"a","bytes":1023}"#,
    #"{"listener":"a","bytes":1073741825}"#, #"{"listener":"a","sessions":0}"#,
    #"{"listener":"a","sessions":1025}"#, #"{"listener":"a","seconds":3601}"#,
    #"{"listener":"a","client":"nobody"}"#, #"{"listener":"a","client":"192.0.2.1/24"}"#,
    #"{"listener":"a","minutes":1}"#,
  ])
  func wrongFieldsAreRefused(body: String) throws {
    let gateway = try FakeGateway(records: true) { _ in .done }
    let answer = try gateway.request("POST", "/recordings", body: body)
    #expect(answer.status == 400)
    #expect(try answer.errorCode == "invalid-fields")
    #expect(gateway.asked.isEmpty)
  }

  @Test func aBatchIsAPieceOfAFile() throws {
    let first = batch(isFirst: true)
    let gateway = try FakeGateway { _ in .recorded(first) }
    let answer = try gateway.request("GET", "/recordings/5")
    #expect(answer.status == 200)
    #expect(answer.headers["content-type"] == "application/vnd.tcpdump.pcap")
    #expect(answer.headers["content-length"] == "24")
    guard case .takeRecorded(let id) = gateway.asked[0].command else {
      Issue.record("another command")
      return
    }
    #expect(id.rawValue == 5)
  }

  /// Method: what several batches give, behind one another, is what one writer gives.
  @Test func piecesFitTogether() {
    let pieces = [
      batch([(.opened, "", 0, 0, false), (.fromClient, "login", 0, 0, false)], isFirst: true),
      batch([(.toClient, "welcome", 5, 0, false)], isFirst: false),
      batch(isFirst: false),
      batch(
        [(.clientEnded, "", 5, 7, false), (.toClient, "bye", 5, 7, true)], isFirst: false),
      batch([(.closed, "", 5, 10, true)], isFirst: false),
    ].flatMap { captureBytes(of: $0) }
    let time: UInt64 = 1_700_000_000_123_000_000
    var whole = CaptureWriter.fileHeader
    var writer = CaptureWriter(client: Self.client, server: Self.server)
    writer.writeOpening(at: time, into: &whole)
    writer.write(Array("login".utf8)[...], .clientToServer, at: time, into: &whole)
    writer.write(Array("welcome".utf8)[...], .serverToClient, at: time, into: &whole)
    writer.writeEnd(of: .clientToServer, at: time, into: &whole)
    writer.write(Array("bye".utf8)[...], .serverToClient, at: time, into: &whole)
    writer.writeEnd(of: .serverToClient, at: time, into: &whole)
    #expect(pieces == whole)
  }

  @Test func theEndIsSaidOnceAllIsTaken() throws {
    let last = batch(isFirst: false, end: .bytes)
    let answer = try FakeGateway { _ in .recorded(last) }.request("GET", "/recordings/5")
    #expect(answer.status == 410)
    #expect(try answer.errorCode == "recording-ended")
    let recording = try #require(try answer.json["recording"] as? [String: Any])
    #expect(recording["end"] as? String == "bytes" && recording["sessions_cut"] as? Int == 1)
    // One that has ended before it was taken from is a file without packets.
    let only = batch(isFirst: true, end: .time)
    #expect(try FakeGateway { _ in .recorded(only) }.request("GET", "/recordings/5").status == 200)
  }

  @Test func aRecordingIsStopped() throws {
    let ended = summary(.stopped)
    let answer = try FakeGateway { _ in .recordingStopped(ended) }
      .request("DELETE", "/recordings/5")
    #expect(answer.status == 200)
    let recording = try #require(try answer.json["recording"] as? [String: Any])
    #expect(recording["end"] as? String == "stopped" && recording["bytes"] as? Int == 77)
  }

  @Test func pathsAreChecked() throws {
    let gateway = try FakeGateway { _ in .failed(.unknownRecording) }
    #expect(try gateway.request("GET", "/recordings/5").status == 404)
    #expect(try gateway.request("GET", "/recordings/x").errorCode == "invalid-recording-id")
    #expect(try gateway.request("GET", "/recordings/99999999999").status == 400)
    #expect(try gateway.request("PUT", "/recordings/5").headers["allow"] == "GET, DELETE")
    #expect(try gateway.request("GET", "/recordings").status == 405)
    #expect(try gateway.request("GET", "/recordings/5", token: nil).status == 401)
  }

  @Test(arguments: [
    (CommandError.unknownListener("x"), 404, "unknown-listener"),
    (.listenerIsRecorded("x"), 409, "listener-is-recorded"),
    (.tooManyRecordings, 409, "too-many-recordings"),
    (.shuttingDown, 503, "shutting-down"),
  ])
  func refusalsOfTheShard(error: CommandError, status: Int, code: String) throws {
    let gateway = try FakeGateway(records: true) { _ in .failed(error) }
    let answer = try gateway.request("POST", "/recordings", body: #"{"listener":"x"}"#)
    #expect(answer.status == status)
    #expect(try answer.errorCode == code)
  }
}
