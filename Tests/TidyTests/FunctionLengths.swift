import Foundation

/// How long the functions of a Swift file are, by counting braces.
///
/// Knows `func`, `init` and `deinit`; accessors and closures count as part of what holds them.
enum FunctionLengths {
  struct Function: Equatable {
    var name: String
    /// The line of the declaration's keyword, from 1.
    var line: Int
    /// From the keyword's line to the closing brace's, both included.
    var lineCount: Int
  }

  static func of(_ source: String) throws -> [Function] {
    let text = CodeText(source).text
    let declaration = try Regex(#"(?:^|[^.\w`])(func\s+([^\s(]+)|(?:init|deinit)\b)"#)
    return text.matches(of: declaration).compactMap { match in
      let start = match.output[1].range!.lowerBound
      let name = match.output[2].substring ?? match.output[1].substring!
      guard let end = bodyEnd(text, from: match.range.upperBound) else { return nil }
      let line = 1 + text[..<start].count { $0 == "\n" }
      let lineCount = 1 + text[start..<end].count { $0 == "\n" }
      return Function(name: String(name), line: line, lineCount: lineCount)
    }
  }

  /// The brace that closes the body, or nil for a requirement of a protocol, which has none.
  private static func bodyEnd(_ text: String, from start: String.Index) -> String.Index? {
    var parentheses = 0
    var braces = 0
    var at = start
    while at < text.endIndex {
      switch text[at] {
      case "(", "[": parentheses += 1
      case ")", "]": parentheses -= 1
      case "{" where parentheses == 0 || braces > 0: braces += 1
      case "}" where braces > 0:
        braces -= 1
        if braces == 0 { return at }
      case "}" where parentheses == 0: return nil
      case "\n" where braces == 0 && parentheses == 0:
        if beginsAnotherDeclaration(text[at...].dropFirst()) { return nil }
      default: break
      }
      at = text.index(after: at)
    }
    return nil
  }

  /// False for the lines on which a long signature goes on: `-> Result`, `where …`, `{`.
  private static func beginsAnotherDeclaration(_ rest: Substring) -> Bool {
    let line = rest.prefix { $0 != "\n" }.drop { $0 == " " }
    return !["->", "where", "throws", "async", "{"].contains { line.hasPrefix($0) }
  }
}
