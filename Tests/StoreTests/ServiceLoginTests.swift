import Auth
import Primitives
import Testing

@testable import Store

/// Goal: who may come in comes in, once where once is meant, and nobody else does.
@Suite struct ServiceLoginTests {
  private let harness: ServiceHarness
  private let anna = AccountName("Anna")!

  init() throws { harness = try ServiceHarness() }

  private func record(_ password: String) throws -> PasswordRecord {
    try PasswordHash.make(Array(password.utf8), ServiceHarness.cheap)
  }

  @Test func passwordsAreChecked() throws {
    let database = try harness.database()
    try database.addAccount(anna, credential: try record("secret"), by: "test", now: 1)
    try database.addAccount(AccountName("bob")!, credential: nil, by: "test", now: 1)
    let service = try harness.start()
    func verdict(_ account: String?, _ password: String) throws -> LoginVerdict {
      try harness.verdict(harness.request(.password, account: account, secret: password))
    }
    #expect(try verdict("aNNA", "secret") == ServiceHarness.accepted("Anna"))
    #expect(try verdict("anna", "Secret") == .refused(.wrongSecret))
    #expect(try verdict("bob", "") == .refused(.unknownAccount))
    #expect(try verdict("carol", "secret") == .refused(.unknownAccount))
    #expect(try verdict("\n", "secret") == .refused(.unknownAccount))
    #expect(try verdict(nil, "secret") == .refused(.unknownAccount))
    try database.setDisabled(anna, true, reason: "", by: "test", now: 2)
    #expect(try verdict("anna", "secret") == .refused(.accountDisabled))
    #expect(try verdict("anna", "wrong") == .refused(.wrongSecret))
    let statistics = service.statistics()
    #expect(statistics.accepted == 1 && statistics.refused == 7 && statistics.unavailable == 0)
    #expect(statistics.hashes == 8 && statistics.hashTime > .zero)
    #expect(statistics.requestsWaiting == 0)
  }

  @Test func oldHashesAreReplacedAtTheFirstLogin() throws {
    let database = try harness.database()
    let legacy = try LegacyHash(parsing: "5ebe2294ecd0e0f08eab7690d2a6ee69")
    let wrapped = try PasswordHash.wrap(legacy: legacy, ServiceHarness.cheap)
    try database.addAccount(anna, credential: wrapped, by: "test", now: 1)
    _ = try harness.start()
    let wrong = harness.request(.password, account: "anna", secret: "wrong")
    #expect(try harness.verdict(wrong) == .refused(.wrongSecret))
    let right = harness.request(.password, account: "anna", secret: "secret")
    #expect(try harness.verdict(right) == ServiceHarness.accepted("Anna"))
    // The new hash is made after the answer: until the end of the service it may not be there.
    for _ in 0..<200 where try database.passwordRecord(of: anna)?.record == wrapped {
      _ = try harness.verdict(harness.request(.password, account: "anna", secret: "secret"))
    }
    let new = try #require(try database.passwordRecord(of: anna)).record
    #expect(new.scheme == "argon2id")
    let verification = try PasswordHash.verify(
      Array("secret".utf8), new, current: ServiceHarness.cheap)
    #expect(verification == .right)
  }

  @Test func tokensAreCheckedAndCounted() throws {
    let database = try harness.database()
    try database.addAccount(anna, credential: nil, by: "test", now: 1)
    func token(_ secret: String, expiresAt: Int64? = nil, once: Bool = false) throws -> Int64 {
      try database.addToken(
        hash: TokenSecret.hash(of: Array(secret.utf8)), account: anna, label: "",
        expiresAt: expiresAt, isSingleUse: once, by: "test", now: 1)
    }
    _ = try token("lasting")
    _ = try token("once", once: true)
    _ = try token("old", expiresAt: 2)
    let gone = try token("gone")
    try database.revokeToken(id: gone, by: "test", now: 2)
    _ = try harness.start()
    func verdict(_ secret: String, account: String? = nil) throws -> LoginVerdict {
      try harness.verdict(harness.request(.token, account: account, secret: secret))
    }
    #expect(try verdict("lasting") == ServiceHarness.accepted("Anna"))
    #expect(try verdict("lasting", account: "ANNA") == ServiceHarness.accepted("Anna"))
    #expect(try verdict("lasting", account: "bob") == .refused(.wrongSecret))
    #expect(try verdict("once") == ServiceHarness.accepted("Anna"))
    #expect(try verdict("once") == .refused(.alreadyUsed))
    #expect(try verdict("old") == .refused(.expired))
    #expect(try verdict("gone") == .refused(.revoked))
    #expect(try verdict("") == .refused(.wrongSecret))
  }

