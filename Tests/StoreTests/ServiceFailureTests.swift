import Auth
import Foundation
import Primitives
import Testing
import Threading

@testable import Store

/// Goal: a database that fails costs new logins and nothing else, and comes back by itself.
@Suite struct ServiceFailureTests {
  private let harness: ServiceHarness

  init() throws { harness = try ServiceHarness() }

  private func login(_ account: String?) -> LoginRecord {
    LoginRecord(
      account: account, client: SocketAddress(ipv4: 192, 0, 2, 7, port: 1), listener: "lobby",
      outcome: "accepted", detail: "")
  }

  @Test func recordsAreWrittenBeforeTheEnd() throws {
    let service = try harness.start()
    for index in 0..<1000 { service.record(.login(login("player\(index)"))) }
    try harness.stop()
    #expect(try harness.database().logins(of: nil, limit: 2000).count == 1000)
    #expect(service.statistics().recordsWritten == 1000)
    #expect(service.statistics().recordsWaiting == 0)
    // After the end nothing is taken in, and all of it is answered or counted.
    service.record(.login(login(nil)))
    #expect(service.statistics().loginRecordsDropped == 1)
    let late = harness.request(.token, secret: "x")
    service.verify(late)
    guard case .unavailable = try harness.verdict(of: late.session) else {
      Issue.record("no answer")
      return
    }
  }

  @Test func accountsThatWereInLatelyAreKnown() throws {
    let now = StoreClock.system.unixSeconds()
    try harness.database().recordLogins([
      (login("Anna"), at: now - 10), (login("old"), at: now - 30 * 86_400),
    ])
    _ = try harness.start()
    let known = try harness.told.next("known accounts") { item in
      if case .known(let names) = item { names } else { nil }
    }
    #expect(known == [AccountName("Anna")!])
  }

  @Test func aDatabaseThatIsNoneIsNoStart() throws {
    try Data("this is not a database, by any means at all".utf8).write(
      to: URL(fileURLWithPath: harness.path))
    #expect(throws: StoreError.self) { _ = try harness.start() }
  }

  /// Goal: a file that is gone lets nobody in and unbans nobody; one in its place is taken up.
  @Test func aFileThatIsGoneIsWaitedFor() throws {
    let anna = AccountName("Anna")!
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1)
    let database = try harness.database()
    let record = try PasswordHash.make(Array("secret".utf8), ServiceHarness.cheap)
    try database.addAccount(anna, credential: record, by: "test", now: 1)
    try database.addBan(
      NewBan(subject: .addresses(AddressPrefix(client)), author: "test"), now: 1)
    let copy = harness.path + ".copy"
    try database.backup(to: copy)
    let service = try harness.start()
    let first = harness.request(.password, account: "anna", secret: "secret")
    #expect(try harness.verdict(first) == ServiceHarness.accepted("Anna"))

    harness.removeDatabase()
    let failure = try #require(try harness.state())
    #expect(failure.description.contains("gone"))
    let second = harness.request(.token, secret: "x")
    // The login thread may find out later than the watcher, within a second.
    var verdict = try harness.verdict(second)
    while verdict == .refused(.wrongSecret) {
      verdict = try harness.verdict(harness.request(.token, secret: "x"))
    }
    guard case .unavailable(let text) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(text.contains("gone"))
    service.record(.login(login("Anna")))
    #expect(!FileManager.default.fileExists(atPath: harness.path))

    try FileManager.default.moveItem(atPath: copy, toPath: harness.path)
    #expect(try harness.state() == nil)
    try harness.bans { $0.ban(of: client, listener: 0, at: 5) != nil }
    let third = harness.request(.password, account: "anna", secret: "secret")
    #expect(try harness.verdict(third) == ServiceHarness.accepted("Anna"))
    try harness.stop()
    #expect(try harness.database().logins(of: nil, limit: 9).count == 1)
    #expect(harness.told.count { if case .state = $0 { true } else { false } } == 0)
  }

  /// Goal: a new, empty database in the old one's place lifts no ban.
  @Test func anEmptyDatabaseIsNotTakenForTheOldOne() throws {
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1)
    let database = try harness.database()
    try database.addBan(
      NewBan(subject: .addresses(AddressPrefix(client)), author: "test"), now: 1)
    let copy = harness.path + ".copy"
    try database.backup(to: copy)
    let service = try harness.start()
    harness.removeDatabase()
    _ = try Database(path: harness.path)
    let pause = Semaphore()
    var isNoticed = false
    for _ in 0..<1000 where !isNoticed {
      isNoticed = service.statistics().lastError?.contains("empty") == true
      _ = pause.wait(milliseconds: isNoticed ? 0 : 20)
    }
    #expect(isNoticed)
    harness.removeDatabase()
    try FileManager.default.moveItem(atPath: copy, toPath: harness.path)
    try harness.bans { $0.ban(of: client, listener: 0, at: 5) != nil }
    try harness.stop()
  }

  @Test func aLockedDatabaseIsUnavailableAndComesBack() throws {
    let database = try harness.database()
    let anna = AccountName("Anna")!
    try database.addAccount(anna, credential: nil, by: "test", now: 1)
    try database.addToken(
      hash: TokenSecret.hash(of: Array("x".utf8)), account: anna, label: "", expiresAt: nil,
      isSingleUse: true, by: "test", now: 1)
    _ = try harness.start { $0.busyTimeout = .milliseconds(50) }
    _ = try harness.told.next("known accounts") { item in
      if case .known = item { () } else { nil }
    }
    let request = harness.request(.token, secret: "x")
    var verdict: LoginVerdict?
    try database.inTransaction { () throws(StoreError) in
      do {
        verdict = try harness.verdict(request)
      } catch {
        Issue.record(error)
      }
    }
    guard case .unavailable(let text)? = verdict else {
      Issue.record("\(String(describing: verdict))")
      return
    }
    #expect(text.contains("locked"))
    #expect(try harness.state() == .busy(path: harness.path))
    #expect(try harness.state() == nil)
    let again = harness.request(.token, secret: "x")
    #expect(try harness.verdict(again) == ServiceHarness.accepted("Anna"))
  }
}
