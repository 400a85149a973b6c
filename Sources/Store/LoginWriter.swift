internal import Auth
internal import Primitives

/// Adds a group of lines to the login history, within a transaction.
///
/// It may be thousands a second: one statement takes several lines, which saves a third of the
/// time, and an account's last login is written once.
struct LoginWriter {
  /// Lines that one statement takes.
  private static let linesMax = 16
  private static let columnCount: Int32 = 8
  /// What clients wrote is cut off, in bytes of UTF-8.
  private static let textBytesMax = 256

  private static let one = insertion(lines: 1)
  private static let many = insertion(lines: linesMax)

  private let database: Database
  /// Takes ``linesMax`` lines, then a single one for each of the rest.
  private var insert: Statement?
  private var linesOfInsert = 0
  /// Lines that are bound to ``insert``.
  private var boundCount = 0
  /// Lines that are still to come.
  private var leftCount: Int
  /// Who was let in, in the order in which they first were.
  private var accepted: [(name: AccountName, at: Int64)] = []
  private var placeOf: [AccountName: Int] = [:]

  /// - Parameter count: how many lines will be written.
  init(_ database: Database, count: Int) {
    self.database = database
    leftCount = count
  }

  private static func insertion(lines: Int) -> String {
    "INSERT INTO login (at, account, name, address, port, listener, outcome, detail) VALUES "
      + Array(repeating: "(?, ?, ?, ?, ?, ?, ?, ?)", count: lines).joined(separator: ", ")
  }

  /// Adds a line.
  ///
  /// - Parameter at: Unix seconds.
  mutating func write(_ record: LoginRecord, at: Int64) throws(StoreError) {
    let account = record.account.flatMap { AccountName($0) }
    let insert = try nextInsert()
    let before = Int32(boundCount) * Self.columnCount
    try insert.bind(before + 1, at)
    try insert.bind(before + 2, account?.key)
    try insert.bind(before + 3, record.account.map(Self.cutOff))
    try insert.bind(before + 4, record.client.bytes)
    try insert.bind(before + 5, Int64(record.client.port))
    try insert.bind(before + 6, Self.cutOff(record.listener))
    try insert.bind(before + 7, Self.cutOff(record.outcome))
    try insert.bind(before + 8, Self.cutOff(record.detail))
    boundCount += 1
    leftCount -= 1
    if boundCount == linesOfInsert {
      try insert.runBound()
      boundCount = 0
    }
    guard let account, record.outcome == "accepted" else { return }
    if let place = placeOf[account] {
      accepted[place].at = max(accepted[place].at, at)
    } else {
      placeOf[account] = accepted.count
      accepted.append((account, at))
    }
  }

  /// Notes the last logins of those that were let in, behind the last line.
  consuming func finish() throws(StoreError) {
    precondition(leftCount == 0)
    for (name, at) in accepted { try database.noteLastLogin(of: name, at: at) }
  }

  /// The statement that takes the next line.
  private mutating func nextInsert() throws(StoreError) -> Statement {
    if boundCount > 0, let insert { return insert }
    let lines = leftCount >= Self.linesMax ? Self.linesMax : 1
    if lines == linesOfInsert, let insert { return insert }
    let found = try database.statement(lines == 1 ? Self.one : Self.many)
    insert = found
    linesOfInsert = lines
    return found
  }

  private static func cutOff(_ text: String) -> String {
    guard text.utf8.count > textBytesMax else { return text }
    var kept = ""
    for scalar in text.unicodeScalars {
      guard kept.utf8.count + UTF8.width(scalar) <= textBytesMax else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept
  }
}