  /// Goal: uses that are written later are all written, and tokens end for a running service when
  /// another program ends them.
  @Test func usesAreWrittenAndRevocationsSeen() throws {
    let database = try harness.database()
    try database.addAccount(anna, credential: nil, by: "test", now: 1)
    let id = try database.addToken(
      hash: TokenSecret.hash(of: Array("lasting".utf8)), account: anna, label: "",
      expiresAt: nil, isSingleUse: false, by: "test", now: 1)
    func verdict() throws -> LoginVerdict {
      try harness.verdict(harness.request(.token, secret: "lasting"))
    }
    for _ in 0..<2 {
      let service = try harness.start()
      let requests = (0..<500).map { _ in harness.request(.token, secret: "lasting") }
      for request in requests { service.verify(request) }
      service.wake()
      for request in requests {
        #expect(try harness.verdict(of: request.session) == ServiceHarness.accepted("Anna"))
      }
      try harness.stop()
    }
    let row = try #require(
      try database.tokens(of: anna, includingEnded: true, limit: 1, now: 1).first)
    #expect(row.useCount == 1000 && row.usedAt != nil)

    _ = try harness.start()
    #expect(try verdict() == ServiceHarness.accepted("Anna"))
    try database.setDisabled(anna, true, reason: "", by: "test", now: 2)
    #expect(try verdict() == .refused(.accountDisabled))
    try database.setDisabled(anna, false, reason: "", by: "test", now: 2)
    #expect(try verdict() == ServiceHarness.accepted("Anna"))
    try database.revokeToken(id: id, by: "test", now: 3)
    #expect(try verdict() == .refused(.revoked))
  }

  /// Goal: of many who come with one ticket or token at once, one is let in.
  @Test func whatIsGoodOnceLetsInOnce() throws {
    let database = try harness.database()
    try database.addAccount(anna, credential: nil, by: "test", now: 1)
    try database.addToken(
      hash: TokenSecret.hash(of: Array("once".utf8)), account: anna, label: "", expiresAt: nil,
      isSingleUse: true, by: "test", now: 1)
    let (ticket, configuration) = try ticket()
    let service = try harness.start()
    let kinds: [(LoginRequest.Kind, secret: String)] = [
      (.token, "once"), (.ticket(configuration), ticket),
    ]
    for (kind, secret) in kinds {
      let requests = (0..<40).map { _ in harness.request(kind, secret: secret) }
      for request in requests { service.verify(request) }
      service.wake()
      let verdicts = try requests.map { try harness.verdict(of: $0.session) }
      #expect(verdicts.count { $0 == ServiceHarness.accepted("Anna") } == 1)
      #expect(verdicts.count { $0 == .refused(.alreadyUsed) } == 39)
    }
  }

  @Test func ticketsAreCheckedAndRevoked() throws {
    let (text, configuration) = try ticket()
    let database = try harness.database()
    _ = try harness.start()
    func verdict(_ secret: String, account: String? = nil) throws -> LoginVerdict {
      try harness.verdict(
        harness.request(.ticket(configuration), account: account, secret: secret))
    }
    #expect(try verdict("gh1.") == .refused(.malformed))
    #expect(try verdict(text, account: "bob") == .refused(.wrongSecret))
    #expect(try verdict(text, account: "anna") == ServiceHarness.accepted("Anna"))
    #expect(try verdict(text) == .refused(.alreadyUsed))
    try database.revokeTickets(
      of: anna, issuedBefore: StoreClock.system.unixSeconds() + 1, by: "test", now: 1)
    let (second, other) = try ticket()
    let request = harness.request(.ticket(other), secret: second)
    #expect(try harness.verdict(request) == .refused(.revoked))
  }

  private func ticket() throws -> (text: String, configuration: TicketConfiguration) {
    let (secretText, publicText) = TicketKey.make()
    let signer = try #require(TicketSigner(keyID: "k1", secretText: secretText))
    let now = StoreClock.system.unixSeconds()
    let text = try #require(
      signer.sign(account: anna, audience: "play", issuedAt: now, expiresAt: now + 300))
    let key = try #require(TicketKeyText.publicKey(publicText))
    return (text, TicketConfiguration(keys: [.init(id: "k1", publicKey: key)], audience: "play"))
  }

  @Test func tooManyRequestsAreTurnedAway() throws {
    let database = try harness.database()
    let service = try harness.start { $0.passwordThreads = 1 }
    try database.addAccount(anna, credential: nil, by: "test", now: 1)
    try database.addToken(
      hash: TokenSecret.hash(of: Array("x".utf8)), account: anna, label: "", expiresAt: nil,
      isSingleUse: true, by: "test", now: 1)
    // Nothing that lets in once is settled while another connection has the write lock.
    let requests = (0..<1100).map { _ in harness.request(.token, secret: "x") }
    try database.inTransaction { () throws(StoreError) in
      for request in requests { service.verify(request) }
      service.wake()
    }
    let verdicts = try requests.map { try harness.verdict(of: $0.session) }
    #expect(verdicts.count { $0 == ServiceHarness.accepted("Anna") } == 1)
    #expect(verdicts.count { $0 == .refused(.alreadyUsed) } == 1023)
    #expect(
      verdicts.allSatisfy {
        if case .unavailable(let text) = $0 { text.contains("too many") } else { true }
      })
  }
}
