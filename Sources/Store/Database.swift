internal import CSQLite
public import Primitives

/// Accounts, secrets, bans and history in one SQLite file.
///
/// One thread at a time: who works on several threads opens one for each. The gateway and any
/// number of commands may have the same file open. Every method that changes something does it in
/// one transaction, and waits up to the busy timeout for others to finish theirs.
///
/// `now` is always in Unix seconds. Tables and settings are described in docs/store.md.
@safe
public final class Database {
  public enum Access: Sendable {
    /// Makes the file, for its user alone, where there is none; the folder must be there.
    case readWrite
    case readOnly
  }

  /// As it was given.
  public let path: String
  let files: any StoreFiles
  let connection: OpaquePointer
  private var statements: [String: Statement] = [:]
  private let busyTimeout: Interval

  /// Opens the file and brings its schema up to date.
  public convenience init(
    path: String, access: Access = .readWrite, busyTimeout: Interval = .seconds(5)
  ) throws(StoreError) {
    try self.init(path: path, access: access, busyTimeout: busyTimeout, files: SystemFiles())
  }

  /// - Parameter files: outlive the database.
  package init(
    path: String, access: Access = .readWrite, busyTimeout: Interval = .seconds(5),
    files: any StoreFiles
  ) throws(StoreError) {
    self.path = path
    self.files = files
    self.busyTimeout = busyTimeout
    try files.prepare(path, creating: access == .readWrite)
    unsafe self.connection = try unsafe openConnection(
      path, files,
      flags: access == .readWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY)
    try setUp(access: access)
  }

  deinit {
    statements.removeAll()
    unsafe sqlite3_close_v2(connection)
  }

  private func setUp(access: Access) throws(StoreError) {
    unsafe sqlite3_extended_result_codes(connection, 1)
    wait(atMost: busyTimeout)
    guard unsafe gatehouse_sqlite3_be_defensive(connection) == SQLITE_OK else { throw lastError }
    // Nothing is written before the file is known to be ours.
    let version = try ownVersion()
    if access == .readWrite {
      guard unsafe sqlite3_db_readonly(connection, "main") == 0 else {
        throw .readOnly(path: path)
      }
      try useWriteAheadLog(waitingMilliseconds: Int32(clamping: busyTimeout.milliseconds))
      try execute(Schema.settings)
      try migrate()
    } else {
      guard version == Self.schemaVersion else {
        throw .older(path: path, found: version, supported: Self.schemaVersion)
      }
      try execute(Schema.settings)
    }
  }

  /// Bounds the pages that are kept in memory.
  func limitCache(kibibytes: Int) throws(StoreError) {
    try execute("PRAGMA cache_size = -\(kibibytes)")
  }

  /// Pages that this connection has written since it was opened.
  var pagesWritten: Int {
    var (count, highest): (Int32, Int32) = (0, 0)
    unsafe sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_WRITE, &count, &highest, 0)
    return Int(count)
  }

  /// Lets so many pages be added to the write-ahead log before a commit copies them into the file.
  func deferCopying(to pages: Int) throws(StoreError) {
    try execute("PRAGMA wal_autocheckpoint = \(pages)")
  }

  /// Copies what the write-ahead log has into the file, as far as nobody needs it; waits for
  /// nobody, and lets others write meanwhile.
  func copyLog() throws(StoreError) {
    try execute("PRAGMA wal_checkpoint(PASSIVE)")
  }

  /// Does `body`, in which others that write are waited for so long, and not for the busy timeout.
  func waiting<R>(
    atMost time: Interval, _ body: () throws(StoreError) -> R
  ) throws(StoreError) -> R {
    wait(atMost: time)
    defer { wait(atMost: busyTimeout) }
    return try body()
  }

  private func wait(atMost time: Interval) {
    unsafe sqlite3_busy_timeout(connection, Int32(clamping: time.milliseconds))
  }

  /// Changes whenever another connection has committed something.
  public var dataVersion: Int64 {
    get throws(StoreError) { try integer("PRAGMA data_version") }
  }

  var lastError: StoreError { unsafe StoreError(on: connection, path: path) }

  /// Rows that the last INSERT, UPDATE or DELETE changed.
  var changeCount: Int { Int(unsafe sqlite3_changes64(connection)) }

  var lastInsertedID: Int64 { unsafe sqlite3_last_insert_rowid(connection) }
}

