package import Auth
internal import Store

/// What is wrong with a ticket.
package enum TicketFlaw: CaseIterable, Equatable, Sendable {
  case cut, badSignature, unknownKey, wrongAudience, expired, notYetValid, livesTooLong
}

extension StoreContents {
  /// The longest that a ticket lives, in seconds.
  package static let ticketLifetimeSeconds: Int64 = 600
  private static let audience = "simulation"
  private static let signer = TicketSigner(
    keyID: "web",
    secretText: TicketKeyText.secretText([UInt8](repeating: 7, count: TicketKeyText.byteCount)))!
  private static let forger = TicketSigner(
    keyID: "forged",
    secretText: TicketKeyText.secretText([UInt8](repeating: 8, count: TicketKeyText.byteCount)))!

  /// What a listener whose clients have tickets is configured with.
  package static var ticketConfiguration: TicketConfiguration {
    let key = TicketConfiguration.Key(
      id: signer.keyID, publicKey: TicketKeyText.publicKey(signer.publicText)!)
    var configuration = TicketConfiguration(keys: [key], audience: audience)
    configuration.lifetimeSecondsMax = ticketLifetimeSeconds
    return configuration
  }

  /// A ticket of an account.
  ///
  /// - Parameters:
  ///   - number: makes the nonce; tickets of one number and account are the same one.
  ///   - now: Unix seconds.
  /// - Returns: the ticket, and what it is refused for on its own account; nil when the ticket is
  ///   good, which a disabled or banned account still does not get in with.
  package static func ticket(
    of account: AccountName, number: UInt64, now: Int64, flaw: TicketFlaw?
  ) -> (secret: [UInt8], refusal: LoginRefusal?) {
    var nonce = [UInt8](repeating: 0, count: Ticket.nonceByteCount)
    for index in 0..<8 { nonce[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    let skew = TicketVerifier.clockSkewSeconds
    var (issuedAt, lifetime) = (now, ticketLifetimeSeconds)
    switch flaw {
    case .expired: issuedAt = now - lifetime - skew
    // It stays so, however long its bearer takes to show it.
    case .notYetValid: issuedAt = now + skew + ticketLifetimeSeconds
    case .livesTooLong: lifetime += 1
    case nil, .cut, .badSignature, .unknownKey, .wrongAudience: break
    }
    var text = Array(
      (flaw == .unknownKey ? forger : signer).sign(
        account: account, audience: flaw == .wrongAudience ? "another" : audience,
        issuedAt: issuedAt, expiresAt: issuedAt + lifetime, nonce: nonce)!.utf8)
    if flaw == .cut { text.removeLast(text.count / 2) }
    if flaw == .badSignature {
      // Not the last digit: some of its bits say nothing.
      let place = text.count - 10
      text[place] = text[place] == 0x41 ? 0x42 : 0x41
    }
    return (text, flaw.map(refusal))
  }

  private static func refusal(of flaw: TicketFlaw) -> LoginRefusal {
    switch flaw {
    case .cut, .livesTooLong: .malformed
    case .badSignature, .unknownKey: .badSignature
    case .wrongAudience: .wrongAudience
    case .expired: .expired
    case .notYetValid: .notYetValid
    }
  }
}
