public import Auth
internal import CSodium

/// Makes the pair of keys that a web site signs tickets with and the gateway checks them with.
public enum TicketKey {
  /// A new Ed25519 pair (RFC 8032), as ``TicketKeyText`` writes keys.
  public static func make() -> (secretText: String, publicText: String) {
    var seed = Sodium.randomBytes(TicketKeyText.byteCount)
    defer { SecretBytes.wipe(&seed) }
    var pair = TicketKeyPair(seed: seed)
    defer { SecretBytes.wipe(&pair.secretKey) }
    return (TicketKeyText.secretText(seed), TicketKeyText.publicText(pair.publicKey))
  }
}

/// Signs tickets, as a community's web site does; for tests and for those who have no web site.
public struct TicketSigner: Sendable {
  /// The secret key's name in the gateway's configuration.
  public let keyID: String
  /// What the gateway's configuration needs, in ``TicketKeyText``'s form.
  public var publicText: String { TicketKeyText.publicText(pair.publicKey) }

  private let pair: TicketKeyPair

  /// - Returns: nil when `keyID` can't name a key (``Ticket/isKeyName(_:)``) or `secretText` is not
  ///   a secret key's text (``TicketKeyText``).
  public init?(keyID: String, secretText: String) {
    guard Ticket.isKeyName(keyID), var seed = TicketKeyText.secretSeed(secretText) else {
      return nil
    }
    defer { SecretBytes.wipe(&seed) }
    self.keyID = keyID
    pair = TicketKeyPair(seed: seed)
  }

  /// A ticket with a nonce of its own.
  ///
  /// - Parameters:
  ///   - issuedAt: Unix seconds.
  ///   - expiresAt: Unix seconds, later than `issuedAt`.
  /// - Returns: nil when a field is beyond its bounds (``Ticket``).
  public func sign(
    account: AccountName, audience: String, issuedAt: Int64, expiresAt: Int64
  ) -> String? {
    sign(
      account: account, audience: audience, issuedAt: issuedAt, expiresAt: expiresAt,
      nonce: Sodium.randomBytes(Ticket.nonceByteCount))
  }

  /// As above, with a nonce that the caller sees to: a simulation's are of its seed.
  package func sign(
    account: AccountName, audience: String, issuedAt: Int64, expiresAt: Int64, nonce: [UInt8]
  ) -> String? {
    guard
      let ticket = Ticket(
        key: keyID, account: account, audience: audience, issuedAt: issuedAt,
        expiresAt: expiresAt, nonce: nonce)
    else { return nil }
    let text = ticket.unsignedText
    return "\(text).\(Base64URL.encode(pair.signature(of: Array(text.utf8))))"
  }
}

/// An Ed25519 pair in libsodium's form.
private struct TicketKeyPair: Sendable {
  var publicKey: [UInt8]
  var secretKey: [UInt8]

  /// - Precondition: `seed` has 32 bytes.
  init(seed: [UInt8]) {
    Sodium.prepare()
    precondition(seed.count == Int(crypto_sign_SEEDBYTES))
    publicKey = [UInt8](repeating: 0, count: Int(crypto_sign_PUBLICKEYBYTES))
    secretKey = [UInt8](repeating: 0, count: Int(crypto_sign_SECRETKEYBYTES))
    // SAFETY: all three have the sizes that the function reads and fills.
    let code = unsafe crypto_sign_seed_keypair(&publicKey, &secretKey, seed)
    precondition(code == 0)
  }

  func signature(of message: [UInt8]) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: Int(crypto_sign_BYTES))
    // SAFETY: as above; the message's length is its own.
    let code = unsafe crypto_sign_detached(
      &signature, nil, message, UInt64(message.count), secretKey)
    precondition(code == 0)
    return signature
  }
}
