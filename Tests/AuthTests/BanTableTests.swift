import Primitives
import Testing

@testable import Auth

@Suite struct BanTableTests {
  private func prefix(_ text: String) throws -> Subject {
    .addresses(try #require(AddressPrefix(text: text)))
  }

  private func table(_ bans: [Ban]) -> BanTable {
    var builder = BanTable.Builder(listeners: ["game"])
    for ban in bans { builder.add(ban, allows: false) }
    return builder.finish()
  }

  private let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 50_112)

  @Test func anEmptyTableBansNobody() throws {
    #expect(BanTable.empty.count == 0)
    #expect(BanTable.empty.ban(of: client, listener: 0, at: 0) == nil)
    let name = try #require(AccountName("anna"))
    #expect(BanTable.empty.ban(of: name, listener: 0, at: 0) == nil)
    #expect(!BanTable.empty.allows(client, listener: 0, at: 0))
    #expect(BanTable.empty.bans(covering: .account(name), at: 0).isEmpty)
  }

  @Test func theBanThatLastsLongestIsTold() throws {
    let table = table([
      Ban(id: 1, subject: try prefix("192.0.2.7"), shownReason: "short", until: 10),
      Ban(id: 2, subject: try prefix("192.0.0.0/16"), shownReason: "long", until: 20),
      Ban(id: 3, subject: try prefix("192.0.2.0/24"), listener: "elsewhere", until: 30),
    ])
    #expect(
      table.ban(of: client, listener: 0, at: 5)
        == BanMatch(id: 2, until: 20, shownReason: "long"))
    #expect(table.ban(of: client, listener: 0, at: 19)?.id == 2)
    #expect(table.ban(of: client, listener: 0, at: 20) == nil)
  }

  @Test func everyIPv6AddressIsNoIPv4Address() throws {
    let table = table([Ban(id: 1, subject: try prefix("::/0"))])
    #expect(table.ban(of: client, listener: 0, at: 0) == nil)
    let loopback = try #require(AddressPrefix(text: "::1"))
    let other = SocketAddress(ipv6: loopback.bytes, port: 1)
    #expect(table.ban(of: other, listener: 0, at: 0)?.id == 1)
  }

  @Test func accountsMatchInEitherCase() throws {
    let name = try #require(AccountName("Anna"))
    let table = table([Ban(id: 4, subject: .account(name))])
    #expect(table.ban(of: try #require(AccountName("aNNA")), listener: 0, at: 0)?.id == 4)
    #expect(table.ban(of: try #require(AccountName("ann")), listener: 0, at: 0) == nil)
    #expect(table.bans(covering: .account(name), at: 0).map(\.id) == [4])
  }

  /// Goal: memory stays bounded whatever reasons an import brings.
  @Test func reasonsBeyondTheirBoundAreEmpty() throws {
    let half = String(repeating: "x", count: BanIndex.reasonBytesMax / 2)
    var bans: [Ban] = []
    for (index, reason) in [half, half + "", "y" + half.dropFirst(), "z", "z"].enumerated() {
      bans.append(
        Ban(id: Int64(index), subject: try prefix("192.0.2.\(index)"), shownReason: reason))
    }
    let table = table(bans)
    let reasons = (0..<5).map { index in
      table.ban(
        of: SocketAddress(ipv4: 192, 0, 2, UInt8(index), port: 1), listener: 0, at: 0)!.shownReason
    }
    #expect(reasons[0] == half)
    #expect(reasons[1] == half)
    #expect(reasons[2] == "y" + half.dropFirst())
    #expect(reasons[3].isEmpty)
    #expect(reasons[4].isEmpty)
  }

  @Test func manyListenersThatAreNotThereMatchNobody() throws {
    var builder = BanTable.Builder(listeners: ["game"])
    for index in 0..<70_000 {
      let ban = Ban(
        id: Int64(index), subject: .addresses(AddressPrefix(client)), listener: "old\(index)")
      builder.add(ban, allows: false)
    }
    let table = builder.finish()
    let unnamed = table.number(ofListener: "lobby")
    for listener in [-1, 0, unnamed, 65_534, 65_535, 70_000] {
      #expect(table.ban(of: client, listener: listener, at: 0) == nil)
    }
    #expect(
      table.ban(of: client, listener: table.number(ofListener: "old7"), at: 0)?.id == 7)
    let listed = table.bans(covering: .addresses(AddressPrefix(client)), at: 0)
    #expect(listed.count == 70_000)
    #expect(listed[5].listener == "old5")
    #expect(listed[69_999].listener == "?")
  }

  @Test func changesBeyondTheOverlayAskForANewTable() throws {
    let bans = (0..<20_000).map { index in
      Ban(id: Int64(index), subject: .addresses(AddressPrefix(client)), until: 1)
    }
    let small = table(Array(bans[..<10]))
    let most = bans[10..<(10 + BanTable.overlayMax)].map { (ban: $0, allows: false) }
    let full = try #require(small.applying(added: most, lifted: []))
    #expect(full.count == 10 + BanTable.overlayMax)
    #expect(full.applying(added: [], lifted: [99_999]) != nil)
    #expect(full.applying(added: [], lifted: [3]) == nil)
    #expect(full.applying(added: [], lifted: [3, 10])?.count == 8 + BanTable.overlayMax)
    #expect(full.applying(added: [(bans[19_999], false)], lifted: []) == nil)
    #expect(table(bans).applying(added: [], lifted: bans.map(\.id)) == nil)
  }

  /// Goal: what a table takes is known, and near what its documentation says.
  @Test func aTableTakesAFewDozenBytesABan() {
    var builder = BanTable.Builder(listeners: [])
    var random = SeededRandom(seed: 5)
    for id in 0..<20_000 {
      let start = UInt32.random(in: 0 ... .max, using: &random)
      let address = SocketAddress(
        ipv4: UInt8(start >> 24), UInt8(start >> 16 & 255), UInt8(start >> 8 & 255), 0, port: 0)
      let prefix = AddressPrefix(address.bytes, bitCount: 120)
      builder.add(Ban(id: Int64(id), subject: .addresses(prefix)), allows: false)
    }
    #expect((40 * 20_000...70 * 20_000).contains(builder.finish().byteCount))
  }
}
