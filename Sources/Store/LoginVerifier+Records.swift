internal import Auth
internal import Primitives

// What is to be kept.
extension LoginVerifier {
  /// Records of one transaction: others get in between, and who waits for a verdict.
  private static let groupMax = 1024

  /// Writes what there is; what the database can't take now is kept for the next time.
  func write() {
    if records.isEmpty {
      records = shared.inbox.takeRecords()[...]
    } else {
      records += shared.inbox.takeRecords()
    }
    writeDue = nil
    // The uses of tokens go along with the first group.
    repeat {
      let group = records.prefix(Self.groupMax)
      do throws(StoreError) {
        try write(group)
        tokens.forgetUses()
        forget(group)
      } catch {
        // One of them is at fault, and not the database: the others are written without it.
        guard connection.failure == nil, writeOneByOne(group) else { break }
      }
      if !records.isEmpty { takeRequests() }
    } while !records.isEmpty
    if writeDue == nil, !records.isEmpty || tokens.hasUses {
      writeDue = clock.monotonic() + Self.writeDelay
    }
  }

  private func write(
    _ group: ArraySlice<StoreServiceInbox.Record>, withUses: Bool = true
  ) throws(StoreError) {
    let now = clock.unixSeconds()
    var recorded: [(ban: TemporaryBan, event: Int64)] = []
    try perform(.writing) { database throws(StoreError) in
      recorded = []
      try database.inTransaction { () throws(StoreError) in
        if withUses { try tokens.writeUses(database) }
        let loginCount = group.count { if case .login = $0 { true } else { false } }
        var logins = LoginWriter(database, count: loginCount)
        for record in group {
          switch record {
          case .login(let login, let at): try logins.write(login, at: at)
          case .temporaryBan(let ban):
            try database.addBan(NewBan(ban), now: now)
            recorded.append((ban, try database.newestBanEvent()))
          case .upgrade(let upgrade):
            try database.upgradePassword(
              of: upgrade.account, from: upgrade.old, to: upgrade.new, now: now)
          }
        }
        try logins.finish()
      }
    }
    for (ban, event) in recorded { shared.callbacks.recorded(ban, event) }
    shared.count { statistics in
      for record in group {
        if case .upgrade = record {
          statistics.upgrades += 1
        } else {
          statistics.recordsWritten += 1
        }
      }
    }
  }

  /// Writes each record in its own transaction, and drops those that are refused.
  ///
  /// - Returns: false when the database fails; what is not written is kept.
  private func writeOneByOne(_ group: ArraySlice<StoreServiceInbox.Record>) -> Bool {
    for index in group.indices {
      let record = group[index...index]
      do throws(StoreError) {
        try write(record, withUses: false)
      } catch {
        guard connection.failure == nil else { return false }
        shared.count { statistics in
          switch group[index] {
          case .login: statistics.loginRecordsDropped += 1
          case .temporaryBan: statistics.temporaryBansDropped += 1
          // It is made again at the next login.
          case .upgrade: break
          }
        }
      }
      forget(record)
    }
    return true
  }

  private func forget(_ group: ArraySlice<StoreServiceInbox.Record>) {
    records = records.dropFirst(group.count)
    shared.inbox.finished(group)
  }
}

extension NewBan {
  /// A rule's ban, with the rule as its author.
  fileprivate init(_ ban: TemporaryBan) {
    self.init(
      effect: .ban, subject: ban.subject, listener: ban.listener, shownReason: ban.shownReason,
      internalReason: ban.internalReason, author: "rule \(ban.rule)", until: ban.until)
  }
}
