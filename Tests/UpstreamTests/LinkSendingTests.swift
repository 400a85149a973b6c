import Primitives
import Testing

@testable import Upstream

/// Packets on their way to a worker, and what is left of them when it goes.
@Suite struct LinkSendingTests {
  private func ready(_ options: ScriptedWorker.Options = .init(), seed: UInt64 = 1) -> LinkHarness {
    let harness = LinkHarness(seed: seed, worker: options)
    harness.becomeReady()
    return harness
  }

  private func received(_ harness: LinkHarness) -> [[UInt8]] {
    harness.worker.call(harness.packets).messages
  }

  @Test func packetsArriveInOrder() {
    var random = SeededRandom(seed: 11)
    let harness = ready()
    var expected: [[UInt8]] = []
    for number: UInt64 in 0..<200 {
      let longest = number % 50 == 7 ? 60_000 : 100
      let payload = Array(
        repeating: UInt8(truncatingIfNeeded: number),
        count: .random(in: 0...longest, using: &random))
      harness.send(payload, of: number)
      expected.append(inputMessage(payload, uuid: uuid(number)))
      if Int.random(in: 0..<10, using: &random) == 0 { harness.talk() }
    }
    harness.talk()
    let isSame = received(harness) == expected
    #expect(isSame)
    #expect(harness.queuedBytes == 0)
    #expect(harness.packetsSent == 200)
    harness.lose()
    #expect(harness.takeUnsent() == [])
  }

  @Test func eventsAreSentWithThePackets() {
    let harness = ready()
    let session = SessionUUID(text: anyUUID)!
    let time = TimestampText(unixMilliseconds: anyTimeMilliseconds)
    harness.link.sendOpened(
      SessionOpened(
        clientAddress: "a", listener: "b", framer: "c", resumed: true, nextSequence: 3),
      of: session, time: time)
    harness.send([1])
    harness.link.sendClosed(reason: 4, of: session, time: time)
    let encoded = Wire.framed(inputMessage([9]))
    encoded.withUnsafeBytes { harness.link.sendEncoded($0) }
    harness.talk()
    let head = Wire.text(1, anyTime) + Wire.text(2, anyUUID)
    let opened =
      Wire.text(2, "a") + Wire.text(3, "b") + Wire.text(4, "c") + Wire.integer(6, 1)
      + Wire.integer(7, 3)
    #expect(
      received(harness) == [
        head + Wire.bytes(16, opened), inputMessage([1], uuid: uuid(1)),
        head + Wire.bytes(17, Wire.integer(1, 4)), inputMessage([9]),
      ])
  }

  /// Goal: a worker that gives no window is sent no packet, and none is lost.
  @Test func withoutAWindowNothingIsFramed() {
    let harness = ready(.init(windowBytes: 100))
    var expected: [UInt8] = []
    for number: UInt64 in 1...50 {
      harness.send([1, 2, 3], of: number)
      expected += Wire.framed(inputMessage([1, 2, 3], uuid: uuid(number)))
    }
    harness.talk()
    #expect(harness.worker.call(harness.packets).body.count == 100)
    let messageBytes = expected.count / 50
    #expect(harness.queuedBytes == expected.count - 100)
    harness.worker.giveWindow(Int32(messageBytes * 10), to: harness.packets)
    harness.talk()
    #expect(harness.worker.call(harness.packets).body.count == 100 + messageBytes * 10)
    harness.lose()
    // Of 11 messages the last byte was sent, and of the twelfth a part.
    let wholeMessages = (100 + messageBytes * 10) / messageBytes
    let isRest = harness.takeUnsent() == Array(expected.dropFirst(wholeMessages * messageBytes))
    #expect(isRest)
    #expect(harness.queuedBytes == 0)
  }

  @Test func windowsGivenInPiecesAreUsed() {
    let harness = ready(.init(windowBytes: 0))
    harness.advance(by: .zero)
    var expected: [[UInt8]] = []
    for number: UInt64 in 1...20 {
      harness.send(Array(repeating: 5, count: 40), of: number)
      expected.append(inputMessage(Array(repeating: 5, count: 40), uuid: uuid(number)))
    }
    harness.talk()
    #expect(harness.worker.call(harness.packets).body == [])
    for _ in 0..<400 {
      harness.worker.giveWindow(7, to: harness.packets)
      harness.talk()
    }
    #expect(received(harness) == expected)
    #expect(harness.queuedBytes == 0)
  }

  /// Goal: every message goes to exactly one worker whole, or is given back whole.
  ///
  /// Method: the socket takes random numbers of bytes, and the connection ends at a random moment.
  @Test func nothingIsLostByPartialWrites() {
    for seed: UInt64 in 0..<150 {
      var random = SeededRandom(seed: seed)
      let window: UInt32? = [nil, 1000, 65_535].randomElement(using: &random)!
      let harness = ready(.init(windowBytes: window), seed: seed)
      var messages: [[UInt8]] = []
      for number in 0..<UInt64.random(in: 1...60, using: &random) {
        let longest = [0, 30, 3000].randomElement(using: &random)!
        let payload = Array(
          repeating: UInt8(truncatingIfNeeded: number),
          count: .random(in: 0...longest, using: &random))
        harness.send(payload, of: number)
        messages.append(Wire.framed(inputMessage(payload, uuid: uuid(number))))
        harness.socketTakes = Int.random(in: 0...3000, using: &random)
        if Int.random(in: 0..<3, using: &random) == 0 { harness.talk() }
      }
      let body = harness.worker.call(harness.packets).body
      harness.lose()
      let arrived = Wire.messages(body)
      let expected = Array(messages.dropFirst(arrived.count).joined())
      let unsent = harness.takeUnsent()
      // The header of a DATA frame may have gone without the bytes it announces, never the reverse.
      let isSame = unsent == expected
      #expect(isSame, "seed \(seed): \(arrived.count) of \(messages.count) arrived")
    }
  }

  /// Goal: what waited when the link ended does not reach the next connection by itself.
  @Test func theNextConnectionBeginsWithAnEmptyQueue() {
    let harness = ready()
    harness.send([1])
    harness.socketTakes = 20
    harness.talk()
    harness.lose()
    let beginsCut = harness.link.unsentBeginsCut
    #expect(beginsCut)
    #expect(harness.takeUnsent() == Wire.framed(inputMessage([1], uuid: uuid(1))))
    harness.socketTakes = .max
    harness.passDeadline()
    harness.becomeReady()
    #expect(harness.isReady)
    harness.send([2])
    harness.talk()
    #expect(received(harness) == [inputMessage([2], uuid: uuid(1))])
  }
}
