/// A framer's settings that can't be used; named as a definition names them.
public struct FramerDefinitionError: Error, Equatable, Sendable {
  /// The key to change.
  public let key: String
  /// What its value should be instead: reads on after "expected".
  public let expected: String

  public init(key: String, expected: String) {
    self.key = key
    self.expected = expected
  }
}

extension ClosedRange<Int> {
  /// - Throws: ``FramerDefinitionError`` when `value` is not in the range.
  func check(_ value: Int, _ key: String) throws(FramerDefinitionError) {
    guard !contains(value) else { return }
    throw FramerDefinitionError(key: key, expected: "\(lowerBound) to \(upperBound)")
  }
}
