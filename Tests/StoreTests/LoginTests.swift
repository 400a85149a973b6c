import Auth
import Primitives
import Testing

@testable import Store

@Suite struct LoginTests {
  let folder = TemporaryFolder()
  let store: Database

  init() throws { store = try folder.open() }

  private func known(since: Int64 = 0, limit: Int = 99) throws -> [String] {
    var names: [String] = []
    try store.knownAccounts(since: since, limit: limit) { names.append($0.text) }
    return names
  }

  @Test func aLoginIsKeptAsItWas() throws {
    let record = LoginRecord(
      account: "Anna", client: SocketAddress(ipv4: 192, 0, 2, 7, port: 1234), listener: "game",
      outcome: "login-refused", detail: "wrong-secret")
    try store.recordLogins([(record, at: 5)])
    #expect(try store.logins(of: nil, limit: 9) == [LoginRow(id: 1, at: 5, record: record)])
    #expect(try known().isEmpty)
    try store.recordLogins([])
  }

  /// Goal: many at once are kept like one, in their order; method: around a statement's size.
  @Test func anyNumberIsKept() throws {
    for count in [1, 15, 16, 17, 33] {
      let before = try store.logins(of: nil, limit: 999).count
      try store.recordLogins((0..<count).map { (login("p\($0)"), at: Int64($0)) })
      let kept = try store.logins(of: nil, limit: 999)
      #expect(kept.count == before + count)
      #expect(kept.prefix(count).map(\.at) == (0..<count).reversed().map(Int64.init))
      #expect(kept.prefix(count).map(\.record) == (0..<count).reversed().map { login("p\($0)") })
    }
  }

  @Test func lastLoginsAreNoted() throws {
    try store.addAccount(anna, credential: nil, by: "o", now: 1)
    try store.recordLogins([
      (login("anna"), at: 10), (login("ANNA"), at: 8), (login("Ticket only"), at: 9),
      (login("Bert", "login-refused"), at: 20), (login(nil), at: 21),
    ])
    #expect(try store.account(anna)?.lastLoginAt == 10)
    #expect(try known() == ["anna", "Ticket only"])
    #expect(try known(since: 10) == ["anna"])
    #expect(try known(limit: 1) == ["anna"])
    #expect(try store.logins(of: .account(anna), limit: 9).map(\.at) == [8, 10])
  }

  @Test func whatClientsWriteIsCutOff() throws {
    let long = String(repeating: "é", count: 1000)
    var record = login(long, "login-refused")
    record.detail = "a\0b"
    try store.recordLogins([(record, at: 1)])
    let kept = try #require(try store.logins(of: nil, limit: 1).first?.record)
    #expect(kept.account == String(repeating: "é", count: 128))
    #expect(kept.detail == "a\0b")
  }

  @Test func loginsOfAPrefixAreFound() throws {
    let texts = ["192.0.2.7", "192.0.3.1", "::1", "2001:db8::1", "2001:db9::1", "0.0.0.0"]
    try store.recordLogins(texts.map { (login(nil, from: $0), at: 1) })
    func found(_ text: String) throws -> [String] {
      try store.logins(of: addresses(text), limit: 9).map(\.record.client.host)
    }
    #expect(try found("192.0.2.7") == ["192.0.2.7"])
    #expect(try found("192.0.2.0/23") == ["192.0.3.1", "192.0.2.7"])
    #expect(try found("0.0.0.0/0") == ["0.0.0.0", "192.0.3.1", "192.0.2.7"])
    #expect(try found("2001:db8::/32") == ["2001:db8::1"])
    #expect(try found("::/0") == ["2001:db9::1", "2001:db8::1", "::1"])
    #expect(try found("::/1") == ["2001:db9::1", "2001:db8::1", "::1"])
  }

  @Test func oldLoginsGo() throws {
    try store.addAccount(anna, credential: nil, by: "o", now: 1)
    try store.recordLogins((0..<12_000).map { (login(nil, "refused"), at: Int64($0)) })
    try store.recordLogins([(login("Anna"), at: 5), (login("Bert"), at: 6)])
    #expect(try store.pruneLogins(olderThan: 11_000, now: 12_000) == 11_000)
    // The last two were written behind those that stay.
    #expect(try store.logins(of: nil, limit: 99_999).count == 1002)
    #expect(try store.pruneLogins(olderThan: 20_000, now: 20_000) == 1002)
    #expect(try store.account(anna)?.lastLoginAt == 5)
    #expect(try known() == ["Anna"])
  }

  /// Goal: no clock that was wrong for a while keeps the history for ever, or takes what is new.
  @Test func loginsOfAWrongClockDoNotStopTheRest() throws {
    let (now, ahead) = (Int64(1000), Int64(90_000_000))
    try store.recordLogins([(login(nil), at: ahead)] + (1...3).map { (login(nil), at: $0) })
    try store.recordLogins([(login(nil), at: ahead + 1), (login(nil), at: 900)])
    #expect(try store.pruneLogins(olderThan: 1, now: now) == 0)
    #expect(try store.pruneLogins(olderThan: 3, now: now) == 3)
    #expect(try store.logins(of: nil, limit: 9).map(\.at) == [900, ahead + 1, 3])
    #expect(try store.pruneLogins(olderThan: 901, now: now) == 3)
    // As many as are looked at in one go, and nothing else.
    try store.recordLogins((0..<Database.pruneBatch).map { _ in (login(nil), at: ahead) })
    try store.recordLogins([(login(nil), at: 950)])
    #expect(try store.pruneLogins(olderThan: 901, now: now) == Database.pruneBatch)
    #expect(try store.logins(of: nil, limit: 9).map(\.at) == [950])
  }

  @Test func theHistoryIsBounded() throws {
    try store.recordLogins((0..<100).map { (login(nil), at: Int64($0)) })
    #expect(try store.pruneLogins(olderThan: 0, now: 100, countMax: 30) == 70)
    #expect(try store.logins(of: nil, limit: 999).map(\.at) == Array((70..<100).reversed()))
    #expect(try store.pruneLogins(olderThan: 0, now: 100, countMax: 0) == 30)
    #expect(try store.pruneLogins(olderThan: 0, now: 100, countMax: 0) == 0)
  }
}
