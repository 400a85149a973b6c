extension JSONWriter {
  /// A value as it was parsed; a number with a fraction becomes a string, for want of a use.
  public mutating func value(_ value: JSONValue) {
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
    case .real(let number): string("\(number)")
    case .bool(let flag): bool(flag)
    case .null: null()
    }
  }
}
