/// What the hashes of a list are; see docs/accounts.md for the names.
public struct LegacyFormat: Equatable, Sendable, CustomStringConvertible {
  /// A format by the name of the program that it is known from.
  public struct Preset: Sendable {
    public var name: String
    /// The formula, as ``LegacyFormat/init(_:)`` takes it.
    public var formula: String
  }

  /// Formulas under a name.
  public static let presets: [Preset] = [
    Preset(name: "md5", formula: "md5(password)"),
    Preset(name: "sha1", formula: "sha1(password)"),
    Preset(name: "sha256", formula: "sha256(password)"),
    Preset(name: "sha512", formula: "sha512(password)"),
    Preset(name: "vbulletin", formula: "md5(md5(password)+salt)"),
    Preset(name: "mybb", formula: "md5(md5(salt)+md5(password))"),
    Preset(name: "smf", formula: "sha1(lower(account)+password)"),
    Preset(name: "joomla", formula: "md5(password+salt)"),
    Preset(name: "authme", formula: "sha256(sha256(password)+salt)"),
    Preset(name: "mangos", formula: "sha1(upper(account)+':'+upper(password))"),
    Preset(name: "mysql", formula: "sha1(sha1raw(password))"),
  ]

  /// Texts that say themselves what they are (see ``LegacyHash``), and bare digests by their
  /// length.
  public static let automatic = LegacyFormat(layout: nil)

  /// Nil for ``automatic``.
  let layout: LegacyLayout?

  private init(layout: LegacyLayout?) { self.layout = layout }

  /// - Parameter text: `auto`, a preset's name, a formula such as `md5(md5(password)+salt)`, or a
  ///   function and what it is of, such as `sha1:salt+password`. Spaces do not count.
  /// - Returns: nil for anything else.
  public init?(_ text: String) {
    guard text.utf8.count <= LegacyLayout.byteCountMax else { return nil }
    let name = text.filter { $0 != " " }
    if name == "auto" {
      self = .automatic
      return
    }
    var formula = Self.presets.first { $0.name == name }?.formula ?? name
    if let colon = formula.firstIndex(of: ":"),
      LegacyLayout.Function(rawValue: String(formula[..<colon])) != nil
    {
      formula = "\(formula[..<colon])(\(formula[formula.index(after: colon)...]))"
    }
    guard let layout = LegacyLayout(formula) else { return nil }
    self.layout = layout
  }

  /// The formula, or `auto`.
  public var description: String { layout?.description ?? "auto" }
}

/// Why a text is not taken as a legacy hash; never names the text.
public enum LegacyHashError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong
  /// It does not say what it is.
  case unknownKind
  /// It has a salt beside it; which formula was used can't be told.
  case ambiguousWithSalt
  /// A formula gives so many hexadecimal digits.
  case notDigits(expected: Int)
  case saltMissing
  case saltTooLong
  /// The format has no place for the salt.
  case saltUnexpected
  /// The formula uses the account's name, and none was given.
  case accountMissing

  public var description: String {
    switch self {
    case .tooLong: "the hash is longer than \(LegacyHash.textByteCountMax) bytes"
    case .unknownKind:
      "the hash does not say what it is; name its format, such as md5(password+salt)"
    case .ambiguousWithSalt:
      "the hash has a salt; name the format that says where it goes, such as md5(password+salt)"
    case .notDigits(let expected): "the hash is not \(expected) hexadecimal digits"
    case .saltMissing: "the format needs a salt and there is none"
    case .saltTooLong: "the salt is longer than \(LegacyHash.saltByteCountMax) bytes"
    case .saltUnexpected: "there is a salt and the format has no place for it"
    case .accountMissing: "the format needs the account's name"
    }
  }
}
