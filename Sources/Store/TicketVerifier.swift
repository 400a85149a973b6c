public import Auth
internal import CSodium

/// Decides on a ticket as far as the ticket alone allows: whether it was used or revoked only the
/// database knows.
public enum TicketVerifier {
  /// By how much the web site's clock may differ from ours, in seconds.
  public static let clockSkewSeconds: Int64 = 60

  public enum Finding: Equatable, Sendable {
    case good(Ticket)
    case refused(LoginRefusal)
  }

  /// Looks at form, signature, audience and times, in this order: nothing is said about a ticket
  /// whose signature is not good.
  ///
  /// A ticket that is to live longer than the configuration allows is `malformed`; one of a key
  /// that the configuration does not have is a `badSignature`.
  ///
  /// - Parameter now: Unix seconds.
  public static func check(
    _ text: [UInt8], _ configuration: TicketConfiguration, now: Int64
  ) -> Finding {
    let signed: SignedTicket
    do throws(TicketError) {
      signed = try SignedTicket(parsing: text)
    } catch {
      return .refused(.malformed)
    }
    let ticket = signed.ticket
    guard let key = configuration.keys.first(where: { $0.id == ticket.key }),
      isGood(signed.signature, of: signed.signedBytes, publicKey: key.publicKey)
    else { return .refused(.badSignature) }
    guard ticket.audience.utf8.elementsEqual(configuration.audience.utf8) else {
      return .refused(.wrongAudience)
    }
    guard ticket.expiresAt - ticket.issuedAt <= configuration.lifetimeSecondsMax else {
      return .refused(.malformed)
    }
    guard ticket.issuedAt <= now + clockSkewSeconds else { return .refused(.notYetValid) }
    guard now < ticket.expiresAt + clockSkewSeconds else { return .refused(.expired) }
    return .good(ticket)
  }

  private static func isGood(
    _ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]
  ) -> Bool {
    Sodium.prepare()
    guard publicKey.count == Int(crypto_sign_PUBLICKEYBYTES),
      signature.count == Int(crypto_sign_BYTES)
    else { return false }
    // SAFETY: both have the sizes that the function reads; the message's length is its own.
    return unsafe crypto_sign_verify_detached(
      signature, message, UInt64(message.count), publicKey) == 0
  }
}
