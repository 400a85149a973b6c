extension Rule {
  /// What it takes to write the rule down, in bits.
  ///
  /// The logarithm of how many rules like it, or likelier ones, were tried beside it. Common forms
  /// are shorter than odd ones.
  var bits: Double {
    var bits = prelude == 0 ? 1.0 : 8 + binaryLogarithm(Double(prelude))
    if rawAfter != nil { bits += 10 }
    switch shape {
    case .length(let rule): bits += 1 + rule.bits
    case .delimiter(let delimiter, let isTelnet):
      switch delimiter {
      case [0x0a], [0x0d, 0x0a], [0x00]: bits += 4
      default: bits += 8 + Double(delimiter.count)
      }
      if isTelnet { bits += 2 }
    case .fixed(let size): bits += 20 + binaryLogarithm(Double(size))
    case .choice(let choices):
      bits += 6
      for choice in choices { bits += choice.rule.bits + 6 * Double(choice.leads.count) }
    case .table(let sizes):
      bits += 10
      for size in sizes.values { bits += 8 + binaryLogarithm(Double(size + 1)) }
    }
    return bits
  }

  /// Whether a person would think of this rule where `other` holds, too.
  func isAsPlain(as other: Rule) -> Bool {
    if case .length(let rule) = shape {
      var isOdd = rule.mask != nil || rule.xorOffset != nil || rule.multiplier != 1
      if case .length(let other) = other.shape, rule.encoding == other.encoding { isOdd = true }
      if isOdd { return false }
    }
    return bits <= max(other.bits + 4, 14)
  }

  var choiceCount: Int {
    if case .choice(let choices) = shape { choices.count } else { 1 }
  }

  /// Whether a length counts the rest or the packet, and no odd number of bytes beside that.
  var countsNaturally: Bool {
    guard case .length(let rule) = shape else { return true }
    return rule.adjustment == 0 || rule.adjustment == -(rule.fixedHeader ?? 0)
  }

  /// How much of the length field's bytes the length explains.
  var fieldShare: Double {
    switch shape {
    case .length(let rule): rule.fieldShare
    case .choice(let choices): choices.map(\.rule.fieldShare).max() ?? 1
    case .delimiter, .fixed, .table: 1
    }
  }

  /// How many bytes at each packet's end are the rule's own.
  var tailByteCount: Int {
    if case .delimiter(let delimiter, _) = shape { delimiter.count } else { 0 }
  }
}

extension LengthRule {
  var bits: Double {
    var bits = 1 + 1.5 * binaryLogarithm(Double(offset + 1))
    var header = fixedHeader
    switch encoding {
    case .binary(let width, _):
      switch width {
      case 2: bits += 2
      case 4: bits += 3
      case 1: bits += 3
      default: bits += 6
      }
    case .leb128: bits += 5
    case .prefix: bits += 9
    case .base64: bits += 8
    case .decimal: bits += 8
    }
    if mask != nil { bits += 7 }
    if xorOffset != nil { bits += 8 }
    if multiplier != 1 { bits += 7 }
    header = header ?? 0
    // Counting the rest or the whole packet is what most protocols do.
    if adjustment == 0 || (fixedHeader != nil && adjustment == -header!) {
      bits += 1
    } else if fixedHeader != nil && adjustment == offset - header! {
      bits += 2.5
    } else {
      bits += 4 + binaryLogarithm(Double(abs(adjustment) + 1))
    }
    return bits
  }

  var fieldShare: Double {
    guard case .binary(let width, _) = encoding, let mask else { return 1 }
    return Double(mask.nonzeroBitCount) / Double(width * 8)
  }
}
