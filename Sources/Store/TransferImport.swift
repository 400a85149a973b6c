internal import Auth
internal import Primitives

extension Database {
  /// Takes over lines that ``exportJSON(_:)`` wrote: all of them, or none.
  ///
  /// What the store has already stays as it is, so that an import can be repeated. The audit log
  /// and the login history come over only into a store that has none.
  /// - Parameter next: the next line, without its line feed; nil at the end.
  /// - Throws: ``StoreError/malformedLine(_:problem:)``.
  public func importJSON(
    _ next: () throws(StoreError) -> [UInt8]?, by author: String, now: Int64
  ) throws(StoreError) -> StoreImport {
    try inTransaction { () throws(StoreError) in
      var reader = TransferReader(
        takesAudit: try integer("SELECT count(*) FROM (SELECT 1 FROM audit LIMIT 1)") == 0,
        takesLogins: try integer("SELECT count(*) FROM (SELECT 1 FROM login LIMIT 1)") == 0)
      while let bytes = try next() { try reader.take(bytes, into: self) }
      try reader.end()
      try audit(
        by: author, action: "store import", subject: "",
        detail: reader.result.kinds.map { "\($0.added) \($0.name)" }.joined(separator: ", "),
        now: now)
      return reader.result
    }
  }
}

/// Where an import stands.
private struct TransferReader {
  let takesAudit: Bool
  let takesLogins: Bool
  var result = StoreImport()
  private var lineCount = 0
  private var hasEnded = false

  init(takesAudit: Bool, takesLogins: Bool) {
    self.takesAudit = takesAudit
    self.takesLogins = takesLogins
  }

  mutating func take(_ bytes: [UInt8], into database: Database) throws(StoreError) {
    lineCount += 1
    var line = try TransferLine(bytes, number: lineCount)
    if lineCount == 1 {
      try header(&line)
    } else if hasEnded {
      throw line.wrong("stands behind the end")
    } else if line.kind == Transfer.endKind {
      guard try line.integer("lines") == lineCount - 1 else {
        throw line.wrong("the number of lines is another: some are missing, or too many")
      }
      hasEnded = true
    } else {
      do throws(StoreError) {
        result.count(line.kind, isNew: try row(&line, database))
      } catch {
        // What the schema refuses is the line's fault.
        guard case .constraint(_, let problem) = error else { throw error }
        throw line.wrong(problem)
      }
    }
    try line.end()
  }

  func end() throws(StoreError) {
    guard hasEnded else {
      throw .malformedLine(lineCount + 1, problem: "the file ends before its last line")
    }
  }

  private func header(_ line: inout TransferLine) throws(StoreError) {
    guard line.kind == Transfer.headerKind else {
      throw line.wrong("is not of kind \(Transfer.headerKind): this is no export of a store")
    }
    let version = try line.integer("version")
    guard version == Transfer.version else {
      throw line.wrong("version \(version); this program knows version \(Transfer.version)")
    }
  }

  /// - Returns: whether the store did not have it.
  private func row(_ line: inout TransferLine, _ database: Database) throws(StoreError) -> Bool {
    switch line.kind {
    case "account": try database.importAccount(&line)
    case "token": try database.importToken(&line)
    case "ticket-revocation": try database.importRevocation(&line)
    case "ticket-nonce": try database.importNonce(&line)
    case "ban": try database.importBan(&line)
    case "last-login": try database.importLastLogin(&line)
    case "audit": try database.importAudit(&line, takes: takesAudit)
    case "login": try database.importLogin(&line, takes: takesLogins)
    default: throw line.wrong("there is no kind \(line.kind)")
    }
  }
}

extension Database {
  fileprivate func importAccount(_ line: inout TransferLine) throws(StoreError) -> Bool {
    let name = try line.account("name")
    let createdAt = try line.integer("created_at")
    let isDisabled = try line.bool("disabled")
    let reason = try line.string("disabled_reason")
    var password: PasswordRecord?
    var changedAt = createdAt
    if let scheme = try line.optionalString("password_scheme") {
      password = PasswordRecord(
        scheme: scheme, parameters: try line.string("password_parameters"),
        hash: try line.string("password_hash"))
      changedAt = try line.integer("password_changed_at")
    }
    guard let id = try insertAccount(name, now: createdAt) else { return false }
    if isDisabled {
      try run(
        "UPDATE account SET is_disabled = 1, disabled_reason = ? WHERE id = ?",
        [.text(reason), .integer(id)])
    }
    if let password { try putCredential(password, of: id, now: changedAt) }
    return true
  }

  fileprivate func importToken(_ line: inout TransferLine) throws(StoreError) -> Bool {
    let account = try line.account("account")
    let id: Int64
    do throws(StoreError) {
      id = try idOfAccount(account)
    } catch {
      guard case .unknownAccount = error else { throw error }
      throw line.wrong("its account \(account.text) stands in no line above")
    }
    try run(
      "INSERT INTO token (hash, account, label, created_at, created_by, expires_at,"
        + " is_single_use, used_at, use_count, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        + " ON CONFLICT (hash) DO NOTHING",
      [
        .blob(try line.bytes("hash")), .integer(id), .text(try line.string("label")),
        .integer(try line.integer("created_at")), .text(try line.string("created_by")),
        SQLValue(try line.optionalInteger("expires_at")),
        SQLValue(try line.bool("single_use")), SQLValue(try line.optionalInteger("used_at")),
        .integer(try line.integer("use_count")),
        SQLValue(try line.optionalInteger("revoked_at")),
      ])
    return changeCount > 0
  }

