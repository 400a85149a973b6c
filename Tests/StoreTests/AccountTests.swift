import Auth
import Testing

@testable import Store

@Suite struct AccountTests {
  let folder = TemporaryFolder()
  let store: Database

  init() throws { store = try folder.open() }

  @Test func anAccountIsFoundInEitherCase() throws {
    let id = try store.addAccount(anna, credential: record(), by: "operator", now: 7)
    let account = try #require(try store.account(AccountName("ANNA")!))
    #expect(
      account
        == Account(
          id: id, name: anna, isDisabled: false, disabledReason: "", createdAt: 7,
          lastLoginAt: nil, credential: "argon2id"))
    #expect(account.name.text == "Anna")
    #expect(try store.account(bert) == nil)
  }

  @Test func aNameIsTakenOnce() throws {
    try store.addAccount(anna, credential: nil, by: "operator", now: 1)
    let error = storeError {
      try store.addAccount(AccountName("aNNa")!, credential: record(), by: "operator", now: 2)
    }
    #expect(error == .accountExists("aNNa"))
    #expect(try store.passwordRecord(of: anna) == nil)
    #expect(try store.auditRows(limit: 9).count == 1)
  }

  @Test func passwordsAreSetAndReplaced() throws {
    #expect(
      storeError { try store.setPassword(of: anna, record(), by: "o", now: 1) }
        == .unknownAccount("Anna"))
    try store.addAccount(anna, credential: nil, by: "o", now: 1)
    #expect(try store.passwordRecord(of: anna) == nil)
    try store.setPassword(of: anna, record("a"), by: "o", now: 2)
    try store.setPassword(of: anna, record("b", scheme: "md5"), by: "o", now: 3)
    let found = try #require(try store.passwordRecord(of: anna))
    #expect(found.record == record("b", scheme: "md5"))
    #expect(found.account.credential == "md5")
  }

  @Test func anUpgradeDoesNotUndoANewPassword() throws {
    try store.addAccount(anna, credential: record("old"), by: "o", now: 1)
    try store.upgradePassword(of: anna, from: record("old"), to: record("strong"), now: 2)
    #expect(try store.passwordRecord(of: anna)?.record == record("strong"))
    try store.setPassword(of: anna, record("new"), by: "o", now: 3)
    try store.upgradePassword(of: anna, from: record("strong"), to: record("stronger"), now: 4)
    #expect(try store.passwordRecord(of: anna)?.record == record("new"))
  }

  @Test func disabledAccountsKeepTheirReason() throws {
    try store.addAccount(anna, credential: nil, by: "o", now: 1)
    try store.setDisabled(anna, true, reason: "sold", by: "o", now: 2)
    #expect(try store.account(anna)?.isDisabled == true)
    #expect(try store.account(anna)?.disabledReason == "sold")
    try store.setDisabled(anna, false, reason: "came back", by: "o", now: 3)
    #expect(try store.account(anna)?.isDisabled == false)
    #expect(try store.account(anna)?.disabledReason == "")
    #expect(
      storeError { try store.setDisabled(bert, true, reason: "", by: "o", now: 1) }
        == .unknownAccount("Bert"))
  }

  @Test func removalLeavesBansAndHistory() throws {
    try store.addAccount(anna, credential: record(), by: "o", now: 1)
    try store.addToken(
      hash: Array(repeating: 1, count: 32), account: anna, label: "", expiresAt: nil,
      isSingleUse: false, by: "o", now: 1)
    try store.addBan(NewBan(subject: .account(anna), author: "o"), now: 1)
    try store.recordLogins([(login("anna"), at: 2)])
    try store.removeAccount(anna, by: "o", now: 3)
    #expect(try store.account(anna) == nil)
    #expect(try store.integer("SELECT count(*) FROM credential") == 0)
    #expect(try store.tokens(of: nil, includingEnded: true, limit: 9, now: 1).isEmpty)
    #expect(try store.logins(of: .account(anna), limit: 9).count == 1)
    #expect(
      try store.bans(covering: .account(anna), includingEnded: false, now: 3, limit: 9).count == 1)
    #expect(
      storeError { try store.removeAccount(anna, by: "o", now: 4) } == .unknownAccount("Anna"))
    #expect(try store.check() == [])
  }

  @Test func listsGoPageByPage() throws {
    for index in 0..<25 {
      let name = AccountName(index % 2 == 0 ? "Even \(index)" : "odd_\(index)")!
      try store.addAccount(name, credential: nil, by: "o", now: 1)
    }
    var seen: [String] = []
    var last: AccountName?
    while true {
      let page = try store.accounts(after: last, limit: 4)
      seen += page.map(\.name.key)
      guard page.count == 4 else { break }
      last = page.last?.name
    }
    #expect(seen.count == 25)
    #expect(seen == seen.sorted())
    #expect(try store.accounts(limit: 0).isEmpty)
    #expect(try store.accounts(limit: -1).isEmpty)
  }

  @Test func wildcardsInASearchAreLetters() throws {
    for name in ["a%b", "a_b", "a\\b", "axb"] {
      try store.addAccount(AccountName(name)!, credential: nil, by: "o", now: 1)
    }
    for (text, expected) in [
      ("%", ["a%b"]), ("_", ["a_b"]), ("\\", [#"a\b"#]), ("AX", ["axb"]), ("zz", []),
      ("", ["a%b", #"a\b"#, "a_b", "axb"]),
    ] {
      let found = try store.accounts(matching: text, limit: 9).map(\.name.text)
      #expect(found == expected, "\(text)")
    }
  }

  @Test func importsAreWholeOrNothing() throws {
    try store.addAccount(anna, credential: record("old"), by: "o", now: 1)
    let rows = [(anna, record("a")), (bert, record("b")), (AccountName("bERT")!, record("c"))]
    let first = try store.importAccounts(each(rows), replacing: false, by: "o", now: 2)
    #expect(first == AccountImport(added: 1, replaced: 0, skipped: 2))
    #expect(try store.passwordRecord(of: anna)?.record == record("old"))
    let second = try store.importAccounts(each(rows), replacing: true, by: "o", now: 2)
    #expect(second == AccountImport(added: 0, replaced: 3, skipped: 0))
    #expect(try store.passwordRecord(of: bert)?.record == record("c"))

    var count = 0
    let error = storeError {
      _ = try store.importAccounts(
        { () throws(StoreError) in
          count += 1
          guard count < 3 else { throw .malformedLine(3, problem: "bad") }
          return (AccountName("new \(count)")!, record())
        }, replacing: true, by: "o", now: 3)
    }
    #expect(error == .malformedLine(3, problem: "bad"))
    #expect(try store.accounts(matching: "new", limit: 9).isEmpty)
  }

  @Test func everyChangeHasItsLineInTheAudit() throws {
    try store.addAccount(anna, credential: record("secret hash"), by: "eva", now: 1)
    try store.setPassword(of: anna, record("secret hash"), by: "eva", now: 2)
    try store.setDisabled(anna, true, reason: "why", by: "eva", now: 3)
    try store.setDisabled(anna, false, reason: "", by: "eva", now: 4)
    try store.removeAccount(anna, by: "eva", now: 5)
    let rows = try store.auditRows(limit: 9)
    #expect(
      rows.map(\.action) == [
        "account remove", "account enable", "account disable", "account passwd", "account add",
      ])
    #expect(rows.map(\.at) == [5, 4, 3, 2, 1])
    #expect(rows.allSatisfy { $0.author == "eva" && $0.subject == "Anna" })
    #expect(!rows.contains { $0.detail.contains("secret") })
    #expect(try store.auditRows(limit: 2, before: rows[1].id).map(\.at) == [3, 2])
  }
}
