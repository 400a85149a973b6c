internal import CCrypt
internal import CSodium

/// The system's `crypt` (crypt(5)): bcrypt, and the crypts of SHA-512, SHA-256 and MD5.
enum LegacyCrypt {
  /// The dearest bcrypt that is taken, as the logarithm of its rounds to base 2: seconds each.
  private static let bcryptCostMax = 16
  /// The most rounds of the SHA crypts that are taken: seconds each.
  private static let roundsMax = 1_000_000

  /// What a `crypt` text is made with: everything before its digest.
  ///
  /// - Returns: nil unless the text is of a known kind, whole, and not too dear to check.
  static func setting(of text: String) -> String? {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }) else {
      return nil
    }
    let fields = text.split(separator: "$", omittingEmptySubsequences: false)
    guard fields.count >= 4, fields[0].isEmpty else { return nil }
    switch fields[1] {
    case "2a", "2b", "2y":
      guard fields.count == 4, fields[2].utf8.count == 2, let cost = number(fields[2]),
        (4...bcryptCostMax).contains(cost), fields[3].utf8.count == 53,
        fields[3].utf8.allSatisfy(isDigit64)
      else { return nil }
      return known(String(text.prefix(29)))
    case "1":
      guard fields.count == 4, fields[3].utf8.count == 22 else { return nil }
    case "5", "6":
      guard fields.last?.utf8.count == (fields[1] == "5" ? 43 : 86) else { return nil }
      if fields[2].hasPrefix("rounds=") {
        guard fields.count == 5, let rounds = number(fields[2].dropFirst(7)),
          (1000...roundsMax).contains(rounds)
        else { return nil }
      } else if fields.count != 4 {
        return nil
      }
    default: return nil
    }
    return known(fields.dropLast().joined(separator: "$") + "$")
  }

  /// Nil for a setting that the system's `crypt` refuses, as for a salt with other characters:
  /// nobody could ever log in with it.
  private static func known(_ setting: String) -> String? {
    // SAFETY: the text ends with zero, and is only read.
    switch unsafe crypt_checksalt(setting) {
    case CRYPT_SALT_INVALID, CRYPT_SALT_METHOD_DISABLED: nil
    default: setting
    }
  }

  /// Whether it is one of `./0-9A-Za-z`, which is not looked at by the check of ``known(_:)``.
  private static func isDigit64(_ byte: UInt8) -> Bool {
    (0x2e...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
  }

  /// Digits alone; no sign, which `crypt` does not take.
  private static func number(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }

  /// What the kind of a setting is called.
  static func name(ofSetting setting: String) -> String {
    switch setting.split(separator: "$").first {
    case "1": "md5crypt"
    case "5": "sha256crypt"
    case "6": "sha512crypt"
    default: "bcrypt"
    }
  }

  /// The longest password that `crypt` takes, in bytes.
  private static let passwordByteCountMax = Int(CRYPT_MAX_PASSPHRASE_SIZE)

  /// The whole text that the password makes with this setting.
  ///
  /// - Returns: nil when `crypt` can't have hashed it: too long, or with a zero byte, behind which
  ///   anything would be right.
  /// - Throws: ``StoreError/cryptography(_:)`` when the system's `crypt` does not know the setting.
  static func text(of password: [UInt8], setting: String) throws(StoreError) -> [UInt8]? {
    guard password.count < passwordByteCountMax, !password.contains(0) else { return nil }
    var phrase = password.map { CChar(bitPattern: $0) } + [0]
    let size = MemoryLayout<crypt_data>.size
    let data = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: MemoryLayout<crypt_data>.alignment)
    unsafe data.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    defer {
      unsafe sodium_memzero(data, size)
      unsafe data.deallocate()
      SecretBytes.wipe(&phrase)
    }
    // SAFETY: both texts end with zero; `data` has the size that is told, and holds the answer.
    guard let text = unsafe crypt_rn(phrase, setting, data, Int32(size)),
      unsafe text[0] != CChar(bitPattern: UInt8(ascii: "*"))
    else {
      throw .cryptography("an account's stored password is unknown to crypt(3); set it anew")
    }
    return unsafe Array(String(cString: text).utf8)
  }
}
