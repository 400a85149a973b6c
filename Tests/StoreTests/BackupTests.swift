import Auth
import Foundation
import Testing

@testable import Store

@Suite struct BackupTests {
  let folder = TemporaryFolder()
  let store: Database

  init() throws {
    store = try folder.open()
    try store.addAccount(anna, credential: record(), by: "o", now: 1)
    let bans = (0..<3000).map {
      NewBan(subject: addresses("10.0.\($0 / 256).\($0 % 256)"), author: "o")
    }
    try store.addBans(each(bans), now: 1)
  }

  @Test func aCopyIsOneGoodFile() throws {
    try store.backup(to: folder.file("copy.db"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.filter { $0.hasPrefix("copy") } == ["copy.db"])
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("copy.db"))
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let copy = try folder.open("copy.db")
    #expect(try copy.check() == [])
    #expect(try copy.passwordRecord(of: anna)?.record == record())
    #expect(try copy.newestBanEvent() == 3000)
  }

  @Test func nothingIsWrittenOver() throws {
    #expect(storeError { try store.backup(to: folder.file()) } == .exists(path: folder.file()))
    let path = folder.file("other")
    try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
    #expect(storeError { try store.backup(to: path) } == .exists(path: path))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
    guard case .cannotOpen = storeError({ try store.backup(to: folder.file("no/folder")) }) else {
      Issue.record("written into a folder that is not there")
      return
    }
  }

  @Test func aCopyIsOfOneMomentWhileOthersWrite() throws {
    let path = folder.file()
    let done = Counter()
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      do {
        let own = try Database(path: path)
        if index == 0 {
          for round in 0..<5 { try own.backup(to: path + ".\(round)") }
          done.add()
        } else {
          var count: Int64 = 0
          while done.value == 0 && count < 20_000 {
            count += 1
            try own.addBan(NewBan(subject: .account(bert), author: "o"), now: count)
          }
        }
      } catch {
        Issue.record("\(error)")
      }
    }
    for round in 0..<5 {
      let copy = try Database(path: path + ".\(round)")
      #expect(try copy.check() == [])
      #expect(try copy.newestBanEvent() >= 3000)
    }
  }

  @Test func aReaderMayMakeACopy() throws {
    try folder.open(access: .readOnly).backup(to: folder.file("copy.db"))
    #expect(try folder.open("copy.db").account(anna) != nil)
  }

  @Test func aDamagedStoreGivesNoCopy() throws {
    try store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file()))
    // Whole pages in the middle.
    for index in bytes.count / 2..<bytes.count / 2 + 3 * 4096 { bytes[index] = 0xa5 }
    try bytes.write(to: URL(fileURLWithPath: folder.file("bad.db")))
    let bad = try folder.open("bad.db")
    let problems = try bad.check()
    #expect(!problems.isEmpty && !problems.contains { $0.contains("\n") }, "\(problems)")
    guard case .corrupt = storeError({ try bad.backup(to: folder.file("copy.db")) }) else {
      Issue.record("a damaged store was copied")
      return
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0.hasPrefix("copy") })
  }

  @Test func orphansAreFound() throws {
    try store.execute("PRAGMA foreign_keys = OFF")
    try store.execute("DELETE FROM account; DELETE FROM ban_event WHERE ban = 7")
    let problems = try store.check()
    #expect(problems.count == 2, "\(problems)")
    #expect(problems.contains { $0.contains("credential") })
    #expect(problems.contains { $0.hasPrefix("1 ban") })
  }
}
