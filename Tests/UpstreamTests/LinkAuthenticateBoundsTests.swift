import Primitives
import Testing

@testable import Upstream

/// When a worker can't be asked, how much it is asked at a time, and what its end means for calls.
@Suite struct LinkAuthenticateBoundsTests {
  private func ready(_ options: ScriptedWorker.Options = .init()) -> LinkHarness {
    let harness = LinkHarness(worker: options)
    harness.becomeReady()
    return harness
  }

  @Test func onlyAReadyWorkerIsAsked() {
    let harness = LinkHarness()
    #expect(!harness.authenticate(1, isSent: false))
    harness.connect()
    #expect(!harness.authenticate(1))
    harness.answerReady()
    #expect(harness.authenticate(1))
    harness.drain(.stayDrained)
    #expect(!harness.authenticate(2))
    harness.lose()
    #expect(!harness.authenticate(3, isSent: false))
    #expect(harness.takeAnswers().map(\.call) == [1])
  }

  /// Goal: what the worker allows is kept, with room for the packets and for the sign of life.
  @Test func noMoreCallsThanTheWorkerAllows() {
    var options = ScriptedWorker.Options()
    options.callsMax = 5
    let harness = ready(options)
    #expect((1...6).map { harness.authenticate($0) } == [true, true, true, false, false, false])
    #expect(harness.worker.streams(of: "authenticate").count == 3)
    let first = harness.worker.streams(of: "authenticate")[0]
    harness.worker.send(Wire.integer(1, 1), on: first)
    harness.worker.finish(first)
    harness.talk()
    #expect(harness.takeAnswers().map(\.call) == [1])
    #expect(harness.authenticate(7))
    #expect(!harness.authenticate(8))
  }

  /// Goal: calls and untaken answers together have a bound, whatever the worker allows.
  @Test func noMoreCallsThanTheLinkAllows() {
    var options = ScriptedWorker.Options()
    options.callsMax = 10_000
    let harness = ready(options)
    let most = UInt64(Link.authenticationsMax)
    for call in 0..<most { #expect(harness.authenticate(call)) }
    #expect(!harness.authenticate(most))
    for stream in harness.worker.streams(of: "authenticate") {
      harness.worker.send(Wire.integer(1, 0), on: stream)
      harness.worker.finish(stream)
    }
    harness.talk()
    #expect(harness.takeAnswers().count == Int(most))
    #expect(harness.authenticate(most))
  }

  /// Goal: calls that were cancelled before they were sent do not reach the worker.
  @Test func aCallThatWasNotSentCanBeCancelled() {
    let harness = ready()
    #expect(harness.authenticate(1, isSent: false))
    harness.cancelAuthentication(1, isSent: false)
    harness.talk()
    for stream in harness.worker.streams(of: "authenticate") {
      #expect(harness.worker.call(stream).body == [])
    }
    #expect(harness.isReady)
    #expect(harness.takeAnswers() == [])
    #expect(harness.authenticate(2))
    #expect(harness.worker.call(harness.worker.last("authenticate")!).messages == [[7]])
  }

  /// Goal: a request beyond the stream's window goes out as the worker makes room.
  @Test func aLongRequestWaitsForTheWindow() {
    var options = ScriptedWorker.Options()
    options.windowBytes = 100
    let harness = ready(options)
    let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    harness.authenticate(1, message)
    let stream = harness.worker.last("authenticate")!
    #expect(harness.worker.call(stream).body.count == 100)
    while !harness.worker.call(stream).hasEnded {
      let before = harness.worker.call(stream).body.count
      harness.worker.giveWindow(99, to: stream)
      harness.talk()
      #expect(harness.worker.call(stream).body.count > before)
      if harness.worker.call(stream).body.count == before { return }
    }
    #expect(harness.worker.call(stream).messages == [message])
  }

  /// Goal: a worker that decides before it has read everything is believed.
  @Test func anAnswerBeforeTheWholeRequestCounts() {
    var options = ScriptedWorker.Options()
    options.windowBytes = 100
    let harness = ready(options)
    harness.authenticate(1, Array(repeating: 1, count: 1000))
    let stream = harness.worker.last("authenticate")!
    harness.worker.finish(stream, status: "8", message: "too much")
    harness.talk()
    #expect(
      harness.takeAnswers()
        == [AuthenticateAnswer(call: 1, outcome: .failed("gRPC status 8 too much"))])
    #expect(harness.worker.call(stream).closedWith == 8)
    #expect(harness.isReady)
  }

