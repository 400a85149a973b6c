import Auth
import Testing

@testable import Store

/// Goal: what is kept of tokens never outlives a change by anybody else, and no use is lost.
@Suite struct TokenCacheTests {
  let folder = TemporaryFolder()
  /// The connection that the cache belongs to, and another program's.
  let own: Database
  let other: Database
  let hash = TokenSecret.hash(of: [1])

  init() throws {
    own = try folder.open()
    other = try folder.open()
    try other.addAccount(anna, credential: nil, by: "o", now: 1)
    try other.addToken(
      hash: hash, account: anna, label: "", expiresAt: 100, isSingleUse: false, by: "o", now: 1)
  }

  private func find(_ cache: inout TokenCache) throws -> TokenTerms? {
    try cache.validate(own, opening: 1)
    guard case .lasting(let token)? = try cache.find(hash, in: own) else { return nil }
    return token
  }

  @Test func changesOfOthersAreSeenAtOnce() throws {
    var cache = TokenCache()
    var token = try #require(try find(&cache))
    #expect(token.account == anna && token.expiresAt == 100)
    #expect(!token.isRevoked && !token.isDisabled)
    try other.setDisabled(anna, true, reason: "", by: "o", now: 2)
    token = try #require(try find(&cache))
    #expect(token.isDisabled)
    try other.setDisabled(anna, false, reason: "", by: "o", now: 3)
    try other.run("UPDATE account SET name = 'ANNA'")
    token = try #require(try find(&cache))
    #expect(!token.isDisabled && token.account.text == "ANNA")
    try other.revokeTokens(of: anna, by: "o", now: 4)
    token = try #require(try find(&cache))
    #expect(token.isRevoked)
    try other.removeAccount(anna, by: "o", now: 5)
    #expect(try find(&cache) == nil)
  }

  @Test func whatIsUnchangedIsNotReadAgain() throws {
    var cache = TokenCache()
    _ = try find(&cache)
    // Its own writes change nothing of a token that the cache would have to know.
    try own.run("UPDATE token SET revoked_at = 5")
    let token = try #require(try find(&cache))
    #expect(!token.isRevoked)
    // Another file may be behind another opening.
    try cache.validate(own, opening: 2)
    guard case .lasting(let again)? = try cache.find(hash, in: own) else {
      Issue.record("no token")
      return
    }
    #expect(again.isRevoked)
  }

  @Test func whatIsGoodOnceIsNotKept() throws {
    let once = TokenSecret.hash(of: [2])
    try other.addToken(
      hash: once, account: anna, label: "", expiresAt: nil, isSingleUse: true, by: "o", now: 1)
    var cache = TokenCache()
    try cache.validate(own, opening: 1)
    for _ in 0..<2 {
      guard case .once? = try cache.find(once, in: own) else {
        Issue.record("it was taken for a lasting one")
        return
      }
    }
    guard case nil = try cache.find(TokenSecret.hash(of: [3]), in: own) else {
      Issue.record("a token that nobody has issued")
      return
    }
  }

  @Test func usesAddUp() throws {
    var cache = TokenCache()
    // Of a token that is gone meanwhile, nothing is left to be counted.
    for (token, now) in [(hash, 5), (hash, 9), (hash, 7), (TokenSecret.hash(of: [9]), 5)] {
      let isNoted = cache.noteUse(of: token, now: Int64(now))
      #expect(isNoted)
    }
    #expect(cache.hasUses)
    var written = try cache.writeUses(own)
    #expect(written == 2)
    cache.forgetUses(written)
    #expect(!cache.hasUses)
    _ = cache.noteUse(of: hash, now: 6)
    written = try cache.writeUses(own)
    #expect(written == 1)
    let row = try #require(
      try other.tokens(of: nil, includingEnded: true, limit: 9, now: 9).first)
    #expect(row.useCount == 4 && row.usedAt == 9)
  }

  /// Goal: uses of many tokens are written in parts, each once, whatever comes in between.
  @Test func usesAreWrittenInParts() throws {
    let count = TokenCache.usesInOneGroup + 2
    let hashes = (0..<count).map { TokenSecret.hash(of: [2, UInt8($0)]) }
    for hash in hashes {
      try other.addToken(
        hash: hash, account: anna, label: "", expiresAt: nil, isSingleUse: false, by: "o", now: 1)
    }
    var cache = TokenCache()
    for hash in hashes { _ = cache.noteUse(of: hash, now: 2) }
    for waiting in [count, 3, 0] {
      #expect(cache.usesWaiting == waiting)
      let written = try cache.writeUses(own)
      cache.forgetUses(written)
      // Of one that is written and of one that is not.
      if waiting == count {
        for place in [0, count - 1] { _ = cache.noteUse(of: hashes[place], now: 3) }
      }
    }
    let rows = try other.tokens(of: anna, includingEnded: true, limit: count, now: 9)
    #expect(rows.map(\.useCount) == [2] + Array(repeating: 1, count: count - 2) + [2])
  }

  @Test func theUsesThatWaitAreBounded() throws {
    var cache = TokenCache()
    for index in 0...TokenCache.usesMax {
      let isNoted = cache.noteUse(of: withUnsafeBytes(of: UInt64(index)) { Array($0) }, now: 1)
      #expect(isNoted == (index < TokenCache.usesMax))
    }
    let isNoted = cache.noteUse(of: withUnsafeBytes(of: UInt64(0)) { Array($0) }, now: 1)
    #expect(isNoted)
  }
}
