import Auth
import Foundation
import Primitives
import Synchronization
import Testing

@testable import Store

/// Goal: no login waits for the disk: what was written is copied into the file by the thread that
/// looks for bans.
@Suite struct ServiceLogTests {
  private let folder = TemporaryFolder()

  private func fileSize() throws -> Int {
    try #require(
      FileManager.default.attributesOfItem(atPath: folder.file())[.size] as? Int)
  }

  private func isLong(_ shared: StoreServiceShared) -> Bool {
    shared.isLogLong.load(ordering: .acquiring)
  }

  @Test func theWatcherCopiesALongLog() throws {
    let shared = StoreServiceShared(
      StoreServiceConfiguration(path: folder.file(), listeners: ["lobby"]),
      StoreServiceCallbacks(deliver: { _ in }, bans: { _, _ in }))
    let watcher = BanWatcher(shared)
    _ = try watcher.load()
    let verifier = LoginVerifier(shared, HashPool(shared))
    let before = try fileSize()
    var random = SeededRandom(seed: 3)
    var count = 0
    while !isLong(shared), count < 200_000 {
      for _ in 0..<1000 {
        let client = SocketAddress(
          ipv4: 10, UInt8(truncatingIfNeeded: random.next()),
          UInt8(truncatingIfNeeded: random.next()), 1, port: 1)
        shared.record(
          .login(
            LoginRecord(
              account: "Anna", client: client, listener: "lobby", outcome: "accepted", detail: "")))
      }
      count += 1000
      repeat { #expect(verifier.write()) } while verifier.isUnwritten
    }
    #expect(isLong(shared))
    #expect(try fileSize() == before)
    watcher.turn()
    #expect(!isLong(shared))
    #expect(try fileSize() > before + 1_000_000)
    #expect(try folder.open().integer("SELECT count(*) FROM login") == Int64(count))
    verifier.close()
    watcher.close()
  }
}
