import Primitives
import Testing

@testable import Upstream

/// The heartbeat of a ready worker; `aliveTimeout` is nine seconds.
@Suite struct LinkAliveTests {
  private func ready(_ options: ScriptedWorker.Options = .init()) -> LinkHarness {
    let harness = LinkHarness(worker: options)
    harness.becomeReady()
    #expect(harness.isReady)
    return harness
  }

  private func live(_ harness: LinkHarness) -> Int32 { harness.worker.last("live") ?? 0 }

  @Test func beatsGoOutOnOneCall() {
    let harness = ready()
    for beats in 1...20 {
      #expect(harness.worker.call(live(harness)).messages.count == beats)
      harness.advance(by: .seconds(3))
      harness.answerLive()
    }
    #expect(harness.worker.streams(of: "live").count == 1)
    #expect(harness.worker.pings == 20)
    #expect(harness.takeSeen() == [])
  }

  @Test func unansweredBeatsEndTheLink() {
    let harness = ready()
    harness.advance(by: .seconds(3))
    harness.advance(by: .milliseconds(8999))
    #expect(harness.isReady)
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen() == [.ended(.aliveTimeout)])
  }

  @Test func aCallThatIsNeverAnsweredEndsTheLink() {
    let harness = LinkHarness()
    harness.connect()
    harness.answerReady()
    harness.advance(by: .milliseconds(8999))
    #expect(harness.isReady)
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen().last == .ended(.aliveTimeout))
  }

  @Test func unansweredPingsEndTheLink() {
    let harness = ready(.init(answersPings: false))
    for _ in 0..<3 {
      harness.advance(by: .seconds(3))
      harness.answerLive()
    }
    #expect(harness.worker.pings == 1)
    #expect(harness.isReady)
    harness.advance(by: .seconds(3))
    #expect(harness.takeSeen() == [.ended(.aliveTimeout)])
  }

  @Test func aWorkerThatIsNotLiveIsLeft() {
    for answer in [Wire.integer(2, 0), [], Wire.text(1, anyTime)] {
      let harness = ready()
      harness.answerLive(answer)
      #expect(harness.takeSeen() == [.ended(.notLive)])
    }
  }

  @Test func answersThatCannotBeReadEndTheLink() {
    let answers: [([UInt8], LinkEndReason)] = [
      (Wire.framed([0xff]), .malformedMessage),
      (Wire.framed([], compressed: 1), .compressedMessage),
      ([0, 0, 2, 0, 0], .messageTooLarge),
    ]
    for (bytes, reason) in answers {
      let harness = ready()
      harness.worker.sendRaw(bytes, on: live(harness))
      harness.talk()
      #expect(harness.takeSeen() == [.ended(reason)])
    }
  }

  @Test func aWorkerWithoutLiveIsAskedWhetherItIsReady() {
    let harness = LinkHarness()
    harness.connect()
    harness.answerReady()
    harness.advance(by: .zero)
    harness.worker.finish(live(harness), status: "12")
    harness.talk()
    _ = harness.takeSeen()
    for round in 1...10 {
      harness.advance(by: .seconds(3))
      #expect(harness.worker.streams(of: "ready").count == 1 + round)
      // What it says does not matter, only that it says something.
      switch round % 3 {
      case 0: harness.answerReady(Wire.integer(2, 0))
      case 1: harness.answerReady()
      default:
        harness.worker.finish(harness.worker.last("ready")!, status: "12")
        harness.talk()
      }
    }
    #expect(harness.isReady)
    #expect(harness.worker.streams(of: "live").count == 1)
    harness.advance(by: .seconds(3))
    harness.advance(by: .seconds(9))
    #expect(harness.takeSeen() == [.ended(.aliveTimeout)])
  }

  @Test func statusesOfLiveEndTheLink() {
    for status in ["1", "13", "x"] {
      let harness = ready()
      harness.worker.finish(live(harness), status: status, message: "why")
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.liveEnded)])
      #expect(harness.end!.detail.hasSuffix("why"))
    }
  }

  @Test func aCallThatEndsUnansweredEndsTheLink() {
    let harness = LinkHarness()
    harness.connect()
    harness.answerReady()
    harness.advance(by: .zero)
    harness.worker.finish(live(harness))
    harness.talk()
    #expect(harness.takeSeen().last == .ended(.liveEnded))
  }

  @Test func aCallThatIsResetEndsTheLink() {
    let harness = ready()
    harness.worker.reset(live(harness), code: 2)
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.streamReset)])
    let other = ready()
    other.worker.endWithoutTrailers(live(other))
    other.talk()
    #expect(other.takeSeen() == [.ended(.streamEnded)])
  }

  @Test func aWorkerThatAnswersAndReturnsIsAskedAgain() {
    let harness = ready()
    harness.worker.finish(live(harness))
    harness.talk()
    harness.advance(by: .seconds(3))
    #expect(harness.worker.streams(of: "live").count == 2)
    harness.answerLive()
    harness.advance(by: .seconds(8))
    #expect(harness.takeSeen() == [])
    #expect(harness.isReady)
  }

  /// Goal: a gateway that could not read does not take the worker for dead.
  @Test func pausesOfTheReaderAreNotTheWorkersFault() {
    let harness = ready()
    harness.advance(by: .seconds(3))
    harness.link.readingPaused()
    harness.advance(by: .seconds(100))
    #expect(harness.isReady)
    harness.link.readingResumed(now: harness.now)
    harness.advance(by: .seconds(8))
    #expect(harness.isReady)
    harness.advance(by: .seconds(1))
    #expect(harness.takeSeen() == [.ended(.aliveTimeout)])
  }

  /// Goal: a worker whose `live` answers one beat and returns is served for ever.
  ///
  /// A call of which only the worker's direction has ended still counts against the calls it allows
  /// at a time (RFC 9113 section 5.1.2).
  @Test func callsThatWereAnsweredAreOver() {
    let harness = ready(.init(callsMax: 8))
    for _ in 0..<30 {
      harness.worker.finish(live(harness))
      harness.talk()
      harness.advance(by: .seconds(3))
      harness.answerLive()
    }
    #expect(harness.takeSeen() == [])
    #expect(harness.isReady)
    let open = harness.worker.streams(of: "live").filter {
      harness.worker.call($0).closedWith == nil
    }
    #expect(open.count == 1)
  }
}
