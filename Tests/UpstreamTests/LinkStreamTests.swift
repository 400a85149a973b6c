import Primitives
import Testing

@testable import Upstream

/// The call that carries packets: what a worker sends on it, and how it ends.
@Suite struct LinkStreamTests {
  private func ready(messageBytesMax: Int = 1 << 20) -> LinkHarness {
    let harness = LinkHarness(messageBytesMax: messageBytesMax)
    harness.becomeReady()
    return harness
  }

  private func answer(_ number: UInt64, _ payload: [UInt8]) -> [UInt8] {
    Wire.text(1, anyTime) + Wire.text(2, uuid(number)) + Wire.bytes(4, payload)
  }

  @Test func messagesOfAnySizeInAnyPieces() {
    for readBytes in [1, 10, 100, 65_536] {
      var random = SeededRandom(seed: UInt64(readBytes))
      let harness = ready()
      harness.readBytes = readBytes
      var expected: [LinkHarness.Delivered] = []
      for number: UInt64 in 0..<60 {
        let longest = number % 20 == 0 ? 30_000 : 80
        let payload = randomBytes(.random(in: 0...longest, using: &random), using: &random)
        expected.append(.init(uuid: uuid(number), payload: payload))
        harness.worker.send(answer(number, payload), on: harness.packets)
        if Bool.random(using: &random) { harness.talk() }
      }
      harness.talk()
      let isSame = harness.delivered == expected
      #expect(isSame, "\(readBytes) bytes at a time")
      #expect(harness.takeSeen() == [])
    }
  }

  @Test func anEmptyMessageIsDelivered() {
    let harness = ready()
    harness.worker.send([], on: harness.packets)
    harness.talk()
    #expect(harness.delivered == [.init(uuid: "", payload: [])])
  }

  /// Goal: messages ahead of the one that ends the link are still delivered.
  @Test func messagesThatCannotBeReadEndTheLink() {
    let messages: [([UInt8], LinkEndReason)] = [
      (Wire.framed(Wire.tag(4, 2) + [9]), .malformedMessage),
      (Wire.framed([], compressed: 1), .compressedMessage),
      (Wire.framed(Array(repeating: 0, count: 1001)), .messageTooLarge),
      ([0, 255, 255, 255, 255], .messageTooLarge),
    ]
    for (bytes, reason) in messages {
      let harness = ready(messageBytesMax: 1000)
      harness.worker.sendRaw(
        Wire.framed(answer(1, [1])) + bytes + Wire.framed(answer(2, [2])), on: harness.packets)
      harness.talk()
      #expect(harness.delivered == [.init(uuid: uuid(1), payload: [1])])
      #expect(harness.takeSeen() == [.ended(reason)])
    }
  }

  @Test func theLongestMessageIsTaken() {
    let harness = ready(messageBytesMax: 1000)
    let message = Wire.bytes(4, Array(repeating: 7, count: 997))
    #expect(message.count == 1000)
    harness.worker.send(message, on: harness.packets)
    harness.talk()
    #expect(harness.delivered.count == 1)
  }

  @Test func theStreamEnds() {
    let harness = ready()
    harness.worker.send(answer(1, [1]), on: harness.packets)
    harness.worker.finish(harness.packets)
    harness.talk()
    #expect(harness.delivered.count == 1)
    #expect(harness.takeSeen() == [.ended(.streamEnded)])
  }

