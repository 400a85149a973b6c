import Primitives
import Testing

@testable import Upstream

/// The `ready` call and its answers.
@Suite struct LinkReadyTests {
  private func asking() -> LinkHarness {
    let harness = LinkHarness()
    harness.connect()
    #expect(harness.phase == .asking)
    _ = harness.takeSeen()
    return harness
  }

  private func ready(_ harness: LinkHarness) -> Int32 { harness.worker.last("ready") ?? 0 }

  @Test func theQuestionIsOneEmptyMessage() {
    let harness = asking()
    let call = harness.worker.call(ready(harness))
    #expect(call.body == [0, 0, 0, 0, 0])
    #expect(call.hasEnded)
    #expect(harness.worker.last("bidirectionalStreaming") == nil)
    #expect(harness.worker.last("live") == nil)
  }

  @Test func aReadyWorkerIsGivenItsCalls() {
    let harness = asking()
    harness.answerReady(Wire.text(1, anyTime) + Wire.integer(2, 1))
    #expect(harness.takeSeen() == [.becameReady])
    #expect(harness.isReady)
    #expect(!harness.wantsSessionEvents)
    #expect(harness.worker.call(harness.packets).body == [])
    #expect(!harness.worker.call(harness.packets).hasEnded)
    #expect(harness.worker.last("live") == nil)
    harness.advance(by: .zero)
    #expect(harness.worker.call(harness.worker.last("live")!).messages == [[]])
  }

  @Test(arguments: [Wire.integer(16, 1), Wire.bytes(16, [2, 1, 3])])
  func featuresAreHeard(_ features: [UInt8]) {
    let harness = asking()
    harness.answerReady(Wire.integer(2, 1) + features)
    #expect(harness.wantsSessionEvents)
    harness.lose()
    #expect(!harness.wantsSessionEvents, "the next one has not asked for it")
  }

  @Test func aWorkerThatIsNotReadyIsAskedAgain() {
    let harness = asking()
    var pauses: [Interval] = []
    for _ in 0..<9 {
      harness.answerReady(Wire.integer(2, 0))
      #expect(harness.takeSeen() == [.notReady])
      #expect(harness.phase == .notReady)
      pauses.append(harness.lastPause!)
      harness.passDeadline()
      #expect(harness.phase == .asking)
    }
    #expect(pauses[0] <= .milliseconds(50))
    #expect(pauses[8] >= .milliseconds(2500) && pauses[8] <= .seconds(5))
    #expect(harness.worker.streams(of: "ready").count == 10)
    harness.answerReady()
    #expect(harness.takeSeen() == [.becameReady])
    harness.lose()
    harness.passDeadline()
    harness.connect()
    harness.answerReady([])
    #expect(harness.lastPause! <= .milliseconds(50), "the pauses begin anew")
  }

  @Test func aWorkerWithoutReadyIsReady() {
    let harness = asking()
    harness.worker.finish(ready(harness), status: "12", message: "unknown method")
    harness.talk()
    #expect(harness.takeSeen() == [.becameReady])
    #expect(!harness.wantsSessionEvents)
  }

