import Auth
import Primitives
import Testing

@testable import Store

/// Goal: the table that the gateway has is the store's, whoever changes the store.
@Suite struct ServiceBanTests {
  private let harness: ServiceHarness
  private let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1)
  private let other = SocketAddress(ipv4: 198, 51, 100, 1, port: 1)

  init() throws { harness = try ServiceHarness() }

  private func ban(
    _ address: SocketAddress, effect: BanEffect = .ban, listener: String? = nil
  ) -> NewBan {
    NewBan(
      effect: effect, subject: .addresses(AddressPrefix(address)), listener: listener,
      shownReason: "enough", author: "test")
  }

  @Test func bansHoldFromTheStart() throws {
    try harness.database().addBan(ban(client, listener: "arena"), now: 1)
    _ = try harness.start { $0.allow = [.addresses(AddressPrefix(other))] }
    let table = harness.bansAtStart
    #expect(table.ban(of: client, listener: 1, at: 5)?.shownReason == "enough")
    #expect(table.ban(of: client, listener: 0, at: 5) == nil)
    #expect(table.allows(other, listener: 0, at: 5))
    #expect(!table.allows(client, listener: 0, at: 5))
  }

  @Test func changesOfOthersAreTakenOver() throws {
    let service = try harness.start()
    let database = try harness.database()
    #expect(harness.bansAtStart.count == 0)
    try database.addBan(ban(client), now: 1)
    try harness.bans { $0.ban(of: client, listener: 0, at: 5) != nil }
    try database.addBan(ban(other), now: 1)
    try harness.bans { $0.count == 2 }
    try database.addBan(ban(other, effect: .allow), now: 1)
    try harness.bans { $0.allows(other, listener: 0, at: 5) }
    try database.liftBans(
      effect: .ban, of: .addresses(AddressPrefix(client)), by: "test", reason: "", now: 2)
    try harness.bans { $0.ban(of: client, listener: 0, at: 5) == nil }
    #expect(service.statistics().banReloads == 1)
    #expect(service.statistics().banUpdates >= 4)
  }

  @Test func manyChangesAtOnceAreReadAnew() throws {
    let service = try harness.start { $0.allow = [.addresses(AddressPrefix(other))] }
    var left: UInt32 = 20_000
    try harness.database().addBans(
      { () throws(StoreError) in
        guard left > 0 else { return nil }
        left -= 1
        let address = SocketAddress(
          ipv4: 10, UInt8(left >> 16), UInt8(left >> 8 & 255), UInt8(left & 255), port: 0)
        return ban(address)
      }, now: 1)
    try harness.bans { $0.count == 20_001 && $0.allows(other, listener: 0, at: 5) }
    #expect(service.statistics().banReloads == 2)
  }

  @Test func bansOfRulesAreKept() throws {
    let service = try harness.start()
    service.record(
      .temporaryBan(
        TemporaryBan(
          subject: .addresses(AddressPrefix(client)), listener: nil, rule: "guessing",
          shownReason: "later", internalReason: "9 failed logins",
          until: StoreClock.system.unixSeconds() + 600)))
    service.wake()
    try harness.bans { $0.ban(of: client, listener: 0, at: StoreClock.system.unixSeconds()) != nil }
    let rows = try harness.database().bans(
      covering: .addresses(AddressPrefix(client)), includingEnded: false,
      now: StoreClock.system.unixSeconds(), limit: 9)
    #expect(rows.map(\.author) == ["rule guessing"])
    #expect(rows.map(\.internalReason) == ["9 failed logins"])
    #expect(service.statistics().temporaryBansDropped == 0)
  }
}
