internal import Auth
internal import Primitives

// What is to be kept.
extension LoginVerifier {
  /// Records of one transaction: who waits for a verdict waits for one of them at most.
  private static let groupMax = 1024
  /// Between two groups, so that no burst of writing takes a core from clients' packets.
  private static let groupRest = Interval.milliseconds(3)

  /// Something was taken that is not written yet.
  var isUnwritten: Bool { !records.isEmpty || tokens.hasUses }

  /// Writes a group of what there is; what the database can't take now is kept for the next time.
  ///
  /// - Returns: false when the database fails.
  @discardableResult
  func write() -> Bool {
    // What comes while some groups are written waits for more of its kind.
    if records.isEmpty { records = shared.inbox.takeRecords()[...] }
    let group = records.prefix(Self.groupMax)
    var isWritten = true
    do throws(StoreError) {
      tokens.forgetUses(try write(group))
      forget(group)
    } catch {
      // One of them is at fault, and not the database: the others are written without it.
      isWritten = connection.failure == nil && writeOneByOne(group) && writeUses()
    }
    let rest = isWritten ? Self.groupRest : Self.writeDelay
    writeDue = isUnwritten ? clock.monotonic() + rest : nil
    return isWritten
  }

  /// - Returns: of how many tokens uses were written along.
  private func write(
    _ group: ArraySlice<StoreServiceInbox.Record>, withUses: Bool = true
  ) throws(StoreError) -> Int {
    let now = clock.unixSeconds()
    var recorded: [(ban: TemporaryBan, event: Int64)] = []
    let useCount = try performWriting(waiting: Self.momentForOthers) {
      database throws(StoreError) in
      recorded = []
      return try database.inTransaction { () throws(StoreError) in
        let useCount = withUses ? try tokens.writeUses(database) : 0
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
        return useCount
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
    return useCount
  }

  /// Writes some uses of tokens by themselves, and gives them up when they are refused.
  ///
  /// - Returns: false when the database fails; what is not written is kept.
  private func writeUses() -> Bool {
    do throws(StoreError) {
      tokens.forgetUses(try write([]))
    } catch {
      guard connection.failure == nil else { return false }
      tokens.forgetUses(min(tokens.usesWaiting, TokenCache.usesInOneGroup))
    }
    return true
  }

  /// Writes each record in its own transaction, and drops those that are refused.
  ///
  /// - Returns: false when the database fails; what is not written is kept.
  private func writeOneByOne(_ group: ArraySlice<StoreServiceInbox.Record>) -> Bool {
    for index in group.indices {
      let record = group[index...index]
      do throws(StoreError) {
        _ = try write(record, withUses: false)
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
    // An empty rest would keep the whole in memory.
    if records.isEmpty { records = [] }
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