  @Test func aWorkerThatDoesNotAnswerTimesOut() {
    let harness = asking()
    harness.advance(by: .milliseconds(4999))
    #expect(harness.phase == .asking)
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen() == [.ended(.readyTimeout)])
  }

  /// Goal: the wait for the second answer is as long as for the first.
  @Test func aWorkerThatHangsLaterTimesOut() {
    let harness = asking()
    harness.answerReady(Wire.integer(2, 0))
    harness.passDeadline()
    _ = harness.takeSeen()
    harness.advance(by: .milliseconds(4999))
    #expect(harness.phase == .asking)
    harness.advance(by: .milliseconds(1))
    #expect(harness.takeSeen() == [.ended(.readyTimeout)])
  }

  @Test(arguments: [("14", "starting"), ("2", ""), ("16", "no"), ("x", "not a number")])
  func otherStatusesEndTheLink(_ status: String, _ message: String) {
    for hasAnswered in [false, true] {
      let harness = asking()
      if hasAnswered { harness.worker.send(Wire.integer(2, 1), on: ready(harness)) }
      harness.worker.finish(ready(harness), status: status, message: message)
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.grpcStatus)])
      #expect(harness.end!.detail.contains(status == "x" ? "-1" : status))
      #expect(harness.end!.detail.contains(message))
    }
  }

  @Test(arguments: ["503", "404", "302"])
  func anotherHTTPStatusEndsTheLink(_ status: String) {
    let harness = asking()
    harness.worker.begin(ready(harness), status: status, contentType: "text/html")
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.httpStatus)])
    #expect(harness.end?.detail == status)
  }

  @Test(arguments: ["text/html", "application/json", "", "application/grp"])
  func anotherContentTypeIsNotGRPC(_ contentType: String) {
    let harness = asking()
    harness.worker.begin(ready(harness), contentType: contentType)
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.notGRPC)])
  }

  @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;v=1"])
  func theContentTypesOfGRPCAreTaken(_ contentType: String) {
    let harness = asking()
    harness.worker.begin(ready(harness), contentType: contentType)
    harness.talk()
    #expect(harness.takeSeen() == [])
  }

  @Test func anAnswerOfSeveralPiecesIsRead() {
    for readBytes in 1...60 {
      let harness = LinkHarness()
      harness.readBytes = readBytes
      harness.connect()
      harness.answerReady(Wire.text(1, anyTime) + Wire.integer(2, 1))
      #expect(harness.takeSeen().last == .becameReady, "\(readBytes) bytes at a time")
    }
  }

  @Test func aStatusWithoutAnAnswerIsMalformed() {
    let harness = asking()
    harness.worker.finish(ready(harness))
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.malformedMessage)])
  }

  @Test func answersThatCannotBeReadEndTheLink() {
    let answers: [([UInt8], LinkEndReason)] = [
      (Wire.framed([0xff]), .malformedMessage),
      (Wire.framed([], compressed: 1), .compressedMessage),
      ([0, 0, 2, 0, 0], .messageTooLarge),
    ]
    for (bytes, reason) in answers {
      let harness = asking()
      harness.worker.sendRaw(bytes, on: ready(harness))
      harness.talk()
      #expect(harness.takeSeen() == [.ended(reason)])
    }
  }

  @Test func callsThatEndWithoutAStatusEndTheLink() {
    let harness = asking()
    harness.worker.send(Wire.integer(2, 1), on: ready(harness))
    harness.worker.endWithoutTrailers(ready(harness))
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.streamEnded)])

    let other = asking()
    other.worker.reset(ready(other), code: 8)
    other.talk()
    #expect(other.takeSeen() == [.ended(.streamReset)])
    #expect(other.end?.detail == "HTTP/2 error 8")
  }

  @Test func aWorkerThatGoesBeforeItIsReadyIsTriedAgain() {
    for code: UInt32 in [0, 2] {
      let harness = asking()
      harness.worker.goAway(code: code)
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.goAway)])
      #expect(harness.phase == .backingOff)
    }
  }

  /// Goal: what a call left unfinished does not spill into the next one.
  ///
  /// Method: a worker sends an answer and a piece of another before its status.
  @Test func halfAMessageEndsWithItsCall() {
    let harness = asking()
    harness.worker.sendRaw(
      Wire.framed(Wire.integer(2, 1)) + [0, 0, 0], on: ready(harness))
    harness.worker.finish(ready(harness))
    harness.talk()
    #expect(harness.takeSeen() == [.becameReady])
    harness.advance(by: .zero)
    harness.answerLive()
    harness.advance(by: .seconds(8))
    harness.answerLive()
    harness.advance(by: .seconds(2))
    #expect(harness.takeSeen() == [])
    #expect(harness.isReady)
  }
}
