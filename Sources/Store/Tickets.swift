public import Auth

/// What the store knows of a ticket whose signature and times are good.
public enum TicketUse: Equatable, Sendable {
  case accepted
  /// A ticket of this account and nonce let somebody in before.
  case alreadyUsed
  case revoked
  case accountDisabled
}

extension Database {
  /// Notes a ticket's nonce, so that it lets in once; of two at the same time, one is let in, also
  /// by a transaction that the caller has begun.
  ///
  /// An account of the ticket's name need not exist. Nonces are forgotten some time after the
  /// ticket's expiry, which the caller checks.
  ///
  /// - Parameters:
  ///   - issuedAt: Unix seconds; compared with ``revokeTickets(of:issuedBefore:by:now:)``.
  ///   - expiresAt: Unix seconds.
  ///   - isSingleUse: when false, nothing is noted.
  package func useTicket(
    nonce: [UInt8], account: AccountName, issuedAt: Int64, expiresAt: Int64, isSingleUse: Bool
  ) throws(StoreError) -> TicketUse {
    if let objection = try objection(to: account, issuedAt: issuedAt) { return objection }
    guard isSingleUse else { return .accepted }
    try run(
      "INSERT INTO ticket_nonce (account, nonce, expires_at) VALUES (?, ?, ?)"
        + " ON CONFLICT (account, nonce) DO NOTHING",
      [.text(account.key), .blob(nonce), .integer(expiresAt)])
    return changeCount == 0 ? .alreadyUsed : .accepted
  }

  /// Forgets some of the nonces whose tickets expired long ago, oldest first.
  func forgetNonces(_ countMax: Int64, now: Int64) throws(StoreError) {
    try run(
      "DELETE FROM ticket_nonce WHERE (account, nonce) IN (SELECT account, nonce"
        + " FROM ticket_nonce WHERE expires_at < ? ORDER BY expires_at LIMIT ?)",
      [.integer(now - Self.nonceGraceSeconds), .integer(countMax)])
  }

  /// Revokes all tickets of an account that were issued up to a second.
  public func revokeTickets(
    of account: AccountName, issuedBefore: Int64, by author: String, now: Int64
  ) throws(StoreError) {
    try inTransaction { () throws(StoreError) in
      try run(
        "INSERT INTO ticket_revocation (account, issued_before) VALUES (?, ?)"
          + " ON CONFLICT (account)"
          + " DO UPDATE SET issued_before = max(issued_before, excluded.issued_before)",
        [.text(account.key), .integer(issuedBefore)])
      try audit(
        by: author, action: "ticket revoke", subject: account.text,
        detail: "issued up to \(issuedBefore)", now: now)
    }
  }

  /// Nonces outlive their tickets by an hour, for clocks that go wrong and leeway in checks.
  private static var nonceGraceSeconds: Int64 { 3600 }

  private func objection(
    to account: AccountName, issuedAt: Int64
  ) throws(StoreError) -> TicketUse? {
    let found = try first(
      "SELECT EXISTS (SELECT 1 FROM ticket_revocation WHERE account = ?1 AND issued_before >= ?2),"
        + " EXISTS (SELECT 1 FROM account WHERE key = ?1 AND is_disabled)",
      [.text(account.key), .integer(issuedAt)]
    ) { (isRevoked: $0.bool(0), isDisabled: $0.bool(1)) }
    guard let found else { return nil }
    if found.isRevoked { return .revoked }
    return found.isDisabled ? .accountDisabled : nil
  }
}
