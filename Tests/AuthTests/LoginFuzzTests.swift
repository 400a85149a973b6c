import Auth
import Primitives
import Testing

/// Goal: no bytes make any description trap, give a value beyond its bounds, or an account that
/// can't be one.
///
/// Method: random descriptions of every form take random packets, by seed, many of them made of
/// what separates and pads.
@Suite struct LoginFuzzTests {
  private static let integers = [1, 2, 3, 4, 8].flatMap { width in
    LoginInteger.Endianness.allCases.map { LoginInteger(width: width, endianness: $0) }
  }

  private func offset(_ random: inout SeededRandom) -> Int {
    [0, 1, 2, 4, -1, -4, .max, .min, Int.random(in: -40...40, using: &random)]
      .randomElement(using: &random)!
  }

  private func marks(_ counts: ClosedRange<Int>, _ random: inout SeededRandom) -> [UInt8] {
    let marks = Array("\0\0  \r\n\\=;:,ab/+AB019\u{fe}".utf8)
    return (0..<Int.random(in: counts, using: &random)).map { _ in
      marks.randomElement(using: &random)!
    }
  }

  private func form(_ random: inout SeededRandom) -> LoginField.Form {
    let integer = Self.integers.randomElement(using: &random)!
    let number = [0, 1, 2, 3, -1, .max, .min].randomElement(using: &random)!
    let separator: [UInt8] = [[], [0x5c], [0x3d], [0x3d, 0x3b]].randomElement(using: &random)!
    return [
      .fixed(
        width: [0, 1, 5, 30, -1, .max].randomElement(using: &random)!,
        padding: LoginField.Padding.allCases.randomElement(using: &random)!),
      .zeroTerminated, .lengthPrefixed(integer), .varintPrefixed,
      .integer(integer, Bool.random(using: &random) ? .decimal : .hex),
      .bytes([0, 1, 16, -1, .max, .min].randomElement(using: &random)!),
      .word(number, toEnd: Bool.random(using: &random)), .line, .rest,
      .pair(
        key: "a", valueSeparator: separator,
        pairSeparator: Bool.random(using: &random) ? separator : [0x3b]),
      .pair(key: "a", valueSeparator: [0x3d], pairSeparator: [0x3b]),
      .split(number, delimiter: separator),
    ].randomElement(using: &random)!
  }

  private func field(_ random: inout SeededRandom) -> LoginField {
    var field = LoginField(
      [.account, .account, .secret, .attribute("a"), .attribute("b")].randomElement(
        using: &random)!,
      form(&random))
    if Bool.random(using: &random) { field.start = .offset(offset(&random)) }
    if Bool.random(using: &random) { field.start = .afterPrevious(skip: offset(&random)) }
    if Bool.random(using: &random) {
      field.charset = LoginField.Charset.allCases.randomElement(using: &random)!
    }
    if Bool.random(using: &random) { field.xor = marks(0...3, &random) }
    if Bool.random(using: &random) { field.prefixToStrip = "a" }
    if Bool.random(using: &random) { field.suffixToStrip = " " }
    field.folding = LoginField.Folding.allCases.randomElement(using: &random)
    field.bytesMax = [0, 3, 4096, .max, -1].randomElement(using: &random)!
    field.isOptional = Bool.random(using: &random)
    return field
  }

  private func condition(_ random: inout SeededRandom) -> LoginCondition {
    [
      .bytes(marks(0...1, &random), offset: offset(&random)),
      .integer(
        Self.integers.randomElement(using: &random)!, offset: offset(&random),
        mask: random.next(), value: 0),
      .text("a", ignoresCase: true), .byteCount(0...Int.random(in: 0...40, using: &random)),
    ].randomElement(using: &random)!
  }

  private func description(_ random: inout SeededRandom) -> LoginDescription {
    let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      LoginPart(
        packet: [.firstMatch, .firstMatch, .ordinal(1), .ordinal(2), .ordinal(.min)]
          .randomElement(using: &random)!,
        match: Bool.random(using: &random) ? [condition(&random)] : [],
        isOptional: Bool.random(using: &random),
        fields: (0..<Int.random(in: 0...3, using: &random)).map { _ in field(&random) })
    }
    let asks = random.next() % 8 == 0
    return LoginDescription(
      parts: parts, isOrdered: Bool.random(using: &random),
      isTelnet: Bool.random(using: &random),
      answers: asks ? [LoginAnswer(on: .packet([condition(&random)]), reply: nil)] : [],
      before: LoginDescription.Before.allCases.randomElement(using: &random)!,
      packetsMax: [4, .max, 0, .min].randomElement(using: &random)!,
      bytesMax: [16 << 10, 100, .max, .min].randomElement(using: &random)!)
  }

  private func packet(_ random: inout SeededRandom) -> [UInt8] {
    switch random.next() % 5 {
    case 0:
      (0..<Int.random(in: 0...80, using: &random)).map { _ in
        UInt8(truncatingIfNeeded: random.next())
      }
    case 1: marks(0...80, &random)
    case 2, 3:
      (0..<Int.random(in: 1...9, using: &random)).flatMap { _ in
        Array(["a=", "a;", "b;a=", " a"].randomElement(using: &random)!.utf8)
      }
    default: [UInt8(random.next() % 8), 0] + marks(0...12, &random)
    }
  }

  @Test func noBytesBreakAnyDescription() {
    var random = SeededRandom(seed: 3)
    var counts: [String: Int] = [:]
    for round in 0..<25_000 {
      let description = description(&random)
      var progress = LoginProgress()
      taking: for _ in 0..<5 {
        let step = progress.take(packet(&random), of: description)
        switch step.next {
        case .more: counts["more", default: 0] += 1
        case .close: break taking
        case .fault(let fault):
          counts[fault.rawValue, default: 0] += 1
          #expect(step.disposition == .consume)
          break taking
        case .complete(let credentials):
          counts["complete", default: 0] += 1
          let name = credentials.account
          #expect(name == nil || name.flatMap(AccountName.init) != nil, "round \(round)")
          #expect(credentials.secret.count <= LoginField.secretBytesMax, "round \(round)")
          for attribute in credentials.attributes {
            #expect(attribute.value.utf8.count <= LoginField.textBytesMax, "round \(round)")
          }
          break taking
        }
      }
    }
    #expect(counts["more", default: 0] > 1_000 && counts["complete", default: 0] > 1_000)
    // Each fault was met often enough to mean something.
    for fault in LoginFault.allCases {
      #expect(counts[fault.rawValue, default: 0] > 2, "\(fault)")
    }
  }
}
