import Primitives
import Testing

@testable import Upstream

/// From the name to the first SETTINGS.
@Suite struct LinkConnectingTests {
  private func address(_ last: UInt8) -> SocketAddress {
    SocketAddress(ipv4: 192, 0, 2, last, port: 50051)
  }

  private func resolving() -> LinkHarness {
    let harness = LinkHarness()
    harness.note(harness.link.start(now: harness.now))
    #expect(harness.takeSeen() == [.resolve])
    #expect(harness.phase == .resolving)
    return harness
  }

  @Test func aNewLinkWaits() {
    let harness = LinkHarness()
    #expect(harness.phase == .idle)
    #expect(harness.deadline == .distantFuture)
    #expect(!harness.isConnected)
    harness.advance(by: .seconds(1000))
    #expect(harness.takeSeen() == [])
  }

  @Test func aNameThatIsNotFoundIsTriedAgain() {
    let harness = resolving()
    harness.note(harness.link.resolveFailed("no such host", now: harness.now))
    #expect(harness.takeSeen() == [.ended(.resolveFailed)])
    #expect(harness.end?.detail == "no such host")
    #expect(harness.phase == .backingOff)
    #expect(harness.deadline == harness.now + harness.lastPause!)
    harness.passDeadline()
    #expect(harness.takeSeen() == [.resolve])
  }

  @Test func aResolverThatDoesNotAnswerIsNotWaitedForForEver() {
    let harness = resolving()
    harness.advance(by: .milliseconds(9999))
    #expect(harness.takeSeen() == [])
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen() == [.ended(.resolveFailed)])
    harness.note(harness.link.resolved([address(1)], now: harness.now))
    #expect(harness.takeSeen() == [], "an answer that comes late means nothing")
    #expect(harness.phase == .backingOff)
  }

  @Test func allAddressesAreTriedInOrder() {
    let harness = resolving()
    harness.note(
      harness.link.resolved([address(1), address(2), address(3)], now: harness.now))
    harness.note(harness.link.connectFailed("refused", now: harness.now))
    harness.advance(by: .seconds(2))
    #expect(
      harness.takeSeen() == [.connect(address(1)), .connect(address(2)), .connect(address(3))])
    harness.note(harness.link.connectFailed("unreachable", now: harness.now))
    #expect(harness.takeSeen() == [.ended(.connectFailed)])
    #expect(harness.end?.detail == "unreachable")
    harness.note(harness.link.connectFailed("late", now: harness.now))
    harness.note(harness.link.connected(now: harness.now))
    #expect(harness.takeSeen() == [])
    #expect(!harness.isConnected)
  }

  @Test func anAddressThatDoesNotAnswerTimesOut() {
    let harness = resolving()
    harness.note(harness.link.resolved([address(1)], now: harness.now))
    #expect(harness.deadline == harness.now + .seconds(2))
    harness.passDeadline()
    #expect(harness.takeSeen() == [.connect(address(1)), .ended(.connectTimeout)])
  }

  @Test func pausesGrowAndAreResetByAWorkerThatStays() {
    let harness = resolving()
    var pauses: [Interval] = []
    for _ in 0..<10 {
      harness.note(harness.link.resolveFailed("", now: harness.now))
      pauses.append(harness.lastPause!)
      harness.passDeadline()
    }
    for (pause, longest) in zip(pauses, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]) {
      let milliseconds = UInt64(longest)
      #expect(pause >= .milliseconds(milliseconds / 2) && pause <= .milliseconds(milliseconds))
    }
    harness.becomeReady()
    harness.advance(by: .milliseconds(4999))
    harness.lose(.connectionReset)
    #expect(harness.lastPause! >= .milliseconds(2500), "it may go as fast as it came")
    harness.passDeadline()
    harness.becomeReady()
    harness.advance(by: .seconds(5))
    harness.lose(.connectionReset)
    #expect(harness.lastPause! <= .milliseconds(50))
  }

  /// Goal: a worker that accepts and never gets ready is not asked ever faster.
  @Test func aConnectionAloneDoesNotResetThePause() {
    let harness = LinkHarness()
    for _ in 0..<8 {
      harness.connect()
      harness.lose()
      if harness.phase == .backingOff { harness.passDeadline() }
    }
    #expect(harness.lastPause! >= .milliseconds(2500))
  }

  // MARK: Handshake

  @Test func theFirstWordsAreHTTP2() {
    let harness = LinkHarness()
    harness.connectSocket()
    #expect(harness.phase == .handshaking)
    let hello = harness.takeWritten()
    #expect(hello.starts(with: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)))
    #expect(harness.worker.receive(hello))
    let call = harness.worker.call(harness.worker.last("ready")!)
    #expect(
      call.fields == [
        ":method": "POST", ":scheme": "http", ":authority": "worker.test:50051",
        ":path": "/upstream.grpc.service.UpstreamPeerService/ready",
        "content-type": "application/grpc", "te": "trailers", "user-agent": "gatehouse",
      ])
  }

  @Test func aSilentServerTimesOut() {
    let harness = LinkHarness()
    harness.isWorkerSilent = true
    harness.connect()
    harness.advance(by: .milliseconds(1999))
    #expect(harness.phase == .handshaking)
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen().last == .ended(.handshakeTimeout))
  }

  @Test(arguments: [
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
    "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{50}........", String(repeating: "\0", count: 40),
  ])
  func anotherProtocolIsNotHTTP2(_ answer: String) {
    for readBytes in [1, 7, 1000] {
      let harness = LinkHarness()
      harness.readBytes = readBytes
      harness.connectSocket()
      _ = harness.takeWritten()
      harness.receive(Array(answer.utf8))
      _ = harness.takeWritten()
      #expect(harness.takeSeen().last == .ended(.notHTTP2))
      #expect(harness.phase == .backingOff)
    }
  }

  @Test func garbageAfterTheHandshakeIsAProtocolError() {
    let harness = LinkHarness()
    harness.connect()
    #expect(harness.phase == .asking)
    harness.receive(Array("HTTP/1.1 500 Internal Server Error\r\n\r\n".utf8))
    _ = harness.takeWritten()
    #expect(harness.takeSeen().last == .ended(.protocolError))
  }

  @Test func aServerThatClosesAtOnceIsTriedAgain() {
    let harness = LinkHarness()
    harness.connectSocket()
    harness.lose()
    #expect(harness.takeSeen().last == .ended(.connectionClosed))
    #expect(harness.takeUnsent() == [])
    harness.lose()
    #expect(harness.takeSeen() == [], "it is lost once")
  }

  /// Goal: no bytes of a peer make the link trap.
  ///
  /// Method: what a worker really says, with bytes changed, in pieces.
  @Test func mutatedConversations() {
    for seed: UInt64 in 0..<300 {
      var random = SeededRandom(seed: seed)
      let harness = LinkHarness(seed: seed)
      harness.readBytes = Int.random(in: 1...200, using: &random)
      harness.connectSocket()
      _ = harness.worker.receive(harness.takeWritten())
      harness.worker.send(Wire.integer(2, 1), on: harness.worker.last("ready")!)
      harness.worker.finish(harness.worker.last("ready")!)
      var bytes = harness.worker.takeOutput()
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        bytes[at] = UInt8(truncatingIfNeeded: random.next())
      }
      harness.receive(bytes)
      _ = harness.takeWritten()
      harness.receive(bytes)
      _ = harness.takeWritten()
      harness.advance(by: .milliseconds(100))
      #expect(harness.deadline > harness.now)
    }
  }
}
