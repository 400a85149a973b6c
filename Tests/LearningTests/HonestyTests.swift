import Framing
import Primitives
import Testing

@testable import Learning

/// Goal: nothing is proposed that the streams don't bear out, and doubts are named.
@Suite struct HonestyTests {
  private func streams(
    _ count: Int, seed: UInt64, _ make: (inout SeededRandom) -> [UInt8]
  ) -> [LearningStream] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in LearningStream(bytes: make(&random)) }
  }

  @Test func noiseHasNoFramer() {
    for seed in UInt64(1)...5 {
      let report = FramerLearner.learn(streams(5, seed: seed) { noise(1_500, &$0) })
      #expect(report.proposals.isEmpty, "seed \(seed): \(report.proposals.map(\.summary))")
      #expect(report.opaqueFrom == 0)
      #expect(report.notes.contains { $0.contains("nothing fits better than raw") })
      #expect(report.notes.contains { $0.contains("enciphered or compressed") })
    }
  }

  @Test func noiseBehindAGreetingIsNamedFromItsFirstByte() {
    for seed in UInt64(1)...5 {
      let report = FramerLearner.learn(
        streams(5, seed: seed) { Array("HELLO 7".utf8) + noise(1_500, &$0) })
      #expect(report.proposals.isEmpty, "seed \(seed): \(report.proposals.map(\.summary))")
      #expect(report.opaqueFrom == 7)
    }
  }

  @Test func textWithoutLinesHasNoFramer() {
    for seed in UInt64(1)...5 {
      let report = FramerLearner.learn(streams(5, seed: seed) { words(1_000, &$0) + [0x2e] })
      #expect(
        report.proposals.allSatisfy { $0.confidence == .thin },
        "seed \(seed): \(report.proposals.map(\.summary))")
      #expect(report.opaqueFrom == nil)
    }
  }

  @Test func binaryDataWithoutPacketsHasNoFramer() {
    for seed in UInt64(1)...5 {
      let report = FramerLearner.learn(streams(5, seed: seed) { binary(1_000, &$0) })
      #expect(
        report.proposals.allSatisfy { $0.confidence == .thin },
        "seed \(seed): \(report.proposals.map(\.summary))")
    }
  }

  @Test func nothingToLearnFromIsSaid() {
    #expect(
      FramerLearner.learn([]).notes == [
        "there are no bytes to learn from", "nothing fits better than raw",
      ] || FramerLearner.learn([]).notes == ["there are no bytes to learn from"])
    let empty = FramerLearner.learn([LearningStream(bytes: []), LearningStream(bytes: [])])
    #expect(empty.proposals.isEmpty && empty.streams == 0)
    let one = FramerLearner.learn([LearningStream(bytes: [7])])
    #expect(one.proposals.isEmpty && one.streams == 1)
  }

  @Test func onePacketIsThinEvidence() {
    let report = FramerLearner.learn([LearningStream(bytes: [0, 9] + Array("login abc".utf8))])
    #expect(report.proposals.allSatisfy { $0.confidence == .thin })
  }

  @Test func packetsOfOneLengthAreDoubted() throws {
    let report = FramerLearner.learn(
      streams(5, seed: 9) { random in (0..<9).flatMap { _ in [0, 12, 1] + binary(11, &random) } })
    let best = try #require(report.proposals.first)
    #expect(best.doubts.contains { $0.contains("all packets have 14 bytes") }, "\(best.doubts)")
  }

  @Test func doublesCountOnce() {
    let stream = LearningStream(bytes: [0, 2, 1, 1])
    let report = FramerLearner.learn([stream, stream, stream])
    #expect(report.streams == 1)
    #expect(report.notes.contains { $0.contains("2 streams have the same bytes") })
  }

  @Test func shortLoginsTogetherAreEnough() throws {
    let invented = lengthProtocols[0]
    let (streams, ends) = invented.streams(seed: 3, count: 6, packets: 2...4)
    let best = try #require(FramerLearner.learn(streams).proposals.first)
    #expect(best.packetEnds == ends, "\(best.summary)")
  }

  @Test func halfAPacketAtTheEndIsToldApartFromAnError() throws {
    let (whole, ends) = lengthProtocols[3].streams(seed: 5)
    var streams = whole
    streams[1].bytes.removeLast(2)
    let best = try #require(FramerLearner.learn(streams).proposals.first)
    #expect(best.packetEnds[0] == ends[0] && best.packetEnds[1] == ends[1].dropLast())
    #expect(best.reasons.contains { $0.contains("part of a packet in 1 stream of 5") })
  }

  @Test func packetsBeforeNoiseBecomeASequence() throws {
    let streams = streams(6, seed: 11) { random in
      var bytes: [UInt8] = []
      for index in 0..<3 {
        let body = words(8 + Int.random(in: 0...30, using: &random), &random)
        bytes += [0, UInt8(body.count + 1), UInt8(index)] + body
      }
      return bytes + noise(1_200, &random)
    }
    let report = FramerLearner.learn(streams)
    let best = try #require(report.proposals.first, "\(report.notes)")
    guard case .sequence(let sequence) = best.framer else {
      Issue.record("\(best.summary)")
      return
    }
    #expect(sequence.last == .raw && sequence.steps.map(\.until) == [.packets(3)])
    #expect(report.opaqueFrom != nil)
  }

  @Test func timeAndMemoryAreBounded() {
    var limits = FramerLearner.Limits()
    limits.streamsMax = 3
    limits.streamBytesMax = 2_000
    let report = FramerLearner.learn(
      streams(9, seed: 2) { noise(50_000, &$0) }, limits: limits)
    #expect(report.streams == 3 && report.bytes == 6_000)
  }
}
