import Primitives
import Testing

@testable import Captures

/// Goal: connections are told apart, each with its client, its bytes and what is missing.
@Suite struct StreamTrackerTests {
  private static let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 50_000)
  private static let server = SocketAddress(ipv4: 198, 51, 100, 1, port: 7171)

  private struct Talk {
    var tracker: StreamTracker
    var collector = StreamCollector()
    var ended = 0

    init(port: UInt16? = nil, limits: StreamTracker.Limits = .init()) {
      tracker = StreamTracker(serverPort: port, limits: limits)
    }

    mutating func take(_ segments: TCPSegment...) {
      for segment in segments {
        var events: [CaptureEvent] = []
        tracker.take(segment, into: &events)
        note(events)
      }
    }

    mutating func finish() -> [RecordedStream] {
      var events: [CaptureEvent] = []
      tracker.finish(into: &events)
      note(events)
      return collector.streams
    }

    private mutating func note(_ events: [CaptureEvent]) {
      for event in events {
        if case .ended = event { ended += 1 }
        collector.take(event)
      }
    }
  }

  private func up(
    _ sequence: UInt32, _ text: String = "", _ flags: TCPSegment.Flags = .acknowledge,
    from: SocketAddress = client, to: SocketAddress = server
  ) -> TCPSegment {
    TCPSegment(
      source: from, destination: to, sequence: sequence, acknowledgement: 900, flags: flags,
      payload: Array(text.utf8)[...])
  }

  private func down(
    _ sequence: UInt32, _ text: String = "", _ flags: TCPSegment.Flags = .acknowledge,
    acknowledging: UInt32 = 0
  ) -> TCPSegment {
    TCPSegment(
      source: Self.server, destination: Self.client, sequence: sequence,
      acknowledgement: acknowledging, flags: flags, payload: Array(text.utf8)[...])
  }

  @Test func aWholeConnection() throws {
    var talk = Talk()
    talk.take(
      up(10, "", .synchronize), down(20, "", [.synchronize, .acknowledge], acknowledging: 11),
      up(11), up(11, "login"), down(21, "welcome"), up(16, "", [.finish, .acknowledge]),
      down(28, "", [.finish, .acknowledge]))
    #expect(talk.ended == 1)
    let stream = try #require(talk.finish().first)
    #expect(talk.ended == 1)
    #expect(stream.client == Self.client && stream.server == Self.server)
    #expect(stream.clientToServer == Array("login".utf8))
    #expect(stream.serverToClient == Array("welcome".utf8))
    #expect(stream.clientEnd == CapturedDirectionEnd(isEnded: true))
    #expect(stream.serverEnd == CapturedDirectionEnd(isEnded: true))
    #expect(stream.chunks.map(\.byteCount) == [5, 7])
  }

  @Test func theSenderOfTheFirstSynIsTheClient() throws {
    let low = SocketAddress(ipv4: 192, 0, 2, 7, port: 20)
    var talk = Talk()
    talk.take(up(10, "", .synchronize, from: low), up(11, "x", from: low))
    #expect(try #require(talk.finish().first).client == low)
  }

  @Test func theAnswerToASynNamesTheClientToo() throws {
    var talk = Talk()
    talk.take(
      down(20, "", [.synchronize, .acknowledge], acknowledging: 11), up(12, "ogin"), up(11, "l"))
    let stream = try #require(talk.finish().first)
    #expect(stream.client == Self.client)
    #expect(stream.clientToServer == Array("login".utf8) && stream.clientEnd.isFromStart)
  }

  @Test func withoutASynThePortDecides() throws {
    var talk = Talk()
    talk.take(down(21, "welcome"))
    #expect(try #require(talk.finish().first).client == Self.client)
    var asked = Talk(port: 50_000)
    asked.take(down(21, "welcome"))
    let stream = try #require(asked.finish().first)
    #expect(stream.client == Self.server && !stream.clientEnd.isFromStart)
    var events: [CaptureEvent] = []
    var tracker = StreamTracker()
    tracker.take(down(21, "welcome"), into: &events)
    guard case .opened(let opened)? = events.first else {
      Issue.record("nothing was opened")
      return
    }
    #expect(!opened.isFromStart)
  }

  @Test func otherPortsAreLeftOut() {
    var talk = Talk(port: 80)
    talk.take(up(10, "x"))
    #expect(talk.finish().isEmpty && talk.tracker.segmentsOfOthers == 1)
  }

  @Test func aPortUsedAgainIsAnotherConnection() {
    var talk = Talk()
    talk.take(
      up(10, "", .synchronize), up(11, "one"), up(10, "", .synchronize),
      up(5000, "", .synchronize), up(5001, "two"), up(5004, "", .reset),
      up(5000, "", .synchronize), up(5001, "three"))
    let streams = talk.finish()
    #expect(
      streams.map { String(decoding: $0.clientToServer, as: UTF8.self) } == ["one", "two", "three"])
    #expect(talk.ended == 3)
  }

  @Test func whatComesAgainAfterTheEndOpensNothing() {
    var talk = Talk()
    talk.take(
      up(10, "", .synchronize), up(11, "a"), up(12, "", .reset), up(11, "a"), down(7, "late"))
    #expect(talk.finish().count == 1)
  }

  @Test func aLostSegmentIsSaid() throws {
    var talk = Talk()
    talk.take(up(10, "", .synchronize), up(11, "ab"), up(14, "d"))
    let stream = try #require(talk.finish().first)
    #expect(stream.clientToServer == Array("ab".utf8) && stream.clientEnd.isCut)
    #expect(!stream.serverEnd.isCut && stream.serverEnd.isFromStart)
  }

  @Test func onlySoManyConnectionsAreFollowed() {
    var limits = StreamTracker.Limits()
    limits.streamsMax = 2
    var talk = Talk(limits: limits)
    for port in 1...3 {
      let address = SocketAddress(ipv4: 192, 0, 2, 7, port: UInt16(40_000 + port))
      talk.take(up(1, "x", from: address))
    }
    #expect(talk.tracker.segmentsWithoutRoom == 1)
    // One that is over makes room.
    let first = SocketAddress(ipv4: 192, 0, 2, 7, port: 40_001)
    talk.take(up(2, "", .reset, from: first), up(1, "x"))
    #expect(talk.finish().count == 3)
  }

  /// Goal: connections that are over make room for as many, the oldest first, again and again.
  @Test func oneThatIsOverMakesRoomForOne() {
    var limits = StreamTracker.Limits()
    limits.streamsMax = 3
    var talk = Talk(limits: limits)
    for port in 1...50 {
      let address = SocketAddress(ipv4: 192, 0, 2, 7, port: UInt16(40_000 + port))
      talk.take(up(1, "x", from: address))
      if port > 1 { talk.take(up(2, "", .reset, from: address)) }
    }
    #expect(talk.tracker.segmentsWithoutRoom == 0)
    #expect(talk.ended == 49)
    // The first lives, and the last that are over are still known: what comes late is no stream.
    let last = SocketAddress(ipv4: 192, 0, 2, 7, port: 40_050)
    talk.take(up(2, "y", from: last))
    #expect(talk.finish().count == 50)
  }

  @Test func pairsThatComeAgainMakeRoomOnce() {
    var limits = StreamTracker.Limits()
    limits.streamsMax = 2
    var talk = Talk(limits: limits)
    let alive = SocketAddress(ipv4: 192, 0, 2, 7, port: 40_001)
    talk.take(up(1, "x", from: alive))
    for round in 0..<20 as Range<UInt32> {
      talk.take(up(round * 100, "", .synchronize), up(round * 100 + 1, "", .reset))
    }
    let other = SocketAddress(ipv4: 192, 0, 2, 7, port: 40_002)
    let third = SocketAddress(ipv4: 192, 0, 2, 7, port: 40_003)
    talk.take(up(1, "x", from: other), up(1, "x", from: third), up(2, "y", from: alive))
    #expect(talk.tracker.segmentsWithoutRoom == 1)
    #expect(talk.finish().count == 22)
  }

  @Test func allTogetherWaitForSoMuch() {
    var limits = StreamTracker.Limits()
    limits.waitingBytesTotalMax = 1000
    var talk = Talk(limits: limits)
    for port in 1...5 {
      let address = SocketAddress(ipv4: 192, 0, 2, 7, port: UInt16(40_000 + port))
      talk.take(
        up(1, "", .synchronize, from: address),
        up(9, String(repeating: "x", count: 200), from: address), up(2, "abc", from: address))
    }
    let streams = talk.finish()
    #expect(streams.map(\.clientEnd.isCut) == [true, true, true, true, true])
    #expect(streams.map(\.clientToServer.count) == [3, 3, 3, 0, 0])
  }

  @Test func aCollectorKeepsSoMuch() throws {
    var limits = StreamCollector.Limits()
    limits.streamsMax = 1
    limits.streamBytesMax = 100
    var collector = StreamCollector(limits: limits)
    let stream = CapturedStream(
      number: 1, client: Self.client, server: Self.server, startedAt: 0)
    collector.take(.opened(stream))
    collector.take(.bytes(stream: 1, .clientToServer, [1, 2, 3], time: 0))
    collector.take(
      .bytes(stream: 1, .serverToClient, Array(repeating: 0, count: 90)[...], time: 1))
    collector.take(.bytes(stream: 1, .clientToServer, [4], time: 2))
    var second = stream
    second.number = 2
    collector.take(.opened(second))
    collector.take(.bytes(stream: 2, .clientToServer, [4], time: 2))
    let kept = try #require(collector.streams.first)
    #expect(kept.clientToServer == [1, 2, 3] && kept.serverToClient.count == 49)
    #expect(kept.isShortened && collector.streamsLeftOut == 1)
  }
}
