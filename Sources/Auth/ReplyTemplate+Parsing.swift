/// Why a template can't be used.
public struct ReplyTemplateError: Error, Equatable, Sendable {
  /// The character of the source that is wrong, from 1.
  public var position: Int
  /// What is there.
  public var found: String
  /// What may be there; reads on after "expected".
  public var expected: String
}

extension ReplyTemplate {
  /// Reads text with fields in braces, such as `You are banned: {reason}\n`.
  ///
  /// Escapes are `\n`, `\r`, `\t`, `\0`, `\\` and `\xHH` for any byte; `{{` is a brace, and a
  /// closing brace alone is one, too. All else is UTF-8. A field is `{name}` or `{name:format…}`.
  public init(text: String) throws(ReplyTemplateError) {
    var parser = ReplyTemplateParser(text)
    try parser.readText()
    try self.init(parser)
  }

  /// Reads pairs of hex digits, with spaces anywhere between them, and fields in braces.
  public init(hex: String) throws(ReplyTemplateError) {
    var parser = ReplyTemplateParser(hex)
    try parser.readHex()
    try self.init(parser)
  }

  private init(_ parser: ReplyTemplateParser) throws(ReplyTemplateError) {
    self.init(pieces: parser.pieces)
    guard fitsItsCounts else {
      throw ReplyTemplateError(
        position: 1, found: "the reply is too long or too short for a field that counts it",
        expected: "a wider integer, or another adjustment")
    }
  }
}

private struct ReplyTemplateParser {
  private let source: [Unicode.Scalar]
  private var at = 0
  private(set) var pieces: [ReplyTemplate.Piece] = []
  /// What came behind the last field.
  private var literal: [UInt8] = []
  private var literalBytes = 0

  init(_ source: String) { self.source = Array(source.unicodeScalars) }

  private func error(_ found: String, _ expected: String, at index: Int) -> ReplyTemplateError {
    ReplyTemplateError(position: index + 1, found: found, expected: expected)
  }

  mutating func readText() throws(ReplyTemplateError) {
    while at < source.count {
      switch source[at] {
      case "{" where at + 1 < source.count && source[at + 1] == "{":
        at += 2
        try add(Array("{".utf8))
      case "{": try readField()
      case "\\": try readEscape()
      default:
        try add(Array(String(source[at]).utf8))
        at += 1
      }
    }
    endLiteral()
  }

  mutating func readHex() throws(ReplyTemplateError) {
    while at < source.count {
      switch source[at] {
      case " ", "\n", "\t", "\r": at += 1
      case "{": try readField()
      default: try add([readByte()])
      }
    }
    endLiteral()
  }

  private mutating func add(_ bytes: [UInt8]) throws(ReplyTemplateError) {
    literalBytes += bytes.count
    guard literalBytes <= ReplyTemplate.literalBytesMax else {
      throw error(
        "the template is too long",
        "at most \(ReplyTemplate.literalBytesMax) bytes besides the fields", at: at)
    }
    literal += bytes
  }

  private mutating func endLiteral() {
    if !literal.isEmpty { pieces.append(.literal(literal)) }
    literal = []
  }

  private mutating func readEscape() throws(ReplyTemplateError) {
    let escapes: [Unicode.Scalar: UInt8] = [
      "n": 0x0a, "r": 0x0d, "t": 0x09, "0": 0, "\\": 0x5c,
    ]
    let start = at
    at += 1
    guard at < source.count else {
      throw error("a backslash at the end", "\\n, \\r, \\t, \\0, \\xHH or \\\\", at: start)
    }
    let kind = source[at]
    at += 1
    if kind == "x" { return try add([readByte()]) }
    guard let byte = escapes[kind] else {
      throw error("an unknown escape", "\\n, \\r, \\t, \\0, \\xHH or \\\\", at: start)
    }
    try add([byte])
  }

  private mutating func readByte() throws(ReplyTemplateError) -> UInt8 {
    var value: UInt8 = 0
    for _ in 0..<2 {
      guard at < source.count, let ascii = UInt8(exactly: source[at].value),
        let digit = hexValue(ascii)
      else {
        throw error(
          at < source.count ? "no hex digit" : "the end", "two hex digits for a byte", at: at)
      }
      value = value << 4 | digit
      at += 1
    }
    return value
  }

  private mutating func readField() throws(ReplyTemplateError) {
    let start = at
    guard let end = source[start...].firstIndex(of: "}") else {
      throw error("a field without an end", "\"}\" behind it, or \"{{\" for a brace", at: start)
    }
    let fields = pieces.count {
      if case .literal = $0 { false } else { true }
    }
    guard fields < ReplyTemplate.fieldsMax else {
      throw error("too many fields", "at most \(ReplyTemplate.fieldsMax)", at: start)
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: source[start + 1..<end])
    let field = ReplyFieldText(String(text))
    endLiteral()
    do throws(ReplyFieldText.Problem) {
      pieces.append(try field.piece())
    } catch {
      throw self.error(error.found, error.expected, at: start + 1)
    }
    at = end + 1
  }
}
