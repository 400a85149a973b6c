import Foundation
@testable import Gateway
import Management
import Primitives
import Testing
import Upstream

/// Every event in both forms, byte for byte but for the time.
@Suite struct LogFormatTests {
  private static let id = WorkerID(rawValue: 3)
  private static let endpoint = "127.0.0.1:45888"

  private static let closed = SessionClosedEvent(
    uuid: sessionUUID, client: clientAddress, listener: "game", reason: .clientClosed,
    duration: .milliseconds(1_500), packetsIn: 1, bytesIn: 2, messagesOut: 3, bytesOut: 4)

  /// The event, the text from the level on, and the members of the JSON form after `event`.
  private static let golden: [(LogEvent, String, String)] = [
    (
      .sessionOpened(
        SessionOpenedEvent(uuid: sessionUUID, client: clientAddress, listener: "game")),
      "info session-opened session=0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b "
        + "client=192.0.2.7:50112 listener=game",
      #""session":"0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b","client":"192.0.2.7:50112","#
        + #""listener":"game""#
    ),
    (
      .sessionClosed(closed),
      "info session-closed session=0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b "
        + "client=192.0.2.7:50112 listener=game reason=client-closed duration_ms=1500 "
        + "packets_in=1 bytes_in=2 messages_out=3 bytes_out=4",
      #""session":"0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b","client":"192.0.2.7:50112","#
        + #""listener":"game","reason":"client-closed","duration_ms":1500,"packets_in":1,"#
        + #""bytes_in":2,"messages_out":3,"bytes_out":4"#
    ),
    (
      .sessionRefused(
        SessionRefusedEvent(
          client: clientAddress, listener: "game", reason: .overCapacity, account: nil, detail: "",
          unlogged: 0)),
      "warning session-refused client=192.0.2.7:50112 listener=game reason=over-capacity",
      #""client":"192.0.2.7:50112","listener":"game","reason":"over-capacity""#
    ),
    (
      .listenerAdded(
        listener: "arena", address: "0.0.0.0:7171", pool: "main", framer: "lines"),
      "info listener-added listener=arena address=0.0.0.0:7171 pool=main framer=lines",
      #""listener":"arena","address":"0.0.0.0:7171","pool":"main","framer":"lines""#
    ),
    (
      .listenerRemoved(
        listener: "arena", address: "0.0.0.0:7171", sessions: 3, closesSessions: false),
      "info listener-removed listener=arena address=0.0.0.0:7171 sessions_left=3",
      #""listener":"arena","address":"0.0.0.0:7171","sessions_left":3"#
    ),
    (
      .listenerRemoved(
        listener: "arena", address: "0.0.0.0:7171", sessions: 3, closesSessions: true),
      "info listener-removed listener=arena address=0.0.0.0:7171 sessions_closed=3",
      #""listener":"arena","address":"0.0.0.0:7171","sessions_closed":3"#
    ),
    (
      .listenerGone(listener: "arena"), "info listener-gone listener=arena",
      #""listener":"arena""#
    ),
    (
      .workerReady(worker: id, pool: "main", endpoint: endpoint),
      "info worker-ready worker_id=3 pool=main worker=127.0.0.1:45888",
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888""#
    ),
    (
      .workerNotReady(worker: id, pool: "main", endpoint: endpoint, retryIn: .milliseconds(50)),
      "warning worker-not-ready worker_id=3 pool=main worker=127.0.0.1:45888 retry_in_ms=50",
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888","retry_in_ms":50"#
    ),
    (
      .workerLost(
        worker: id, pool: "main", endpoint: endpoint, reason: .goAway, detail: "too \"calm\"\n",
        sessionsMoved: 7, retryIn: .milliseconds(80)),
      "warning worker-lost worker_id=3 pool=main worker=127.0.0.1:45888 reason=go-away "
        + #"detail="too \"calm\"\n" sessions_moved=7 retry_in_ms=80"#,
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888","reason":"go-away","#
        + #""detail":"too \"calm\"\n","sessions_moved":7,"retry_in_ms":80"#
    ),
    (
      .workerLost(
        worker: id, pool: "main", endpoint: endpoint, reason: .removed, detail: "",
        sessionsMoved: 0, retryIn: nil),
      "info worker-lost worker_id=3 pool=main worker=127.0.0.1:45888 reason=removed "
        + #"detail="" sessions_moved=0"#,
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888","reason":"removed","#
        + #""detail":"","sessions_moved":0"#
    ),
    (
      .workerDraining(worker: id, pool: "main", endpoint: endpoint),
      "info worker-draining worker_id=3 pool=main worker=127.0.0.1:45888",
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888""#
    ),
    (
      .workerAdded(worker: id, pool: "main", endpoint: endpoint),
      "info worker-added worker_id=3 pool=main worker=127.0.0.1:45888",
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888""#
    ),
    (
      .workerRemoved(worker: id, pool: "main", endpoint: endpoint),
      "info worker-removed worker_id=3 pool=main worker=127.0.0.1:45888",
      #""worker_id":3,"pool":"main","worker":"127.0.0.1:45888""#
    ),
    (
      .acceptPaused(listener: "game", detail: "Too many open files"),
      #"warning accept-paused listener=game detail="Too many open files""#,
      #""listener":"game","detail":"Too many open files""#
    ),
    (
      .acceptResumed(listener: "game"), "info accept-resumed listener=game",
      #""listener":"game""#
    ),
    (
      .shutdownStarted(sessions: 8, grace: .seconds(10)),
      "info shutdown-started sessions=8 grace_ms=10000", #""sessions":8,"grace_ms":10000"#
    ),
    (
      .shutdownFinished(sessionsCut: 9), "info shutdown-finished sessions_cut=9",
      #""sessions_cut":9"#
    ),
    (
      .broadcastRefused(worker: id, pool: "main", listener: "game", bytes: 6),
      "warning broadcast-refused worker_id=3 pool=main listener=game bytes=6",
      #""worker_id":3,"pool":"main","listener":"game","bytes":6"#
    ),
  ]

