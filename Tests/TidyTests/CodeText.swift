/// Swift source with comments and the text of string literals replaced by spaces.
///
/// Lines and columns stay where they were. What stands in interpolations goes with its literal; the
/// delimiters stay. Regular-expression literals are not known.
struct CodeText {
  private(set) var bytes: [UInt8]
  private var at = 0

  init(_ source: String) {
    bytes = Array(source.utf8)
    while at < bytes.count {
      if starts(with: "//") {
        blank { $0.bytes[$0.at] == UInt8(ascii: "\n") }
      } else if starts(with: "/*") {
        blankBlockComment()
      } else if bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "#") {
        blankLiteral()
      } else {
        at += 1
      }
    }
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  private func starts(with prefix: String) -> Bool {
    bytes[at...].starts(with: prefix.utf8)
  }

  private mutating func blankOne() {
    if bytes[at] != UInt8(ascii: "\n") { bytes[at] = UInt8(ascii: " ") }
    at += 1
  }

  private mutating func blank(until isEnd: (CodeText) -> Bool) {
    while at < bytes.count, !isEnd(self) { blankOne() }
  }

  /// Block comments nest.
  private mutating func blankBlockComment() {
    var depth = 0
    repeat {
      let opens = starts(with: "/*")
      if opens || starts(with: "*/") {
        depth += opens ? 1 : -1
        blankOne()
      }
      blankOne()
    } while depth > 0 && at < bytes.count
  }

  private mutating func blankLiteral() {
    var pounds = 0
    while at + pounds < bytes.count, bytes[at + pounds] == UInt8(ascii: "#") { pounds += 1 }
    at += pounds
    // A lone # begins a directive or a macro.
    guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return }
    let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
    let hashes = String(repeating: "#", count: pounds)
    at += quotes.utf8.count
    while at < bytes.count {
      if starts(with: quotes + hashes) {
        at += quotes.utf8.count + pounds
        return
      }
      if starts(with: "\\\(hashes)(") {
        blankInterpolation(pounds: pounds)
      } else if pounds == 0, bytes[at] == UInt8(ascii: "\\") {
        blankOne()
        if at < bytes.count { blankOne() }
      } else {
        blankOne()
      }
    }
  }

  /// Up to the parenthesis that closes it; literals in it may hold parentheses of their own.
  private mutating func blankInterpolation(pounds: Int) {
    let start = at
    at += 1 + pounds
    var depth = 0
    repeat {
      switch bytes[at] {
      case UInt8(ascii: "("):
        depth += 1
        at += 1
      case UInt8(ascii: ")"):
        depth -= 1
        at += 1
      case UInt8(ascii: "\""): blankLiteral()
      default: at += 1
      }
    } while depth > 0 && at < bytes.count
    for index in start..<at where bytes[index] != UInt8(ascii: "\n") {
      bytes[index] = UInt8(ascii: " ")
    }
  }
}
