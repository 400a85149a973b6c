import Auth
import Foundation
import Testing

@testable import Store

@Suite struct TokenTests {
  let folder = TemporaryFolder()
  let store: Database
  let hash = [UInt8](repeating: 7, count: 32)

  init() throws {
    store = try folder.open()
    try store.addAccount(anna, credential: nil, by: "o", now: 1)
  }

  @discardableResult
  private func add(
    _ first: UInt8 = 7, expiresAt: Int64? = nil, isSingleUse: Bool = false
  ) throws -> Int64 {
    try store.addToken(
      hash: [first] + hash.dropFirst(), account: anna, label: "bot", expiresAt: expiresAt,
      isSingleUse: isSingleUse, by: "o", now: 1)
  }

  @Test func aTokenLetsItsAccountIn() throws {
    let id = try add()
    #expect(try store.useToken(hash: hash, now: 5) == .accepted(anna))
    #expect(try store.useToken(hash: hash, now: 9) == .accepted(anna))
    #expect(try store.useToken(hash: Array(repeating: 8, count: 32), now: 5) == .unknown)
    #expect(try store.useToken(hash: [], now: 5) == .unknown)
    let row = try #require(
      try store.tokens(of: anna, includingEnded: false, limit: 9, now: 9).first)
    #expect(
      row
        == TokenRow(
          id: id, account: anna, label: "bot", createdAt: 1, createdBy: "o", expiresAt: nil,
          isSingleUse: false, usedAt: 9, useCount: 2, revokedAt: nil))
  }

  /// Goal: a count that somebody's import has brought to its end stops no other.
  @Test func theCountOfUsesHasAnEnd() throws {
    try add()
    try store.run("UPDATE token SET use_count = ?", [.integer(.max - 1)])
    for _ in 0..<2 { try store.addTokenUses(hash: hash, count: 5, lastAt: 9) }
    #expect(try store.useToken(hash: hash, now: 5) == .accepted(anna))
    let row = try #require(
      try store.tokens(of: anna, includingEnded: false, limit: 9, now: 9).first)
    #expect(row.useCount == .max && row.usedAt == 9)
  }

  @Test func aTokenEndsInItsSecond() throws {
    try add(expiresAt: 10)
    #expect(try store.useToken(hash: hash, now: 9) == .accepted(anna))
    #expect(try store.useToken(hash: hash, now: 10) == .expired)
  }

  @Test func aSingleUseTokenIsUsedOnce() throws {
    try add(isSingleUse: true)
    #expect(try store.useToken(hash: hash, now: 2) == .accepted(anna))
    #expect(try store.useToken(hash: hash, now: 3) == .alreadyUsed)
  }

  /// Goal: of many who show one single-use token at once, one is let in.
  @Test func ofManyAtOnceOneIsLetIn() throws {
    try add(isSingleUse: true)
    let path = folder.file()
    let hash = hash
    let accepted = Counter()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      do {
        let store = try Database(path: path)
        if try store.useToken(hash: hash, now: 2) == .accepted(anna) { accepted.add() }
      } catch {
        Issue.record("\(error)")
      }
    }
    #expect(accepted.value == 1)
  }

  @Test func aRevokedTokenIsNoGood() throws {
    let id = try add()
    #expect(try store.revokeToken(id: id, by: "o", now: 2))
    #expect(try !store.revokeToken(id: id, by: "o", now: 3))
    #expect(try !store.revokeToken(id: 99, by: "o", now: 3))
    #expect(try store.useToken(hash: hash, now: 3) == .revoked)
    try add(1)
    try add(2)
    #expect(try store.revokeTokens(of: anna, by: "o", now: 4) == 2)
    #expect(try store.revokeTokens(of: bert, by: "o", now: 4) == 0)
    #expect(try store.tokens(of: anna, includingEnded: false, limit: 9, now: 5).isEmpty)
  }

  @Test func aDisabledAccountDoesNotUseItsTokenUp() throws {
    try add(isSingleUse: true)
    try store.setDisabled(anna, true, reason: "", by: "o", now: 2)
    #expect(try store.useToken(hash: hash, now: 3) == .accountDisabled)
    try store.setDisabled(anna, false, reason: "", by: "o", now: 4)
    #expect(try store.useToken(hash: hash, now: 5) == .accepted(anna))
  }

  @Test func tokensThatMakeNoSenseAreRefused() throws {
    try add()
    guard case .constraint = storeError({ try add() }) else {
      Issue.record("a hash was taken twice")
      return
    }
    for count in [0, 31, 33] {
      let error = storeError {
        try store.addToken(
          hash: Array(repeating: 1, count: count), account: anna, label: "", expiresAt: nil,
          isSingleUse: false, by: "o", now: 1)
      }
      guard case .constraint = error else {
        Issue.record("a hash of \(count) bytes was taken")
        continue
      }
    }
    let error = storeError {
      try store.addToken(
        hash: [9] + hash.dropFirst(), account: bert, label: "", expiresAt: nil,
        isSingleUse: false, by: "o", now: 1)
    }
    #expect(error == .unknownAccount("Bert"))
  }

  @Test func listsLeaveOutWhatHasEnded() throws {
    try add(1)
    try add(2, expiresAt: 10)
    try add(3, isSingleUse: true)
    try store.revokeToken(id: try add(4), by: "o", now: 1)
    _ = try store.useToken(hash: [3] + hash.dropFirst(), now: 2)
    #expect(try store.tokens(of: nil, includingEnded: false, limit: 9, now: 9).map(\.id) == [2, 1])
    let all = try store.tokens(of: nil, includingEnded: true, limit: 9, now: 10)
    #expect(all.map(\.id) == [4, 3, 2, 1])
    #expect(try store.tokens(of: nil, includingEnded: false, limit: 9, now: 10).map(\.id) == [1])
    #expect(try store.tokens(of: bert, includingEnded: true, limit: 9, now: 9).isEmpty)
    #expect(try store.tokens(of: nil, includingEnded: true, limit: 3, now: 9).count == 3)
  }
}

