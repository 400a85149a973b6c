internal import JSON

extension JSONValue {
  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var number: Int64? {
    guard case .integer(let number) = self else { return nil }
    return number
  }

  /// Empty for what is no array.
  var elements: [JSONValue] {
    guard case .array(let elements) = self else { return [] }
    return elements
  }

  var isTrue: Bool { self == .bool(true) }
}