  private func writer(_ sink: LogSink, _ format: LogConfiguration.Format) throws -> LogWriter {
    var configuration = LogConfiguration()
    configuration.format = format
    configuration.level = .debug
    return try LogWriter(descriptor: sink.writeEnd, configuration: configuration)
  }

  @Test func everyEventHasItsText() throws {
    let sink = try LogSink()
    let log = try writer(sink, .text)
    for (event, text, _) in Self.golden {
      log.log(event)
      #expect(sink.lineWithoutTime() == text)
    }
    #expect(log.stop(timeoutMilliseconds: 10_000))
  }

  @Test func everyEventHasItsJSON() throws {
    let sink = try LogSink()
    let log = try writer(sink, .json)
    for (event, text, members) in Self.golden {
      log.log(event)
      let words = text.split(separator: " ")
      let line = try #require(sink.line())
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
      #expect(line.hasPrefix(#"{"time":"2"#))
      #expect(
        line.dropFirst(#"{"time":"2026-11-21T03:04:05.678Z","#.count)
          == #""level":"\#(words[0])","event":"\#(words[1])",\#(members)}"#)
    }
    #expect(log.stop(timeoutMilliseconds: 10_000))
  }

  @Test func timesAreWallClockInUTC() throws {
    let sink = try LogSink()
    let log = try writer(sink, .text)
    let before = Date()
    log.log(.info, "started")
    let after = Date()
    let line = try #require(sink.line())
    let parts = line.split(separator: " ").map(String.init)
    #expect(parts.dropFirst() == ["info", "started"])
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    let time = try #require(formatter.date(from: parts[0]))
    #expect(parts[0].hasSuffix("Z") && parts[0].utf8.count == 24)
    #expect(time >= before.addingTimeInterval(-0.002) && time <= after.addingTimeInterval(0.002))
  }

  @Test(arguments: [
    ("plain-1:/[x]", "plain-1:/[x]"), ("", #""""#), ("two words", #""two words""#),
    ("a=b", #""a=b""#), (#"a\b"#, #""a\\b""#), ("a\"b", #""a\"b""#),
    ("\u{0}\u{1b}[2J\r\t\u{7f}", #""\u0000\u001b[2J\r\t\u007f""#),
    ("\u{85}\u{9b}\u{2028}\u{202e}\u{feff}", #""\u0085\u009b\u2028\u202e\ufeff""#),
    ("\u{e0041}", #""\udb40\udc41""#), ("Grüße 🎲", #""Grüße 🎲""#),
    (String(repeating: "x", count: 1024), String(repeating: "x", count: 1024)),
    (String(repeating: "x", count: 1025), "\"" + String(repeating: "x", count: 1024) + "…\""),
    (
      String(repeating: "ü", count: 513), "\"" + String(repeating: "ü", count: 512) + "…\""
    ),
  ])
  func valuesAreQuotedAndEscaped(value: String, written: String) throws {
    let sink = try LogSink()
    let log = try writer(sink, .text)
    log.log(.error, "message", ["text": value])
    #expect(sink.lineWithoutTime() == "error message text=\(written)")
    #expect(log.stop(timeoutMilliseconds: 10_000))

    let json = try writer(sink, .json)
    json.log(.error, "message", ["text": value])
    let line = try #require(sink.line())
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    let text = try #require(object?["text"] as? String)
    #expect(text == value || text.hasSuffix("…"))
    #expect(json.stop(timeoutMilliseconds: 10_000))
  }
}
