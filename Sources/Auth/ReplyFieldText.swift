/// What stands between the braces of a template's field.
struct ReplyFieldText {
  struct Problem: Error {
    var found: String
    var expected: String
  }

  private let name: String
  private let formats: [String]

  init(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    name = parts.first ?? ""
    formats = Array(parts.dropFirst())
  }

  func piece() throws(Problem) -> ReplyTemplate.Piece {
    if let counted = ReplyTemplate.Counted(rawValue: name) { return try count(counted) }
    guard let field = ReplyTemplate.Field(rawValue: name) else {
      let names =
        ReplyTemplate.Field.allCases.map(\.rawValue)
        + ReplyTemplate.Counted.allCases.map(\.rawValue)
      throw Problem(
        found: "no field is named \"\(name.prefix(40))\"",
        expected: names.joined(separator: ", ") + ", or \"{{\" for a brace")
    }
    if field.isNumber, formats.count == 1, let number = Self.number(formats[0]) {
      return .integer(field, number)
    }
    return try text(field)
  }

  /// At most one character set and one ending, in this order or the other.
  private func text(_ field: ReplyTemplate.Field) throws(Problem) -> ReplyTemplate.Piece {
    var charset: ReplyTemplate.TextFormat?
    var ending = ReplyTemplate.Ending.none
    for format in formats {
      if charset == nil, let found = ReplyTemplate.TextFormat(rawValue: format) {
        charset = found
      } else if ending == .none, format == "zero" {
        ending = .zero
      } else if ending == .none, let number = Self.number(format), !field.isNumber {
        ending = .prefix(number)
      } else if ending == .none, format.hasPrefix("pad"), let width = Int(format.dropFirst(3)),
        (1...255).contains(width)
      {
        ending = .padded(width)
      } else {
        throw unknown(format, isNumber: field.isNumber)
      }
    }
    return .text(field, charset ?? .utf8, ending)
  }

  private func unknown(_ format: String, isNumber: Bool) -> Problem {
    let charsets = ReplyTemplate.TextFormat.allCases.map(\.rawValue).joined(separator: ", ")
    return Problem(
      found: "\"\(format.prefix(40))\" is no format here",
      expected: "\(charsets); zero, pad1 to pad255; "
        + (isNumber ? "or, alone, an integer: " : "or a length in front: ") + Self.numbers)
  }

  private static let numbers = "u8, u16le, u16be, u32le, u32be, i32le …, varint"

  /// `u8`, `u16le`, `i32be`, … `u64be`, or `varint`.
  private static func number(_ text: String) -> ReplyTemplate.Number? {
    if text == "varint" { return .varint }
    for isSigned in [false, true] {
      for width in [1, 2, 4, 8] {
        let name = (isSigned ? "i" : "u") + String(8 * width)
        if width == 1 && text == name {
          return .fixed(LoginInteger(width: 1), isSigned: isSigned)
        }
        guard width > 1 else { continue }
        if text == name + "le" {
          return .fixed(LoginInteger(width: width, endianness: .little), isSigned: isSigned)
        }
        if text == name + "be" {
          return .fixed(LoginInteger(width: width, endianness: .big), isSigned: isSigned)
        }
      }
    }
    return nil
  }

  /// `{length:u16le}`, `{rest:varint}`, `{rest:u16be/2}`, `{length:u16le-2}`.
  private func count(_ counted: ReplyTemplate.Counted) throws(Problem) -> ReplyTemplate.Piece {
    let expected =
      "one integer: \(Self.numbers); then, if wanted, \"/2\"; then, if wanted, \"+N\" or \"-N\" "
      + "up to 65536"
    guard formats.count == 1 else {
      throw Problem(found: "\"\(name)\" without its format", expected: expected)
    }
    let format = formats[0]
    let end = format.firstIndex { "/+-".contains($0) } ?? format.endIndex
    var rest = format[end...]
    let divisor = rest.hasPrefix("/2") ? 2 : 1
    if divisor == 2 { rest = rest.dropFirst(2) }
    let adjustment: Int? = rest.isEmpty ? 0 : "+-".contains(rest[rest.startIndex]) ? Int(rest) : nil
    guard let number = Self.number(String(format[..<end])), let adjustment,
      (-65_536...65_536).contains(adjustment)
    else {
      throw Problem(found: "\"\(format.prefix(40))\" is no format here", expected: expected)
    }
    return .count(counted, number, divisor: divisor, adjustment: adjustment)
  }
}

extension ReplyTemplate.Field {
  /// Whether it can be written as an integer, too.
  fileprivate var isNumber: Bool {
    switch self {
    case .until, .remaining, .ban, .now: true
    case .reason, .account, .address, .listener: false
    }
  }
}
