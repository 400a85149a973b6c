internal import CSQLite

extension Database {
  /// What is wrong with the database, one sentence each; empty when it is good.
  ///
  /// Reads all of it: seconds for a million bans.
  public func check() throws(StoreError) -> [String] {
    var problems: [String] = []
    do throws(StoreError) {
      try forEach("PRAGMA integrity_check(100)") { row in
        problems += row.text(0).split(separator: "\n").map { String($0) }.filter { line in
          line != "ok" && !line.hasPrefix("*** in database")
        }
        return true
      }
      if problems.isEmpty { problems = try logicalProblems() }
    } catch {
      // Some damage keeps even the check from going on.
      guard case .corrupt(_, let problem) = error else { throw error }
      problems.append(problem)
    }
    if let rights = files.rightsOfOthers(path) {
      problems.append("others may read or write \(path) (mode \(rights)): chmod 600 \(path)")
    }
    return problems
  }

  private func logicalProblems() throws(StoreError) -> [String] {
    var problems: [String] = []
    try forEach("PRAGMA foreign_key_check") { row in
      problems.append(
        "row \(row.integer(1)) of table \(row.text(0)) belongs to one of \(row.text(2))"
          + " that is not there")
      return problems.count < 100
    }
    let version = try integer("PRAGMA user_version")
    if version != Self.schemaVersion {
      problems.append("the schema version is \(version) instead of \(Self.schemaVersion)")
    }
    let mute = try integer(
      "SELECT count(*) FROM ban WHERE NOT EXISTS"
        + " (SELECT 1 FROM ban_event WHERE ban_event.ban = ban.id AND is_lift = 0)"
        + " OR (lifted_at IS NOT NULL) <> EXISTS"
        + " (SELECT 1 FROM ban_event WHERE ban_event.ban = ban.id AND is_lift = 1)")
    if mute > 0 { problems.append("\(mute) bans and their events tell different things") }
    return problems
  }

  /// Writes a copy of the database as it is at this moment, while others go on using it.
  ///
  /// The copy is one file, for its user alone; it is read through before it is called good, and
  /// removed when it is not.
  /// - Throws: ``StoreError/exists(path:)`` rather than write over a file.
  public func backup(to target: String) throws(StoreError) {
    guard !target.isEmpty, !target.utf8.contains(0) else {
      throw .cannotOpen(path: target, problem: "this is not a file's name")
    }
    try files.create(target)
    do throws(StoreError) {
      let copy = try unsafe openConnection(target, files, flags: SQLITE_OPEN_READWRITE)
      defer { unsafe sqlite3_close_v2(copy) }
      // Others' writing would make the copy begin again if this did not hold to one state.
      try readingOneState { () throws(StoreError) in
        // The state is that of the first reading.
        _ = try newestBanEvent()
        try unsafe copyPages(to: copy, path: target)
      }
      try unsafe verify(copy, path: target)
    } catch {
      files.remove(target)
      throw error
    }
  }

  private func copyPages(to copy: OpaquePointer, path: String) throws(StoreError) {
    guard let backup = unsafe sqlite3_backup_init(copy, "main", connection, "main") else {
      throw unsafe StoreError(on: copy, path: path)
    }
    var code = SQLITE_OK
    while code == SQLITE_OK { code = unsafe sqlite3_backup_step(backup, 1024) }
    let result = unsafe sqlite3_backup_finish(backup)
    guard code == SQLITE_DONE, result == SQLITE_OK else {
      // Reading failed on this side, or writing on the other: the copy's connection knows.
      throw unsafe StoreError(on: copy, path: path)
    }
  }

  private func verify(_ copy: OpaquePointer, path: String) throws(StoreError) {
    // Without a write-ahead log, the copy is one file. Opening it as a database brings it back.
    guard unsafe sqlite3_exec(copy, "PRAGMA journal_mode = DELETE", nil, nil, nil) == SQLITE_OK
    else { throw unsafe StoreError(on: copy, path: path) }
    var problem: String?
    try unsafe Statement("PRAGMA integrity_check(1)", on: copy, path: path).run([]) { row in
      problem = row.text(0)
      return false
    }
    guard problem == "ok" else {
      throw .corrupt(path: self.path, problem: "its copy failed the check: \(problem ?? "")")
    }
  }
}
