import Primitives
import Testing

@testable import Auth

@Suite struct OffenceTableTests {
  private func rule(count: Int = 5, within: Interval = .seconds(80)) -> TemporaryBanRule {
    var rule = TemporaryBanRule(
      name: "guessing", trigger: .failedLogins, target: .address, count: count, within: within,
      duration: .seconds(60))
    rule.growth = 3
    rule.durationMax = .seconds(600)
    rule.forgetAfter = .seconds(1000)
    return rule
  }

  private func subject(_ number: Int) -> Subject {
    let address = SocketAddress(
      ipv4: 10, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255), port: 0)
    return .addresses(AddressPrefix(address))
  }

  private func second(_ count: UInt64) -> Instant {
    Instant(nanoseconds: 5_000_000_000_000 + count * 1_000_000_000)
  }

  /// Offends until there is a ban.
  private func banned(_ table: inout OffenceTable, _ number: Int, at time: UInt64) -> Interval? {
    for _ in 0..<5 {
      if let length = table.offend(subject(number), now: second(time)) { return length }
    }
    return nil
  }

  @Test func theCountMakesABan() throws {
    var table = OffenceTable(rule: rule(), seed: 1)
    for count in 1...4 {
      #expect(table.offend(subject(1), now: second(0)) == nil)
      #expect(table.used(subject(1), now: second(0)) == UInt64(count))
    }
    #expect(table.offend(subject(2), now: second(0)) == nil)
    #expect(table.offend(subject(1), now: second(69)) == .seconds(60))
    #expect(table.used(subject(1), now: second(69)) == 0)
    #expect(table.bans(subject(1), now: second(69)) == 1)
    let anna = Subject.account(try #require(AccountName("Anna")))
    for _ in 0..<4 { #expect(table.offend(anna, now: second(70)) == nil) }
    let same = Subject.account(try #require(AccountName("ANNA")))
    #expect(table.offend(same, now: second(70)) == .seconds(60))
  }

  @Test(arguments: [80, 85, 95, 160, 5000] as [UInt64]) func oldOffencesAreForgotten(later: UInt64)
  {
    var table = OffenceTable(rule: rule(), seed: 7)
    for _ in 0..<4 { #expect(table.offend(subject(1), now: second(0)) == nil) }
    #expect(table.used(subject(1), now: second(later)) == 0)
    for _ in 0..<4 { #expect(table.offend(subject(1), now: second(later)) == nil) }
    #expect(table.used(subject(1), now: second(later)) == 4)
  }

  @Test func bansGrowAndAreForgotten() {
    var table = OffenceTable(rule: rule(), seed: 2)
    #expect(banned(&table, 1, at: 0) == .seconds(60))
    #expect(banned(&table, 1, at: 60) == .seconds(180))
    #expect(banned(&table, 1, at: 240) == .seconds(540))
    #expect(banned(&table, 1, at: 780) == .seconds(600))
    #expect(banned(&table, 1, at: 1380 + 999) == .seconds(600))
    #expect(banned(&table, 1, at: 2979 + 1000) == .seconds(60))
    #expect(banned(&table, 2, at: 3979) == .seconds(60))
  }

  @Test func offencesDuringABanCountForNothing() {
    var table = OffenceTable(rule: rule(), seed: 3)
    #expect(banned(&table, 1, at: 0) == .seconds(60))
    for _ in 0..<100 { #expect(table.offend(subject(1), now: second(59)) == nil) }
    #expect(table.used(subject(1), now: second(60)) == 0)
    #expect(banned(&table, 1, at: 60) == .seconds(180))
  }

  @Test func clearingForgetsTheLot() {
    var table = OffenceTable(rule: rule(), seed: 4)
    #expect(banned(&table, 1, at: 0) == .seconds(60))
    table.clear(subject(1))
    #expect(table.bans(subject(1), now: second(1)) == 0)
    #expect(banned(&table, 1, at: 1) == .seconds(60))
  }

  /// Goal: fewer than the count within the window never make a ban; that many within seven eighths
  /// of it always do.
  @Test(arguments: 0..<20) func theWindowIsKept(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let count = Int.random(in: 1...12, using: &random)
    let within = UInt64.random(in: 800...8000, using: &random)
    var rule = rule(count: count, within: .milliseconds(within))
    rule.duration = .zero
    var table = OffenceTable(rule: rule, sets: 1, seed: seed)
    var times: [UInt64] = []
    var time: UInt64 = 1_000_000
    for _ in 0..<1000 {
      time += UInt64.random(in: 0...within * 2 / UInt64(count), using: &random)
      times.append(time)
      let now = Instant(nanoseconds: time * 1_000_000)
      let isBanned = table.offend(subject(1), now: now) != nil
      let most = times.count { $0 + within > time }
      let least = times.count { $0 + within * 7 / 8 > time + 1 }
      if isBanned {
        #expect(most >= count)
        times = []
      } else {
        #expect(least < count)
      }
    }
  }

  /// Goal: newcomers by the thousand let neither who is close to a ban nor who was banned go.
  @Test func churnSavesNobody() {
    var table = OffenceTable(rule: rule(), sets: 16, seed: 5)
    #expect(banned(&table, 1, at: 0) == .seconds(60))
    for _ in 0..<4 { #expect(table.offend(subject(2), now: second(60)) == nil) }
    for number in 100..<5000 { #expect(table.offend(subject(number), now: second(60)) == nil) }
    #expect(table.offend(subject(2), now: second(60)) == .seconds(60))
    #expect(banned(&table, 1, at: 60) == .seconds(180))
  }

  @Test func aRuleOfExtremesDoesNotTrap() {
    var rule = rule(count: 0, within: .zero)
    rule.growth = .max
    rule.duration = Interval(nanoseconds: .max)
    rule.durationMax = Interval(nanoseconds: .max)
    var table = OffenceTable(rule: rule, sets: 0, seed: 6)
    #expect(table.offend(subject(1), now: .distantFuture) == Interval(nanoseconds: .max))
    #expect(table.offend(subject(2), now: second(0)) == Interval(nanoseconds: .max))
    #expect(table.offend(subject(2), now: second(1)) == nil)
  }
}
