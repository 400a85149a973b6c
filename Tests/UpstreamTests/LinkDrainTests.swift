import Primitives
import Testing

@testable import Upstream

/// Leaving a worker in peace.
@Suite struct LinkDrainTests {
  private func ready() -> LinkHarness {
    let harness = LinkHarness()
    harness.becomeReady()
    return harness
  }

  private static let ends: [(Link.Afterwards, LinkEndReason, Link.Phase)] = [
    (.reconnect, .goAway, .backingOff), (.stayDrained, .drained, .drained),
    (.remove, .removed, .removed), (.shutDown, .shutdown, .removed),
  ]

  @Test(arguments: ends.indices)
  func theWorkerFinishesFirst(_ index: Int) {
    let (afterwards, reason, phase) = Self.ends[index]
    let harness = ready()
    harness.send([1])
    harness.drain(afterwards)
    #expect(harness.phase == .draining)
    #expect(harness.stateName == "draining")
    let call = harness.worker.call(harness.packets)
    #expect(call.hasEnded)
    #expect(call.messages == [inputMessage([1], uuid: uuid(1))])
    harness.worker.send(Wire.text(2, uuid(1)) + Wire.bytes(4, [2]), on: harness.packets)
    harness.talk()
    #expect(harness.delivered == [.init(uuid: uuid(1), payload: [2])])
    harness.worker.finish(harness.packets)
    harness.talk()
    #expect(harness.takeSeen() == [.ended(reason)])
    #expect(harness.phase == phase)
    #expect((harness.lastPause != nil) == (afterwards == .reconnect))
    #expect(harness.takeUnsent() == [])
  }