  // MARK: The end of a link

  @Test func openCallsFailWithTheirLink() {
    let endings: [(LinkHarness) -> Void] = [
      { $0.lose(.connectionReset) }, { $0.worker.goAway(code: 2) },
      { $0.worker.finish($0.packets) }, { $0.receive(Array(repeating: 0, count: 9)) },
      { $0.advance(by: .seconds(30)) },
    ]
    let reasons = [
      "connection-reset", "go-away", "stream-ended", "protocol-error", "alive-timeout",
    ]
    for (ending, reason) in zip(endings, reasons) {
      let harness = ready()
      harness.authenticate(1, timeout: .seconds(60))
      harness.authenticate(2, timeout: .seconds(60))
      ending(harness)
      harness.talk()
      #expect(harness.phase != .active, "\(reason)")
      #expect(
        harness.takeAnswers()
          == [1, 2].map {
            AuthenticateAnswer(call: $0, outcome: .failed("link lost: \(reason)"))
          })
    }
  }

  /// Goal: calls that a worker has taken are answered while it drains; others fail at once.
  @Test func aWorkerThatGoesAnswersWhatItHas() {
    let harness = ready()
    harness.authenticate(1, timeout: .seconds(60))
    let first = harness.worker.last("authenticate")!
    // Refuses what it has not seen yet (RFC 9113 section 6.8).
    harness.worker.goAway(code: 0)
    let goAway = harness.worker.takeOutput()
    #expect(harness.authenticate(2, timeout: .seconds(60), isSent: false))
    harness.receive(goAway)
    harness.talk()
    #expect(
      harness.takeAnswers()
        == [AuthenticateAnswer(call: 2, outcome: .failed("HTTP/2 error 7"))])
    harness.drain(.reconnect)
    harness.worker.send(Wire.integer(1, 1), on: first)
    harness.worker.finish(first)
    harness.talk()
    #expect(
      harness.takeAnswers()
        == [AuthenticateAnswer(call: 1, outcome: .allowed(account: "", attributes: []))])
  }

  @Test func deadlinesHoldWhileAWorkerDrains() {
    let harness = ready()
    harness.authenticate(1, timeout: .seconds(1))
    harness.drain(.stayDrained, timeout: .seconds(30))
    harness.advance(by: .seconds(1))
    #expect(harness.takeAnswers().map(\.outcome) == [.failed("deadline")])
    #expect(harness.phase == .draining)
  }

  /// Goal: whatever a worker answers, each call has exactly one answer, and memory stays bounded.
  ///
  /// Method: random answers in random pieces, right and wrong, and random cancellations.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func everyCallHasOneAnswer(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let harness = ready()
    var open: Set<UInt64> = []
    for call: UInt64 in 1...300 {
      if harness.authenticate(call, timeout: .milliseconds(.random(in: 1...4000, using: &random))) {
        open.insert(call)
      }
      if UInt8.random(in: 0..<8, using: &random) == 0, let call = open.min() {
        harness.cancelAuthentication(call)
        open.remove(call)
      }
      let streams = harness.worker.streams(of: "authenticate").suffix(20)
      act(on: streams.randomElement(using: &random)!, of: harness, &random)
      harness.talk()
      if call % 16 == 0 {
        harness.answerLive()
        harness.advance(by: .milliseconds(.random(in: 0...900, using: &random)))
      }
      for answer in harness.takeAnswers() { #expect(open.remove(answer.call) != nil) }
      #expect(harness.openAuthentications == open.count)
    }
    #expect(harness.isReady)
    harness.lose()
    for answer in harness.takeAnswers() { #expect(open.remove(answer.call) != nil) }
    #expect(open.isEmpty)
  }

  private func act(on stream: Int32, of harness: LinkHarness, _ random: inout SeededRandom) {
    guard harness.worker.call(stream).closedWith == nil else { return }
    switch UInt8.random(in: 0..<8, using: &random) {
    case 0: harness.worker.finish(stream)
    case 1: harness.worker.finish(stream, status: "14")
    case 2: harness.worker.reset(stream, code: .random(in: 0...13, using: &random))
    case 3: harness.worker.endWithoutTrailers(stream)
    case 4: harness.worker.sendRaw(randomBytes(20, using: &random), on: stream)
    case 5: harness.worker.sendRaw(Array(repeating: 0, count: 70_000), on: stream)
    default:
      harness.worker.send(Wire.integer(1, 1), on: stream)
      harness.worker.finish(stream)
    }
  }
}