  @Test func theStreamEndsWithAStatus() {
    for hasAnswered in [false, true] {
      let harness = ready()
      if hasAnswered { harness.worker.send(answer(1, [1]), on: harness.packets) }
      harness.worker.finish(harness.packets, status: "13", message: "boom")
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.grpcStatus)])
      #expect(harness.end?.detail == "13 boom")
    }
  }

  /// Goal: a worker without the service is told apart from one that went away.
  @Test func theStreamIsNotImplemented() {
    let harness = ready()
    harness.worker.finish(harness.packets, status: "12")
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.grpcStatus)])
    #expect(harness.end?.detail == "12")
  }

  @Test func theStreamIsReset() {
    for code: UInt32 in [0, 2, 8, 99] {
      let harness = ready()
      harness.worker.reset(harness.packets, code: code)
      harness.talk()
      #expect(harness.takeSeen() == [.ended(.streamReset)])
      #expect(harness.end?.detail == "HTTP/2 error \(code)")
    }
  }

  @Test func theStreamEndsWithoutTrailers() {
    let harness = ready()
    harness.worker.send(answer(1, [1]), on: harness.packets)
    harness.worker.endWithoutTrailers(harness.packets)
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.streamEnded)])
    #expect(harness.end?.detail == "no trailers")
  }

  @Test func wrongAnswersEndTheLink() {
    let harness = ready()
    harness.worker.begin(harness.packets, status: "503")
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.httpStatus)])
    let other = ready()
    other.worker.begin(other.packets, contentType: "text/plain")
    other.talk()
    #expect(other.takeSeen() == [.ended(.notGRPC)])
  }

  @Test func otherFramesMeanNothing() {
    let harness = ready()
    // An unknown frame type, a PING and a PRIORITY.
    harness.receive([0, 0, 2, 0xbb, 0, 0, 0, 0, 0, 1, 2])
    harness.receive([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    harness.receive([0, 0, 5, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9])
    harness.talk()
    #expect(harness.takeSeen() == [])
    #expect(harness.isReady)
  }

  @Test func aLostConnectionEndsTheLink() {
    for reason: LinkEndReason in [.connectionClosed, .connectionReset] {
      let harness = ready()
      harness.lose(reason)
      #expect(harness.takeSeen() == [.ended(reason)])
      harness.lose(reason)
      harness.receive([1, 2, 3])
      #expect(harness.takeSeen() == [])
      #expect(harness.takeWritten() == [])
    }
  }

  /// Goal: an end in the middle of a message leaves nothing behind for the next connection.
  @Test func theNextConnectionBeginsAnew() {
    let harness = ready()
    let cut = Array(Wire.framed(answer(1, [1, 2, 3])).dropLast(2))
    harness.worker.sendRaw(cut, on: harness.packets)
    harness.talk()
    harness.lose()
    #expect(harness.takeUnsent() == [])
    harness.passDeadline()
    harness.becomeReady()
    harness.worker.send(answer(2, [2]), on: harness.packets)
    harness.talk()
    #expect(harness.delivered == [.init(uuid: uuid(2), payload: [2])])
    #expect(harness.reconnects == 1)
  }

  /// Goal: the words of one call do not show up in the end of another.
  @Test func eachStatusHasItsOwnMessage() {
    let harness = ready()
    harness.worker.finish(harness.worker.last("live")!, status: "12", message: "no such method")
    harness.talk()
    harness.worker.finish(harness.packets, status: "13")
    harness.talk()
    #expect(harness.end?.detail == "13")

    let other = ready()
    other.worker.finish(other.packets, status: "13", message: "boom")
    let first = other.worker.takeOutput()
    other.worker.finish(other.worker.last("live")!, status: "14", message: "later")
    other.receive(first + other.worker.takeOutput())
    #expect(other.end?.detail == "13 boom")
  }

  /// Goal: nghttp2 resets a stream whose header fields break HTTP; the link must not wait on.
  @Test func anAnswerWithoutAStatusEndsTheLink() {
    let harness = ready()
    harness.worker.respond(harness.packets, [("content-type", "application/grpc")])
    harness.talk()
    #expect(harness.takeSeen() == [.ended(.streamReset)])
  }

  /// Goal: only an end of the packets' call, and one that is no going away, is meant for a packet.
  @Test func onlyTheStreamOfPacketsBringsAVerdict() {
    let verdicts: [(LinkHarness) -> Void] = [
      { $0.worker.finish($0.packets, status: "8") }, { $0.worker.reset($0.packets, code: 11) },
    ]
    let others: [(LinkHarness) -> Void] = [
      { $0.worker.finish($0.packets, status: "14") }, { $0.worker.reset($0.packets, code: 8) },
      { $0.worker.reset($0.worker.last("live")!, code: 11) },
      { $0.worker.finish($0.worker.last("live")!, status: "8") },
      { $0.worker.finish($0.packets) }, { $0.worker.goAway(code: 2) }, { $0.lose() },
    ]
    for (isVerdict, endings) in [(true, verdicts), (false, others)] {
      for ending in endings {
        let harness = ready()
        ending(harness)
        harness.talk()
        #expect(harness.takeSeen().count == 1)
        #expect(harness.end?.isVerdict == isVerdict)
      }
    }
    let unready = LinkHarness()
    unready.connect()
    unready.worker.finish(unready.worker.last("ready")!, status: "8")
    unready.talk()
    #expect(unready.end?.reason == .grpcStatus)
    #expect(unready.end?.isVerdict == false)
  }
}
