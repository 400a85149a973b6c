/// The two iterated forms of MD5 that web programs keep passwords in, and that no library here has.
enum LegacyMD5 {
  private static let alphabet = Array(
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

  /// Of a `$P$` text: prefix, cost, salt (12 bytes), and the digest's 22 digits.
  static let portableSettingByteCount = 12
  /// The dearest cost that is taken, as the logarithm of the rounds to base 2.
  private static let portableCostMax = 18

  /// "Portable" hashes of phpBB 3, WordPress and others: `$P$` or `$H$`, a digit of cost, 8 of
  /// salt.
  ///
  /// - Returns: nil when the setting is none.
  static func portable(_ password: [UInt8], setting: [UInt8]) -> [UInt8]? {
    guard let cost = portableCost(setting) else { return nil }
    var digest = LegacyDigest.of(setting[4...] + password, .md5)
    for _ in 0..<(1 << cost) { digest = LegacyDigest.of(digest + password, .md5) }
    return setting + encoded(digest)
  }

  static func isPortable(_ setting: [UInt8]) -> Bool { portableCost(setting) != nil }

  private static func portableCost(_ setting: [UInt8]) -> Int? {
    guard setting.count == portableSettingByteCount,
      setting.starts(with: "$P$".utf8) || setting.starts(with: "$H$".utf8),
      setting[4...].allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      let cost = alphabet.firstIndex(of: setting[3]), (7...portableCostMax).contains(cost)
    else { return nil }
    return cost
  }

  static let apacheMagic = Array("$apr1$".utf8)

  /// Apache's variant of the MD5 crypt of FreeBSD: `$apr1$`, up to 8 bytes of salt, `$`.
  ///
  /// - Returns: nil when the setting is none.
  static func apache(_ password: [UInt8], setting: [UInt8]) -> [UInt8]? {
    guard isApache(setting) else { return nil }
    let salt = Array(setting[apacheMagic.count..<(setting.count - 1)])
    let inner = LegacyDigest.of(password + salt + password, .md5)
    var first = password + apacheMagic + salt
    for at in stride(from: 0, to: password.count, by: 16) {
      first += inner.prefix(password.count - at)
    }
    var bits = password.count
    while bits > 0 {
      first.append(bits & 1 == 1 ? 0 : password[0])
      bits >>= 1
    }
    var digest = LegacyDigest.of(first, .md5)
    for round in 0..<1000 {
      var input = round % 2 == 1 ? password : digest
      if round % 3 != 0 { input += salt }
      if round % 7 != 0 { input += password }
      input += round % 2 == 1 ? digest : password
      digest = LegacyDigest.of(input, .md5)
    }
    return setting + shuffled(digest)
  }

  static func isApache(_ setting: [UInt8]) -> Bool {
    setting.starts(with: apacheMagic) && setting.last == UInt8(ascii: "$")
      && (1...8).contains(setting.count - apacheMagic.count - 1)
      && setting.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }

  /// Three bytes make four digits, the lowest bits first.
  private static func encoded(_ digest: [UInt8]) -> [UInt8] {
    stride(from: 0, to: digest.count, by: 3).flatMap { at in
      let group = digest[at..<min(at + 3, digest.count)]
      let value = group.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return (0...group.count).map { alphabet[Int(value >> UInt32(6 * $0) & 63)] }
    }
  }

  /// The digest's bytes in the order of the MD5 crypt.
  private static func shuffled(_ digest: [UInt8]) -> [UInt8] {
    let order = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11]
    return encoded(order.map { digest[$0] })
  }
}
