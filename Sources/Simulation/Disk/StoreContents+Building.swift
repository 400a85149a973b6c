internal import Auth
internal import Primitives
internal import Store

// How a fixture's database is made.
extension StoreContents {
  private static let author = "fixture"
  /// Bans of one transaction; the log that it needs stays small.
  private static let bansPerTransaction = 20_000
  /// When accounts and bans were made, in Unix seconds.
  private static let created = StoreFixture.unixSeconds - 30 * 86_400
  /// The password's record of those who are to get a better one.
  private static let outdated = PasswordParameters(opsLimit: 2, memoryBytes: 8 << 10)

  /// Makes the database on a disk of its own.
  func makeImage() throws(StoreError) -> DiskImage {
    let disk = VirtualDisk(seed: 0, syncsAlways: true)
    disk.unixMilliseconds = StoreFixture.unixSeconds * 1000
    try fill(try Database(path: StoreFixture.path, files: disk))
    return disk.image()
  }

  private func fill(_ database: Database) throws(StoreError) {
    try database.inTransaction { () throws(StoreError) in
      for index in 0..<accountCount { try add(index, to: database) }
      for ban in bans { try add(ban, to: database) }
      try addHistory(to: database)
    }
    var index = 0
    while index < manyBansCount {
      let end = min(manyBansCount, index + Self.bansPerTransaction)
      try database.addBans(
        { () throws(StoreError) -> NewBan? in
          guard index < end else { return nil }
          defer { index += 1 }
          return newBan(manyBan(index))
        }, now: Self.created)
    }
    for index in stride(from: 4, to: manyBansCount, by: 1000) {
      try lift(manyBan(index), in: database)
    }
  }

  private func add(_ index: Int, to database: Database) throws(StoreError) {
    let name = account(index)
    let trait = trait(ofAccount: index)
    var record: PasswordRecord?
    if trait != .noPassword {
      record = try PasswordHash.make(
        Array(password(ofAccount: index).utf8),
        trait == .outdatedPassword ? Self.outdated : VirtualStore.passwords)
    }
    try database.addAccount(name, credential: record, by: Self.author, now: Self.created)
    if trait == .disabled {
      try database.setDisabled(
        name, true, reason: "by the fixture", by: Self.author, now: Self.created)
    }
    try addToken(of: index, to: database)
  }

  private func addToken(of index: Int, to database: Database) throws(StoreError) {
    let trait = tokenTrait(ofAccount: index)
    guard trait != .none else { return }
    let expiresAt: Int64? =
      switch trait {
      case .endingInAnHour: StoreFixture.unixSeconds + 3600
      case .expired: StoreFixture.unixSeconds - 1
      case .lasting, .revoked, .singleUse, .none: nil
      }
    let id = try database.addToken(
      hash: TokenSecret.hash(of: Array(tokenSecret(ofAccount: index).utf8)),
      account: account(index), label: "of the fixture", expiresAt: expiresAt,
      isSingleUse: trait == .singleUse, by: Self.author, now: Self.created)
    if trait == .revoked {
      try database.revokeToken(id: id, by: Self.author, now: Self.created)
    }
  }

  private func newBan(_ ban: FixtureBan) -> NewBan {
    NewBan(
      effect: ban.allows ? .allow : .ban, subject: ban.subject, shownReason: "by the fixture",
      author: Self.author, until: ban.until)
  }

  private func add(_ ban: FixtureBan, to database: Database) throws(StoreError) {
    try database.addBan(newBan(ban), now: Self.created)
    if ban.isLifted { try lift(ban, in: database) }
  }

  private func lift(_ ban: FixtureBan, in database: Database) throws(StoreError) {
    try database.liftBans(
      effect: .ban, of: ban.subject, by: Self.author, reason: "by the fixture", now: Self.created)
  }

  /// A login of every second account; of an expired fixture, so old that they are to be forgotten,
  /// and nonces of tickets that nobody takes any more.
  private func addHistory(to database: Database) throws(StoreError) {
    let day: Int64 = 86_400
    let at = StoreFixture.unixSeconds - (isExpired ? 400 : 1) * day
    for index in stride(from: 0, to: accountCount, by: 2) {
      let record = LoginRecord(
        account: account(index).text, client: SocketAddress(ipv4: 192, 0, 2, 1, port: 4000),
        listener: "game", outcome: "accepted", detail: "")
      try database.recordLogins([(record, at: at)])
      guard isExpired else { continue }
      var nonce = [UInt8](repeating: 0, count: Ticket.nonceByteCount)
      nonce[0] = UInt8(truncatingIfNeeded: index)
      _ = try database.useTicket(
        nonce: nonce, account: account(index), issuedAt: at, expiresAt: at + 60,
        isSingleUse: true)
    }
  }
}
