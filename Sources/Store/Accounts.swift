public import Auth

/// An account, without its secret.
public struct Account: Equatable, Sendable {
  public var id: Int64
  public var name: AccountName
  public var isDisabled: Bool
  public var disabledReason: String
  /// Unix seconds.
  public var createdAt: Int64
  /// Unix seconds.
  public var lastLoginAt: Int64?
  /// The scheme of its password's record; nil when it has no password.
  public var credential: String?
}

/// A password as it is kept: salted and hashed.
public struct PasswordRecord: Equatable, Sendable {
  /// `argon2id`, or the name of an older scheme that is wrapped in it.
  public var scheme: String
  /// What the scheme needs beside ``hash``; empty for `argon2id`.
  public var parameters: String
  /// libsodium's `$argon2id$` string: of the password, or of the older scheme's digest.
  public var hash: String

  public init(scheme: String, parameters: String, hash: String) {
    self.scheme = scheme
    self.parameters = parameters
    self.hash = hash
  }
}

/// What became of the accounts of an import.
public struct AccountImport: Equatable, Sendable {
  public var added = 0
  /// Were there, and have the imported password now.
  public var replaced = 0
  /// Were there, and were left alone.
  public var skipped = 0
}

extension Database {
  /// - Throws: ``StoreError/accountExists(_:)``.
  @discardableResult
  public func addAccount(
    _ name: AccountName, credential: PasswordRecord?, by author: String, now: Int64
  ) throws(StoreError) -> Int64 {
    try inTransaction { () throws(StoreError) in
      guard let id = try insertAccount(name, now: now) else { throw .accountExists(name.text) }
      if let credential { try putCredential(credential, of: id, now: now) }
      try audit(
        by: author, action: "account add", subject: name.text,
        detail: credential?.scheme ?? "without password", now: now)
      return id
    }
  }

  public func account(_ name: AccountName) throws(StoreError) -> Account? {
    try first(Self.accountQuery + " WHERE account.key = ?", [.text(name.key)]) {
      row throws(StoreError) in try Account(row)
    }
  }

  /// In the order of their keys.
  ///
  /// - Parameters:
  ///   - text: a part of the name, ASCII letters in either case; nil means every account.
  ///   - after: the last one that is known already.
  public func accounts(
    matching text: String? = nil, after: AccountName? = nil, limit: Int
  ) throws(StoreError) -> [Account] {
    try rows(
      Self.accountQuery
        + #" WHERE account.key > ?1 AND (?2 IS NULL OR account.key LIKE ?2 ESCAPE '\')"#
        + " ORDER BY account.key LIMIT ?3",
      [
        .text(after?.key ?? ""), SQLValue(text.map(patternContaining)),
        .integer(Int64(max(0, limit))),
      ]
    ) { row throws(StoreError) in try Account(row) }
  }

  /// - Returns: nil when there is no such account, or it has no password.
  public func passwordRecord(
    of name: AccountName
  ) throws(StoreError) -> (account: Account, record: PasswordRecord)? {
    try first(
      Self.accountQuery + " WHERE account.key = ? AND credential.account IS NOT NULL",
      [.text(name.key)]
    ) { row throws(StoreError) in
      (
        try Account(row),
        PasswordRecord(scheme: row.text(6), parameters: row.text(7), hash: row.text(8))
      )
    }
  }

  /// - Throws: ``StoreError/unknownAccount(_:)``.
  public func setPassword(
    of name: AccountName, _ record: PasswordRecord, by author: String, now: Int64
  ) throws(StoreError) {
    try inTransaction { () throws(StoreError) in
      try putCredential(record, of: try idOfAccount(name), now: now)
      try audit(
        by: author, action: "account passwd", subject: name.text, detail: record.scheme, now: now)
    }
  }

  /// Replaces a record by a stronger one of the same password, unless it was changed meanwhile.
  public func upgradePassword(
    of name: AccountName, from old: PasswordRecord, to new: PasswordRecord, now: Int64
  ) throws(StoreError) {
    try run(
      "UPDATE credential SET scheme = ?, parameters = ?, hash = ?, changed_at = ?"
        + " WHERE account = (SELECT id FROM account WHERE key = ?)"
        + " AND scheme = ? AND parameters = ? AND hash = ?",
      [
        .text(new.scheme), .text(new.parameters), .text(new.hash), .integer(now), .text(name.key),
        .text(old.scheme), .text(old.parameters), .text(old.hash),
      ])
  }

