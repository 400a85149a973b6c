/// The kinds of framer that a configuration can name.
///
/// To add one: a case here and in ``Framer``, and a ``FramerDefinition`` beside the framer. What
/// reads configurations, checks them and shows them follows from the definition.
public enum FramerKind: String, CaseIterable, Sendable {
  case raw
  case lengthPrefix = "length-prefix"
  case delimiter

  public var definition: FramerDefinition {
    switch self {
    case .raw: .raw
    case .lengthPrefix: .lengthPrefix
    case .delimiter: .delimiter
    }
  }
}

/// What a kind of framer can be told, as data, and how one is made from it.
public struct FramerDefinition: Sendable {
  /// One line for operators, without a full stop.
  public let summary: String
  /// In the order in which they are documented; names are unique.
  public let keys: [FramerKey]
  private let maker: @Sendable (FramerValues) throws(FramerDefinitionError) -> Framer

  public init(
    summary: String, keys: [FramerKey],
    maker: @escaping @Sendable (FramerValues) throws(FramerDefinitionError) -> Framer
  ) {
    self.summary = summary
    self.keys = keys
    self.maker = maker
  }

  /// Makes a framer of values that each fit their key; keys without a value get their default.
  ///
  /// - Precondition: every key that has no default has a value.
  /// - Throws: ``FramerDefinitionError`` when values that are right alone don't fit together.
  public func make(_ values: [String: FramerValue]) throws(FramerDefinitionError) -> Framer {
    var complete = values
    for key in keys where complete[key.name] == nil { complete[key.name] = key.defaultValue }
    return try maker(FramerValues(complete))
  }
}

/// One setting of a kind of framer.
public struct FramerKey: Equatable, Sendable {
  /// What values a key takes.
  public enum ValueType: Equatable, Sendable {
    case integer(ClosedRange<Int>)
    case integerAmong([Int])
    /// A number of bytes, which may be written with a unit.
    case byteCount(ClosedRange<Int>)
    case choice([String])
    case boolean
    /// A text of so many bytes of UTF-8.
    case text(byteCount: ClosedRange<Int>)
    /// So many strings of so many bytes each; one alone may stand without a list.
    case byteStrings(count: ClosedRange<Int>, byteCount: ClosedRange<Int>)
  }

  public let name: String
  public let type: ValueType
  /// Nil for a key that must be given.
  public let defaultValue: FramerValue?
  /// One line for operators, without a full stop.
  public let summary: String

  public init(_ name: String, _ type: ValueType, default: FramerValue?, summary: String) {
    self.name = name
    self.type = type
    self.defaultValue = `default`
    self.summary = summary
  }
}

/// The value of a ``FramerKey``.
public enum FramerValue: Equatable, Sendable {
  case integer(Int)
  case boolean(Bool)
  case text(String)
  case byteStrings([[UInt8]])
}

/// Values by key name, every key of the definition among them.
public struct FramerValues: Sendable {
  private let values: [String: FramerValue]

  init(_ values: [String: FramerValue]) { self.values = values }

  /// - Precondition: the definition has a key of that name and of an integer type.
  public func integer(_ name: String) -> Int {
    guard case .integer(let value) = values[name] else {
      preconditionFailure("\(name) is not an integer key with a value")
    }
    return value
  }

  /// - Precondition: the definition has a key of that name and of type boolean.
  public func boolean(_ name: String) -> Bool {
    guard case .boolean(let value) = values[name] else {
      preconditionFailure("\(name) is not a boolean key with a value")
    }
    return value
  }

  /// - Precondition: the definition has a key of that name that is a choice or a text.
  public func text(_ name: String) -> String {
    guard case .text(let value) = values[name] else {
      preconditionFailure("\(name) is not a text key with a value")
    }
    return value
  }

  /// - Precondition: the definition has a key of that name and of type byte strings.
  public func byteStrings(_ name: String) -> [[UInt8]] {
    guard case .byteStrings(let value) = values[name] else {
      preconditionFailure("\(name) is not a key of byte strings with a value")
    }
    return value
  }
}

/// Values that are right alone but don't fit together.
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

extension Framer: CustomStringConvertible {
  /// The longest packet that the framer lets through, in bytes; nil when reads alone bound it.
  public var packetBytesMax: Int? {
    switch self {
    case .raw: nil
    case .lengthPrefix(let framer): framer.packetBytesMax
    case .delimiter(let framer): framer.packetBytesMax
    }
  }

  /// The kind and what it was told, on one line.
  public var description: String {
    switch self {
    case .raw: FramerKind.raw.rawValue
    case .lengthPrefix(let framer): "\(FramerKind.lengthPrefix.rawValue) (\(framer.settings))"
    case .delimiter(let framer): "\(FramerKind.delimiter.rawValue) (\(framer.settings))"
    }
  }
}

extension FramerDefinition {
  static var raw: FramerDefinition {
    FramerDefinition(summary: "Whatever one read brings is a packet", keys: []) { _ in .raw }
  }
}
