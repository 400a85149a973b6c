internal import Primitives

extension TableReader {
  /// A string of `byteCount` bytes of UTF-8 without control characters; nil when absent or wrong.
  mutating func text(_ key: String, byteCount: ClosedRange<Int>) -> String? {
    guard let node = take(key) else { return nil }
    return text(key, node, byteCount: byteCount)
  }

  mutating func text(_ key: String, _ node: TomlNode, byteCount: ClosedRange<Int>) -> String? {
    guard case .string(let value) = node.value else {
      noteWrongType(key, node, expected: "a string")
      return nil
    }
    guard byteCount.contains(value.utf8.count) else {
      let bounds = "\(byteCount.lowerBound) to \(byteCount.upperBound) bytes"
      note(
        key, value.isEmpty ? "the string is empty" : "the string has \(value.utf8.count) bytes",
        expected: bounds)
      return nil
    }
    guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      note(key, "the string has a control character in it")
      return nil
    }
    return value
  }

  /// A name: letters, digits, `-`, `_` and `.`, up to 64 of them.
  mutating func name(_ key: String, default: String) -> String {
    guard let value = text(key, byteCount: 1...64) else { return `default` }
    guard isName(value) else {
      note(key, "\"\(shown(value))\" is not a name", expected: nameExpected)
      return `default`
    }
    return value
  }

  mutating func integer(_ key: String, _ bounds: ClosedRange<Int>, default: Int) -> Int {
    guard let node = take(key) else { return `default` }
    return integer(key, node, bounds) ?? `default`
  }

  mutating func integer(_ key: String, _ node: TomlNode, _ bounds: ClosedRange<Int>) -> Int? {
    let expected = "an integer from \(bounds.lowerBound) to \(bounds.upperBound)"
    guard case .integer(let value) = node.value else {
      noteWrongType(key, node, expected: expected)
      return nil
    }
    guard let value = Int(exactly: value), bounds.contains(value) else {
      note(key, "\(value) is out of range", expected: expected)
      return nil
    }
    return value
  }

  /// One of several words.
  mutating func choice<Value>(
    _ key: String, _ choices: [(name: String, value: Value)], default: Value
  ) -> Value {
    guard let node = take(key) else { return `default` }
    return choice(key, node, choices) ?? `default`
  }

  mutating func choice<Value>(
    _ key: String, _ node: TomlNode, _ choices: [(name: String, value: Value)]
  ) -> Value? {
    let expected = list(choices.map { "\"\($0.name)\"" })
    guard case .string(let word) = node.value else {
      noteWrongType(key, node, expected: expected)
      return nil
    }
    if let choice = choices.first(where: { $0.name == word }) { return choice.value }
    note(
      key, "\"\(shown(word))\" is not one of its values", expected: expected,
      suggestion: nearestName(to: word, among: choices.map(\.name)))
    return nil
  }

  /// A string with a unit, or an integer number of seconds.
  mutating func duration(
    _ key: String, _ bounds: ClosedRange<Interval>, default: Interval
  ) -> Interval {
    guard let node = take(key) else { return `default` }
    let range = "\(bounds.lowerBound.configured) to \(bounds.upperBound.configured)"
    let value: Interval
    switch node.value {
    case .integer(let seconds) where seconds >= 0: value = .seconds(UInt64(seconds))
    case .integer(let seconds):
      note(key, "\(seconds) is out of range", expected: range)
      return `default`
    case .string(let text):
      guard let interval = Interval(configured: text) else {
        note(
          key, "\"\(shown(text))\" is not a duration",
          expected: "\"500ms\", \"10s\", \"5m\", \"1h\", \"7d\" or a whole number of seconds")
        return `default`
      }
      value = interval
    case .boolean, .float, .dateOrTime, .array, .table:
      noteWrongType(
        key, node, expected: "a duration such as \"10s\", or a whole number of seconds")
      return `default`
    }
    guard bounds.contains(value) else {
      note(key, "\(node.shownQuantity) is out of range", expected: range)
      return `default`
    }
    return value
  }

  /// A duration that is a whole number of `unit`; `unitName` is its plural.
  mutating func wholeDuration(
    _ key: String, _ bounds: ClosedRange<Interval>, of unit: Interval, _ unitName: String,
    default: Interval
  ) -> Interval {
    let value = duration(key, bounds, default: `default`)
    guard value.nanoseconds % unit.nanoseconds == 0 else {
      note(
        key, "\(value.configured) is not a whole number of \(unitName)",
        expected: "whole \(unitName)")
      return `default`
    }
    return value
  }

  /// A string with a unit, or an integer number of bytes.
  mutating func byteCount(_ key: String, _ bounds: ClosedRange<Int>, default: Int) -> Int {
    guard let node = take(key) else { return `default` }
    return byteCount(key, node, bounds) ?? `default`
  }

  mutating func byteCount(_ key: String, _ node: TomlNode, _ bounds: ClosedRange<Int>) -> Int? {
    let value: Int
    switch node.value {
    case .integer(let count): value = Int(count)
    case .string(let text):
      guard let count = ByteCountText.parse(text) else {
        note(
          key, "\"\(shown(text))\" is not a byte size",
          expected: "\"64KiB\", \"4MiB\", \"1MB\" or a whole number of bytes")
        return nil
      }
      value = count
    case .boolean, .float, .dateOrTime, .array, .table:
      noteWrongType(
        key, node, expected: "a byte size such as \"64KiB\", or a whole number of bytes")
      return nil
    }
    guard bounds.contains(value) else {
      note(
        key, "\(node.shownQuantity) is out of range",
        expected: "\(ByteCountText.describe(bounds.lowerBound)) to "
          + ByteCountText.describe(bounds.upperBound))
      return nil
    }
    return value
  }

  mutating func boolean(_ key: String, default: Bool) -> Bool {
    guard let node = take(key) else { return `default` }
    return boolean(key, node) ?? `default`
  }

  mutating func boolean(_ key: String, _ node: TomlNode) -> Bool? {
    guard case .boolean(let value) = node.value else {
      noteWrongType(key, node, expected: "true or false")
      return nil
    }
    return value
  }

  static let addressExpected = "an address such as \"192.0.2.7:7999\" or \"[::1]:7999\""

  /// A host and a port in one string; nil when wrong.
  mutating func address(_ key: String, _ node: TomlNode) -> HostPort? {
    guard case .string(let text) = node.value else {
      noteWrongType(key, node, expected: Self.addressExpected)
      return nil
    }
    switch HostPort.parse(text) {
    case .success(let address): return address
    case .failure(let failure):
      note(
        key, failure.message, expected: Self.addressExpected, suggestion: failure.suggestion)
      return nil
    }
  }
}

extension TomlNode {
  /// A quantity as the file has it.
  fileprivate var shownQuantity: String {
    switch value {
    case .integer(let count): "\(count)"
    case .string(let text): "\"\(shown(text))\""
    case .boolean, .float, .dateOrTime, .array, .table: typeName
    }
  }
}

let nameExpected = "1 to 64 letters, digits, \"-\", \"_\" or \".\""

func isName(_ text: String) -> Bool {
  (1...64).contains(text.utf8.count)
    && text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
}

/// `a, b or c`.
func list(_ items: [String]) -> String {
  guard let last = items.last, items.count > 1 else { return items.first ?? "" }
  return items.dropLast().joined(separator: ", ") + " or " + last
}