  /// - Throws: ``StoreError/unknownAccount(_:)``.
  public func setDisabled(
    _ name: AccountName, _ isDisabled: Bool, reason: String, by author: String, now: Int64
  ) throws(StoreError) {
    try inTransaction { () throws(StoreError) in
      let id = try idOfAccount(name)
      try run(
        "UPDATE account SET is_disabled = ?, disabled_reason = ? WHERE id = ?",
        [SQLValue(isDisabled), .text(isDisabled ? reason : ""), .integer(id)])
      try audit(
        by: author, action: isDisabled ? "account disable" : "account enable",
        subject: name.text, detail: reason, now: now)
    }
  }

  /// Removes an account with its password and tokens; bans and history of it stay.
  ///
  /// - Throws: ``StoreError/unknownAccount(_:)``.
  public func removeAccount(
    _ name: AccountName, by author: String, now: Int64
  ) throws(StoreError) {
    try inTransaction { () throws(StoreError) in
      try run("DELETE FROM account WHERE id = ?", [.integer(try idOfAccount(name))])
      try audit(by: author, action: "account remove", subject: name.text, detail: "", now: now)
    }
  }

  /// Adds what `next` gives until it gives nil: all of them, or none when it throws.
  ///
  /// - Parameter replacing: whether accounts that are there get the imported password.
  public func importAccounts(
    _ next: () throws(StoreError) -> (AccountName, PasswordRecord)?, replacing: Bool,
    by author: String, now: Int64
  ) throws(StoreError) -> AccountImport {
    try inTransaction { () throws(StoreError) in
      var result = AccountImport()
      while let (name, record) = try next() {
        if let id = try insertAccount(name, now: now) {
          try putCredential(record, of: id, now: now)
          result.added += 1
        } else if replacing {
          try putCredential(record, of: try idOfAccount(name), now: now)
          result.replaced += 1
        } else {
          result.skipped += 1
        }
      }
      try audit(
        by: author, action: "account import", subject: "",
        detail: "\(result.added) added, \(result.replaced) replaced, \(result.skipped) skipped",
        now: now)
      return result
    }
  }
}

extension Database {
  /// Columns as ``Account/init(_:)`` reads them, and the rest of the credential.
  static let accountQuery = """
    SELECT account.id, account.name, account.is_disabled, account.disabled_reason,
      account.created_at, last_login.at, credential.scheme, credential.parameters, credential.hash
    FROM account LEFT JOIN credential ON credential.account = account.id
      LEFT JOIN last_login ON last_login.account = account.key
    """

  /// - Returns: nil when there is one of this name.
  func insertAccount(_ name: AccountName, now: Int64) throws(StoreError) -> Int64? {
    try run(
      "INSERT INTO account (key, name, created_at) VALUES (?, ?, ?)"
        + " ON CONFLICT (key) DO NOTHING",
      [.text(name.key), .text(name.text), .integer(now)])
    return changeCount == 0 ? nil : lastInsertedID
  }

  func putCredential(_ record: PasswordRecord, of id: Int64, now: Int64) throws(StoreError) {
    try run(
      "INSERT OR REPLACE INTO credential (account, scheme, parameters, hash, changed_at)"
        + " VALUES (?, ?, ?, ?, ?)",
      [
        .integer(id), .text(record.scheme), .text(record.parameters), .text(record.hash),
        .integer(now),
      ])
  }

  func idOfAccount(_ name: AccountName) throws(StoreError) -> Int64 {
    let id = try first("SELECT id FROM account WHERE key = ?", [.text(name.key)]) {
      $0.integer(0)
    }
    guard let id else { throw .unknownAccount(name.text) }
    return id
  }
}

extension Account {
  init(_ row: Row) throws(StoreError) {
    guard let name = AccountName(row.text(1)) else {
      throw row.damaged("the name of account \(row.integer(0))")
    }
    self.init(
      id: row.integer(0), name: name, isDisabled: row.bool(2), disabledReason: row.text(3),
      createdAt: row.integer(4), lastLoginAt: row.optionalInteger(5),
      credential: row.optionalText(6))
  }
}

/// A pattern for `LIKE … ESCAPE '\'` that every text with `part` in it matches.
func patternContaining(_ part: String) -> String {
  var pattern = "%"
  for scalar in part.unicodeScalars {
    if scalar == "%" || scalar == "_" || scalar == "\\" { pattern.unicodeScalars.append("\\") }
    pattern.unicodeScalars.append(scalar)
  }
  return pattern + "%"
}
