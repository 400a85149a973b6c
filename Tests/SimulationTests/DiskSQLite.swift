import CSQLite
import Simulation
import Testing

/// A bare SQLite connection on a virtual disk, for tests of the disk alone.
final class DiskSQLite {
  private let connection: OpaquePointer
  /// Outlives the connection.
  private let disk: VirtualDisk

  init(_ disk: VirtualDisk, path: String = "/test.db", mode: String = "WAL") throws {
    self.disk = disk
    var connection: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = sqlite3_open_v2(path, &connection, flags, disk.name)
    self.connection = connection!
    guard code == SQLITE_OK else { throw failure }
    sqlite3_extended_result_codes(connection, 1)
    try run("PRAGMA journal_mode = \(mode)")
    try run("PRAGMA synchronous = NORMAL")
  }

  deinit { sqlite3_close_v2(connection) }

  struct Failure: Error, Equatable {
    var code: Int32
    var message: String
  }

  /// The rows, each as its columns with blanks between.
  @discardableResult
  func run(_ sql: String) throws -> [String] {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(connection, sql, -1, &statement, nil) == SQLITE_OK else {
      throw failure
    }
    defer { sqlite3_finalize(statement) }
    var rows: [String] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW:
        let columns = (0..<sqlite3_column_count(statement)).map { index in
          sqlite3_column_text(statement, index).map { String(cString: $0) } ?? "null"
        }
        rows.append(columns.joined(separator: " "))
      case SQLITE_DONE: return rows
      default: throw failure
      }
    }
  }

  private var failure: Failure {
    Failure(
      code: sqlite3_extended_errcode(connection),
      message: String(cString: sqlite3_errmsg(connection)))
  }
}
