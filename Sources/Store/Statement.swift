internal import CSQLite

/// What is bound to a statement's parameters.
enum SQLValue {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])

  init(_ value: Int64?) { self = if let value { .integer(value) } else { .null } }
  init(_ value: String?) { self = if let value { .text(value) } else { .null } }
  init(_ value: Bool) { self = .integer(value ? 1 : 0) }
}

/// One prepared SQL statement of a ``Database``, which keeps it for the next time.
@safe
final class Statement {
  private let handle: OpaquePointer
  private let connection: OpaquePointer
  private let path: String
  /// Whether somebody is between its first row and its last.
  private(set) var isInUse = false

  /// - Parameter connection: outlives the statement, or is closed with `sqlite3_close_v2`.
  init(_ sql: String, on connection: OpaquePointer, path: String) throws(StoreError) {
    var handle: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(
      connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle = unsafe handle else {
      throw unsafe StoreError(on: connection, path: path)
    }
    unsafe self.handle = handle
    unsafe self.connection = connection
    self.path = path
  }

  deinit { unsafe sqlite3_finalize(handle) }

  /// Runs it from the beginning; `body` is told each row until it returns false.
  func run(
    _ values: [SQLValue], _ body: (Row) throws(StoreError) -> Bool
  ) throws(StoreError) {
    isInUse = true
    defer {
      // The code repeats an error that was thrown already.
      unsafe sqlite3_reset(handle)
      unsafe sqlite3_clear_bindings(handle)
      isInUse = false
    }
    for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
    while true {
      switch unsafe sqlite3_step(handle) {
      case SQLITE_ROW:
        guard try body(unsafe Row(statement: handle, path: path)) else { return }
      case SQLITE_DONE:
        return
      default:
        throw unsafe StoreError(on: connection, path: path)
      }
    }
  }

  /// Runs it with what was bound, without rows; for what is run thousands of times at once.
  ///
  /// What was bound stays, and is bound anew before the next time.
  func runBound() throws(StoreError) {
    // The code repeats an error that is thrown here.
    defer { unsafe sqlite3_reset(handle) }
    guard unsafe sqlite3_step(handle) == SQLITE_DONE else {
      throw unsafe StoreError(on: connection, path: path)
    }
  }

  func bind(_ index: Int32, _ integer: Int64) throws(StoreError) {
    try check(unsafe sqlite3_bind_int64(handle, index, integer))
  }

  func bind(_ index: Int32, _ text: String?) throws(StoreError) {
    guard var text else { return try check(unsafe sqlite3_bind_null(handle, index)) }
    if text.isEmpty { return try check(unsafe gatehouse_sqlite3_bind_text(handle, index, "", 0)) }
    // SAFETY: SQLite copies the bytes before the call returns.
    let code = text.withUTF8 { utf8 in
      unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
        unsafe gatehouse_sqlite3_bind_text(
          handle, index, characters.baseAddress, UInt64(characters.count))
      }
    }
    try check(code)
  }

  func bind(_ index: Int32, _ blob: [16 of UInt8]) throws(StoreError) {
    // SAFETY: as above.
    let code = unsafe blob.span.withUnsafeBytes { bytes in
      unsafe gatehouse_sqlite3_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
    }
    try check(code)
  }

  private func check(_ code: Int32) throws(StoreError) {
    guard code == SQLITE_OK else { throw unsafe StoreError(on: connection, path: path) }
  }

  private func bind(_ value: SQLValue, at index: Int32) throws(StoreError) {
    let code: Int32
    switch value {
    case .null: code = unsafe sqlite3_bind_null(handle, index)
    case .integer(let integer): return try bind(index, integer)
    case .text(let text): return try bind(index, text)
    case .blob([]): code = unsafe sqlite3_bind_zeroblob(handle, index, 0)
    case .blob(let bytes):
      // SAFETY: as above.
      code = unsafe bytes.withUnsafeBytes { bytes in
        unsafe gatehouse_sqlite3_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
      }
    }
    try check(code)
  }
}

/// The row that a statement stands at; good until whoever is told of it returns.
@safe
struct Row {
  private let statement: OpaquePointer
  private let path: String

  init(statement: OpaquePointer, path: String) {
    unsafe self.statement = statement
    self.path = path
  }

  func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(statement, column) == SQLITE_NULL
  }

  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

  func bool(_ column: Int32) -> Bool { integer(column) != 0 }

  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

  /// Empty for NULL.
  func text(_ column: Int32) -> String {
    guard let text = unsafe sqlite3_column_text(statement, column) else { return "" }
    let count = Int(unsafe sqlite3_column_bytes(statement, column))
    // SAFETY: valid until the next call on this column; copied at once.
    return unsafe String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
  }

  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

  /// Empty for NULL.
  func bytes(_ column: Int32) -> [UInt8] {
    guard let blob = unsafe sqlite3_column_blob(statement, column) else { return [] }
    let count = Int(unsafe sqlite3_column_bytes(statement, column))
    // SAFETY: as above.
    return unsafe Array(UnsafeRawBufferPointer(start: blob, count: count))
  }

  /// A value in the row is not of the form that the store writes.
  func damaged(_ what: String) -> StoreError {
    .corrupt(path: path, problem: "\(what) is not of the form that is written here")
  }
}

extension StoreError {
  /// The last error on a connection.
  init(on connection: OpaquePointer, path: String) {
    self.init(
      code: unsafe sqlite3_extended_errcode(connection),
      message: unsafe String(cString: sqlite3_errmsg(connection)), path: path)
  }
}
