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
    var failure = json_error_t()
    // SAFETY: the buffer outlives the call; jansson copies what it keeps.
    let root = unsafe bytes.withUnsafeBytes { buffer in
      unsafe json_loadb(
        buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count,
        Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY), &failure)
    }
    guard let root = unsafe root else { throw Self.malformed(failure) }
    defer { unsafe json_decref(root) }
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
    self.members = members
  }

  private static func value(_ json: UnsafeMutablePointer<json_t>) -> Value {
    switch unsafe json.pointee.type {
    case JSON_STRING: unsafe .string(String(cString: json_string_value(json)))
    case JSON_INTEGER: unsafe .integer(Int64(json_integer_value(json)))
    case let type: .other(kind: kindName(type))
    }
  }

  private static func malformed(_ failure: json_error_t) -> Malformed {
    let problem = unsafe withUnsafeBytes(of: failure.text) { text in
      unsafe String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
    return unsafe .syntax(
      line: max(1, Int(failure.line)), column: max(1, Int(failure.column)), problem: problem)
  }
}

private func kindName(_ type: json_type) -> String {
  switch type {
  case JSON_OBJECT: "an object"
  case JSON_ARRAY: "an array"
  case JSON_STRING: "a string"
  case JSON_INTEGER: "a whole number"
  case JSON_REAL: "a number with a fraction"
  case JSON_TRUE, JSON_FALSE: "a boolean"
  default: "null"
  }
}
