import Auth
import Foundation
import Testing

@testable import Store

@Suite struct TicketVerifierTests {
  private static let now: Int64 = 1_700_000_000
  private static let anna = AccountName("Anna")!

  private let signer: TicketSigner
  private let configuration: TicketConfiguration

  init() throws {
    let (secretText, publicText) = TicketKey.make()
    signer = try #require(TicketSigner(keyID: "k1", secretText: secretText))
    #expect(signer.publicText == publicText)
    configuration = TicketConfiguration(
      keys: [.init(id: "k1", publicKey: try #require(TicketKeyText.publicKey(publicText)))],
      audience: "play")
  }

  private func ticket(
    audience: String = "play", from: Int64 = 0, to: Int64 = 300
  ) throws -> [UInt8] {
    let text = try #require(
      signer.sign(
        account: Self.anna, audience: audience, issuedAt: Self.now + from,
        expiresAt: Self.now + to))
    return Array(text.utf8)
  }

  private func check(
    _ text: [UInt8], at seconds: Int64 = 0, _ change: (inout TicketConfiguration) -> Void = { _ in }
  ) -> TicketVerifier.Finding {
    var configuration = configuration
    change(&configuration)
    return TicketVerifier.check(text, configuration, now: Self.now + seconds)
  }

  @Test func aGoodTicketIsGood() throws {
    guard case .good(let ticket) = check(try ticket()) else {
      Issue.record("not good")
      return
    }
    #expect(ticket.account == Self.anna)
    #expect(try self.ticket() != self.ticket())
  }

  @Test func timesAreKeptWithAMinuteOfLeeway() throws {
    let text = try ticket()
    #expect(check(text, at: -61) == .refused(.notYetValid))
    #expect(check(text, at: -60) != .refused(.notYetValid))
    #expect(check(text, at: 359) != .refused(.expired))
    #expect(check(text, at: 360) == .refused(.expired))
    #expect(check(try ticket(to: 3600)) != .refused(.malformed))
    #expect(check(try ticket(to: 3601)) == .refused(.malformed))
  }

  @Test func whoeverItIsNotForRefusesIt() throws {
    #expect(check(try ticket(audience: "Play")) == .refused(.wrongAudience))
    #expect(check(try ticket()) { $0.keys[0].id = "k2" } == .refused(.badSignature))
    let other = try #require(TicketKeyText.publicKey(TicketKey.make().publicText))
    #expect(check(try ticket()) { $0.keys[0].publicKey = other } == .refused(.badSignature))
    #expect(check(try ticket()) { $0.keys[0].publicKey = [1] } == .refused(.badSignature))
  }

  /// Goal: not one byte of a ticket can be another.
  @Test func everyChangeIsRefused() throws {
    let whole = try ticket()
    for at in whole.indices {
      var changed = whole
      changed[at] ^= 1
      guard case .refused(let refusal) = check(changed) else {
        Issue.record("byte \(at)")
        continue
      }
      #expect(refusal == .malformed || refusal == .badSignature)
    }
    for count in 0..<whole.count {
      #expect(check(Array(whole.prefix(count))) == .refused(.malformed))
    }
  }

  /// Goal: the documented example is right, and other libraries' signatures are taken.
  ///
  /// Method: it was made by the Python package cryptography.
  @Test func theDocumentedTicketIsGood() throws {
    let text =
      "gh1.k1.QW5uYQ.cGxheQ.1700000000.1700000300.AAAAAAAAAAAAAAAAAAAAAA."
      + "i-gqTdYSdiw2bLtJnILdUdvXEXYsRUh5obAMTPYox4PkundI0k2_ll-tPEQE73DnWmW9Xblf63m_JCl86eg6BQ"
    let signer = try #require(
      TicketSigner(
        keyID: "k1",
        secretText: "ghts_9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    let key = try #require(TicketKeyText.publicKey(signer.publicText))
    let finding = check(Array(text.utf8)) { $0.keys[0].publicKey = key }
    #expect(
      finding
        == .good(
          try #require(
            Ticket(
              key: "k1", account: Self.anna, audience: "play", issuedAt: Self.now,
              expiresAt: Self.now + 300, nonce: [UInt8](repeating: 0, count: 16)))))
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/tickets.md")
    #expect(try String(contentsOf: page, encoding: .utf8).contains("    \(text)\n"))
  }

  @Test func keysHaveTheirTexts() {
    #expect(TicketSigner(keyID: "k 1", secretText: TicketKey.make().secretText) == nil)
    #expect(TicketSigner(keyID: "k1", secretText: TicketKey.make().publicText) == nil)
  }

  /// RFC 8032 section 7.1, test 1: the pair is Ed25519's own.
  @Test func theStandardsKeyHolds() throws {
    let signer = try #require(
      TicketSigner(
        keyID: "k",
        secretText: "ghts_9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    #expect(
      signer.publicText
        == "ghtp_d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
  }
}
