/// Looks through a text for what would take the parser beyond its means.
///
/// A dotted key nests one table for each part, and the parser bounds that by nothing: a key of a
/// million parts would exhaust the stack. A NUL would end the text without a word. All else that
/// is wrong is left for the parser to say. Strings and comments are told apart as TOML 1.0 does; a
/// text in which this gets out of step has a syntax error before that place.
struct TomlScan {
  static let keyPartsMax = 32

  private enum State: Equatable {
    case plain
    case comment
    /// Between quotes of this kind; `isLong` between three of them.
    case string(quote: UInt8, isLong: Bool)
  }

  private var state = State.plain
  private var position = TextPosition.start
  private var dots = 0

  mutating func firstProblem(in text: [UInt8]) -> ConfigurationProblem? {
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == 0 {
        return ConfigurationProblem(at: position, key: "", "the file contains a NUL byte")
      }
      let length = consume(text, at: index)
      if dots >= Self.keyPartsMax {
        return ConfigurationProblem(
          at: position, key: "", "a dotted key has more than \(Self.keyPartsMax) parts")
      }
      for consumed in text[index..<index + length] { advance(over: consumed) }
      index += length
    }
    return nil
  }

  private mutating func advance(over byte: UInt8) {
    if byte == UInt8(ascii: "\n") {
      position.line += 1
      position.column = 1
    } else if byte & 0xC0 != 0x80 {
      position.column += 1
    }
  }

  /// Takes what stands at `index` and says how many bytes it has, at least 1.
  private mutating func consume(_ text: [UInt8], at index: Int) -> Int {
    let byte = text[index]
    switch state {
    case .plain: return consumePlain(text, at: index)
    case .comment:
      if byte == UInt8(ascii: "\n") { state = .plain }
      return 1
    case .string(let quote, let isLong):
      if byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") {
        // NUL is looked for at each consumed item's first byte only, so it is not skipped here.
        return index + 1 < text.count && text[index + 1] != 0 ? 2 : 1
      }
      if byte == UInt8(ascii: "\n") && !isLong { state = .plain }
      guard byte == quote else { return 1 }
      guard isLong else {
        state = .plain
        return 1
      }
      // Up to two quotes may stand before the three that end the string.
      let run = quotes(quote, in: text, at: index)
      if run >= 3 { state = .plain }
      return min(run, 5)
    }
  }

  private mutating func consumePlain(_ text: [UInt8], at index: Int) -> Int {
    let byte = text[index]
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let run = quotes(byte, in: text, at: index)
      if run == 2 { return 2 }
      state = .string(quote: byte, isLong: run >= 3)
      return run >= 3 ? 3 : 1
    case UInt8(ascii: "#"): state = .comment
    case UInt8(ascii: "."): dots += 1
    case UInt8(ascii: "\n"), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "["),
      UInt8(ascii: "{"):
      dots = 0
    default: break
    }
    return 1
  }

  /// How many of `quote` stand at `index` in a row; more than 5 are not counted.
  private func quotes(_ quote: UInt8, in text: [UInt8], at index: Int) -> Int {
    var run = 0
    while run < 5, index + run < text.count, text[index + run] == quote { run += 1 }
    return run
  }
}
