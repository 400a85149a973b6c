internal import CJansson

/// Any value of JSON (RFC 8259) that somebody sent.
public indirect enum JSONValue: Equatable, Sendable {
  case object([Member])
  case array([JSONValue])
  case string(String)
  /// Written without fraction and exponent.
  case integer(Int64)
  case real(Double)
  case bool(Bool)
  case null

  public struct Member: Equatable, Sendable {
    public var name: String
    public var value: JSONValue

    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// Why bytes are not taken.
  public enum Malformed: Error, Equatable, CustomStringConvertible {
    /// Not JSON, or a whole number beyond 64 bits; `line` and `column` count from 1.
    case syntax(line: Int, column: Int, problem: String)
    /// Objects and arrays stand within more than so many others.
    case tooDeep(depthMax: Int)

    public var description: String {
      switch self {
      case .syntax(let line, let column, let problem):
        "not JSON: line \(line), column \(column): \(problem)"
      case .tooDeep(let depthMax):
        "objects and arrays are nested more than \(depthMax) deep"
      }
    }
  }

  /// Parses `bytes`: exactly one value, UTF-8, each name of an object once.
  ///
  /// - Parameter depthMax: so many objects and arrays may stand within each other; at most 1000.
  public init(parsing bytes: [UInt8], depthMax: Int = 32) throws(Malformed) {
    let parsed = try unsafe withParsedText(bytes, flags: Int(JSON_ALLOW_NUL)) {
      root throws(Malformed) in
      try unsafe JSONValue(root, depthLeft: depthMax, depthMax: depthMax)
    }
    switch parsed {
    case .success(let value): self = value
    case .failure(let problem):
      throw .syntax(line: problem.line, column: problem.column, problem: problem.text)
    }
  }

  private init(
    _ json: UnsafeMutablePointer<json_t>, depthLeft: Int, depthMax: Int
  ) throws(Malformed) {
    switch unsafe json.pointee.type {
    case JSON_OBJECT:
      guard depthLeft > 0 else { throw .tooDeep(depthMax: depthMax) }
      var members: [Member] = []
      var iterator = unsafe json_object_iter(json)
      while let position = unsafe iterator {
        let name = unsafe String(cString: json_object_iter_key(position))
        let value = try unsafe JSONValue(
          json_object_iter_value(position)!, depthLeft: depthLeft - 1, depthMax: depthMax)
        members.append(Member(name, value))
        unsafe iterator = json_object_iter_next(json, position)
      }
      self = .object(members)
    case JSON_ARRAY:
      guard depthLeft > 0 else { throw .tooDeep(depthMax: depthMax) }
      var elements: [JSONValue] = []
      for index in 0..<(unsafe json_array_size(json)) {
        elements.append(
          try unsafe JSONValue(
            json_array_get(json, index)!, depthLeft: depthLeft - 1, depthMax: depthMax))
      }
      self = .array(elements)
    case JSON_STRING:
      // SAFETY: jansson's own text, checked to be UTF-8, of the length it gives; copied at once.
      self = unsafe .string(
        json_string_value(json).withMemoryRebound(
          to: UInt8.self, capacity: json_string_length(json)
        ) { text in
          unsafe String(
            decoding: UnsafeBufferPointer(start: text, count: json_string_length(json)),
            as: UTF8.self)
        })
    case JSON_INTEGER: self = unsafe .integer(Int64(json_integer_value(json)))
    case JSON_REAL: self = unsafe .real(json_real_value(json))
    case JSON_TRUE: self = .bool(true)
    case JSON_FALSE: self = .bool(false)
    default: self = .null
    }
  }

  /// The member of an object with this name; nil when there is none, or it is no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// What kind of value it is, with an article: `a string`.
  public var kind: String {
    switch self {
    case .object: kindName(JSON_OBJECT)
    case .array: kindName(JSON_ARRAY)
    case .string: kindName(JSON_STRING)
    case .integer: kindName(JSON_INTEGER)
    case .real: kindName(JSON_REAL)
    case .bool: kindName(JSON_TRUE)
    case .null: kindName(JSON_NULL)
    }
  }
}
