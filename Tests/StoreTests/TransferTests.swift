import Auth
import Foundation
import Primitives
import Testing

@testable import Store

/// Goal: a store that moves house arrives whole, or not at all.
@Suite struct TransferTests {
  let folder = TemporaryFolder()
  let old: Database
  let new: Database

  init() throws {
    old = try folder.open("old.db")
    new = try folder.open("new.db")
    try old.addAccount(anna, credential: record("$argon2id$é", scheme: "md5"), by: "o", now: 1)
    try old.addAccount(bert, credential: nil, by: "o", now: 2)
    try old.setDisabled(bert, true, reason: "line\n\"two\"", by: "o", now: 3)
    try old.addToken(
      hash: Array(0..<32), account: anna, label: "bot", expiresAt: 99, isSingleUse: true,
      by: "o", now: 4)
    _ = try old.useToken(hash: Array(0..<32), now: 5)
    try old.revokeTickets(of: anna, issuedBefore: 6, by: "o", now: 6)
    _ = try old.useTicket(
      nonce: [0, 255], account: AccountName("Carl")!, issuedAt: 1, expiresAt: 1000,
      isSingleUse: true)
    try old.addBan(
      NewBan(subject: addresses("2001:db8::/32"), listener: "game", author: "o", until: 50),
      now: 8)
    try old.addBan(NewBan(effect: .allow, subject: .account(anna), author: "o"), now: 9)
    _ = try old.liftBans(
      effect: .allow, of: .account(anna), by: "udo", reason: "done", now: 10)
    try old.recordLogins([
      (login("Anna"), at: 11), (login("a\0b", "refused"), at: 12), (login("Carl"), at: 13),
      (login(nil, from: "::1"), at: 14),
    ])
  }

  private func lines(of store: Database) throws -> [[UInt8]] {
    var lines: [[UInt8]] = []
    try store.exportJSON { lines.append($0.dropLast(1)) }
    return lines
  }

  private func texts(of store: Database) throws -> [String] {
    try lines(of: store).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func everythingArrives() throws {
    let exported = try lines(of: old)
    let result = try new.importJSON(each(exported), by: "o", now: 20)
    #expect(
      result.kinds.map(\.name) == [
        "account", "token", "ticket-revocation", "ticket-nonce", "ban", "last-login", "audit",
        "login",
      ])
    #expect(result.kinds.map(\.added) == [2, 1, 1, 1, 2, 2, 8, 4])
    #expect(result.skipped == 0)
    // The import's own line in the audit is one more.
    let before = try texts(of: old)
    let after = try texts(of: new).filter { !$0.contains("store import") }
    #expect(before.dropLast() == after.dropLast())
    #expect(try new.banEvents(after: 0, limit: 9) == old.banEvents(after: 0, limit: 9))
    #expect(try new.passwordRecord(of: anna)?.record == record("$argon2id$é", scheme: "md5"))
    #expect(try new.useToken(hash: Array(0..<32), now: 20) == .alreadyUsed)
    #expect(try new.check() == [])
  }

  @Test func whatIsThereStaysAsItIs() throws {
    try new.addAccount(AccountName("ANNA")!, credential: record("own"), by: "o", now: 1)
    try new.recordLogins([(login("Zoe"), at: 1)])
    let exported = try lines(of: old)
    let first = try new.importJSON(each(exported), by: "o", now: 20)
    #expect(first.skipped == 1 + 8 + 4)
    #expect(try new.passwordRecord(of: anna)?.record == record("own"))
    let second = try new.importJSON(each(exported), by: "o", now: 21)
    #expect(second.kinds.isEmpty)
    #expect(second.skipped == exported.count - 2)
    #expect(try new.bans(includingEnded: true, limit: 9, now: 1).count == 2)
    #expect(try new.logins(of: nil, limit: 9).count == 1)
  }

