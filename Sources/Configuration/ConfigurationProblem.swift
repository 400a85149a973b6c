/// Something in a configuration file that is wrong, or probably not meant.
public struct ConfigurationProblem: Error, Hashable, Sendable {
  /// The file as the caller named it.
  public var file: String
  /// Counts from 1; 0 when only the key says where it is.
  public var line: Int
  /// Counts code points from 1.
  public var column: Int
  /// The dotted path of the key, as in `listener[2].pool`.
  ///
  /// Entries of a list count from 1. Empty when the file as a whole is meant.
  public var key: String
  public var message: String
  /// What would have been right: reads on after "expected".
  public var expected: String?
  /// The nearest name that would have been right.
  public var suggestion: String?

  init(
    at position: TextPosition, key: String, _ message: String, expected: String? = nil,
    suggestion: String? = nil
  ) {
    self.file = ""
    self.line = position.line
    self.column = position.column
    self.key = key
    self.message = message
    self.expected = expected
    self.suggestion = suggestion
  }
}

extension ConfigurationProblem: CustomStringConvertible {
  /// `FILE:LINE:COLUMN: error: KEY: message; expected … (did you mean "…"?)`, on one line.
  public var description: String { line(as: "error") }

  /// The same with another word for "error".
  public func line(as severity: String) -> String {
    let place = line == 0 ? file : "\(file):\(line):\(column)"
    return "\(place): \(severity): \(text)"
  }

  /// `KEY: message; expected … (did you mean "…"?)`.
  public var text: String { key.isEmpty ? whatIsWrong : "\(key): \(whatIsWrong)" }

  /// The same without the key.
  public var whatIsWrong: String {
    var text = ""
    text += message
    if let expected { text += "; expected \(expected)" }
    if let suggestion { text += " (did you mean \"\(suggestion)\"?)" }
    return text
  }
}

/// A place in a text; both count from 1.
struct TextPosition: Hashable, Comparable, Sendable {
  var line: Int
  /// In code points.
  var column: Int

  static let start = TextPosition(line: 1, column: 1)
  /// Of what was not read from a text with lines.
  static let unknown = TextPosition(line: 0, column: 0)

  static func < (a: TextPosition, b: TextPosition) -> Bool {
    (a.line, a.column) < (b.line, b.column)
  }
}

/// What a file's own text looks like in a message: on one line, without control characters, and
/// not longer than a line.
func shown(_ text: String, scalarsMax: Int = 64) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    guard result.count < scalarsMax else { return String(result) + "…" }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
      result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    default: result.append(scalar)
    }
  }
  return String(result)
}
