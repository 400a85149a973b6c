public import Auth

/// A token, without its secret, which the store does not know.
public struct TokenRow: Equatable, Sendable {
  public var id: Int64
  public var account: AccountName
  public var label: String
  public var createdAt: Int64
  public var createdBy: String
  /// It is good before this second.
  public var expiresAt: Int64?
  public var isSingleUse: Bool
  /// Its last use.
  public var usedAt: Int64?
  public var useCount: Int64
  public var revokedAt: Int64?
}

/// All of a token that decides on whom it lets in.
struct TokenTerms {
  var account: AccountName
  /// It is good before this second.
  var expiresAt: Int64?
  var isRevoked: Bool
  var isUsedUp: Bool
  /// Of the account.
  var isDisabled: Bool

  /// Why it lets nobody in, if it doesn't.
  ///
  /// - Parameter isWanted: whether the token's account is the one that it is used for.
  func objection(now: Int64, isFor isWanted: (AccountName) -> Bool) -> TokenUse? {
    if isRevoked { return .revoked }
    if let expiresAt, expiresAt <= now { return .expired }
    if isUsedUp { return .alreadyUsed }
    guard isWanted(account) else { return .otherAccount }
    return isDisabled ? .accountDisabled : nil
  }
}

/// What became of a token that somebody showed.
public enum TokenUse: Equatable, Sendable {
  case accepted(AccountName)
  case unknown
  /// It is not the account's that it was used for; it stays as it was.
  case otherAccount
  case expired
  case revoked
  /// A single-use token that let somebody in before.
  case alreadyUsed
  /// The token was good, and stays so.
  case accountDisabled
}

extension Database {
  /// - Parameter hash: the 32 bytes of BLAKE2b-256 of the secret.
  /// - Throws: ``StoreError/unknownAccount(_:)``; ``StoreError/constraint(path:problem:)`` when the
  ///   hash is not of 32 bytes, or there is a token with it.
  @discardableResult
  public func addToken(
    hash: [UInt8], account: AccountName, label: String, expiresAt: Int64?, isSingleUse: Bool,
    by author: String, now: Int64
  ) throws(StoreError) -> Int64 {
    try inTransaction { () throws(StoreError) in
      try run(
        "INSERT INTO token (hash, account, label, created_at, created_by, expires_at,"
          + " is_single_use) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
          .blob(hash), .integer(try idOfAccount(account)), .text(label), .integer(now),
          .text(author), SQLValue(expiresAt), SQLValue(isSingleUse),
        ])
      let id = lastInsertedID
      try audit(
        by: author, action: "token issue", subject: account.text, detail: "token \(id)", now: now)
      return id
    }
  }

  /// Counts uses of a lasting token that are over; of one that is gone, nothing.
  func addTokenUses(hash: [UInt8], count: Int64, lastAt: Int64) throws(StoreError) {
    try run(
      "UPDATE token SET used_at = max(coalesce(used_at, 0), ?1),"
        + " use_count = min(use_count, ?2 - ?3) + ?3 WHERE hash = ?4",
      [.integer(lastAt), .integer(.max), .integer(count), .blob(hash)])
  }

  /// Counts a use of the token; of two at the same time, a single-use token lets one in.
  ///
  /// - Parameter isWanted: whether the token's account is the one that it is used for.
  public func useToken(
    hash: [UInt8], now: Int64, isFor isWanted: (AccountName) -> Bool = { _ in true }
  ) throws(StoreError) -> TokenUse {
    // Most of what is refused is unknown, and needs no lock.
    guard try token(hash: hash) != nil else { return .unknown }
    return try inTransaction { () throws(StoreError) in
      guard let found = try token(hash: hash) else { return .unknown }
      if let objection = found.terms.objection(now: now, isFor: isWanted) { return objection }
      try addTokenUses(hash: hash, count: 1, lastAt: now)
      return .accepted(found.terms.account)
    }
  }

  /// Newest first.
  ///
  /// - Parameter includingEnded: whether expired, revoked and used up ones are among them.
  public func tokens(
    of account: AccountName?, includingEnded: Bool, limit: Int, now: Int64
  ) throws(StoreError) -> [TokenRow] {
    try rows(
      Self.tokenQuery
        + """
         WHERE (?1 IS NULL OR account.key = ?1) AND (?2 OR (token.revoked_at IS NULL
          AND (token.expires_at IS NULL OR token.expires_at > ?3)
          AND NOT (token.is_single_use AND token.use_count > 0)))
        ORDER BY token.id DESC LIMIT ?4
        """,
      [
        SQLValue(account?.key), SQLValue(includingEnded), .integer(now),
        .integer(Int64(max(0, limit))),
      ]
    ) { row throws(StoreError) in try TokenRow(row) }
  }

  /// - Returns: whether there is such a token and it was not revoked before.
  @discardableResult
  public func revokeToken(id: Int64, by author: String, now: Int64) throws(StoreError) -> Bool {
    try inTransaction { () throws(StoreError) in
      let account = try first(
        "UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
          + " RETURNING (SELECT name FROM account WHERE account.id = token.account)",
        [.integer(now), .integer(id)]
      ) { $0.text(0) }
      guard let account else { return false }
      try audit(
        by: author, action: "token revoke", subject: account, detail: "token \(id)", now: now)
      return true
    }
  }

  /// - Returns: how many there were that had not been revoked before.
  @discardableResult
  public func revokeTokens(
    of account: AccountName, by author: String, now: Int64
  ) throws(StoreError) -> Int {
    try inTransaction { () throws(StoreError) in
      try run(
        "UPDATE token SET revoked_at = ? WHERE revoked_at IS NULL"
          + " AND account = (SELECT id FROM account WHERE key = ?)",
        [.integer(now), .text(account.key)])
      let count = changeCount
      try audit(
        by: author, action: "token revoke", subject: account.text, detail: "all: \(count)",
        now: now)
      return count
    }
  }
}

extension Database {
  static let tokenQuery = """
    SELECT token.id, account.name, token.label, token.created_at, token.created_by,
      token.expires_at, token.is_single_use, token.used_at, token.use_count, token.revoked_at,
      account.is_disabled, token.hash
    FROM token JOIN account ON account.id = token.account
    """

  func token(
    hash: [UInt8]
  ) throws(StoreError) -> (terms: TokenTerms, isSingleUse: Bool)? {
    try first(Self.tokenQuery + " WHERE token.hash = ?", [.blob(hash)]) {
      row throws(StoreError) in
      let token = try TokenRow(row)
      let terms = TokenTerms(
        account: token.account, expiresAt: token.expiresAt, isRevoked: token.revokedAt != nil,
        isUsedUp: token.isSingleUse && token.useCount > 0, isDisabled: row.bool(10))
      return (terms, token.isSingleUse)
    }
  }
}

extension TokenRow {
  init(_ row: Row) throws(StoreError) {
    guard let account = AccountName(row.text(1)) else {
      throw row.damaged("the account of token \(row.integer(0))")
    }
    self.init(
      id: row.integer(0), account: account, label: row.text(2), createdAt: row.integer(3),
      createdBy: row.text(4), expiresAt: row.optionalInteger(5), isSingleUse: row.bool(6),
      usedAt: row.optionalInteger(7), useCount: row.integer(8), revokedAt: row.optionalInteger(9))
  }
}
