import Auth

/// Goal: a ticket has one text, and base64url and keys have one, too.
enum TicketFuzzer {
  static func run(_ bytes: [UInt8]) {
    parse(bytes)
    if let decoded = Base64URL.decode(bytes) {
      check(Array(Base64URL.encode(decoded).utf8) == bytes, "a second text of the same bytes")
    }
    check(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes, "base64url")
    let text = String(decoding: bytes, as: UTF8.self)
    if let key = TicketKeyText.publicKey(text) {
      check(TicketKeyText.publicText(key) == text.lowercased(), "a public key's text")
    }
    if let seed = TicketKeyText.secretSeed(text) {
      check(TicketKeyText.secretText(seed) == text.lowercased(), "a secret key's text")
    }
    make(bytes)
  }

  private static func parse(_ bytes: [UInt8]) {
    do throws(TicketError) {
      let signed = try SignedTicket(parsing: bytes)
      check(bytes.count <= Ticket.byteCountMax, "too long")
      check(signed.signature.count == SignedTicket.signatureByteCount, "the signature's length")
      let signature = Array(Base64URL.encode(signed.signature).utf8)
      check(signed.signedBytes + [UInt8(ascii: ".")] + signature == bytes, "what is signed")
      check(Array(signed.ticket.unsignedText.utf8) == signed.signedBytes, "another text")
      check(signed.ticket.issuedAt < signed.ticket.expiresAt, "no lifetime")
    } catch {
      check(isPrintable(error.description), "the problem shows what the ticket has")
    }
  }

  /// Of any values that a ticket takes, its text gives them back.
  private static func make(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let nonce = (0..<16).map { _ in input.byte() }
    let (issued, expires) = (Int64(input.word() >> 30), Int64(input.word() >> 30))
    let key = String(decoding: input.bytes(40), as: UTF8.self)
    let audience = String(decoding: input.bytes(80), as: UTF8.self)
    guard let account = AccountName(String(decoding: input.bytes(80), as: UTF8.self)),
      let ticket = Ticket(
        key: key, account: account, audience: audience, issuedAt: issued, expiresAt: expires,
        nonce: nonce)
    else { return }
    let signature = Base64URL.encode(Array(repeating: input.byte(), count: 64))
    let text = Array("\(ticket.unsignedText).\(signature)".utf8)
    check(text.count <= Ticket.byteCountMax, "a ticket of \(text.count) bytes")
    check((try? SignedTicket(parsing: text))?.ticket == ticket, "it is read as another")
  }
}
