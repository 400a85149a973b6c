public import Auth
internal import Primitives

/// A line of the login history.
public struct LoginRow: Equatable, Sendable {
  public var id: Int64
  /// Unix seconds.
  public var at: Int64
  public var record: LoginRecord
}

extension Database {
  /// The history's size: older logins go first.
  public static let loginCountMax: Int64 = 5_000_000

  /// Adds to the login history, and notes the last login of accounts that were let in.
  ///
  /// What clients wrote is cut off at 256 bytes.
  /// - Parameter records: with Unix seconds; all in one transaction.
  public func recordLogins(_ records: [(LoginRecord, at: Int64)]) throws(StoreError) {
    guard !records.isEmpty else { return }
    try inTransaction { () throws(StoreError) in
      var writer = LoginWriter(self, count: records.count)
      for (record, at) in records { try writer.write(record, at: at) }
      try writer.finish()
    }
  }

  /// Newest first.
  ///
  /// - Parameter subject: an account, or all addresses of a prefix; nil means all.
  public func logins(of subject: Subject?, limit: Int) throws(StoreError) -> [LoginRow] {
    let limit = SQLValue.integer(Int64(max(0, limit)))
    let end = " ORDER BY id DESC LIMIT ?"
    switch subject {
    case nil:
      return try rows(Self.loginQuery + end, [limit], LoginRow.init)
    case .account(let name):
      return try rows(
        Self.loginQuery + " WHERE account = ?" + end, [.text(name.key), limit], LoginRow.init)
    case .addresses(let prefix):
      let range = AddressRange(prefix)
      return try rows(
        Self.loginQuery + " WHERE address BETWEEN ? AND ?"
          + (range.isIPv4 ? "" : " AND NOT address BETWEEN ? AND ?") + end,
        (range.isIPv4 ? range.bounds : range.bounds + AddressRange.ofIPv4.bounds) + [limit],
        LoginRow.init)
    }
  }

  /// Accounts that were let in since a second, the latest first; also those of tickets alone.
  public func knownAccounts(
    since: Int64, limit: Int, _ body: (AccountName) throws(StoreError) -> Void
  ) throws(StoreError) {
    try forEach(
      "SELECT name FROM last_login WHERE at >= ? ORDER BY at DESC LIMIT ?",
      [.integer(since), .integer(Int64(max(0, limit)))]
    ) { row throws(StoreError) in
      guard let name = AccountName(row.text(0)) else { throw row.damaged("a name in last_login") }
      try body(name)
      return true
    }
  }

  /// Forgets the oldest logins, in small transactions that let others in between.
  ///
  /// They go in the order in which they were written, the oldest of them first, as far as one that
  /// is to stay; one that a clock that went back has dated too early stays behind it. Those that a
  /// wrong clock has dated more than a day ahead go with the next that is old, or when there is
  /// nothing but such ones in the first ``pruneBatch``.
  ///
  /// - Parameters:
  ///   - olderThan: Unix seconds.
  ///   - now: Unix seconds.
  ///   - countMax: how many of the newest may stay.
  ///   - limit: about how many go at most; ask again when as many went.
  /// - Returns: how many lines of the history went.
  @discardableResult
  public func pruneLogins(
    olderThan: Int64, now: Int64, countMax: Int64 = loginCountMax, limit: Int = .max
  ) throws(StoreError) -> Int {
    var total = 0
    var count = Self.pruneBatch
    while count == Self.pruneBatch, total < limit {
      try run(
        Self.forgetting,
        [
          .integer(olderThan), .integer(now.addingReportingOverflow(86_400).partialValue),
          .integer(Int64(Self.pruneBatch)),
        ])
      count = changeCount
      total += count
    }
    // Numbers are given in order, so those this far behind the last are beyond the count.
    let last = try integer("SELECT coalesce(max(id), 0) FROM login")
    count = Self.pruneBatch
    while count == Self.pruneBatch, total < limit {
      try run(
        "DELETE FROM login WHERE id IN (SELECT id FROM login WHERE id <= ? ORDER BY id LIMIT ?)",
        [.integer(max(0, last) - max(0, countMax)), .integer(Int64(Self.pruneBatch))])
      count = changeCount
      total += count
    }
    guard total < limit else { return total }
    try run(
      "DELETE FROM last_login WHERE at < ?"
        + " AND NOT EXISTS (SELECT 1 FROM account WHERE account.key = last_login.account)",
      [.integer(olderThan)])
    return total
  }

  /// Lines of the history that one transaction forgets.
  public static let pruneBatch = 2000

  /// Forgets, of the first ?3 lines, those up to the last that is older than ?1 and comes before
  /// any that stays; what is later than ?2 can't be, and tells nothing.
  private static let forgetting = """
    WITH oldest AS (SELECT id, at FROM login ORDER BY id LIMIT ?3),
      kept AS (SELECT min(id) AS id FROM oldest WHERE at BETWEEN ?1 AND ?2),
      ended AS (SELECT CASE WHEN count(*) = ?3 AND min(at) > ?2 THEN max(id) ELSE
        max(id) FILTER (WHERE at < ?1 AND id < coalesce((SELECT id FROM kept), id + 1)) END AS id
        FROM oldest)
    DELETE FROM login WHERE id IN (SELECT id FROM oldest) AND id <= (SELECT id FROM ended)
    """
}

extension Database {
  static let loginQuery =
    "SELECT id, at, name, address, port, listener, outcome, detail FROM login"

  func insertLogin(_ record: LoginRecord, at: Int64) throws(StoreError) {
    var writer = LoginWriter(self, count: 1)
    try writer.write(record, at: at)
    try writer.finish()
  }

  func noteLastLogin(of account: AccountName, at: Int64) throws(StoreError) {
    try run(
      "INSERT INTO last_login (account, name, at) VALUES (?, ?, ?)"
        + " ON CONFLICT (account) DO UPDATE SET at = max(at, excluded.at)",
      [.text(account.key), .text(account.text), .integer(at)])
  }
}

extension LoginRow {
  init(_ row: Row) throws(StoreError) {
    guard let address = [16 of UInt8](row.bytes(3)), let port = UInt16(exactly: row.integer(4))
    else { throw row.damaged("the address of login \(row.integer(0))") }
    self.init(
      id: row.integer(0), at: row.integer(1),
      record: LoginRecord(
        account: row.optionalText(2), client: SocketAddress(ipv6: address, port: port),
        listener: row.text(5), outcome: row.text(6), detail: row.text(7)))
  }
}
