import Primitives
import Testing

@testable import Captures

/// Goal: whatever order segments come in, the bytes handed on are those that the sender sent, as
/// far as none is missing.
@Suite struct DirectionAssemblerTests {
  private func take(
    _ assembler: inout DirectionAssembler, _ sequence: UInt32, _ text: String, time: UInt64 = 0,
    ends: Bool = false, waitingBytesMax: Int = 1 << 20
  ) -> String {
    let chunks = assembler.take(
      sequence, Array(text.utf8)[...], time: time, ends: ends, waitingBytesMax: waitingBytesMax)
    return chunks.map { String(decoding: $0.bytes, as: UTF8.self) }.joined(separator: "|")
  }

  private func started(_ sequence: UInt32 = 99) -> DirectionAssembler {
    var assembler = DirectionAssembler()
    assembler.synchronize(sequence)
    return assembler
  }

  @Test func bytesInOrderAreHandedOnAtOnce() {
    var assembler = started()
    #expect(take(&assembler, 100, "ab") == "ab")
    #expect(take(&assembler, 102, "c") == "c")
    #expect(assembler.handedOn == 3 && assembler.isFromStart && assembler.waitingBytes == 0)
  }

  @Test func aGapHoldsBackWhatFollows() {
    var assembler = started()
    #expect(take(&assembler, 102, "c", time: 9) == "")
    #expect(take(&assembler, 104, "ef", time: 7) == "")
    #expect(assembler.waitingBytes > 0)
    #expect(take(&assembler, 100, "ab", time: 10) == "ab|c")
    #expect(take(&assembler, 103, "d", time: 11) == "d|ef")
    #expect(assembler.waitingBytes == 0)
  }

  @Test func timesNeverGoBack() {
    var assembler = started()
    _ = take(&assembler, 101, "b", time: 5)
    let chunks = assembler.take(
      100, [0x61], time: 8, ends: false, waitingBytesMax: 1000)
    #expect(chunks.map(\.time) == [8, 8])
  }

  @Test func ofBytesThatComeTwiceTheFirstAreTaken() {
    var assembler = started()
    #expect(take(&assembler, 100, "abc") == "abc")
    #expect(take(&assembler, 100, "XYZd") == "d")
    #expect(take(&assembler, 106, "gh") == "")
    #expect(take(&assembler, 105, "fXXi") == "")
    #expect(take(&assembler, 104, "eXXXXj") == "e|f|gh|i|j")
    #expect(take(&assembler, 100, "XXX") == "")
  }

  @Test func theEndComesBehindTheLastByte() {
    var assembler = started()
    #expect(take(&assembler, 102, "c", ends: true) == "")
    #expect(!assembler.isEnded)
    #expect(take(&assembler, 100, "ab") == "ab|c")
    #expect(assembler.isEnded)
    #expect(take(&assembler, 103, "more") == "")
    assembler.finish()
    #expect(!assembler.isCut)
  }

  @Test func anEmptyStreamEnds() {
    var assembler = started()
    #expect(take(&assembler, 100, "", ends: true) == "")
    #expect(assembler.isEnded)
  }

  @Test func whatIsMissingAtTheEndCutsTheStream() {
    var assembler = started()
    #expect(take(&assembler, 100, "ab") == "ab")
    #expect(take(&assembler, 103, "d") == "")
    assembler.finish()
    #expect(assembler.isCut && assembler.handedOn == 2)
    var missing = started()
    _ = take(&missing, 105, "", ends: true)
    missing.finish()
    #expect(missing.isCut && !missing.isEnded)
  }

  @Test func tooMuchBehindAGapCutsTheStream() {
    var assembler = started()
    #expect(take(&assembler, 101, String(repeating: "x", count: 300), waitingBytesMax: 200) == "")
    #expect(assembler.isCut && assembler.waitingBytes == 0)
    #expect(take(&assembler, 100, "a") == "")
  }

  @Test func manyTinyPiecesCostMoreThanTheirBytes() {
    var assembler = started()
    var count: UInt32 = 0
    while !assembler.isCut, count < 100_000 {
      count += 1
      _ = take(&assembler, 100 + count * 2, "x", waitingBytesMax: 65_000)
    }
    #expect(count <= 1001)
  }

  @Test func withoutAStartTheFirstBytesBegin() {
    var assembler = DirectionAssembler()
    #expect(take(&assembler, 500, "") == "")
    #expect(!assembler.isStarted)
    #expect(take(&assembler, 500, "ab") == "ab")
    #expect(!assembler.isFromStart)
    #expect(take(&assembler, 498, "zzab") == "")
  }

  @Test func aLateStartCountsWhereItFits() {
    var assembler = DirectionAssembler()
    _ = assembler.take(500, [1, 2], time: 0, ends: false, waitingBytesMax: 100)
    assembler.synchronize(480)
    #expect(!assembler.isFromStart)
    // Its first byte was handed on: only what stands right in front of it is its start.
    var other = DirectionAssembler()
    other.synchronize(499)
    other.synchronize(499)
    #expect(other.isFromStart)
  }

  @Test func numbersOutsideTheWindowAreIgnored() {
    var assembler = started()
    #expect(take(&assembler, 100 &+ 0x6000_0000, "far") == "")
    #expect(take(&assembler, 100 &- 0x6000_0000, "old") == "")
    #expect(assembler.waitingBytes == 0)
    #expect(take(&assembler, 100, "ab") == "ab")
  }

  /// Method: segments of a stream, shuffled, doubled and overlapping, with bytes of their own each,
  /// against an array in which the first to come wins.
  @Test(arguments: 0..<200)
  func agreesWithANaiveModel(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    let length = 1 + below(400)
    let first = seed % 3 == 0 ? UInt32.max &- UInt32(below(300)) : UInt32(below(1 << 32))
    var segments: [(start: Int, bytes: [UInt8])] = []
    var place = 0
    while place < length {
      let end = min(length, place + 1 + below(40))
      segments.append((place, (place..<end).map { _ in UInt8(below(256)) }))
      place = end
    }
    for _ in 0..<below(20) {
      let start = below(length)
      let end = min(length, start + 1 + below(60))
      segments.append((start, (start..<end).map { _ in UInt8(below(256)) }))
    }
    if below(3) == 0 { segments.remove(at: below(segments.count)) }
    // Nearly in order, or not at all.
    let reach = below(2) == 0 ? 4 : segments.count
    for index in segments.indices.dropLast() {
      segments.swapAt(index, index + below(min(reach, segments.count - index)))
    }

    var assembler = started(first &- 1)
    var model = [UInt8?](repeating: nil, count: length)
    var handedOn: [UInt8] = []
    for (number, segment) in segments.enumerated() {
      for (index, byte) in segment.bytes.enumerated() where model[segment.start + index] == nil {
        model[segment.start + index] = byte
      }
      let chunks = assembler.take(
        first &+ UInt32(segment.start), segment.bytes[...], time: UInt64(number),
        ends: segment.start + segment.bytes.count == length, waitingBytesMax: 1 << 20)
      for chunk in chunks { handedOn += chunk.bytes }
      #expect(handedOn == model.prefix { $0 != nil }.map { $0! })
      #expect(assembler.handedOn == handedOn.count)
    }
    assembler.finish()
    #expect(assembler.isCut == model.dropFirst(handedOn.count).contains { $0 != nil })
    #expect(assembler.isEnded == (handedOn.count == length))
  }
}
