internal import Framing

/// What a definition may say beside the rule: constants, bounds, where opcodes are.
struct Suggestion {
  private var leading: [UInt8] = []
  private var minimum: Int?
  private var longest: Int
  private var preludeBytes: [UInt8] = []
  /// Lines that may be added, with the reason.
  private(set) var options: [String] = []
  private(set) var opcodeOffset: Int?

  /// Fewer packets don't make a constant.
  private static let packetsForConstant = 8

  init(_ found: Search.Found, _ survey: PacketSurvey, _ streams: [LearningStream]) {
    longest = survey.longest
    var walk = Walk()
    for stream in streams {
      found.rule.walk(stream.bytes, into: &walk)
      if let half = walk.half { longest = max(longest, half.end - half.start) }
    }
    preludeBytes = Self.commonPrelude(found.rule.prelude, streams)
    guard case .length(let rule) = found.rule.shape else { return }
    opcodeOffset = Self.opcodeOffset(rule, survey)
    guard survey.packets >= Self.packetsForConstant, survey.lengthKinds >= 3 else { return }
    let constant = survey.leading.prefix(min(rule.offset, rule.xorOffset ?? .max, 8))
    if !constant.isEmpty {
      let text = DefinitionText.text(Array(constant))
      // One kind of packet alone would make its opcode look like a constant, and zeros are most
      // often the upper half of a number.
      let isSure = survey.packets >= 20 && constant.contains { $0 != 0 }
      if let opcodeOffset, opcodeOffset >= constant.count, isSure {
        leading = Array(constant)
      } else {
        options.append(
          "leading = \(text)  # all packets seen begin so; other kinds of packets may not")
      }
    }
    let trailing = survey.trailing.suffix(4)
    if let header = rule.fixedHeader, survey.shortest >= header + trailing.count,
      !trailing.isEmpty
    {
      options.append(
        "trailing = \(DefinitionText.text(Array(trailing)))  # all packets seen end so")
    }
    if let header = rule.fixedHeader, survey.shortest > header, survey.packets >= 20,
      case .binary = rule.encoding
    {
      minimum = header + 1
    }
  }

  func framer(of rule: Rule, _ survey: PacketSurvey) throws(FramerDefinitionError) -> Framer {
    try rule.framer(
      longest: longest, leading: leading, minimum: minimum, preludeBytes: preludeBytes)
  }

  private static func commonPrelude(_ count: Int, _ streams: [LearningStream]) -> [UInt8] {
    let preludes = streams.map { $0.bytes.prefix(count) }.filter { $0.count == count }
    guard count > 0, preludes.count >= 3 else { return [] }
    var common = preludes[0]
    for prelude in preludes { while !prelude.starts(with: common) { common.removeLast() } }
    return Array(common)
  }

  /// In front of the length or right behind the header: where most protocols have it.
  private static func opcodeOffset(_ rule: LengthRule, _ survey: PacketSurvey) -> Int? {
    guard let header = rule.fixedHeader, rule.xorOffset == nil else { return nil }
    let places = Array(0..<rule.offset) + [header, header + 1]
    return places.first { survey.looksLikeOpcode(at: $0) }
  }
}