final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  func add() { lock.withLock { count += 1 } }

  var value: Int { lock.withLock { count } }
}

@Suite struct TicketUseTests {
  let folder = TemporaryFolder()
  let store: Database

  init() throws { store = try folder.open() }

  private func use(
    _ nonce: [UInt8] = [1], of account: AccountName = anna, issuedAt: Int64 = 100,
    expiresAt: Int64 = 200, isSingleUse: Bool = true, now: Int64 = 100
  ) throws -> TicketUse {
    try store.inTransaction { () throws(StoreError) in
      try store.forgetNonces(16, now: now)
      return try store.useTicket(
        nonce: nonce, account: account, issuedAt: issuedAt, expiresAt: expiresAt,
        isSingleUse: isSingleUse)
    }
  }

  @Test func aTicketIsUsedOnce() throws {
    #expect(try use() == .accepted)
    #expect(try use(of: AccountName("aNNA")!) == .alreadyUsed)
    #expect(try use([1, 0]) == .accepted)
    #expect(try use([]) == .accepted)
    #expect(try use([]) == .alreadyUsed)
    #expect(try use(of: bert) == .accepted)
  }

  @Test func othersMayBeUsedAgain() throws {
    #expect(try use(isSingleUse: false) == .accepted)
    #expect(try use(isSingleUse: false) == .accepted)
    #expect(try store.integer("SELECT count(*) FROM ticket_nonce") == 0)
  }

  @Test func revocationReachesBackToItsSecond() throws {
    try store.revokeTickets(of: anna, issuedBefore: 100, by: "o", now: 100)
    try store.revokeTickets(of: anna, issuedBefore: 50, by: "o", now: 101)
    for isSingleUse in [true, false] {
      #expect(try use(issuedAt: 100, isSingleUse: isSingleUse) == .revoked)
      #expect(try use(issuedAt: 101, isSingleUse: isSingleUse) == .accepted)
      #expect(try use(of: bert, issuedAt: 1, isSingleUse: isSingleUse) == .accepted)
    }
  }

  @Test func aDisabledAccountDoesNotUseItsTicketUp() throws {
    try store.addAccount(anna, credential: nil, by: "o", now: 1)
    try store.setDisabled(anna, true, reason: "", by: "o", now: 1)
    #expect(try use() == .accountDisabled)
    try store.setDisabled(anna, false, reason: "", by: "o", now: 1)
    #expect(try use() == .accepted)
  }

  @Test func noncesAreForgottenLongAfterTheirTickets() throws {
    for index in 0..<100 {
      #expect(try use([UInt8(index)], expiresAt: 200, now: 100) == .accepted)
    }
    // Within the hour of grace they are all there.
    #expect(try use([0], now: 3000) == .alreadyUsed)
    for index in 0..<10 {
      #expect(try use([0xff, UInt8(index)], expiresAt: 10_000, now: 9000) == .accepted)
    }
    #expect(try store.integer("SELECT count(*) FROM ticket_nonce") == 10)
  }
}
