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

extension JSONWriter {
  /// A value as it was parsed.
  mutating func value(_ value: JSONValue) {
    switch value {
    case .object(let members):
      object { json in
        for member in members {
          json.key(member.name)
          json.value(member.value)
        }
      }
    case .array(let elements): array { json in for element in elements { json.value(element) } }
    case .string(let text): string(text)
    case .integer(let number): self.number(number)
    // No answer of the gateway has a fraction in it.
    case .real(let number): string("\(number)")
    case .bool(let flag): bool(flag)
    case .null: null()
    }
  }
}
