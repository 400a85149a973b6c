import Framing
import Primitives
import Testing

@testable import Learning

/// Goal: the parts that the learner is made of are right by themselves.
@Suite struct LearningPartsTests {
  @Test func logarithmsAreRight() {
    for (number, logarithm) in [
      (1.0, 0.0), (2, 1), (8, 3), (0.25, -2), (10, 3.321_928), (1e-3, -9.965_784),
    ] {
      #expect(abs(binaryLogarithm(number) - logarithm) < 1e-5, "\(number)")
    }
  }

  /// Goal: bytes without order cost eight bits each, hardly more; what repeats itself costs little.
  @Test func byteModelIsNoWorseThanItsData() {
    var random = SeededRandom(seed: 1)
    let model = ByteModel([noise(4_000, &random), Array(repeating: 7, count: 4_000)])
    let costs = model.costs.map { $0.reduce(0, +) / Float($0.count) }
    #expect(costs[0] > 7.9 && costs[0] < 8.1, "\(costs)")
    #expect(costs[1] < 0.05, "\(costs)")
  }

  @Test func opacityIsSeen() {
    var random = SeededRandom(seed: 2)
    for count in [192, 500, 5_000] {
      #expect(Opacity.looksOpaque(noise(count, &random)[...]))
      #expect(!Opacity.looksOpaque(words(count, &random)[...]))
      #expect(!Opacity.looksOpaque(binary(count, &random)[...]))
    }
    #expect(!Opacity.looksOpaque(noise(100, &random)[...]), "too few to tell")
  }

  /// Goal: guesses walk as the gateway's own cutter cuts, wherever the bytes lead.
  ///
  /// Method: rules of all shapes on random bytes; up to where either refuses.
  @Test func rulesWalkAsTheCutterCuts() throws {
    var random = SeededRandom(seed: 3)
    let encodings: [LengthRule.Encoding] = [
      .binary(width: 1, isLittle: false), .binary(width: 2, isLittle: true),
      .binary(width: 3, isLittle: false), .prefix, .base64(width: 2),
      .decimal(width: 2, terminator: nil), .decimal(width: 10, terminator: 0x3a), .leb128,
    ]
    for round in 0..<600 {
      let encoding = encodings[round % encodings.count]
      var length = LengthRule(
        offset: Int.random(in: 0...3, using: &random), encoding: encoding,
        adjustment: Int.random(in: -2...4, using: &random))
      length.multiplier = [1, 1, 4].randomElement(using: &random)!
      let prelude = Bool.random(using: &random) ? 0 : Int.random(in: 1...9, using: &random)
      let shapes: [Rule.Shape] = [
        .length(length), .length(length), .delimiter([13, 10], isTelnet: false),
        .delimiter([10], isTelnet: true), .fixed(7),
      ]
      let rule = Rule(prelude: prelude, shapes.randomElement(using: &random)!)
      let bytes = (0..<400).map { _ in
        [0, 1, 2, 10, 13, 0x31, 0x3a, 0x41, 0xff, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random)!
      }
      var walk = Walk()
      rule.walk(bytes, into: &walk)
      let framer = try CompiledFramer(try rule.framer(longest: 1 << 22))
      let expected = (prelude == 0 ? [] : [prelude]) + walk.cuts.map(\.end)
      let found = StreamCutting(bytes, by: framer).ends
      // A walk stops at overlong LEB128, and at sizes that no recording has.
      let common = min(expected.count, found.count)
      #expect(found.prefix(common) == expected.prefix(common), "round \(round): \(rule)")
      if walk.end == .exact { #expect(found == expected, "round \(round): \(rule)") }
    }
  }

  @Test func lengthsAreCountedAsPeopleCount() {
    func natural(_ offset: Int, _ width: Int, _ adjustment: Int) -> String {
      let (counts, rest) = LengthRule(
        offset: offset, encoding: .binary(width: width, isLittle: false), adjustment: adjustment
      ).naturalCounts
      return "\(counts.rawValue) \(rest)"
    }
    #expect(natural(0, 2, 0) == "rest 0")
    #expect(natural(0, 2, -2) == "packet 0")
    #expect(natural(1, 2, -2) == "self-and-rest 0")
    #expect(natural(0, 2, 2) == "rest 2")
    #expect(natural(1, 2, -1) == "rest -1")
    #expect(natural(4, 2, -5) == "packet 1")
  }

  @Test func opcodesAreFoundByTheirRepetition() {
    let (streams, ends) = lengthProtocols[0].streams(seed: 6)
    let survey = PacketSurvey(streams, ends: ends, skipped: 0)
    #expect(survey.looksLikeOpcode(at: 2))
    #expect(!survey.looksLikeOpcode(at: 3))
    #expect(survey.packets == ends.joined().count)
  }

  /// Goal: writes that end where packets do are evidence, and are told of.
  @Test func writesCount() throws {
    let (streams, ends) = lengthProtocols[4].streams(seed: 8, count: 2, packets: 6...8)
    let plain = try #require(FramerLearner.learn(streams).proposals.first)
    let written = zip(streams, ends).map { LearningStream(bytes: $0.bytes, writeEnds: $1) }
    let best = try #require(FramerLearner.learn(written).proposals.first)
    #expect(best.packetEnds == ends)
    #expect(best.bits > plain.bits)
    #expect(best.reasons.contains { $0.contains("writes end where a packet does") })
  }
}
