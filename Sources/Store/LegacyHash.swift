public import Auth

/// A hash of a password as another program kept it, before it is wrapped
/// (``PasswordHash/wrap(legacy:_:)``).
///
/// These say themselves what they are: `$2a$`, `$2b$`, `$2y$` (bcrypt), `$1$`, `$5$`, `$6$`
/// (crypt), `$P$`, `$H$` (phpBB 3, WordPress), `$apr1$` and `{SHA}` (Apache's htpasswd),
/// `$SHA$salt$digits` (AuthMe), `*` and 40 digits (MySQL 4.1).
/// So does `$argon2id$`, which is not of old and is taken over as it is.
public struct LegacyHash: Equatable, Sendable {
  /// The longest text, in bytes.
  public static let textByteCountMax = 256
  /// The longest salt, in bytes.
  public static let saltByteCountMax = 64

  /// How it was made.
  let method: LegacyMethod
  /// The hash in its one proper text.
  let text: [UInt8]

  /// - Parameters:
  ///   - salt: what a list has beside the hash; empty counts as none.
  ///   - account: for formulas with the account's name in them.
  public init(
    parsing text: String, format: LegacyFormat = .automatic, salt: [UInt8] = [],
    account: AccountName? = nil
  ) throws(LegacyHashError) {
    guard text.utf8.count <= Self.textByteCountMax else { throw .tooLong }
    guard salt.count <= Self.saltByteCountMax else { throw .saltTooLong }
    // What says itself what it is needs no format, whatever the others of a list are.
    if let found = Self.selfDescribing(text) {
      guard salt.isEmpty else { throw .saltUnexpected }
      (method, self.text) = found
      return
    }
    let layout: LegacyLayout
    if let given = format.layout {
      layout = given
    } else if let found = try Self.layout(ofDigits: text, salt: salt) {
      layout = found
    } else {
      throw .unknownKind
    }
    let digits = layout.function.byteCount * 2
    guard let digest = LegacyDigest.bytes(text.utf8), digest.count * 2 == digits else {
      throw .notDigits(expected: digits)
    }
    guard !layout.needsSalt || !salt.isEmpty else { throw .saltMissing }
    guard layout.needsSalt || salt.isEmpty else { throw .saltUnexpected }
    guard !layout.needsAccount || account != nil else { throw .accountMissing }
    let name = layout.needsAccount ? account.map { Array($0.text.utf8) } ?? [] : []
    method = .layout(layout, salt: salt, account: name)
    self.text = LegacyDigest.digits(digest)
  }

  private static func layout(
    ofDigits text: String, salt: [UInt8]
  ) throws(LegacyHashError) -> LegacyLayout? {
    guard let digest = LegacyDigest.bytes(text.utf8),
      let function = LegacyLayout.Function.allCases.first(where: { $0.byteCount == digest.count })
    else { return nil }
    guard salt.isEmpty else { throw .ambiguousWithSalt }
    return LegacyLayout("\(function.rawValue)(password)")
  }

