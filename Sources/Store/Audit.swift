/// A line of the audit log: who did what to the store.
public struct AuditRow: Equatable, Sendable {
  public var id: Int64
  /// Unix seconds.
  public var at: Int64
  public var author: String
  /// Two words such as `account add`; a third where there are kinds.
  public var action: String
  public var subject: String
  public var detail: String
}

extension Database {
  /// Adds a line to the audit log; methods that an operator's commands use do it themselves.
  public func audit(
    by author: String, action: String, subject: String, detail: String, now: Int64
  ) throws(StoreError) {
    try run(
      "INSERT INTO audit (at, author, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
      [.integer(now), .text(author), .text(action), .text(subject), .text(detail)])
  }

  /// Newest first.
  ///
  /// - Parameter id: only lines older than the one with this number; nil begins with the newest.
  public func auditRows(limit: Int, before id: Int64? = nil) throws(StoreError) -> [AuditRow] {
    try rows(
      "SELECT id, at, author, action, subject, detail FROM audit WHERE id < ?"
        + " ORDER BY id DESC LIMIT ?",
      [.integer(id ?? .max), .integer(Int64(max(0, limit)))]
    ) { AuditRow($0) }
  }
}

extension AuditRow {
  init(_ row: Row) {
    self.init(
      id: row.integer(0), at: row.integer(1), author: row.text(2), action: row.text(3),
      subject: row.text(4), detail: row.text(5))
  }
}
