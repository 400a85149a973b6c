import Foundation
import Primitives
import Testing

@testable import Store

/// Goal: what can go wrong with a database is told by name, and does no harm.
@Suite struct DatabaseTroubleTests {
  let folder = TemporaryFolder()

  @Test func aLockedDatabaseIsBusyAndReadableStill() throws {
    let holder = try folder.open()
    let other = try folder.open(busyTimeout: .milliseconds(1))
    try holder.addAccount(anna, credential: nil, by: "test", now: 1)
    try holder.inTransaction { () throws(StoreError) in
      try holder.addAccount(bert, credential: nil, by: "test", now: 1)
      let error = storeError { try other.removeAccount(anna, by: "test", now: 1) }
      #expect(error == .busy(path: folder.file()))
      #expect(error?.isTransient == true)
      let seen = (try other.account(anna), try other.account(bert))
      #expect(seen.0 != nil)
      #expect(seen.1 == nil)
    }
    try other.removeAccount(anna, by: "test", now: 1)
    #expect(try other.account(bert) != nil)
  }

  @Test func twoWritersWaitForEachOther() throws {
    let path = folder.file()
    _ = try folder.open()
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      do {
        let store = try Database(path: path)
        for index in 0..<25 {
          let subject = addresses("10.0.\(thread).\(index)")
          try store.addBan(NewBan(subject: subject, author: "t"), now: 1)
        }
      } catch {
        Issue.record("\(error)")
      }
    }
    let store = try folder.open()
    let events = try store.banEvents(after: 0, limit: 1000)
    #expect(events.map(\.seq) == Array(1...100))
  }

  @Test func whatThrowsLeavesNothing() throws {
    let store = try folder.open()
    let error = storeError {
      try store.inTransaction { () throws(StoreError) in
        try store.addAccount(anna, credential: nil, by: "test", now: 1)
        throw .unknownAccount("nobody")
      }
    }
    #expect(error == .unknownAccount("nobody"))
    #expect(try store.account(anna) == nil)
    #expect(try store.auditRows(limit: 9).isEmpty)
  }

  @Test func anInnerFailureTakesItsOwnPartAlone() throws {
    let store = try folder.open()
    try store.inTransaction { () throws(StoreError) in
      try store.addAccount(anna, credential: nil, by: "test", now: 1)
      let error = storeError {
        try store.inTransaction { () throws(StoreError) in
          try store.addAccount(bert, credential: nil, by: "test", now: 1)
          throw .unknownAccount("nobody")
        }
      }
      #expect(error == .unknownAccount("nobody"))
    }
    #expect(try store.account(anna) != nil)
    #expect(try store.account(bert) == nil)
  }

  /// Method: SQLite's own bound on pages gives the same error as a full disk.
  @Test func aFullDiskUndoesTheTransactionAndHealsByItself() throws {
    let store = try folder.open()
    try store.addAccount(anna, credential: nil, by: "test", now: 1)
    let pageCount = try store.integer("PRAGMA page_count")
    #expect(try store.integer("PRAGMA max_page_count = \(pageCount)") == pageCount)
    let bans = (0..<2000).map {
      NewBan(subject: addresses("10.1.\($0 / 256).\($0 % 256)"), author: "t")
    }
    #expect(storeError { try store.addBans(each(bans), now: 1) } == .full(path: folder.file()))
    #expect(try store.newestBanEvent() == 0)
    #expect(try store.account(anna) != nil)
    try store.execute("PRAGMA max_page_count = 1000000")
    #expect(try store.addBans(each(bans), now: 1) == 2000)
    #expect(try store.check() == [])
  }

  /// Method: bytes of a seeded choice are turned over; no answer may be a crash, and damage that is
  /// met is told as such.
  @Test func damageIsToldAndNeverCrashes() throws {
    do {
      let store = try folder.open()
      let bans = (0..<500).map {
        NewBan(subject: addresses("10.1.\($0 / 256).\($0 % 256)"), author: "t")
      }
      try store.addBans(each(bans), now: 1)
      try store.addAccount(anna, credential: record(), by: "test", now: 1)
    }
    let good = try Data(contentsOf: URL(fileURLWithPath: folder.file()))
    var random = SeededRandom(seed: 3)
    var damageFound = 0
    for round in 0..<40 {
      var bad = good
      for _ in 0..<20 { bad[Int.random(in: 100..<bad.count, using: &random)] ^= 0xff }
      let name = "bad\(round).db"
      try bad.write(to: URL(fileURLWithPath: folder.file(name)))
      do {
        let store = try folder.open(name)
        if try !store.check().isEmpty { damageFound += 1 }
        try store.bansInForce(effect: nil, now: 1) { _ in }
        _ = try store.passwordRecord(of: anna)
        _ = try store.bans(search: "10.1", includingEnded: true, limit: 10_000, now: 1)
        try store.addBan(NewBan(subject: addresses("192.0.2.1"), author: "t"), now: 1)
      } catch StoreError.corrupt {
        damageFound += 1
      } catch let error as StoreError {
        // A damaged schema gives other errors; each names the file.
        #expect(error.description.contains(name), "\(error)")
        damageFound += 1
      }
    }
    #expect(damageFound >= 30)
  }

  @Test func theSameQuestionMayBeAskedWithinItsAnswer() throws {
    let store = try folder.open()
    for index in 0..<3 {
      try store.addBan(NewBan(subject: addresses("10.0.0.\(index)"), author: "t"), now: 1)
    }
    var pairs = 0
    try store.bansInForce(effect: nil, now: 1) { _ throws(StoreError) in
      try store.bansInForce(effect: nil, now: 1) { _ in pairs += 1 }
    }
    #expect(pairs == 9)
  }

  @Test func errorsSayWhereAndHowToMend() {
    let errors: [StoreError] = [
      .cannotOpen(path: "/p", problem: "x"), .notADatabase(path: "/p"), .notOurs(path: "/p"),
      .newer(path: "/p", found: 2, supported: 1), .older(path: "/p", found: 1, supported: 2),
      .exists(path: "/p"), .busy(path: "/p"), .readOnly(path: "/p"), .full(path: "/p"),
      .io(path: "/p", problem: "x"), .corrupt(path: "/p", problem: "x"),
      .constraint(path: "/p", problem: "x"), .database(path: "/p", code: 1, problem: "x"),
    ]
    for error in errors { #expect(error.description.hasPrefix("/p: "), "\(error)") }
  }
}
