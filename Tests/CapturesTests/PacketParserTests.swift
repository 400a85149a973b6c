import Primitives
import Testing

@testable import Captures

/// Goal: the TCP segment is found behind every link and header that is read, and nothing else is
/// taken for one.
@Suite struct PacketParserTests {
  private static let payload = Array("hello".utf8)
  private static let four = Packets.ipv4(Packets.tcp(payload))
  private static let six = Packets.ipv6(Packets.tcp(payload))

  private func segment(_ bytes: [UInt8], _ link: LinkType = .rawIP) -> TCPSegment? {
    guard case .segment(let found) = PacketParser.parse(bytes, link, time: 5) else { return nil }
    return found
  }

  private func reason(_ bytes: [UInt8], _ link: LinkType = .rawIP) -> PacketParser.Skipped? {
    guard case .skipped(let found) = PacketParser.parse(bytes, link, time: 0) else { return nil }
    return found
  }

  @Test func everyFieldIsRead() throws {
    let packet = Packets.ipv4(
      Packets.tcp(from: 1234, to: 80, sequence: 0xfedc_ba98, flags: 0x13, options: 3, [1, 2, 3]))
    let found = try #require(segment(packet))
    #expect(found.source.description == "192.0.2.7:1234")
    #expect(found.destination.description == "198.51.100.1:80")
    #expect(found.sequence == 0xfedc_ba98 && found.acknowledgement == 77)
    #expect(found.flags == [.finish, .synchronize, .acknowledge])
    #expect(Array(found.payload) == [1, 2, 3] && found.time == 5)
  }

  static let links: [(LinkType, [UInt8])] = [
    (.rawIP, four), (.rawIP, six),
    (.loopback, [2, 0, 0, 0] + four), (.loopback, [0, 0, 0, 30] + six),
    (.ethernet, Packets.ethernet(four, type: 0x0800)),
    (.ethernet, Packets.ethernet(six, type: 0x86dd)),
    (.ethernet, Packets.ethernet(four, type: 0x0800, tags: [0x8100])),
    (.ethernet, Packets.ethernet(six, type: 0x86dd, tags: [0x88a8, 0x8100])),
    (.linuxCooked, [UInt8](repeating: 0, count: 14) + [8, 0] + four),
    (.linuxCooked2, [0x86, 0xdd] + [UInt8](repeating: 0, count: 18) + six),
  ]

  @Test(arguments: links.indices)
  func everyLinkIsRead(index: Int) throws {
    let (link, packet) = Self.links[index]
    let found = try #require(segment(packet, link))
    #expect(Array(found.payload) == Self.payload)
    #expect(found.destination.port == 7171)
  }

  @Test(arguments: links.indices)
  func aCutPacketIsNeverMoreThanItsBytes(index: Int) {
    let (link, packet) = Self.links[index]
    for count in packet.indices {
      let cut = Array(packet.prefix(count))
      if let found = segment(cut, link) {
        #expect(Array(found.payload) == Array(Self.payload.prefix(found.payload.count)))
      } else {
        #expect(reason(cut, link) != nil)
      }
    }
  }

  @Test func extensionHeadersAreWalked() throws {
    let options: (UInt8, [UInt8]) = (0, [0, 0, 1, 4, 0, 0, 0, 0])
    let routing: (UInt8, [UInt8]) = (43, [0, 1] + [UInt8](repeating: 0, count: 14))
    let authentication: (UInt8, [UInt8]) = (51, [0, 4] + [UInt8](repeating: 9, count: 22))
    let whole: (UInt8, [UInt8]) = (44, [0, 0, 0, 0, 0, 0, 0, 9])
    let packet = Packets.ipv6(
      Packets.tcp(Self.payload), headers: [options, routing, authentication, whole])
    #expect(try Array(#require(segment(packet)).payload) == Self.payload)
    let many = Packets.ipv6(
      Packets.tcp(Self.payload), headers: Array(repeating: options, count: 9))
    #expect(reason(many) == .malformed)
  }

  @Test func fragmentsAreLeftOut() {
    #expect(reason(Packets.ipv4(Packets.tcp([1]), fragment: 0x2000)) == .fragment)
    #expect(reason(Packets.ipv4(Packets.tcp([1]), fragment: 0x0010)) == .fragment)
    let part: (UInt8, [UInt8]) = (44, [0, 0, 0, 1, 0, 0, 0, 9])
    #expect(reason(Packets.ipv6(Packets.tcp([1]), headers: [part])) == .fragment)
  }

  @Test func whatIsNoTCPIsLeftOut() {
    #expect(reason(Packets.ipv4([1, 2, 3], protocolNumber: 17)) == .notTCP)
    #expect(reason(Packets.ipv6([1, 2, 3], headers: [(59, [0, 0, 0, 0, 0, 0, 0, 0])])) == .notTCP)
    #expect(reason(Packets.ethernet([0, 1, 8, 0], type: 0x0806), .ethernet) == .notIP)
    #expect(reason([0x50, 0, 0]) == .notIP)
    #expect(reason([]) == .malformed)
  }

  /// Short Ethernet frames are filled up to 60 bytes.
  @Test func paddingIsNoPayload() throws {
    let frame = Packets.ethernet(Packets.ipv4(Packets.tcp([7])), type: 0x0800) + [0, 0, 0, 0, 0]
    #expect(try Array(#require(segment(frame, .ethernet)).payload) == [7])
  }

  @Test func aTotalOfZeroIsWhatTheCardLeft() throws {
    let packet = Packets.ipv4(Packets.tcp(Self.payload), total: 0)
    #expect(try Array(#require(segment(packet)).payload) == Self.payload)
  }

  @Test func headersThatContradictThemselvesAreRefused() {
    #expect(reason(Packets.ipv4(Packets.tcp([1]), total: 19)) == .malformed)
    #expect(reason(Packets.ipv4(Packets.tcp([1]), total: 30)) == .malformed)
    var short = Self.four
    short[0] = 0x44
    #expect(reason(short) == .malformed)
    var offset = Self.four
    offset[32] = 0x40
    #expect(reason(offset) == .malformed)
    offset[32] = 0xf0
    #expect(reason(offset) == .malformed)
  }

  @Test func linkTypesAreThoseOfLibpcap() {
    #expect(LinkType(value: 1) == .ethernet && LinkType(value: 101) == .rawIP)
    #expect(LinkType(value: 12) == .rawIP && LinkType(value: 0) == .loopback)
    #expect(LinkType(value: 113) == .linuxCooked && LinkType(value: 276) == .linuxCooked2)
    #expect(LinkType(value: 105) == nil)
  }
}