  /// Method: each change to a good export, and the line that must be named.
  @Test func aBadLineIsNamedAndNothingIsKept() throws {
    let good = try texts(of: old)
    let ban = try #require(good.firstIndex { $0.contains(#""ban""#) })
    let account = 1
    let changes: [(String, Int, (inout [String]) -> Void)] = [
      ("no lines", 1, { $0 = [] }),
      ("no header", 1, { $0.removeFirst() }),
      ("newer", 1, { $0[0] = #"{"kind":"gatehouse-store","version":2}"# }),
      ("no end", good.count, { $0.removeLast() }),
      ("a line lost", good.count - 1, { $0.remove(at: ban) }),
      ("a line twice", good.count + 1, { $0.insert($0[ban], at: ban) }),
      ("behind the end", good.count + 1, { $0.append($0[ban]) }),
      ("empty", ban + 1, { $0[ban] = "" }),
      ("not JSON", ban + 1, { $0[ban].removeLast() }),
      ("not an object", ban + 1, { $0[ban] = "[]" }),
      ("no kind", ban + 1, { $0[ban] = "{}" }),
      ("unknown kind", ban + 1, { $0[ban] = #"{"kind":"song"}"# }),
      ("too deep", ban + 1, { $0[ban] = #"{"kind":[[[]]]}"# }),
      ("too long", ban + 1, { $0[ban] += String(repeating: " ", count: 1 << 20) }),
      ("unknown member", ban + 1, { $0[ban].insert(contentsOf: #""x":1,"#, after: "{") }),
      ("bad effect", ban + 1, { $0[ban].replace("\"ban\",\"add", with: "\"bun\",\"add") }),
      ("bad prefix", ban + 1, { $0[ban].replace("2001:db8::/32", with: "2001:db8::1/32") }),
      ("wrong kind", ban + 1, { $0[ban].replace("\"until\":50", with: "\"until\":\"50\"") }),
      ("too big", ban + 1, { $0[ban].replace(":50", with: ":99999999999999999999") }),
      ("missing", ban + 1, { $0[ban].replace("\"created_at\":8", with: "\"until2\":8") }),
      ("bad name", account + 1, { $0[account].replace("\"Anna\"", with: "\" Anna\"") }),
      ("no account", account + 3, { $0[account].replace("\"Anna\"", with: "\"Else\"") }),
      ("short hash", account + 3, { $0[account + 2].replace("000102", with: "0001") }),
      ("odd hash", account + 3, { $0[account + 2].replace("000102", with: "00010") }),
      ("bad hash", account + 3, { $0[account + 2].replace("000102", with: "00010x") }),
    ]
    for (name, line, change) in changes {
      var bad = good
      change(&bad)
      #expect(bad != good, "\(name)")
      let error = storeError {
        _ = try new.importJSON(each(bad.map { Array($0.utf8) }), by: "o", now: 20)
      }
      guard case .malformedLine(line, _) = error else {
        Issue.record("\(name): \(String(describing: error)) instead of line \(line)")
        continue
      }
      #expect(try new.accounts(limit: 9).isEmpty, "\(name)")
      #expect(try new.auditRows(limit: 9).isEmpty, "\(name)")
    }
  }

  /// Method: bytes of a good export are changed by seed; an import takes it or names a line.
  @Test func mangledExportsNeverCrash() throws {
    let good = try lines(of: old)
    var random = SeededRandom(seed: 9)
    var refused = 0
    for _ in 0..<500 {
      var bad = good
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let line = Int.random(in: 0..<bad.count, using: &random)
        guard !bad[line].isEmpty else { continue }
        let index = Int.random(in: 0..<bad[line].count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bad[line][index] = UInt8.random(in: 0...255, using: &random)
        case 1: bad[line].remove(at: index)
        default: bad[line].insert(bad[line][index], at: index)
        }
      }
      do {
        try new.inTransaction { () throws(StoreError) in
          _ = try new.importJSON(each(bad), by: "o", now: 20)
          throw .outOfMemory
        }
      } catch StoreError.malformedLine {
        refused += 1
      } catch StoreError.outOfMemory {
        continue
      }
    }
    #expect(refused > 250)
    #expect(try new.accounts(limit: 9).isEmpty)
  }
}

extension String {
  fileprivate mutating func replace(_ part: String, with text: String) {
    self = replacingOccurrences(of: part, with: text)
  }

  fileprivate mutating func insert(contentsOf text: String, after part: String) {
    if let range = range(of: part) { insert(contentsOf: text, at: range.upperBound) }
  }
}
