internal import CNettle
internal import CSodium

/// How some program of old made a hash of a password: a small formula.
///
/// ```
/// formula  = function "(" part *( "+" part ) ")"
/// part     = "password" / "salt" / "account" / literal / formula / change
/// change   = ( "upper" / "lower" / "utf16le" ) "(" part *( "+" part ) ")"
/// function = "md5" / "sha1" / "sha256" / "sha512", and each with "raw" behind it
/// literal  = "'" 1*( %x21-26 / %x28-7E ) "'"
/// ```
///
/// A function gives lower-case hexadecimal digits, with "raw" the bytes themselves; the outermost
/// one gives digits. `upper` and `lower` change ASCII letters; `utf16le` is of UTF-8 text.
struct LegacyLayout: Equatable, Sendable, CustomStringConvertible {
  enum Function: String, CaseIterable, Sendable {
    case md5, sha1, sha256, sha512

    /// Of a digest, in bytes.
    var byteCount: Int {
      switch self {
      case .md5: 16
      case .sha1: 20
      case .sha256: 32
      case .sha512: 64
      }
    }
  }

  enum Change: String, CaseIterable, Sendable { case upper, lower, utf16le }

  indirect enum Part: Equatable, Sendable {
    case password, salt, account
    case literal([UInt8])
    case digest(Function, raw: Bool, [Part])
    case change(Change, [Part])
  }

  /// The longest formula, in bytes, and the deepest, in parentheses.
  static let byteCountMax = 200
  static let depthMax = 8

  let function: Function
  let parts: [Part]

  /// - Returns: nil when the text is no formula, is too long or too deep.
  init?(_ text: String) {
    guard text.utf8.count <= Self.byteCountMax else { return nil }
    var reader = LegacyLayoutReader(text)
    guard case .digest(let function, raw: false, let parts)? = reader.formula() else {
      return nil
    }
    self.function = function
    self.parts = parts
  }

  var needsSalt: Bool { Self.contains(.salt, parts) }
  var needsAccount: Bool { Self.contains(.account, parts) }

  private static func contains(_ wanted: Part, _ parts: [Part]) -> Bool {
    parts.contains { part in
      switch part {
      case .password, .salt, .account, .literal: part == wanted
      case .digest(_, raw: _, let inner), .change(_, let inner): contains(wanted, inner)
      }
    }
  }

  /// The one text of this formula.
  var description: String { Self.text(.digest(function, raw: false, parts)) }

  private static func text(_ part: Part) -> String {
    switch part {
    case .password: "password"
    case .salt: "salt"
    case .account: "account"
    case .literal(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
    case .digest(let function, let raw, let inner):
      "\(function.rawValue)\(raw ? "raw" : "")(\(inner.map(text).joined(separator: "+")))"
    case .change(let change, let inner):
      "\(change.rawValue)(\(inner.map(text).joined(separator: "+")))"
    }
  }
}

extension LegacyLayout {
  /// What the formula is about.
  struct Values {
    var password: [UInt8]
    var salt: [UInt8]
    var account: [UInt8]
  }

  /// The hash in lower-case hexadecimal digits.
  func digits(_ values: Values) -> [UInt8] {
    Self.bytes(.digest(function, raw: false, parts), values)
  }

  private static func bytes(_ part: Part, _ values: Values) -> [UInt8] {
    switch part {
    case .password: return values.password
    case .salt: return values.salt
    case .account: return values.account
    case .literal(let bytes): return bytes
    case .digest(let function, let raw, let inner):
      var input = inner.flatMap { bytes($0, values) }
      defer { SecretBytes.wipe(&input) }
      let digest = LegacyDigest.of(input, function)
      return raw ? digest : LegacyDigest.digits(digest)
    case .change(let change, let inner):
      var input = inner.flatMap { bytes($0, values) }
      defer { SecretBytes.wipe(&input) }
      return changed(input, change)
    }
  }

  private static func changed(_ bytes: [UInt8], _ change: Change) -> [UInt8] {
    switch change {
    case .upper: bytes.map { (0x61...0x7a).contains($0) ? $0 & 0xdf : $0 }
    case .lower: bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    case .utf16le:
      String(decoding: bytes, as: UTF8.self).utf16.flatMap {
        [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
      }
    }
  }
}

/// The digests that legacy hashes are made of; good for nothing else.
enum LegacyDigest {
  static func of(_ bytes: [UInt8], _ function: LegacyLayout.Function) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: function.byteCount)
    // SAFETY: each function reads as many bytes as it is told to, and fills `digest`.
    switch function {
    case .md5:
      var context = md5_ctx()
      unsafe nettle_md5_init(&context)
      unsafe nettle_md5_update(&context, bytes.count, bytes)
      unsafe nettle_md5_digest(&context, digest.count, &digest)
    case .sha1:
      var context = sha1_ctx()
      unsafe nettle_sha1_init(&context)
      unsafe nettle_sha1_update(&context, bytes.count, bytes)
      unsafe nettle_sha1_digest(&context, digest.count, &digest)
    case .sha256: unsafe crypto_hash_sha256(&digest, bytes, UInt64(bytes.count))
    case .sha512: unsafe crypto_hash_sha512(&digest, bytes, UInt64(bytes.count))
    }
    return digest
  }

  /// Lower-case hexadecimal.
  static func digits(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }

  /// - Returns: nil unless `text` is pairs of hexadecimal digits, in either case.
  static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}

/// Reads a formula's text, without spaces.
private struct LegacyLayoutReader {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  /// The whole text as one part; nil when anything is left over.
  mutating func formula() -> LegacyLayout.Part? {
    guard let part = part(depth: 0), rest.isEmpty else { return nil }
    return part
  }

  private mutating func part(depth: Int) -> LegacyLayout.Part? {
    guard depth <= LegacyLayout.depthMax else { return nil }
    if rest.first == UInt8(ascii: "'") { return literal() }
    let word = String(
      Substring(
        rest.prefix {
          (0x61...0x7a).contains($0) || (0x30...0x39).contains($0)
        }))
    rest = rest.dropFirst(word.utf8.count)
    switch word {
    case "password": return .password
    case "salt": return .salt
    case "account": return .account
    default:
      guard let inner = parts(depth: depth + 1) else { return nil }
      if let change = LegacyLayout.Change(rawValue: word) { return .change(change, inner) }
      let isRaw = word.hasSuffix("raw")
      let name = isRaw ? String(word.dropLast(3)) : word
      return LegacyLayout.Function(rawValue: name).map { .digest($0, raw: isRaw, inner) }
    }
  }

  private mutating func parts(depth: Int) -> [LegacyLayout.Part]? {
    guard rest.popFirst() == UInt8(ascii: "(") else { return nil }
    var parts: [LegacyLayout.Part] = []
    while true {
      guard let part = part(depth: depth) else { return nil }
      parts.append(part)
      switch rest.popFirst() {
      case UInt8(ascii: "+"): continue
      case UInt8(ascii: ")"): return parts
      default: return nil
      }
    }
  }

  private mutating func literal() -> LegacyLayout.Part? {
    rest = rest.dropFirst()
    let bytes = Array(rest.prefix { $0 != UInt8(ascii: "'") })
    rest = rest.dropFirst(bytes.count)
    guard !bytes.isEmpty, rest.popFirst() == UInt8(ascii: "'"),
      bytes.allSatisfy({ (0x21...0x7e).contains($0) })
    else { return nil }
    return .literal(bytes)
  }
}
