internal import Auth
internal import JSON
internal import Primitives

extension Database {
  /// Tells `write` the whole store as JSON lines, hashes of secrets included (docs/store.md).
  ///
  /// The store as it is at one moment, whatever others write meanwhile.
  /// - Parameter write: is given whole lines, each with its line feed.
  public func exportJSON(
    _ write: ([UInt8]) throws(StoreError) -> Void
  ) throws(StoreError) {
    try readingOneState { () throws(StoreError) in
      var count: Int64 = 0
      func line(_ kind: String, _ members: (inout JSONWriter) -> Void) throws(StoreError) {
        let object = JSONWriter.object { json in
          json.member("kind", kind)
          members(&json)
        }
        count += 1
        try write(object + [UInt8(ascii: "\n")])
      }
      try line(Transfer.headerKind) { $0.member("version", Transfer.version) }
      try exportAccounts(line)
      try exportTokens(line)
      try exportTickets(line)
      try bansEver { ban throws(StoreError) in try line("ban") { $0.members(of: ban) } }
      try exportHistory(line)
      // A file that was cut off lacks it.
      try line(Transfer.endKind) { $0.member("lines", count) }
    }
  }

  private typealias Line = (String, (inout JSONWriter) -> Void) throws(StoreError) -> Void

  private func exportAccounts(_ line: Line) throws(StoreError) {
    try forEach(
      "SELECT name, created_at, is_disabled, disabled_reason, scheme, parameters, hash, changed_at"
        + " FROM account LEFT JOIN credential ON credential.account = account.id ORDER BY key"
    ) { row throws(StoreError) in
      let values = (
        name: row.text(0), createdAt: row.integer(1), isDisabled: row.bool(2), reason: row.text(3)
      )
      let password: (scheme: String, parameters: String, hash: String, changedAt: Int64)? =
        row.isNull(4) ? nil : (row.text(4), row.text(5), row.text(6), row.integer(7))
      try line("account") { json in
        json.member("name", values.name)
        json.member("created_at", values.createdAt)
        json.member("disabled", values.isDisabled)
        json.member("disabled_reason", values.reason)
        guard let password else { return }
        json.member("password_scheme", password.scheme)
        json.member("password_parameters", password.parameters)
        json.member("password_hash", password.hash)
        json.member("password_changed_at", password.changedAt)
      }
      return true
    }
  }

  private func exportTokens(_ line: Line) throws(StoreError) {
    try forEach(Self.tokenQuery + " ORDER BY token.id") { row throws(StoreError) in
      let token = try TokenRow(row)
      let hash = hexadecimal(row.bytes(11))
      try line("token") { json in
        json.member("hash", hash)
        json.member("account", token.account.text)
        json.member("label", token.label)
        json.member("created_at", token.createdAt)
        json.member("created_by", token.createdBy)
        json.member("expires_at", token.expiresAt)
        json.member("single_use", token.isSingleUse)
        json.member("used_at", token.usedAt)
        json.member("use_count", token.useCount)
        json.member("revoked_at", token.revokedAt)
      }
      return true
    }
  }

  private func exportTickets(_ line: Line) throws(StoreError) {
    try forEach(
      "SELECT account, issued_before FROM ticket_revocation ORDER BY account"
    ) { row throws(StoreError) in
      let (account, issuedBefore) = (row.text(0), row.integer(1))
      try line("ticket-revocation") { json in
        json.member("account", account)
        json.member("issued_before", issuedBefore)
      }
      return true
    }
    try forEach(
      "SELECT account, nonce, expires_at FROM ticket_nonce ORDER BY account, nonce"
    ) { row throws(StoreError) in
      let (account, nonce, expiresAt) = (row.text(0), row.bytes(1), row.integer(2))
      try line("ticket-nonce") { json in
        json.member("account", account)
        json.member("nonce", hexadecimal(nonce))
        json.member("expires_at", expiresAt)
      }
      return true
    }
  }

  private func bansEver(_ body: (BanRow) throws(StoreError) -> Void) throws(StoreError) {
    try forEach(Self.banQuery + " ORDER BY id") { row throws(StoreError) in
      try body(BanRow(row))
      return true
    }
  }

  private func exportHistory(_ line: Line) throws(StoreError) {
    try forEach(
      "SELECT name, at FROM last_login ORDER BY account"
    ) { row throws(StoreError) in
      let (name, at) = (row.text(0), row.integer(1))
      try line("last-login") { json in
        json.member("account", name)
        json.member("at", at)
      }
      return true
    }
    try forEach(
      "SELECT id, at, author, action, subject, detail FROM audit ORDER BY id"
    ) { row throws(StoreError) in
      let audit = AuditRow(row)
      try line("audit") { json in
        json.member("at", audit.at)
        json.member("author", audit.author)
        json.member("action", audit.action)
        json.member("subject", audit.subject)
        json.member("detail", audit.detail)
      }
      return true
    }
    try forEach(Self.loginQuery + " ORDER BY id") { row throws(StoreError) in
      let login = try LoginRow(row)
      try line("login") { json in
        json.member("at", login.at)
        json.member("account", login.record.account)
        json.member("address", login.record.client.host)
        json.member("port", login.record.client.port)
        json.member("listener", login.record.listener)
        json.member("outcome", login.record.outcome)
        json.member("detail", login.record.detail)
      }
      return true
    }
  }
}

extension JSONWriter {
  mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  mutating func members(of ban: BanRow) {
    member("effect", ban.effect.rawValue)
    switch ban.subject {
    case .addresses(let prefix): member("addresses", prefix.description)
    case .account(let name): member("account", name.text)
    }
    member("listener", ban.listener)
    member("shown_reason", ban.shownReason)
    member("internal_reason", ban.internalReason)
    member("author", ban.author)
    member("created_at", ban.createdAt)
    member("until", ban.until)
    guard ban.liftedAt != nil else { return }
    member("lifted_at", ban.liftedAt)
    member("lifted_by", ban.liftedBy)
    member("lift_reason", ban.liftReason)
  }
}
