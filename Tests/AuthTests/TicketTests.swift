import Primitives
import Testing

@testable import Auth

@Suite struct TicketTests {
  private static let nonce = [UInt8](repeating: 7, count: 16)
  private static let signature = [UInt8](repeating: 9, count: 64)

  private func ticket() throws -> Ticket {
    try #require(
      Ticket(
        key: "k1", account: AccountName("Anna")!, audience: "play.example.org",
        issuedAt: 1_700_000_000, expiresAt: 1_700_000_300, nonce: Self.nonce))
  }

  private func text(_ ticket: Ticket) -> [UInt8] {
    Array("\(ticket.unsignedText).\(Base64URL.encode(Self.signature))".utf8)
  }

  @Test func aTicketReadsBackAsItWasWritten() throws {
    let ticket = try ticket()
    let signed = try SignedTicket(parsing: text(ticket))
    #expect(signed.ticket == ticket)
    #expect(signed.ticket.account.text == "Anna")
    #expect(signed.signature == Self.signature)
    #expect(signed.signedBytes == Array(ticket.unsignedText.utf8))
  }

  @Test func theLongestTicketFits() throws {
    let ticket = try #require(
      Ticket(
        key: String(repeating: "k", count: 32),
        account: AccountName(String(repeating: "a", count: 64))!,
        audience: String(repeating: "b", count: 64), issuedAt: 9_999_999_998,
        expiresAt: 9_999_999_999, nonce: Self.nonce))
    #expect(try SignedTicket(parsing: text(ticket)).ticket == ticket)
    #expect(text(ticket).count <= Ticket.byteCountMax)
  }

  @Test func fieldsBeyondTheirBoundsMakeNoTicket() {
    let name = AccountName("a")!
    func make(
      key: String = "k", audience: String = "x", issued: Int64 = 1, expires: Int64 = 2,
      nonce: [UInt8] = TicketTests.nonce
    ) -> Ticket? {
      Ticket(
        key: key, account: name, audience: audience, issuedAt: issued, expiresAt: expires,
        nonce: nonce)
    }
    #expect(make() != nil)
    #expect(make(key: "") == nil)
    #expect(make(key: "a.b") == nil)
    #expect(make(audience: "") == nil)
    #expect(make(issued: 2) == nil)
    #expect(make(issued: -1) == nil)
    #expect(make(expires: 10_000_000_000) == nil)
    #expect(make(nonce: [1]) == nil)
  }

  @Test func eachFaultHasItsName() throws {
    let a = "QW5uYQ"
    let n = Base64URL.encode(Self.nonce)
    let s = Base64URL.encode(Self.signature)
    let table: [(String, TicketError)] = [
      ("", .otherVersion),
      ("gh2.k.\(a).\(a).1.2.\(n).\(s)", .otherVersion),
      ("gh1", .otherVersion),
      ("gh1.k.\(a).\(a).1.2.\(n)", .wrongFieldCount(7)),
      ("gh1.k.\(a).\(a).1.2.\(n).\(s).", .wrongFieldCount(9)),
      ("gh1..\(a).\(a).1.2.\(n).\(s)", .badKeyName),
      ("gh1.k k.\(a).\(a).1.2.\(n).\(s)", .badKeyName),
      ("gh1.k.QW5uYQ==.\(a).1.2.\(n).\(s)", .badBase64(.account)),
      ("gh1.k.QW5uYR.\(a).1.2.\(n).\(s)", .badBase64(.account)),
      ("gh1.k.A.\(a).1.2.\(n).\(s)", .badBase64(.account)),
      ("gh1.k.._.1.2.\(n).\(s)", .badLength(.account)),
      ("gh1.k.IGE.\(a).1.2.\(n).\(s)", .badAccount),
      ("gh1.k._w.\(a).1.2.\(n).\(s)", .badAccount),
      ("gh1.k.\(a)._w.1.2.\(n).\(s)", .badAudience),
      ("gh1.k.\(a).\(a).01.2.\(n).\(s)", .badNumber(.issued)),
      ("gh1.k.\(a).\(a).-1.2.\(n).\(s)", .badNumber(.issued)),
      ("gh1.k.\(a).\(a).1..\(n).\(s)", .badNumber(.expires)),
      ("gh1.k.\(a).\(a).1.12345678901.\(n).\(s)", .badNumber(.expires)),
      ("gh1.k.\(a).\(a).2.2.\(n).\(s)", .noLifetime),
      ("gh1.k.\(a).\(a).1.2.AAAA.\(s)", .badLength(.nonce)),
      ("gh1.k.\(a).\(a).1.2.\(n).AAAA", .badLength(.signature)),
      ("gh1." + String(repeating: "x", count: 400), .tooLong(byteCount: 404)),
    ]
    for (text, expected) in table {
      #expect(throws: expected, "\(text)") { _ = try SignedTicket(parsing: Array(text.utf8)) }
    }
  }

  /// Goal: nobody can have a second text for a ticket, and no bytes trap.
  ///
  /// Method: texts a few random changes away from a ticket; what is still read writes itself back.
  @Test func changedTicketsAreRefusedOrThemselves() throws {
    var random = SeededRandom(seed: 11)
    let whole = text(try ticket())
    var read = 0
    for _ in 0..<20_000 {
      var changed = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let at = Int.random(in: 0..<changed.count, using: &random)
        switch UInt8.random(in: 0...2, using: &random) {
        case 0: changed[at] = UInt8.random(in: 0...255, using: &random)
        case 1: changed.remove(at: at)
        default: changed.insert(whole.randomElement(using: &random)!, at: at)
        }
      }
      do throws(TicketError) {
        let signed = try SignedTicket(parsing: changed)
        read += 1
        let again = "\(signed.ticket.unsignedText).\(Base64URL.encode(signed.signature))"
        #expect(Array(again.utf8) == changed)
        #expect(Array(signed.ticket.unsignedText.utf8) == signed.signedBytes)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    #expect(read > 0 && read < 20_000)
  }

  @Test func keyTextsKeepTheirHalvesApart() throws {
    let bytes = (0..<32).map { UInt8($0 * 8) }
    let publicText = TicketKeyText.publicText(bytes)
    #expect(TicketKeyText.publicKey(publicText) == bytes)
    #expect(TicketKeyText.secretSeed(publicText) == nil)
    #expect(TicketKeyText.secretSeed(TicketKeyText.secretText(bytes)) == bytes)
    #expect(TicketKeyText.publicKey(publicText + "00") == nil)
    #expect(TicketKeyText.publicKey(String(publicText.dropLast()) + "g") == nil)
  }
}

@Suite struct TicketBase64Tests {
  @Test func theStandardsExamplesHold() {
    // RFC 4648 section 10, without padding.
    let table = [
      ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
      ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ]
    for (bytes, text) in table {
      #expect(Base64URL.encode(Array(bytes.utf8)) == text)
      #expect(Base64URL.decode(Array(text.utf8)) == Array(bytes.utf8))
    }
    #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
  }

  @Test func everyTextIsRefusedOrWritesItselfBack() {
    var random = SeededRandom(seed: 3)
    let letters = Array("AZaz09-_+/=Qg".utf8)
    for _ in 0..<10_000 {
      let text = (0..<Int.random(in: 0...9, using: &random)).map { _ in
        letters.randomElement(using: &random)!
      }
      guard let bytes = Base64URL.decode(text) else { continue }
      #expect(Array(Base64URL.encode(bytes).utf8) == text)
    }
  }
}
