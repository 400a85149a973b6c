import Primitives
import Testing

@testable import Upstream

/// The `authenticate` calls and their answers.
@Suite struct LinkAuthenticateTests {
  private func ready(_ options: ScriptedWorker.Options = .init()) -> LinkHarness {
    let harness = LinkHarness(worker: options)
    harness.becomeReady()
    return harness
  }

  private func asked(_ harness: LinkHarness) -> Int32 {
    harness.worker.last("authenticate") ?? 0
  }

  private func answer(_ call: UInt64, _ outcome: AuthenticateOutcome) -> [AuthenticateAnswer] {
    [AuthenticateAnswer(call: call, outcome: outcome)]
  }

  /// Goal: whatever became of a call, packets and heartbeats go on.
  private func expectInOrder(_ harness: LinkHarness) {
    #expect(harness.isReady)
    #expect(harness.takeSeen() == [])
    harness.send([1, 2, 3])
    harness.talk()
    #expect(
      harness.worker.call(harness.packets).messages.last
        == inputMessage([1, 2, 3], uuid: uuid(1)))
    harness.authenticate(99)
    harness.worker.send(Wire.integer(1, 1), on: asked(harness))
    harness.worker.finish(asked(harness))
    harness.talk()
    #expect(harness.takeAnswers() == answer(99, .allowed(account: "", attributes: [])))
  }

  @Test func theQuestionIsOneMessageWithADeadline() {
    let harness = ready()
    #expect(harness.authenticate(5, [1, 2, 3], timeout: .milliseconds(1500)))
    let call = harness.worker.call(asked(harness))
    #expect(call.fields[":path"] == "/upstream.grpc.service.UpstreamPeerService/authenticate")
    #expect(call.fields["grpc-timeout"] == "1500m")
    #expect(call.fields["content-type"] == "application/grpc")
    #expect(call.messages == [[1, 2, 3]])
    #expect(call.hasEnded)
    #expect(harness.takeAnswers() == [])
  }

  @Test(arguments: [
    (Interval.zero, "1m"), (Interval(nanoseconds: 1_000_001), "2m"),
    (.seconds(100_000), "99999999m"), (Interval(nanoseconds: .max), "99999999m"),
  ])
  func anyTimeoutIsWrittenInEightDigits(_ timeout: Interval, _ text: String) {
    let harness = ready()
    harness.authenticate(1, timeout: timeout)
    #expect(harness.worker.call(asked(harness)).fields["grpc-timeout"] == text)
  }

  @Test func aWorkerLetsSomebodyIn() {
    let harness = ready()
    harness.authenticate(5)
    let attributes =
      Wire.bytes(4, Wire.text(1, "level") + Wire.text(2, "6"))
      + Wire.bytes(4, Wire.text(2, "x")) + Wire.bytes(4, Wire.text(1, "level") + Wire.text(2, "7"))
    harness.worker.send(
      Wire.integer(1, 1) + Wire.text(2, "Åsa") + attributes + Wire.text(99, "?"),
      on: asked(harness))
    harness.talk()
    #expect(harness.takeAnswers() == [], "a message is not the end of the call")
    harness.worker.finish(asked(harness))
    harness.talk()
    #expect(
      harness.takeAnswers()
        == answer(5, .allowed(account: "Åsa", attributes: [("level", "7"), ("", "x")])))
    #expect(harness.worker.call(asked(harness)).closedWith == 0)
    expectInOrder(harness)
  }

  @Test(arguments: [
    (Wire.integer(1, 0) + Wire.text(3, "who?"), "who?"), ([], ""),
    (Wire.text(2, "anna"), ""), (Wire.text(3, String(repeating: "n", count: 999)), "200"),
  ])
  func aWorkerRefuses(_ message: [UInt8], _ reason: String) {
    let harness = ready()
    harness.authenticate(5)
    harness.worker.send(message, on: asked(harness))
    harness.worker.finish(asked(harness))
    harness.talk()
    let expected = reason == "200" ? String(repeating: "n", count: 200) : reason
    #expect(harness.takeAnswers() == answer(5, .refused(reason: expected)))
    expectInOrder(harness)
  }

  @Test(arguments: [("7", "no entry", "7 no entry"), ("14", "", "14"), ("x", "", "-1")])
  func anotherStatusIsAFailure(_ status: String, _ message: String, _ text: String) {
    for hasAnswered in [false, true] {
      let harness = ready()
      harness.authenticate(5)
      if hasAnswered { harness.worker.send(Wire.integer(1, 1), on: asked(harness)) }
      harness.worker.finish(asked(harness), status: status, message: message)
      harness.talk()
      #expect(harness.takeAnswers() == answer(5, .failed("gRPC status \(text)")))
      expectInOrder(harness)
    }
  }

  private static let allowed = Wire.framed(Wire.integer(1, 1))

  /// Bytes of an answer that can't be read, and what is said of them.
  @Test(arguments: [
    ([], "no answer"),
    ([0, 0, 0, 0], "malformed answer"),
    (Wire.framed([0xff]), "malformed answer"),
    (Wire.framed(Wire.bytes(2, [0xc0, 0x80])), "malformed answer"),
    (Wire.framed(Wire.bytes(4, [0xff])), "malformed answer"),
    (Wire.framed(Wire.bytes(4, Wire.bytes(1, [0xff]))), "malformed answer"),
    (Array(allowed.dropLast()), "malformed answer"),
    (allowed + [0], "malformed answer"),
    (allowed + allowed, "malformed answer"),
    (Wire.framed(Wire.integer(1, 1), compressed: 1), "compressed answer"),
  ])
  func answersThatCannotBeReadAreFailures(_ bytes: [UInt8], _ text: String) {
    let harness = ready()
    harness.authenticate(5)
    harness.worker.sendRaw(bytes, on: asked(harness))
    harness.worker.finish(asked(harness))
    harness.talk()
    #expect(harness.takeAnswers() == answer(5, .failed(text)))
    expectInOrder(harness)
  }

  @Test func anAnswerHasAtMost64KiB() {
    for extra in [0, 1] {
      let harness = ready()
      harness.authenticate(5)
      let fixed = Wire.integer(1, 1) + Wire.bytes(99, Array(repeating: 0, count: 60_000))
      let rest = (64 << 10) + extra - fixed.count - 4
      let message = fixed + Wire.bytes(99, Array(repeating: 0, count: rest))
      #expect(message.count == (64 << 10) + extra)
      harness.worker.send(message, on: asked(harness))
      harness.talk()
      #expect(
        harness.takeAnswers()
          == (extra == 0 ? [] : answer(5, .failed("the answer is longer than 65536 bytes"))))
      harness.worker.finish(asked(harness))
      harness.talk()
      #expect(
        harness.takeAnswers()
          == (extra == 1 ? [] : answer(5, .allowed(account: "", attributes: []))))
      #expect(harness.worker.call(asked(harness)).closedWith == (extra == 0 ? 0 : 8))
      expectInOrder(harness)
    }
  }

  @Test func anAnswerOfSeveralPiecesIsRead() {
    for readBytes in 1...60 {
      let harness = ready()
      harness.readBytes = readBytes
      harness.authenticate(5)
      harness.worker.send(Wire.integer(1, 1) + Wire.text(2, "anna"), on: asked(harness))
      harness.worker.finish(asked(harness))
      harness.talk()
      #expect(
        harness.takeAnswers() == answer(5, .allowed(account: "anna", attributes: [])),
        "\(readBytes) bytes at a time")
    }
  }

  @Test func callsThatEndWithoutAStatusAreFailures() {
    let endings: [(LinkHarness, Int32) -> Void] = [
      { $0.worker.endWithoutTrailers($1) }, { $0.worker.reset($1, code: 7) },
    ]
    let texts = ["no trailers", "HTTP/2 error 7"]
    for (ending, text) in zip(endings, texts) {
      let harness = ready()
      harness.authenticate(5)
      harness.worker.send(Wire.integer(1, 1), on: asked(harness))
      harness.talk()
      ending(harness, asked(harness))
      harness.talk()
      #expect(harness.takeAnswers() == answer(5, .failed(text)))
      expectInOrder(harness)
    }
  }

  @Test(arguments: [("503", "text/html", "HTTP status 503"), ("200", "text/html", "not gRPC")])
  func anotherProtocolIsAFailure(_ status: String, _ contentType: String, _ text: String) {
    let harness = ready()
    harness.authenticate(5)
    harness.worker.begin(asked(harness), status: status, contentType: contentType)
    harness.talk()
    #expect(harness.takeAnswers() == answer(5, .failed(text)))
    #expect(harness.worker.call(asked(harness)).closedWith == 8)
    expectInOrder(harness)
  }

  /// Goal: what nghttp2 itself finds wrong with an answer ends that call alone.
  @Test func fieldsThatHTTPForbidsEndTheCallAlone() {
    let harness = ready()
    harness.authenticate(5)
    harness.worker.respond(asked(harness), [("content-type", "application/grpc")])
    harness.talk()
    #expect(harness.takeAnswers() == answer(5, .failed("HTTP/2 error 1")))
    expectInOrder(harness)
  }

  // MARK: Time

  @Test func aLateAnswerDoesNotCount() {
    let harness = ready()
    harness.authenticate(5, timeout: .seconds(2))
    #expect(harness.deadline == harness.now + .seconds(2))
    harness.advance(by: .milliseconds(1999))
    #expect(harness.takeAnswers() == [])
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeAnswers() == answer(5, .failed("deadline")))
    let late = asked(harness)
    #expect(harness.worker.call(late).closedWith == 8, "CANCEL")
    harness.worker.send(Wire.integer(1, 1), on: late)
    harness.worker.finish(late)
    harness.talk()
    #expect(harness.takeAnswers() == [])
    expectInOrder(harness)
  }

  /// Goal: an answer that crosses the cancellation on the wire is passed over.
  @Test func anAnswerThatCrossesTheCancellationDoesNotCount() {
    let harness = ready()
    harness.authenticate(5, timeout: .seconds(2))
    harness.worker.send(Wire.integer(1, 1), on: asked(harness))
    harness.worker.finish(asked(harness))
    let late = harness.worker.takeOutput()
    harness.advance(by: .seconds(2))
    #expect(harness.takeAnswers() == answer(5, .failed("deadline")))
    harness.receive(late)
    harness.talk()
    #expect(harness.takeAnswers() == [])
    expectInOrder(harness)
  }

  @Test func eachCallHasItsOwnDeadline() {
    let harness = ready()
    for (call, seconds): (UInt64, UInt64) in [(1, 2), (2, 1), (3, 2), (4, 30)] {
      harness.authenticate(call, timeout: .seconds(seconds))
    }
    harness.advance(by: .seconds(1))
    #expect(harness.takeAnswers().map(\.call) == [2])
    harness.advance(by: .seconds(1))
    #expect(harness.takeAnswers().map(\.call) == [1, 3])
    harness.cancelAuthentication(4)
    harness.answerLive()
    harness.advance(by: .zero)
    #expect(harness.deadline < harness.now + .seconds(9), "only the heartbeat is left")
    expectInOrder(harness)
  }

  @Test func aCancelledCallHasNoAnswer() {
    let harness = ready()
    harness.authenticate(5)
    harness.cancelAuthentication(6)
    #expect(harness.worker.call(asked(harness)).closedWith == nil)
    harness.cancelAuthentication(5)
    #expect(harness.worker.call(asked(harness)).closedWith == 8)
    harness.worker.send(Wire.integer(1, 1), on: asked(harness))
    harness.worker.finish(asked(harness))
    harness.advance(by: .seconds(3))
    #expect(harness.takeAnswers() == [])
  }
}
