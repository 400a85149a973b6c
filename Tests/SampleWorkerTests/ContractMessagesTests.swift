import Testing

@testable import SampleWorker

@Suite struct ContractMessagesTests {
  static let opened: InputStreamRequest = {
    var session = SessionOpened()
    session.account = "ann"
    session.clientAddress = "[2001:db8::7]:50112"
    session.listener = "chat"
    session.framer = "lines"
    session.attributes = ["tier": "gold", "": "nameless"]
    session.resumed = true
    session.nextSequence = 1 << 63
    session.unauthenticated = true
    return InputStreamRequest("1a2b", .opened(session))
  }()

  static let authenticated: InputStreamRequest = {
    var session = SessionAuthenticated()
    session.account = "ann"
    session.attributes = ["tier": "gold"]
    return InputStreamRequest("1a2b", .authenticated(session))
  }()

  static let packet: InputStreamRequest = {
    var request = InputStreamRequest("1a2b", "hello")
    request.time = "2026-01-31T23:59:59.123Z"
    return request
  }()

  @Test func whatAGatewaySendsIsReadBack() throws {
    let closed = InputStreamRequest("1a2b", .closed(reason: 130))
    for request in [
      Self.opened, Self.authenticated, Self.packet, closed, InputStreamRequest(),
    ] {
      #expect(try InputStreamRequest(decoding: request.encoded) == request)
    }
  }

  @Test func goldenBytesOfAReply() {
    let reply = OutputStreamRequest(clientUUID: "ab", payload: [1, 2])
    #expect(reply.encoded == [0x12, 2, 0x61, 0x62, 0x22, 2, 1, 2])
    let ready = ReadyResult(time: "t", ready: true, features: [.sessionEvents])
    #expect(ready.encoded == [0x0a, 1, 0x74, 0x10, 1, 0x82, 0x01, 1, 1])
    #expect(LiveResult(time: "", live: true).encoded == [0x10, 1])
    #expect(LiveResult(time: "", live: false).encoded.isEmpty)
  }

  /// Goal: fields of every wire type from a newer gateway are stepped over, known ones of the wrong
  /// type included.
  @Test func unknownFieldsAreSkipped() throws {
    let unknown: [[UInt8]] = [
      [0xa0, 0x06, 0xff, 0x01], [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], [0xa2, 0x06, 2, 9, 9],
      [0xa3, 0x06, 0x08, 1, 0xa3, 0x06, 0xa4, 0x06, 0xa4, 0x06], [0xa5, 0x06, 1, 2, 3, 4],
      [0x10, 7],
    ]
    let bytes = unknown.reduce(Self.packet.encoded) { $1 + $0 + $1 }
    #expect(try InputStreamRequest(decoding: bytes) == Self.packet)
  }

  @Test func theLastEventCountsAndMessagesMerge() throws {
    let closed = InputStreamRequest("1a2b", .closed(reason: 1))
    let both = Self.opened.encoded + closed.encoded
    #expect(try InputStreamRequest(decoding: both) == closed)
    var more = SessionOpened()
    more.account = "bob"
    let merged = try InputStreamRequest(
      decoding: Self.opened.encoded + InputStreamRequest("1a2b", .opened(more)).encoded)
    guard case .opened(let session) = merged.event else {
      Issue.record("no opened event")
      return
    }
    #expect(session.account == "bob" && session.listener == "chat")
  }

  @Test func brokenBytesHaveAReason() {
    let cases: [([UInt8], ContractError)] = [
      ([0x0a], .truncated), ([0x0a, 5, 1], .truncated), ([0x09, 1], .truncated),
      ([0x0a] + [UInt8](repeating: 0xff, count: 10), .varintTooLong),
      ([0x00], .invalidTag), ([0x0f], .invalidTag),
      ([0xff, 0xff, 0xff, 0xff, 0x7f], .invalidTag),
      ([0x12, 1, 0xff], .invalidText), ([0xa4, 0x06], .invalidGroup),
      ([0xa3, 0x06, 0xac, 0x06], .invalidGroup), ([0xa3, 0x06], .truncated),
      ([UInt8](repeating: 0x23, count: 1000), .invalidGroup),
      ([0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], .truncated),
    ]
    for (bytes, reason) in cases {
      #expect(throws: reason) { try InputStreamRequest(decoding: bytes) }
    }
  }

  /// Goal: no bytes whatever crash the decoder.
  ///
  /// Method: 20 000 seeded mutations of good messages, and every cut of them.
  @Test func hostileBytesNeverCrash() {
    var refused = 0
    for seed in UInt64(0)..<20_000 {
      var random = SeededGenerator(state: seed)
      let good = seed % 2 == 0 ? Self.opened.encoded : Self.packet.encoded
      do { _ = try InputStreamRequest(decoding: random.mutate(good)) } catch { refused += 1 }
    }
    #expect(refused > 1000 && refused < 20_000)
    for count in Self.opened.encoded.indices {
      _ = try? InputStreamRequest(decoding: Array(Self.opened.encoded.prefix(count)))
    }
  }
}