// Statements.
extension Database {
  /// Tells `body` each row until it returns false.
  func forEach(
    _ sql: String, _ values: [SQLValue] = [],
    while body: (Row) throws(StoreError) -> Bool
  ) throws(StoreError) {
    try statement(sql).run(values, body)
  }

  func run(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) {
    try statement(sql).run(values) { _ in true }
  }

  func rows<R>(
    _ sql: String, _ values: [SQLValue] = [],
    _ read: (Row) throws(StoreError) -> R
  ) throws(StoreError) -> [R] {
    var rows: [R] = []
    try forEach(sql, values) { row throws(StoreError) in
      rows.append(try read(row))
      return true
    }
    return rows
  }

  func first<R>(
    _ sql: String, _ values: [SQLValue] = [],
    _ read: (Row) throws(StoreError) -> R
  ) throws(StoreError) -> R? {
    var found: R?
    try forEach(sql, values) { row throws(StoreError) in
      found = try read(row)
      return false
    }
    return found
  }

  /// The first column of the first row; 0 when there is none.
  func integer(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) -> Int64 {
    try first(sql, values) { $0.integer(0) } ?? 0
  }

  /// Runs statements that are not run again, without values or rows.
  func execute(_ script: String) throws(StoreError) {
    guard unsafe sqlite3_exec(connection, script, nil, nil, nil) == SQLITE_OK else {
      throw lastError
    }
  }

  /// The statement, made once for as long as the database is open.
  func statement(_ sql: String) throws(StoreError) -> Statement {
    if let kept = statements[sql] {
      guard kept.isInUse else { return kept }
      // Whoever is told its rows asks the same again: a second one, which goes afterwards.
      return try unsafe Statement(sql, on: connection, path: path)
    }
    let new = try unsafe Statement(sql, on: connection, path: path)
    statements[sql] = new
    return new
  }
}

// Transactions.
extension Database {
  /// Does all of `body` or, when it throws, nothing of it.
  ///
  /// Other writers wait meanwhile; readers see what was before. May be nested: what an inner one
  /// did goes when it throws, and is kept only when the outer one ends well.
  public func inTransaction<R>(
    _ body: () throws(StoreError) -> R
  ) throws(StoreError) -> R {
    try isInTransaction
      ? enclosed(
        by: "SAVEPOINT part", "RELEASE part", orElse: "ROLLBACK TO part; RELEASE part", body)
      : enclosed(by: "BEGIN IMMEDIATE", "COMMIT", orElse: "ROLLBACK", body)
  }

  /// Lets `body` see the database as it is at one moment, whatever others write meanwhile.
  func readingOneState<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    try isInTransaction
      ? body() : enclosed(by: "BEGIN DEFERRED", "COMMIT", orElse: "ROLLBACK", body)
  }

  private var isInTransaction: Bool { unsafe sqlite3_get_autocommit(connection) == 0 }

  private func enclosed<R>(
    by begin: String, _ end: String, orElse undo: String, _ body: () throws(StoreError) -> R
  ) throws(StoreError) -> R {
    try run(begin)
    do throws(StoreError) {
      let result = try body()
      try run(end)
      return result
    } catch {
      // After the worst errors SQLite has rolled back by itself.
      if isInTransaction {
        do throws(StoreError) {
          try execute(undo)
        } catch let undoing {
          // Told instead of the first: the connection is not usable any more.
          throw undoing
        }
      }
      throw error
    }
  }
}

/// SQLite's setting for the process, made once.
private let countNoMemory: Void = {
  // Refused when SQLite is in use already: then it goes on counting.
  _ = gatehouse_sqlite3_count_no_memory()
}()

/// Opens what is known to be a file of ours, or to be empty.
func openConnection(
  _ path: String, _ files: any StoreFiles, flags: Int32
) throws(StoreError) -> OpaquePointer {
  var connection: OpaquePointer?
  countNoMemory
  // A relative path is led in by "./", so that no name has a meaning of its own (":memory:").
  let code = unsafe sqlite3_open_v2(
    path.hasPrefix("/") ? path : "./" + path, &connection, flags | SQLITE_OPEN_NOMUTEX,
    files.vfs)
  guard let connection = unsafe connection else { throw .outOfMemory }
  guard code == SQLITE_OK else {
    let error = unsafe StoreError(on: connection, path: path)
    unsafe sqlite3_close_v2(connection)
    throw error
  }
  return unsafe connection
}