  private static func selfDescribing(_ text: String) -> (LegacyMethod, [UInt8])? {
    let bytes = Array(text.utf8)
    if let costs = Argon2idText(text), costs.isAffordable { return (.argon2id, bytes) }
    if let setting = LegacyCrypt.setting(of: text) {
      return (.crypt(setting: setting), bytes)
    }
    if text.hasPrefix("$P$") || text.hasPrefix("$H$") {
      let setting = Array(bytes.prefix(LegacyMD5.portableSettingByteCount))
      guard bytes.count == 34, LegacyMD5.isPortable(setting) else { return nil }
      return (.portable(setting: setting), bytes)
    }
    if bytes.starts(with: LegacyMD5.apacheMagic), bytes.count > 22 {
      let setting = Array(bytes.dropLast(22))
      return LegacyMD5.isApache(setting) ? (.apache(setting: setting), bytes) : nil
    }
    if text.hasPrefix("{SHA}"), text.hasSuffix("="), let layout = LegacyLayout("sha1(password)") {
      let url = bytes.dropFirst(5).dropLast().map { byte in
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: byte
        }
      }
      guard let digest = Base64URL.decode(url), digest.count == 20 else { return nil }
      return (.layout(layout, salt: [], account: []), LegacyDigest.digits(digest))
    }
    return withSeparators(text)
  }

  private static func withSeparators(_ text: String) -> (LegacyMethod, [UInt8])? {
    if text.hasPrefix("$SHA$") {
      let fields = text.split(separator: "$", omittingEmptySubsequences: false)
      guard fields.count == 4, (1...saltByteCountMax).contains(fields[2].utf8.count),
        let digest = LegacyDigest.bytes(fields[3].utf8), digest.count == 32,
        let layout = LegacyLayout("sha256(sha256(password)+salt)")
      else { return nil }
      let method = LegacyMethod.layout(layout, salt: Array(fields[2].utf8), account: [])
      return (method, LegacyDigest.digits(digest))
    }
    guard text.hasPrefix("*"), let digest = LegacyDigest.bytes(text.utf8.dropFirst()),
      digest.count == 20, let layout = LegacyLayout("sha1(sha1raw(password))")
    else { return nil }
    return (.layout(layout, salt: [], account: []), LegacyDigest.digits(digest))
  }
}

/// How a legacy hash is made, with everything that it needs but the password.
enum LegacyMethod: Equatable, Sendable {
  case layout(LegacyLayout, salt: [UInt8], account: [UInt8])
  case crypt(setting: String)
  case portable(setting: [UInt8])
  case apache(setting: [UInt8])
  case argon2id

  /// Reads what ``parameters`` writes.
  init?(parameters: String) {
    let words = parameters.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    switch (words.first, words.count) {
    case ("crypt", 2): self = .crypt(setting: words[1])
    case ("phpass", 2): self = .portable(setting: Array(words[1].utf8))
    case ("apr1", 2): self = .apache(setting: Array(words[1].utf8))
    case (let formula?, 3):
      guard let layout = LegacyLayout(formula), let salt = Self.value(words[1]),
        let account = Self.value(words[2])
      else { return nil }
      self = .layout(layout, salt: salt, account: account)
    default: return nil
    }
  }

  /// For `PasswordRecord.parameters`: words with a space between them, values in hexadecimal, `-`
  /// for an empty one.
  var parameters: String {
    switch self {
    case .layout(let layout, let salt, let account):
      "\(layout) \(Self.word(salt)) \(Self.word(account))"
    case .crypt(let setting): "crypt \(setting)"
    case .portable(let setting): "phpass \(String(decoding: setting, as: UTF8.self))"
    case .apache(let setting): "apr1 \(String(decoding: setting, as: UTF8.self))"
    case .argon2id: ""
    }
  }

  /// For `PasswordRecord.scheme`.
  var scheme: String {
    switch self {
    case .layout(let layout, salt: _, account: _): layout.function.rawValue
    case .crypt(let setting): LegacyCrypt.name(ofSetting: setting)
    case .portable: "phpass"
    case .apache: "apr1"
    case .argon2id: PasswordHash.scheme
    }
  }

  /// The text that a password makes; nil when the method can't have hashed it.
  ///
  /// - Throws: ``StoreError/cryptography(_:)``.
  func text(of password: [UInt8]) throws(StoreError) -> [UInt8]? {
    switch self {
    case .layout(let layout, let salt, let account):
      layout.digits(.init(password: password, salt: salt, account: account))
    case .crypt(let setting): try LegacyCrypt.text(of: password, setting: setting)
    case .portable(let setting): LegacyMD5.portable(password, setting: setting)
    case .apache(let setting): LegacyMD5.apache(password, setting: setting)
    // Its record is no wrapped one, and not verified here.
    case .argon2id: nil
    }
  }

  private static func word(_ bytes: [UInt8]) -> String {
    bytes.isEmpty ? "-" : String(decoding: LegacyDigest.digits(bytes), as: UTF8.self)
  }

  private static func value(_ word: String) -> [UInt8]? {
    word == "-" ? [] : LegacyDigest.bytes(word.utf8)
  }
}
