import Glibc
import Primitives
import Testing

@Suite struct AddressPrefixTests {
  private func prefix(_ text: String) throws -> AddressPrefix {
    try #require(AddressPrefix(text: text), "\(text)")
  }

  @Test func textIsReadAndWrittenCanonically() {
    let table: [(text: String, canonical: String)] = [
      ("192.0.2.7", "192.0.2.7"), ("192.0.2.0/24", "192.0.2.0/24"), ("0.0.0.0/0", "0.0.0.0/0"),
      ("255.255.255.255/32", "255.255.255.255"), ("128.0.0.0/1", "128.0.0.0/1"),
      ("2001:db8::/32", "2001:db8::/32"), ("2001:DB8:0:0::0007", "2001:db8::7"), ("::", "::"),
      ("::/0", "::/0"), ("::1/128", "::1"), ("1::", "1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
      ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
      ("1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"), ("::ffff:192.0.2.1", "192.0.2.1"),
      ("::ffff:c000:0200/120", "192.0.2.0/24"), ("::ffff:0:0/96", "0.0.0.0/0"),
      ("::fffe:0:0/95", "::fffe:0:0/95"),
      (
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
      ),
    ]
    for (text, canonical) in table {
      #expect(AddressPrefix(text: text)?.description == canonical)
    }
  }

  @Test func anythingElseIsRefused() {
    let texts = [
      "", "/", "/8", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1.2.3.256", "1.2.3.04",
      "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "0.0.0.0/-1", "0.0.0.0/00", "0.0.0.0/08",
      "0.0.0.0/+8", "0.0.0.0/8/8", "0.0.0.0/0000", "0x1.2.3.4", "1.2.3.4:80", ":", ":::", "::1::",
      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "12345::", "g::", "1:", ":1",
      "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::/129", "[::1]",
      "fe80::1%2",
      "fe80::1%eth0", "::1/1:2", "1.2.3.4/3a", "١.2.3.4", String(repeating: "1", count: 1000),
    ]
    for text in texts { #expect(AddressPrefix(text: text) == nil, "\(text)") }
  }

  /// Goal: who mistypes an address does not ban a network.
  @Test func hostBitsAreClearedOnlyWhenAskedFor() throws {
    for text in ["192.0.2.7/24", "2001:db8::1/64", "0.0.0.1/0", "::1/0", "::fffe:0:0/94"] {
      #expect(AddressPrefix(text: text) == nil)
    }
    let network = try prefix("192.0.2.0/24")
    #expect(AddressPrefix(text: "192.0.2.7/24", clearingHostBits: true) == network)
  }

  @Test func theFamiliesAreSeparate() throws {
    let (all4, all6) = (try prefix("0.0.0.0/0"), try prefix("::/0"))
    let translated = try prefix("::ffff:0:0:0/96")
    #expect(all4.isIPv4 && !all6.isIPv4 && !translated.isIPv4)
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 1)
    #expect(all4.contains(client) && !all6.contains(client))
    #expect(!all6.contains(all4) && !all4.contains(all6))
    let other = SocketAddress(ipv6: try prefix("2001:db8::7").bytes, port: 1)
    #expect(all6.contains(other) && !all4.contains(other))
    let (network4, network6) = (try prefix("192.0.2.0/24"), try prefix("2001:db8::/64"))
    #expect(AddressPrefix.of(client, ipv4: 24, ipv6: 64) == network4)
    #expect(AddressPrefix.of(other, ipv4: 24, ipv6: 64) == network6)
    #expect(AddressPrefix.of(client, ipv4: 255, ipv6: 0) == AddressPrefix(client))
    #expect(AddressPrefix.of(other, ipv4: 0, ipv6: 255) == AddressPrefix(other))
  }

  /// Goal: `contains` is what comparing bit by bit says, at every length.
  @Test func containingIsAMatterOfBits() {
    var random = SeededRandom(seed: 11)
    for _ in 0..<2000 {
      let a = randomBytes(&random)
      var b = a
      let flipped = Int.random(in: 0..<128, using: &random)
      b[flipped / 8] ^= 0x80 >> UInt8(flipped % 8)
      let bitCount = UInt8.random(in: 0...128, using: &random)
      let whole = AddressPrefix(b, bitCount: 128)
      let outer = AddressPrefix(a, bitCount: bitCount)
      let sameFamily = outer.isIPv4 == whole.isIPv4
      #expect(outer.contains(whole) == (sameFamily && flipped >= bitCount))
      #expect(outer.contains(AddressPrefix(a, bitCount: 128)) == (outer.isIPv4 == isMapped(a)))
      #expect(outer.contains(outer))
      #expect(AddressPrefix(text: outer.description) == outer)
    }
  }

  /// Goal: texts are read as the C library reads them.
  ///
  /// Method: texts of address characters, made from addresses and then spoilt, and from nothing.
  @Test func textIsReadAsTheSystemReadsIt() {
    var random = SeededRandom(seed: 12)
    var readCount = 0
    for _ in 0..<20_000 {
      let text = randomText(&random)
      let bytes = AddressPrefix(text: text)?.bytes
      let expected = systemBytes(text)
      #expect(bytes.map { bytes in (0..<16).map { bytes[$0] } } == expected, "\(text)")
      if expected != nil { readCount += 1 }
    }
    #expect(readCount > 4000)
  }

  private func systemBytes(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
    guard inet_pton(AF_INET, text, &bytes) == 1 else { return nil }
    return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255] + bytes[..<4]
  }

  private func randomText(_ random: inout SeededRandom) -> String {
    let alphabet = Array("::::....0129afF")
    if Int.random(in: 0..<8, using: &random) == 0 {
      let count = Int.random(in: 0...12, using: &random)
      return String((0..<count).map { _ in alphabet.randomElement(using: &random)! })
    }
    let bytes = randomBytes(&random)
    var text = SocketAddress(ipv6: bytes, port: 0).host
    if Bool.random(using: &random), text.contains(":"), let cut = text.lastIndex(of: ":") {
      text = text[...cut] + "\(bytes[12]).\(bytes[13]).\(bytes[14]).\(bytes[15])"
    }
    var characters = Array(text)
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let place = Int.random(in: 0..<characters.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: characters[place] = alphabet.randomElement(using: &random)!
      case 1: characters.insert(alphabet.randomElement(using: &random)!, at: place)
      default: if characters.count > 1 { characters.remove(at: place) }
      }
    }
    return String(characters)
  }

  /// Half of them IPv4, with many zeros.
  private func randomBytes(_ random: inout SeededRandom) -> [16 of UInt8] {
    let isIPv4 = Bool.random(using: &random)
    let palette: [UInt8] = [0, 0, 0, 1, 0x20, 0xff, 0xab]
    return .init { index in
      if isIPv4, index < 12 { return index < 10 ? 0 : 0xff }
      return palette.randomElement(using: &random)!
    }
  }

  private func isMapped(_ bytes: [16 of UInt8]) -> Bool {
    SocketAddress(ipv6: bytes, port: 0).isIPv4
  }
}
