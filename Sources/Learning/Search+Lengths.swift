/// Length fields of binary integers at a fixed place.
extension Search {
  /// The longest prelude that is tried, in bytes.
  static let preludeMax = 32

  private var shortestStream: Int { streams.map(\.bytes.count).max() ?? 0 }

  /// The preludes that leave something of the longest stream.
  private var preludes: ClosedRange<Int> { 0...max(0, min(Self.preludeMax, shortestStream - 2)) }

  mutating func tryLengths() {
    for prelude in preludes {
      for offset in 0...(prelude == 0 ? 8 : 4) {
        for width in 1...4 where prelude == 0 || width != 3 {
          for isLittle in width == 1 ? [false] : [false, true] {
            let rule = LengthRule(
              offset: offset, encoding: .binary(width: width, isLittle: isLittle), adjustment: 0)
            tryAdditions(rule, prelude, prelude == 0 ? -8...16 : -4...8)
          }
        }
      }
    }
  }

  /// What may be added to a length to get the whole packet, and the same on top of the header.
  private mutating func tryAdditions(
    _ rule: LengthRule, _ prelude: Int, _ additions: ClosedRange<Int>
  ) {
    guard let header = rule.fixedHeader else { return }
    for total in additions.lowerBound...max(additions.upperBound, header + 4) {
      var rule = rule
      rule.adjustment = total - header
      attempt(Rule(prelude: prelude, rule))
    }
  }

  /// Masks, two fields that are XORed, lengths that count blocks.
  mutating func trySpecialLengths() {
    for prelude in preludes {
      for (width, isLittle) in [(1, false), (2, true), (2, false), (4, true), (4, false)] {
        var rule = LengthRule(
          encoding: .binary(width: width, isLittle: isLittle), xorOffset: width, adjustment: 0)
        for adjustment in [0, -2 * width, 1, 2, 4] {
          rule.adjustment = adjustment
          attempt(Rule(prelude: prelude, rule))
        }
      }
    }
    for offset in 0...4 {
      for isLittle in [false, true] {
        for (width, mask) in [
          (2, 0x7fff), (2, 0x3fff), (2, 0x0fff), (4, 0x7fff_ffff), (4, 0x3fff_ffff), (1, 0x7f),
          (1, 0x3f),
        ] as [(Int, UInt64)] where width > 1 || !isLittle {
          tryAdditions(
            LengthRule(
              offset: offset, encoding: .binary(width: width, isLittle: isLittle), mask: mask,
              adjustment: 0), 0, 0...8)
        }
        for (width, multiplier) in [(1, 4), (2, 4), (1, 8), (2, 8), (1, 2), (2, 2)]
        where width > 1 || !isLittle {
          tryAdditions(
            LengthRule(
              offset: offset, encoding: .binary(width: width, isLittle: isLittle),
              multiplier: multiplier, adjustment: 0), 0, 0...16)
        }
      }
    }
  }

  /// Lengths of a width that the value says, and lengths in digits.
  mutating func tryTextLengths() {
    for prelude in preludes {
      for offset in 0...2 {
        for adjustment in -3...4 {
          attempt(
            Rule(
              prelude: prelude,
              LengthRule(offset: offset, encoding: .leb128, adjustment: adjustment)))
        }
        attempt(
          Rule(prelude: prelude, LengthRule(offset: offset, encoding: .prefix, adjustment: 0)))
      }
    }
    for prelude in preludes where prelude <= 8 {
      for offset in 0...2 {
        for adjustment in -4...4 {
          for width in 1...4 {
            attempt(
              Rule(
                prelude: prelude,
                LengthRule(
                  offset: offset, encoding: .base64(width: width), adjustment: adjustment)))
          }
        }
        tryDecimals(prelude, offset)
      }
    }
  }

  private mutating func tryDecimals(_ prelude: Int, _ offset: Int) {
    var terminators: Set<UInt8> = []
    for stream in streams.prefix(12) {
      let digits = stream.bytes.dropFirst(prelude + offset).prefix(11)
      if let end = digits.first(where: { !(0x30...0x39).contains($0) }) { terminators.insert(end) }
    }
    for adjustment in -10...4 {
      for terminator in terminators.sorted() {
        let encoding = LengthRule.Encoding.decimal(width: 10, terminator: terminator)
        attempt(
          Rule(
            prelude: prelude,
            LengthRule(offset: offset, encoding: encoding, adjustment: adjustment)))
      }
      for width in 2...8 {
        let encoding = LengthRule.Encoding.decimal(width: width, terminator: nil)
        attempt(
          Rule(
            prelude: prelude,
            LengthRule(offset: offset, encoding: encoding, adjustment: adjustment)))
      }
    }
  }
}
