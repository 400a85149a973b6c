import Primitives
import Testing

@Suite struct SocketAddressTests {
  /// An IPv6 address from its eight groups.
  private func address(_ groups: [UInt16], port: UInt16 = 7999, scope: UInt32 = 0)
    -> SocketAddress
  {
    var bytes: [16 of UInt8] = .init(repeating: 0)
    for (index, group) in groups.enumerated() {
      bytes[index * 2] = UInt8(group >> 8)
      bytes[index * 2 + 1] = UInt8(group & 0xff)
    }
    return SocketAddress(ipv6: bytes, port: port, scope: scope)
  }

  @Test func ipv4IsKeptMapped() {
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 50_112)
    #expect(client.isIPv4)
    #expect(client == address([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0207], port: 50_112))
    #expect(client.host == "192.0.2.7")
    #expect(client.description == "192.0.2.7:50112")
    #expect(SocketAddress(ipv4: 0, 0, 0, 0, port: 0).description == "0.0.0.0:0")
    #expect(
      SocketAddress(ipv4: 255, 255, 255, 255, port: 65_535).description == "255.255.255.255:65535")
  }

  @Test func onlyTheMappedPrefixIsIPv4() {
    #expect(!address([0, 0, 0, 0, 0, 0, 0xc000, 0x0207]).isIPv4)
    #expect(!address([0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x0207]).isIPv4)
    #expect(!address([0, 0, 0, 0, 1, 0xffff, 0xc000, 0x0207]).isIPv4)
    #expect(!address([0x0100, 0, 0, 0, 0, 0xffff, 0xc000, 0x0207]).isIPv4)
    #expect(!address([0, 0, 0, 0, 0, 0, 0, 1]).isIPv4)
  }

  /// Goal: the canonical text of RFC 5952 section 4, with its own examples.
  @Test func ipv6TextIsCanonical() {
    let table: [(groups: [UInt16], host: String)] = [
      ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
      ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
      ([1, 0, 0, 0, 0, 0, 0, 0], "1::"),
      ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], "2001:db8::7"),
      // 4.1: leading zeros go, a group of zeros stays one digit; 4.3: lower case.
      (
        [0x2001, 0x0db8, 0xaaaa, 0xbbbb, 0xcccc, 0xdddd, 0xeeee, 1],
        "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"
      ),
      // 4.2.2: one group of zeros is not shortened.
      ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
      ([0, 1, 1, 1, 1, 1, 1, 1], "0:1:1:1:1:1:1:1"),
      ([1, 1, 1, 1, 1, 1, 1, 0], "1:1:1:1:1:1:1:0"),
      // 4.2.3: the longest run is shortened, the first of equals.
      ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"),
      ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
      ([0, 0, 1, 0, 0, 1, 0, 0], "::1:0:0:1:0:0"),
      ([1, 0, 0, 1, 0, 0, 0, 0], "1:0:0:1::"),
      ([1, 0, 0, 2, 3, 4, 5, 6], "1::2:3:4:5:6"),
      ([1, 2, 3, 4, 5, 6, 0, 0], "1:2:3:4:5:6::"),
      (
        [0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff],
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
      ),
    ]
    for (groups, host) in table {
      #expect(address(groups).host == host)
      #expect(address(groups).description == "[\(host)]:7999")
    }
  }

  @Test func addressPortAndScopeMakeTheIdentity() {
    let loopback: [UInt16] = [0, 0, 0, 0, 0, 0, 0, 1]
    #expect(address(loopback) == address(loopback))
    #expect(address(loopback).hashValue == address(loopback).hashValue)
    #expect(address(loopback) != address(loopback, port: 8000))
    #expect(address(loopback) != address(loopback, scope: 2))
    #expect(address(loopback) != address([0, 0, 0, 0, 0, 0, 0, 2]))
    #expect(
      SocketAddress(ipv4: 127, 0, 0, 1, port: 1) != SocketAddress(ipv4: 126, 0, 0, 1, port: 1))
    #expect(Set([address(loopback), address(loopback), address(loopback, port: 1)]).count == 2)
  }
}
