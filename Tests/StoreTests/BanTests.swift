import Auth
import Primitives
import Testing

@testable import Store

@Suite struct BanTests {
  let folder = TemporaryFolder()
  let store: Database

  init() throws { store = try folder.open() }

  @discardableResult
  private func ban(
    _ subject: Subject, _ effect: BanEffect = .ban, listener: String? = nil, until: Int64? = nil,
    reason: String = "", by author: String = "eva", now: Int64 = 1
  ) throws -> Int64 {
    try store.addBan(
      NewBan(
        effect: effect, subject: subject, listener: listener, shownReason: reason,
        internalReason: "because", author: author, until: until), now: now)
  }

  private func inForce(_ effect: BanEffect? = nil, now: Int64) throws -> [Int64] {
    var ids: [Int64] = []
    try store.bansInForce(effect: effect, now: now) { ids.append($0.id) }
    return ids
  }

  @Test func allIsKeptOfABan() throws {
    let id = try ban(addresses("192.0.2.0/24"), listener: "game", until: 99, reason: "rude")
    let rows = try store.bans(includingEnded: false, limit: 9, now: 1)
    #expect(
      rows == [
        BanRow(
          id: id, effect: .ban, subject: addresses("192.0.2.0/24"), listener: "game",
          shownReason: "rude", internalReason: "because", author: "eva", createdAt: 1, until: 99,
          liftedAt: nil, liftedBy: nil, liftReason: nil)
      ])
    let audit = try store.auditRows(limit: 9)
    #expect(audit.map(\.action) == ["ban add"])
    #expect(audit.map(\.subject) == ["192.0.2.0/24"])
  }

  @Test func aBanEndsInItsSecond() throws {
    let ids = [try ban(addresses("10.0.0.1"), until: 10), try ban(addresses("10.0.0.1"))]
    #expect(try inForce(now: 9) == ids)
    #expect(try inForce(now: 10) == [ids[1]])
  }

  @Test func effectsAreToldApart() throws {
    let banned = try ban(.account(anna))
    let allowed = try ban(.account(anna), .allow)
    #expect(try inForce(now: 1) == [banned, allowed])
    #expect(try inForce(.allow, now: 1) == [allowed])
    let lifted = try store.liftBans(
      effect: .ban, of: .account(AccountName("ANNA")!), by: "o", reason: "", now: 2)
    #expect(lifted.map(\.id) == [banned])
    #expect(try inForce(now: 3) == [allowed])
  }

  @Test func exactlyTheSubjectIsLifted() throws {
    let network = try ban(addresses("10.0.0.0/8"))
    let address = try ban(addresses("10.0.0.0"))
    let expired = try ban(addresses("10.0.0.0"), until: 2)
    let lifted = try store.liftBans(
      effect: .ban, of: addresses("10.0.0.0"), by: "o", reason: "sorry", now: 5)
    #expect(lifted.map(\.id) == [address])
    #expect(lifted[0].liftedAt == 5 && lifted[0].liftReason == "sorry")
    #expect(try inForce(now: 5) == [network])
    let all = try store.bans(includingEnded: true, limit: 9, now: 5)
    #expect(all.map(\.id) == [expired, address, network])
    #expect(all[1] == lifted[0])
    #expect(
      try store.liftBans(
        effect: .ban, of: addresses("10.0.0.0"), by: "o", reason: "", now: 6
      ).isEmpty)
  }

  @Test func aListenersBansAreLiftedApart() throws {
    let all = try ban(.account(anna))
    let game = try ban(.account(anna), listener: "game")
    let chat = try ban(.account(anna), listener: "chat")
    func lift(_ listener: String??) throws -> [Int64] {
      try store.liftBans(
        effect: .ban, of: .account(anna), listener: listener, by: "o", reason: "", now: 2
      ).map(\.id)
    }
    #expect(try lift("nothing") == [])
    #expect(try lift("game") == [game])
    #expect(try lift(.some(nil)) == [all])
    #expect(try lift(nil) == [chat])
  }

  /// Method: seeded prefixes close to each other, of both families, and a search by comparison.
  @Test func coveringBansAreThoseThatASlowSearchFinds() throws {
    var random = SeededRandom(seed: 20)
    func someAddress() -> [16 of UInt8] {
      var bytes: [16 of UInt8] = .init(repeating: 0)
      if Bool.random(using: &random) {
        bytes[10] = 0xff
        bytes[11] = 0xff
        bytes[12] = 10
        for index in 13..<16 { bytes[index] = UInt8.random(in: 0...3, using: &random) << 6 }
      } else {
        if Bool.random(using: &random) { bytes[0] = 0x20 }
        for index in 1..<16 where Int.random(in: 0..<4, using: &random) == 0 {
          bytes[index] = UInt8.random(in: 0...1, using: &random) << 7
        }
      }
      return bytes
    }
    var bans: [(id: Int64, prefix: AddressPrefix)] = []
    for _ in 0..<400 {
      let prefix = AddressPrefix(
        someAddress(), bitCount: UInt8.random(in: 0...128, using: &random))
      bans.append((try ban(.addresses(prefix)), prefix))
    }
    var hits = 0
    for _ in 0..<300 {
      let bits: UInt8 = Bool.random(using: &random) ? 128 : .random(in: 0...128, using: &random)
      let asked = AddressPrefix(someAddress(), bitCount: bits)
      let expected = bans.filter { $0.prefix.contains(asked) }.map(\.id).reversed()
      let found = try store.bans(
        covering: .addresses(asked), includingEnded: false, now: 1, limit: 1000)
      #expect(found.map(\.id) == Array(expected), "\(asked)")
      hits += found.count
    }
    #expect(hits > 300)
  }

  @Test func familiesAreSeparateWorlds() throws {
    let ipv6 = try ban(addresses("::/0"))
    let ipv4 = try ban(addresses("0.0.0.0/0"))
    func covering(_ text: String) throws -> [Int64] {
      try store.bans(covering: addresses(text), includingEnded: false, now: 1, limit: 9)
        .map(\.id)
    }
    #expect(try covering("192.0.2.1") == [ipv4])
    #expect(try covering("2001:db8::1") == [ipv6])
  }

  @Test func whatHasEndedCoversOnlyWhenAskedFor() throws {
    let expired = try ban(addresses("10.0.0.0/8"), until: 5)
    let lifted = try ban(addresses("10.0.0.0/16"))
    _ = try store.liftBans(effect: .ban, of: addresses("10.0.0.0/16"), by: "", reason: "", now: 2)
    let live = try ban(addresses("10.0.0.1"))
    func covering(_ includingEnded: Bool, limit: Int = 9) throws -> [Int64] {
      try store.bans(
        covering: addresses("10.0.0.1"), includingEnded: includingEnded, now: 6, limit: limit
      ).map(\.id)
    }
    #expect(try covering(false) == [live])
    #expect(try covering(true) == [live, lifted, expired])
    #expect(try covering(true, limit: 2) == [live, lifted])
  }

  @Test func searchesLookInEveryText() throws {
    let first = try ban(addresses("192.0.2.7"), listener: "Chat", reason: "50% off_topic")
    let second = try ban(.account(AccountName("Carl")!), by: "Zoe", now: 2)
    func search(_ text: String?, before id: Int64? = nil, limit: Int = 9) throws -> [Int64] {
      try store.bans(search: text, includingEnded: true, before: id, limit: limit, now: 3)
        .map(\.id)
    }
    #expect(try search(nil) == [second, first])
    #expect(try search("0.2.") == [first])
    #expect(try search("0% OFF_") == [first])
    #expect(try search("%off") == [])
    #expect(try search("f-t") == [])
    #expect(try search("chat") == [first])
    #expect(try search("carl") == [second])
    #expect(try search("zoe") == [second])
    #expect(try search("because") == [second, first])
    #expect(try search("because", limit: 1) == [second])
    #expect(try search("because", before: second) == [first])
    #expect(
      try store.bans(effect: .allow, includingEnded: true, limit: 9, now: 3).isEmpty)
  }

  @Test func importsAreWholeOrNothing() throws {
    let bans = (0..<1000).map {
      NewBan(subject: addresses("10.0.\($0 / 256).\($0 % 256)"), author: "list")
    }
    #expect(try store.addBans(each(bans), now: 1) == 1000)
    #expect(try store.newestBanEvent() == 1000)
    #expect(try store.auditRows(limit: 9).map(\.detail) == ["1000"])
    var iterator = bans.makeIterator()
    let error = storeError {
      try store.addBans(
        { () throws(StoreError) in
          guard let ban = iterator.next() else { throw .malformedLine(1001, problem: "x") }
          return ban
        }, now: 2)
    }
    #expect(error == .malformedLine(1001, problem: "x"))
    #expect(try inForce(now: 2).count == 1000)
    #expect(try store.newestBanEvent() == 1000)
    #expect(try store.addBans(each([]), now: 3) == 0)
  }

  @Test func searchesThatMustBeFastUseTheirIndex() throws {
    for (sql, index) in [
      ("SELECT * FROM ban WHERE prefix = x'00' AND bits = 1", "ban_by_prefix"),
      ("SELECT * FROM ban WHERE account = 'a'", "ban_by_account"),
      ("SELECT * FROM login WHERE account = 'a' ORDER BY id DESC", "login_by_account"),
      ("SELECT * FROM login WHERE address BETWEEN x'00' AND x'01'", "login_by_address"),
      ("SELECT * FROM ban_event WHERE seq > 5 ORDER BY seq", "PRIMARY KEY"),
    ] {
      let plan = try store.rows("EXPLAIN QUERY PLAN " + sql) { $0.text(3) }
      #expect(plan.count == 1 && plan[0].contains(index), "\(plan)")
    }
  }
}
