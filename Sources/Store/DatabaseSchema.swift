internal import CSQLite

// What a file is, and how it becomes what this program needs.
extension Database {
  /// The version that this program writes.
  public static let schemaVersion = Int32(Schema.steps.count)

  /// The schema version of the file; 0 when it is empty.
  ///
  /// - Throws: when the file is no database of ours, or of a newer program.
  func ownVersion() throws(StoreError) -> Int32 {
    try readingOneState { () throws(StoreError) in
      let application = try integer("PRAGMA application_id")
      let tableCount = try integer("SELECT count(*) FROM sqlite_schema")
      let version = Int32(clamping: try integer("PRAGMA user_version"))
      guard application == Schema.applicationID || (application == 0 && tableCount == 0) else {
        throw .notOurs(path: path)
      }
      guard version <= Self.schemaVersion else {
        throw .newer(path: path, found: version, supported: Self.schemaVersion)
      }
      guard version >= 0, version > 0 || tableCount == 0 else { throw .notOurs(path: path) }
      return version
    }
  }

  /// Takes the steps that are missing, each with its number in one transaction.
  ///
  /// The number is read again within the transaction: another process may have come first.
  func migrate(by steps: [String] = Schema.steps) throws(StoreError) {
    while try integer("PRAGMA user_version") < steps.count {
      try inTransaction { () throws(StoreError) in
        let version = Int(try integer("PRAGMA user_version"))
        guard version < steps.count else { return }
        try execute(steps[version])
        try execute("PRAGMA user_version = \(version + 1)")
      }
    }
  }

  /// Readers and the one writer don't wait for each other in this mode, which the file remembers.
  ///
  /// The change itself does not wait for others as statements do, so it is tried again here.
  func useWriteAheadLog(waitingMilliseconds: Int32) throws(StoreError) {
    let pauseMilliseconds: Int32 = 10
    var left = waitingMilliseconds
    while true {
      do throws(StoreError) {
        let mode = try first("PRAGMA journal_mode = WAL") { $0.text(0) }
        guard mode == "wal" else {
          throw .cannotOpen(
            path: path, problem: "its file system has no shared memory, which WAL mode needs")
        }
        return
      } catch {
        guard error.isTransient, left > 0 else { throw error }
      }
      files.pause(milliseconds: pauseMilliseconds)
      left -= pauseMilliseconds
    }
  }

  /// Writes what stands there already, to find out whether writing works.
  ///
  /// - Throws: also when a newer program has taken the schema further meanwhile.
  func probeWriting() throws(StoreError) {
    try inTransaction { () throws(StoreError) in
      try execute("PRAGMA user_version = \(try ownVersion())")
    }
  }
}
