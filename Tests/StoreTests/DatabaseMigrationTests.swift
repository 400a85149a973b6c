import Foundation
import Testing

@testable import Store

/// Goal: steps are taken once and whole, however many processes begin at the same time.
@Suite struct DatabaseMigrationTests {
  let folder = TemporaryFolder()

  @Test func manyWhoBeginAtOnceMakeOneSchema() throws {
    let path = folder.file()
    let errors = LockedList()
    DispatchQueue.concurrentPerform(iterations: 8) { index in
      do {
        let store = try Database(path: path)
        try store.audit(by: "\(index)", action: "a", subject: "", detail: "", now: 1)
      } catch {
        errors.append("\(error)")
      }
    }
    #expect(errors.all == [])
    let store = try folder.open()
    #expect(try store.auditRows(limit: 100).count == 8)
    #expect(try store.check() == [])
  }

  @Test func aStepThatFailsLeavesNothing() throws {
    let store = try folder.open()
    let steps = Schema.steps + ["CREATE TABLE extra (a TEXT) STRICT; CREATE TABLE account (a)"]
    #expect(storeError { try store.migrate(by: steps) } != nil)
    #expect(try store.integer("PRAGMA user_version") == Int64(Database.schemaVersion))
    #expect(storeError { try store.run("SELECT * FROM extra") } != nil)
    try store.addAccount(anna, credential: nil, by: "test", now: 1)
  }

  @Test func theFirstVersionIsBroughtUpToDate() throws {
    let store = try folder.open()
    try store.execute("DROP TABLE login; DROP TABLE last_login;")
    let tables = try #require(Schema.steps[0].range(of: "CREATE TABLE login ("))
    try store.execute(String(Schema.steps[0][tables.lowerBound...]) + "PRAGMA user_version = 1;")
    try store.recordLogins([(login("Anna"), at: 5)])
    let again = try folder.open()
    #expect(try again.integer("PRAGMA user_version") == Int64(Database.schemaVersion))
    #expect(try again.logins(of: .account(anna), limit: 9).map(\.at) == [5])
    #expect(
      try again.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'login_by_time'") == 0)
  }

  /// Goal: a program that is older than another one's schema neither writes to it nor says that it
  /// is as old as itself.
  @Test func anOlderProgramLeavesANewerSchemaAlone() throws {
    let older = try folder.open()
    let newer = try folder.open()
    try newer.migrate(by: Schema.steps + ["CREATE TABLE extra (a TEXT) STRICT"])
    let next = Database.schemaVersion + 1
    #expect(
      storeError { try older.probeWriting() }
        == .newer(path: folder.file(), found: next, supported: next - 1))
    #expect(try newer.integer("PRAGMA user_version") == Int64(next))
  }

  /// Goal: a step whose number a program of before has taken back can be taken once more.
  @Test func theSecondStepCanBeTakenAgain() throws {
    try folder.open().execute("PRAGMA user_version = 1")
    #expect(try folder.open().integer("PRAGMA user_version") == Int64(Database.schemaVersion))
  }

  @Test func furtherStepsKeepWhatIsThere() throws {
    let store = try folder.open()
    try store.addAccount(anna, credential: nil, by: "test", now: 1)
    let steps = Schema.steps + ["CREATE TABLE extra (a TEXT) STRICT", "DROP TABLE extra"]
    try store.migrate(by: steps)
    try store.migrate(by: steps)
    #expect(try store.integer("PRAGMA user_version") == Int64(Database.schemaVersion) + 2)
    #expect(try store.account(anna) != nil)
  }
}

private final class LockedList: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []

  func append(_ text: String) { lock.withLock { texts.append(text) } }

  var all: [String] { lock.withLock { texts } }
}
