/// How a ticket's keys are written in files and configurations: a word that says which half it is,
/// and 32 bytes in hexadecimal.
///
/// The two prefixes keep a secret key out of a configuration that wants the public one.
public enum TicketKeyText {
  public static let publicPrefix = "ghtp_"
  public static let secretPrefix = "ghts_"
  /// Of either half (RFC 8032 section 5.1.5), in bytes.
  public static let byteCount = 32

  public static func publicText(_ bytes: [UInt8]) -> String { publicPrefix + hex(bytes) }
  public static func secretText(_ seed: [UInt8]) -> String { secretPrefix + hex(seed) }

  /// - Returns: 32 bytes, or nil when this is not a public key's text.
  public static func publicKey(_ text: String) -> [UInt8]? { bytes(text, behind: publicPrefix) }

  /// - Returns: the 32 bytes that the key is made from, or nil when this is not a secret key's
  ///   text.
  public static func secretSeed(_ text: String) -> [UInt8]? { bytes(text, behind: secretPrefix) }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  private static func bytes(_ text: String, behind prefix: String) -> [UInt8]? {
    guard text.hasPrefix(prefix) else { return nil }
    let digits = Array(text.utf8.dropFirst(prefix.utf8.count))
    guard digits.count == byteCount * 2 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
