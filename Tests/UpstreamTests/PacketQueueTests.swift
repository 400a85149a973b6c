import Testing

@testable import Primitives
@testable import Upstream

@Suite struct PacketQueueTests {
  /// Messages with the count of bytes that were framed and written, from the first on.
  private struct Model {
    var messages: [[UInt8]] = []
    var framed = 0
    var written = 0

    var total = 0

    /// Bytes that were written of the first message that was not written whole.
    var cutBytes: Int {
      var rest = written
      for message in messages {
        if message.count > rest { return rest }
        rest -= message.count
      }
      return 0
    }

    /// The messages whose last byte was not written.
    var unwritten: [UInt8] {
      var end = 0
      var rest: [UInt8] = []
      for message in messages {
        end += message.count
        if end > written { rest += message }
      }
      return rest
    }
  }

  private func appendMessage(
    _ queue: inout PacketQueue, payloadBytes: Int, number: UInt64
  ) -> [UInt8] {
    let payload = Array(repeating: UInt8(truncatingIfNeeded: number), count: payloadBytes)
    payload.withUnsafeBytes {
      ContractWriter.appendPacket(
        $0, of: SessionUUID(text: uuid(number))!,
        time: TimestampText(unixMilliseconds: anyTimeMilliseconds), to: &queue.bytes)
    }
    return Wire.framed(inputMessage(payload, uuid: uuid(number)))
  }

  /// Goal: only messages whose last byte was written are forgotten, whatever the order of things.
  @Test(arguments: [40, 3000, 100_000])
  func unwrittenMessagesAreKeptWhole(_ payloadBytesMax: Int) {
    for seed: UInt64 in 0..<25 {
      var random = SeededRandom(seed: seed)
      var queue = PacketQueue()
      var model = Model()
      for step in 0..<120 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          let message = appendMessage(
            &queue, payloadBytes: .random(in: 0...payloadBytesMax, using: &random),
            number: UInt64(step))
          model.messages.append(message)
          model.total += message.count
        case 1:
          let byteCount = Int.random(in: 0...(model.total - model.framed), using: &random)
          queue.framed(byteCount)
          model.framed += byteCount
        case 2:
          let byteCount = Int.random(in: 0...(model.framed - model.written), using: &random)
          queue.wrote(byteCount)
          model.written += byteCount
        default:
          queue.wrote(model.framed - model.written)
          model.written = model.framed
        }
        #expect(queue.unframedBytes == model.total - model.framed, "seed \(seed), step \(step)")
        #expect(queue.unwrittenBytes == model.total - model.written)
        #expect(queue.unwritten.count == model.total - model.written)
        #expect(queue.writtenBytesOfFirstMessage == model.cutBytes)
      }
      let all = model.messages.reduce(into: []) { $0 += $1 }
      let isNext = Array(queue.unwritten) == Array(all[model.written...])
      #expect(isNext, "seed \(seed)")
      let isSame = queue.takeUnwrittenMessages() == model.unwritten
      #expect(isSame, "seed \(seed)")
      #expect(queue.unwrittenBytes == 0 && queue.unframedBytes == 0)
      let isEmpty = queue.takeUnwrittenMessages().isEmpty
      #expect(isEmpty)
    }
  }

  @Test func aMessageIsKeptUpToItsLastByte() {
    var queue = PacketQueue()
    let first = appendMessage(&queue, payloadBytes: 10, number: 1)
    let second = appendMessage(&queue, payloadBytes: 10, number: 2)
    queue.framed(first.count + second.count)
    queue.wrote(first.count + second.count - 1)
    #expect(queue.takeUnwrittenMessages() == second)
  }

  /// Goal: memory follows what is unwritten, not what has passed.
  @Test func writtenMessagesGiveTheirMemoryBack() {
    var queue = PacketQueue()
    for number: UInt64 in 0..<2000 {
      _ = appendMessage(&queue, payloadBytes: 10_000, number: number)
      queue.framed(queue.unframedBytes)
      // One byte always stays, so the queue is never empty.
      queue.wrote(queue.unwrittenBytes - 1)
      guard queue.bytes.count < 512 << 10 else {
        Issue.record("\(queue.bytes.count) bytes are kept")
        return
      }
    }
  }

  /// As many messages as have at least `byteCount` bytes, all of them written.
  private func fillAndWrite(_ queue: inout PacketQueue, _ byteCount: Int) {
    while queue.bytes.count < byteCount {
      _ = appendMessage(&queue, payloadBytes: 1400, number: 1)
    }
    queue.framed(queue.unframedBytes)
    queue.wrote(queue.unwrittenBytes)
    #expect(queue.bytes.count == 0)
  }

  /// Goal: a busy link's memory stays, and goes back once it was idle from one time to the next.
  @Test func memoryIsKeptWhileItIsUsed() {
    var queue = PacketQueue()
    for _ in 0..<5 {
      fillAndWrite(&queue, 600_000)
      let used = queue.bytes.capacity
      #expect(used >= 600_000)
      queue.trim()
      #expect(queue.bytes.capacity == used, "used since the last time")
    }
    queue.trim()
    #expect(queue.bytes.capacity == 0, "not used since the last time")
    fillAndWrite(&queue, 600_000)
    #expect(queue.bytes.capacity >= 600_000, "and is there again")
  }

  /// Goal: a little is no more use, and little memory stays without any.
  @Test func littleUseKeepsLittleMemory() {
    var queue = PacketQueue()
    fillAndWrite(&queue, 600_000)
    queue.trim()
    fillAndWrite(&queue, 100_000)
    queue.trim()
    #expect(queue.bytes.capacity == 0)
    fillAndWrite(&queue, 100_000)
    let little = queue.bytes.capacity
    for _ in 0..<3 { queue.trim() }
    #expect(queue.bytes.capacity == little)
  }

  /// Goal: what still waits is never given back, however long it does.
  @Test func memoryInUseIsKept() {
    var queue = PacketQueue()
    while queue.bytes.count < 600_000 {
      _ = appendMessage(&queue, payloadBytes: 1400, number: 1)
    }
    let last = appendMessage(&queue, payloadBytes: 1400, number: 2)
    queue.framed(queue.unframedBytes)
    queue.wrote(queue.unwrittenBytes - 1)
    for _ in 0..<3 { queue.trim() }
    #expect(queue.takeUnwrittenMessages() == last)
    queue.trim()
    queue.trim()
    #expect(queue.bytes.capacity == 0)
  }
}
