internal import Framing

extension Rule {
  /// The rule in a few words.
  var words: String {
    let packets =
      switch shape {
      case .length(let rule): rule.words
      case .delimiter(let delimiter, let isTelnet):
        "packets that end with \(DefinitionText.text(delimiter))"
          + (isTelnet ? ", with telnet commands" : "")
      case .fixed(let size): "packets of \(size) bytes"
      case .choice: "a length that the first byte chooses"
      case .table(let sizes): "a size for each of \(sizes.count) opcodes"
      }
    return prelude == 0 ? packets : "\(prelude) bytes, then \(packets)"
  }
}

extension LengthRule {
  var words: String {
    let field =
      switch encoding {
      case .binary(1, _): "a 1-byte length"
      case .binary(let width, let isLittle):
        "a \(width)-byte \(isLittle ? "little" : "big")-endian length"
      case .leb128: "a LEB128 length"
      case .prefix: "a length of 1, 2, 4 or 5 bytes"
      case .base64(let width): "a length of \(width) base-64 digits"
      case .decimal(let width, nil): "a length of \(width) decimal digits"
      case .decimal: "a decimal length"
      }
    let (counts, adjustment) = naturalCounts
    let what =
      switch counts {
      case .rest: "the rest"
      case .selfAndRest: "itself and the rest"
      case .packet: "the packet"
      }
    var text = "\(field) at \(offset) that counts \(what)"
    if adjustment != 0 {
      text += ", \(adjustment > 0 ? "plus" : "minus") \(Wording.count(abs(adjustment), "byte"))"
    }
    if multiplier != 1 { text += " in units of \(multiplier)" }
    if let mask { text += ", bits 0x\(String(mask, radix: 16))" }
    if xorOffset != nil { text += ", XORed with a second field" }
    return text
  }
}
