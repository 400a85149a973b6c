import Primitives
import Testing

@testable import Auth

@Suite struct KnownAccountsTests {
  private func name(_ number: Int) throws -> AccountName {
    try #require(AccountName("Player\(number)"))
  }

  @Test func aLoginIsKnownByItsTime() throws {
    var known = KnownAccounts(seed: 1)
    let anna = try #require(AccountName("Anna"))
    #expect(!known.contains(anna, since: .min))
    known.insert(anna, at: 100)
    #expect(known.contains(try #require(AccountName("aNNA")), since: 100))
    #expect(!known.contains(anna, since: 101))
    known.insert(anna, at: 90)
    #expect(known.contains(anna, since: 100))
    known.insert(anna, at: 110)
    #expect(known.contains(anna, since: 110))
    #expect(known.count == 1)
    known.insert(try name(1), at: .min)
    #expect(known.contains(try name(1), since: .min))
  }

  @Test func itGrowsWithItsAccounts() throws {
    var known = KnownAccounts(capacity: 1 << 15, seed: 2)
    for number in 0..<10_000 { known.insert(try name(number), at: Int64(number)) }
    #expect(known.count > 9990)
    var missing = 0
    for number in 0..<10_000 where !known.contains(try name(number), since: Int64(number)) {
      missing += 1
    }
    #expect(missing == 10_000 - known.count)
    for number in 10_000..<20_000 { #expect(!known.contains(try name(number), since: .min)) }
  }

  /// Goal: the table stays within its capacity, and who came last stays in.
  @Test func whoHasBeenAwayLongestGoes() throws {
    var known = KnownAccounts(capacity: 1024, seed: 3)
    for number in 0..<5000 { known.insert(try name(number), at: Int64(number)) }
    #expect(known.count <= 1024)
    for number in 4900..<5000 { #expect(known.contains(try name(number), since: .min)) }
    for number in 0..<1000 { #expect(!known.contains(try name(number), since: .min)) }
    // Whoever has been away longer than those in the set pushes nobody out.
    let count = known.count
    known.insert(try name(0), at: -1)
    #expect(known.count == count)
    #expect(!known.contains(try name(0), since: .min))
  }
}
