internal import Auth
internal import CSodium

/// The secrets that are handed out as tokens, and what is kept of them.
public enum TokenSecret {
  /// What made secrets begin with, so that one that leaks is recognised.
  public static let prefix = "ght_"
  /// Any secret of such a length, in bytes, can be a token: games bring their own.
  public static let byteCounts = 1...4096
  /// Of ``hash(of:)``, in bytes.
  public static let hashByteCount = 32

  /// A new secret of 256 random bits, `ght_` and 43 characters of base64url, and its hash.
  public static func make() -> (text: String, hash: [UInt8]) {
    let text = prefix + Base64URL.encode(Sodium.randomBytes(32))
    return (text, hash(of: Array(text.utf8)))
  }

  /// BLAKE2b-256 (RFC 7693) of a secret: all that the store keeps.
  ///
  /// Without a salt, since it is what a token is found by; a made secret is too long to be guessed,
  /// and a secret that a game brings should be.
  public static func hash(of secret: [UInt8]) -> [UInt8] {
    Sodium.prepare()
    var hash = [UInt8](repeating: 0, count: hashByteCount)
    // SAFETY: both lengths are the arrays' own.
    let code = unsafe crypto_generichash(&hash, hash.count, secret, UInt64(secret.count), nil, 0)
    precondition(code == 0)
    return hash
  }
}
