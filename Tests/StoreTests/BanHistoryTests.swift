import Auth
import Primitives
import Testing

@testable import Store

@Suite struct BanHistoryTests {
  let folder = TemporaryFolder()
  let store: Database

  init() throws { store = try folder.open() }

  private func ban(_ subject: Subject, until: Int64? = nil, now: Int64 = 1) throws -> Int64 {
    try store.addBan(
      NewBan(
        subject: subject, shownReason: "shown", internalReason: "why", author: "eva",
        until: until), now: now)
  }

  @Test func eventsTellALifeInOrder() throws {
    let first = try ban(.account(anna), now: 10)
    let second = try ban(addresses("192.0.2.0/24"), now: 11)
    _ = try store.liftBans(effect: .ban, of: .account(anna), by: "udo", reason: "ok", now: 12)
    let events = try store.banEvents(after: 0, limit: 9)
    #expect(
      events == [
        BanEvent(seq: 1, at: 10, banID: first, kind: .added, author: "eva", reason: "shown (why)"),
        BanEvent(seq: 2, at: 11, banID: second, kind: .added, author: "eva", reason: "shown (why)"),
        BanEvent(seq: 3, at: 12, banID: first, kind: .lifted, author: "udo", reason: "ok"),
      ])
    #expect(try store.banEvents(after: 1, limit: 1) == [events[1]])
    #expect(try store.newestBanEvent() == 3)
    let history = try store.banHistory(of: .account(anna), limit: 9)
    #expect(history.map(\.event) == [events[2], events[0]])
    #expect(history.allSatisfy { $0.ban.id == first && $0.ban.liftedBy == "udo" })
    #expect(try store.banHistory(of: .account(anna), limit: 1).count == 1)
    #expect(try store.banHistory(of: addresses("192.0.2.1"), limit: 9).isEmpty)
  }

  @Test func theWatcherIsToldWhatHolds() throws {
    #expect(try store.newestBanEvent() == 0)
    let first = try ban(.account(anna))
    _ = try ban(addresses("10.0.0.1"), until: 5)
    var live: [Int64] = []
    let seq = try store.liveBans(now: 5) { ban, effect in
      live.append(ban.id)
      #expect(effect == .ban)
      #expect(ban == Ban(id: first, subject: .account(anna), shownReason: "shown"))
    }
    #expect(live == [first])
    #expect(seq == 2)

    #expect(try store.banChanges(after: seq, now: 5) == BanChanges(seq: seq))
    let third = try ban(addresses("2001:db8::/32"), until: 50)
    _ = try ban(addresses("10.0.0.2"), until: 5)
    let gone = try ban(.account(bert))
    _ = try store.liftBans(effect: .ban, of: .account(bert), by: "", reason: "", now: 5)
    _ = try store.liftBans(effect: .ban, of: .account(anna), by: "", reason: "", now: 5)
    let changes = try store.banChanges(after: seq, now: 5)
    #expect(changes.added.map(\.ban.id) == [third])
    #expect(changes.added[0].ban.subject == addresses("2001:db8::/32"))
    #expect(changes.lifted == [gone, first])
    #expect(changes.seq == 7)
  }

  /// Goal: who follows the events knows what a fresh reading gives.
  ///
  /// Method: seeded additions and lifts by one connection; another follows in seeded steps.
  @Test func followingEventsLeadsToTheSameBans() throws {
    let follower = try folder.open()
    var random = SeededRandom(seed: 5)
    var known: Set<Int64> = []
    var seq = try follower.liveBans(now: 1) { ban, _ in known.insert(ban.id) }
    for _ in 0..<200 {
      let subject = addresses("10.0.0.\(Int.random(in: 0..<20, using: &random))")
      if Int.random(in: 0..<3, using: &random) == 0 {
        _ = try store.liftBans(effect: .ban, of: subject, by: "o", reason: "", now: 1)
      } else {
        _ = try ban(subject)
      }
      guard Bool.random(using: &random) else { continue }
      let limit = Int.random(in: 1...20, using: &random)
      let changes = try follower.banChanges(after: seq, now: 1, limit: limit)
      known.formUnion(changes.added.map(\.ban.id))
      known.subtract(changes.lifted)
      seq = changes.seq
    }
    while case let changes = try follower.banChanges(after: seq, now: 1, limit: 7),
      changes.seq != seq
    {
      known.formUnion(changes.added.map(\.ban.id))
      known.subtract(changes.lifted)
      seq = changes.seq
    }
    var fresh: Set<Int64> = []
    #expect(try folder.open().liveBans(now: 1) { ban, _ in fresh.insert(ban.id) } == seq)
    #expect(known == fresh)
    #expect(!fresh.isEmpty)
  }

  /// Goal: what is read at one time is of one time, though others write meanwhile.
  @Test func aReadingIsOfOneMoment() throws {
    _ = try ban(.account(anna))
    _ = try ban(.account(bert))
    let other = try folder.open()
    var count = 0
    let seq = try store.liveBans(now: 1) { _, _ throws(StoreError) in
      count += 1
      try other.addBan(NewBan(subject: addresses("10.0.0.1"), author: "o"), now: 1)
    }
    #expect(count == 2)
    #expect(seq == 2)
    #expect(try store.banChanges(after: seq, now: 1).added.count == 2)
  }

  @Test func nothingDeletesABan() throws {
    _ = try ban(.account(anna))
    #expect(storeError { try store.run("DELETE FROM ban") } != nil)
  }
}