  @Test(arguments: ends.indices)
  func aWorkerThatDoesNotFinishIsLeft(_ index: Int) {
    let (afterwards, reason, phase) = Self.ends[index]
    let harness = ready()
    harness.drain(afterwards, timeout: .seconds(60))
    harness.advance(by: .milliseconds(59_999))
    #expect(harness.phase == .draining)
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen().first == .ended(reason))
    #expect(harness.phase == phase)
  }

  /// Goal: however the packets' call ends, the drain is over, with the reason of the drain.
  @Test func anyEndOfTheStreamEndsTheDrain() {
    let endings: [(LinkHarness) -> Void] = [
      { $0.worker.finish($0.packets, status: "14") }, { $0.worker.reset($0.packets, code: 8) },
      { $0.worker.endWithoutTrailers($0.packets) }, { $0.lose() },
    ]
    for ending in endings {
      let harness = ready()
      harness.drain(.stayDrained)
      ending(harness)
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.drained)])
      #expect(harness.phase == .drained)
    }
  }

  @Test func theEndOfOtherCallsDoesNotEndTheDrain() {
    for status in ["0", "12", "14"] {
      let harness = ready()
      harness.drain(.stayDrained)
      harness.worker.finish(harness.worker.last("live")!, status: status)
      harness.talk()
      #expect(harness.phase == .draining)
    }
    let harness = ready()
    harness.drain(.stayDrained)
    harness.worker.reset(harness.worker.last("live")!, code: 8)
    harness.worker.goAway(code: 0)
    harness.talk()
    #expect(harness.phase == .draining)
    #expect(harness.takeSeen() == [])
  }

  @Test func whatTheWorkerHasNotTakenIsGivenBack() {
    let harness = LinkHarness(worker: .init(windowBytes: 10))
    harness.becomeReady()
    harness.send([1])
    harness.drain(.remove)
    #expect(!harness.worker.call(harness.packets).hasEnded)
    harness.worker.giveWindow(1000, to: harness.packets)
    harness.talk()
    #expect(harness.worker.call(harness.packets).hasEnded)
    #expect(harness.worker.call(harness.packets).messages.count == 1)

    let other = LinkHarness(worker: .init(windowBytes: 10))
    other.becomeReady()
    other.send([1])
    other.drain(.remove)
    other.worker.finish(other.packets)
    other.talk()
    #expect(other.takeSeen() == [.ended(.removed)])
    #expect(other.takeUnsent() == Wire.framed(inputMessage([1], uuid: uuid(1))))
  }

  /// Goal: a worker without a connection has nothing to finish.
  @Test func linksThatAreNotReadyEndAtOnce() {
    let stages: [(LinkHarness) -> Void] = [
      { _ in },
      { $0.note($0.link.start(now: $0.now)) },
      {
        $0.note($0.link.start(now: $0.now))
        $0.note($0.link.resolved([LinkHarness.address], now: $0.now))
      },
      { $0.connectSocket() },
      { $0.connect() },
      {
        $0.connect()
        $0.answerReady([])
      },
      {
        $0.connect()
        $0.lose()
      },
    ]
    for (afterwards, reason, phase) in Self.ends where afterwards != .reconnect {
      for stage in stages {
        let harness = LinkHarness()
        stage(harness)
        _ = harness.takeSeen()
        harness.drain(afterwards)
        #expect(harness.takeSeen() == [.ended(reason)])
        #expect(harness.phase == phase)
        #expect(harness.deadline == .distantFuture)
        harness.advance(by: .seconds(1000))
        #expect(harness.takeSeen() == [])
      }
    }
  }

  @Test func aDrainedLinkIsStartedAgain() {
    let harness = ready()
    harness.drain(.stayDrained)
    harness.worker.finish(harness.packets)
    harness.talk()
    harness.advance(by: .seconds(1000))
    #expect(harness.takeSeen() == [.ended(.drained)])
    harness.becomeReady()
    #expect(harness.isReady)
    harness.lose()
    #expect(harness.phase == .backingOff, "it reconnects as before")
  }

  @Test func aDrainedLinkCanBeRemoved() {
    let harness = LinkHarness()
    harness.drain(.stayDrained)
    _ = harness.takeSeen()
    harness.drain(.remove)
    #expect(harness.phase == .removed)
    #expect(harness.takeSeen() == [])
  }

  /// Goal: whoever removes a link has the last word.
  @Test func aRemovedLinkStaysRemoved() {
    let harness = ready()
    harness.drain(.remove)
    harness.drain(.stayDrained)
    harness.worker.finish(harness.packets)
    harness.talk()
    #expect(harness.phase == .removed)
    harness.drain(.stayDrained)
    #expect(harness.phase == .removed)
  }

  // MARK: GOAWAY

  @Test func aWorkerThatSaysGoodbyeIsDrained() {
    let harness = ready()
    harness.send([1])
    harness.worker.goAway(code: 0)
    harness.talk()
    #expect(harness.takeSeen() == [.drainRequested])
    #expect(harness.isReady)
    harness.drain(.reconnect)
    harness.worker.goAway(code: 0)
    harness.worker.send(Wire.text(2, uuid(1)), on: harness.packets)
    harness.worker.finish(harness.packets)
    harness.talk()
    #expect(harness.delivered.count == 1)
    #expect(harness.takeSeen() == [.ended(.goAway)])
    #expect(harness.lastPause! <= .milliseconds(50))
    harness.passDeadline()
    harness.becomeReady()
    #expect(harness.isReady)
  }

  @Test func aWorkerThatComplainsIsLeft() {
    for code: UInt32 in [1, 2, 11] {
      let harness = ready()
      harness.worker.goAway(code: code)
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.goAway)])
      #expect(harness.end?.detail == "HTTP/2 error \(code)")
    }
  }

  /// Goal: a worker that says goodbye without having seen the packets' call ends it with that.
  @Test func aGoodbyeThatRefusesTheStreamEndsTheDrain() {
    let harness = ready()
    // GOAWAY with NO_ERROR and 0 as the last stream.
    harness.receive([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    #expect(harness.takeSeen().last == .ended(.streamReset))
  }
}
