internal import CJansson

/// The members of a flat JSON object that somebody sent: strings and whole numbers.
public struct JSONObject {
  public enum Value: Equatable {
    case string(String)
    case integer(Int64)
    /// Of a kind that no request uses; `kind` is its name with an article.
    case other(kind: String)
  }

  /// Why bytes are not a JSON object.
  public enum Malformed: Error, Equatable {
    /// Not JSON; `line` and `column` count from 1.
    case syntax(line: Int, column: Int, problem: String)
    /// JSON, but of another kind.
    case notAnObject(kind: String)
  }

  /// In an order of the parser's own.
  public let members: [(name: String, value: Value)]

  /// Parses `bytes`: exactly one object, UTF-8, each name once.
  public init(parsing bytes: [UInt8]) throws(Malformed) {
    let parsed = try unsafe withParsedText(bytes) { root throws(Malformed) in
      try unsafe Self.members(of: root)
    }
    switch parsed {
    case .success(let members): self.members = members
    case .failure(let problem):
      throw .syntax(line: problem.line, column: problem.column, problem: problem.text)
    }
  }

  private static func members(
    of root: UnsafeMutablePointer<json_t>
  ) throws(Malformed) -> [(name: String, value: Value)] {
    guard unsafe root.pointee.type == JSON_OBJECT else {
      throw unsafe .notAnObject(kind: kindName(root.pointee.type))
    }
    var members: [(name: String, value: Value)] = []
    var iterator = unsafe json_object_iter(root)
    while let position = unsafe iterator {
      let name = unsafe String(cString: json_object_iter_key(position))
      members.append((name, unsafe Self.value(json_object_iter_value(position)!)))
      unsafe iterator = json_object_iter_next(root, position)
    }
    return members
  }

  private static func value(_ json: UnsafeMutablePointer<json_t>) -> Value {
    switch unsafe json.pointee.type {
    case JSON_STRING: unsafe .string(String(cString: json_string_value(json)))
    case JSON_INTEGER: unsafe .integer(Int64(json_integer_value(json)))
    case let type: .other(kind: kindName(type))
    }
  }
}
