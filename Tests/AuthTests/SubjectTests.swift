import Primitives
import Testing

@testable import Auth

@Suite struct SubjectTests {
  private let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1000)

  @Test func aPrefixCoversItsAddressesWhoeverIsIn() throws {
    let anna = try #require(AccountName("anna"))
    let subject = Subject.addresses(AddressPrefix.of(client, ipv4: 24, ipv6: 64))
    for account in [nil, anna] {
      #expect(subject.covers(client, account))
      #expect(subject.covers(SocketAddress(ipv4: 192, 0, 2, 255, port: 1), account))
      #expect(!subject.covers(SocketAddress(ipv4: 192, 0, 3, 7, port: 1000), account))
    }
  }

  @Test func anAccountIsCoveredWhereverItComesFrom() throws {
    let subject = Subject.account(try #require(AccountName("anna")))
    #expect(subject.covers(client, AccountName("ANNA")))
    #expect(subject.covers(SocketAddress(ipv4: 10, 0, 0, 1, port: 1), AccountName("anna")))
    #expect(!subject.covers(client, AccountName("bert")))
    #expect(!subject.covers(client, nil))
  }
}
