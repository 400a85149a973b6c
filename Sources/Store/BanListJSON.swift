internal import JSON
internal import Auth

/// A line of ``BanListFormat/json``.
enum BanListJSON {
  /// - Returns: nil for a line that holds no object: blank, or a bracket of the array around.
  static func entry(_ line: String, line number: Int) throws(BanListProblem) -> BanListEntry? {
    var text = BanListText.trimmed(line)
    if text == "[" || text == "]" || text.isEmpty || text == "[]" { return nil }
    if text.hasSuffix(",") { text.removeLast() }
    let object: JSONObject
    do throws(JSONObject.Malformed) {
      object = try JSONObject(parsing: Array(text.utf8))
    } catch {
      throw BanListProblem(number, problem(error))
    }
    var values = BanListValues()
    for (name, value) in object.members {
      switch value {
      case .string(let text): try values.set(name, text, line: number)
      case .integer(let value): try values.set(name, String(value), line: number)
      case .other("null"): try values.set(name, "", line: number)
      case .other(let kind):
        throw BanListProblem(number, "\(BanListText.shown(name)) is \(kind)")
      }
    }
    return try values.entry(line: number)
  }

  private static func problem(_ error: JSONObject.Malformed) -> String {
    switch error {
    case .syntax(_, let column, let problem): "column \(column): \(BanListText.shown(problem))"
    case .notAnObject(let kind): "expected one JSON object a line, found \(kind)"
    }
  }
}