  fileprivate func importRevocation(_ line: inout TransferLine) throws(StoreError) -> Bool {
    try run(
      "INSERT INTO ticket_revocation (account, issued_before) VALUES (?, ?)"
        + " ON CONFLICT (account) DO UPDATE SET issued_before = excluded.issued_before"
        + " WHERE excluded.issued_before > issued_before",
      [
        .text(try line.account("account").key), .integer(try line.integer("issued_before")),
      ])
    return changeCount > 0
  }

  fileprivate func importNonce(_ line: inout TransferLine) throws(StoreError) -> Bool {
    try run(
      "INSERT INTO ticket_nonce (account, nonce, expires_at) VALUES (?, ?, ?)"
        + " ON CONFLICT (account, nonce) DO NOTHING",
      [
        .text(try line.account("account").key), .blob(try line.bytes("nonce")),
        .integer(try line.integer("expires_at")),
      ])
    return changeCount > 0
  }

  fileprivate func importBan(_ line: inout TransferLine) throws(StoreError) -> Bool {
    let effectName = try line.string("effect")
    guard let effect = BanEffect(rawValue: effectName) else {
      throw line.wrong("there is no effect \(effectName)")
    }
    let subject = try importSubject(&line)
    let ban = NewBan(
      effect: effect, subject: subject, listener: try line.optionalString("listener"),
      shownReason: try line.string("shown_reason"),
      internalReason: try line.string("internal_reason"), author: try line.string("author"),
      until: try line.optionalInteger("until"))
    let createdAt = try line.integer("created_at")
    let liftedAt = try line.optionalInteger("lifted_at")
    let lift: (at: Int64, by: String, reason: String)? =
      if let liftedAt {
        (liftedAt, try line.string("lifted_by"), try line.string("lift_reason"))
      } else { nil }
    guard try !hasBan(ban, createdAt: createdAt) else { return false }
    let id = try insertBan(ban, now: createdAt)
    if let lift { try self.lift(id, by: lift.by, reason: lift.reason, now: lift.at) }
    return true
  }

  private func hasBan(_ ban: NewBan, createdAt: Int64) throws(StoreError) -> Bool {
    let columns = ban.subject.columns
    let (condition, values): (String, [SQLValue]) =
      switch ban.subject {
      case .account: ("account = ?", [columns.account])
      case .addresses: ("prefix = ? AND bits = ?", [columns.prefix, columns.bits])
      }
    let id = try first(
      "SELECT id FROM ban WHERE \(condition) AND effect = ? AND listener IS ? AND created_at = ?"
        + " AND until IS ? AND author = ? AND shown_reason = ? AND internal_reason = ? LIMIT 1",
      values + [
        .text(ban.effect.rawValue), SQLValue(ban.listener), .integer(createdAt),
        SQLValue(ban.until), .text(ban.author), .text(ban.shownReason), .text(ban.internalReason),
      ]
    ) { $0.integer(0) }
    return id != nil
  }

  private func importSubject(_ line: inout TransferLine) throws(StoreError) -> Subject {
    guard let text = try line.optionalString("addresses") else {
      return .account(try line.account("account"))
    }
    guard let prefix = AddressPrefix(text: text) else {
      throw line.wrong("addresses is not an address or prefix")
    }
    return .addresses(prefix)
  }

  fileprivate func importLastLogin(_ line: inout TransferLine) throws(StoreError) -> Bool {
    let account = try line.account("account")
    let at = try line.integer("at")
    let known = try integer(
      "SELECT count(*) FROM last_login WHERE account = ? AND at >= ?",
      [.text(account.key), .integer(at)])
    guard known == 0 else { return false }
    try noteLastLogin(of: account, at: at)
    return true
  }

  fileprivate func importAudit(
    _ line: inout TransferLine, takes: Bool
  ) throws(StoreError) -> Bool {
    let row = AuditRow(
      id: 0, at: try line.integer("at"), author: try line.string("author"),
      action: try line.string("action"), subject: try line.string("subject"),
      detail: try line.string("detail"))
    guard takes else { return false }
    try audit(
      by: row.author, action: row.action, subject: row.subject, detail: row.detail, now: row.at)
    return true
  }

  fileprivate func importLogin(
    _ line: inout TransferLine, takes: Bool
  ) throws(StoreError) -> Bool {
    let text = try line.string("address")
    guard let address = AddressPrefix(text: text), address.bitCount == 128 else {
      throw line.wrong("address is not an address")
    }
    guard let port = UInt16(exactly: try line.integer("port")) else {
      throw line.wrong("port is not a port")
    }
    let record = LoginRecord(
      account: try line.optionalString("account"),
      client: SocketAddress(ipv6: address.bytes, port: port),
      listener: try line.string("listener"), outcome: try line.string("outcome"),
      detail: try line.string("detail"))
    let at = try line.integer("at")
    guard takes else { return false }
    try insertLogin(record, at: at)
    return true
  }
}
