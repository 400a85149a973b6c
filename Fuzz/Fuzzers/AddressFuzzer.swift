import Glibc
import Primitives

@testable import Configuration

/// Goal: texts are the addresses that the system's own reader takes them for, and each prefix has
/// one text.
enum AddressFuzzer {
  static func run(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let strict = AddressPrefix(text: text)
    let cleared = AddressPrefix(text: text, clearingHostBits: true)
    check(strict == nil || strict == cleared, "clearing changes a prefix without host bits")
    if !text.utf8.contains(UInt8(ascii: "/")) {
      check(strict == system(text), "\(text) is \(String(describing: system(text)))")
    } else if let cleared {
      checkPrefix(text, cleared, isStrict: strict != nil)
    }
    checkHostPort(text)
    checkContains(bytes)
  }

  private static func system(_ text: String) -> AddressPrefix? {
    guard !text.utf8.contains(0) else { return nil }
    var ipv4 = in_addr()
    if inet_pton(AF_INET, text, &ipv4) == 1 {
      return withUnsafeBytes(of: &ipv4) {
        AddressPrefix(SocketAddress(ipv4: $0[0], $0[1], $0[2], $0[3], port: 0))
      }
    }
    var ipv6 = in6_addr()
    guard inet_pton(AF_INET6, text, &ipv6) == 1 else { return nil }
    return withUnsafeBytes(of: &ipv6) { bytes in
      AddressPrefix(SocketAddress(ipv6: [16 of UInt8] { bytes[$0] }, port: 0))
    }
  }

  private static func checkPrefix(_ text: String, _ prefix: AddressPrefix, isStrict: Bool) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let whole = system(String(parts[0])), let bits = Int(parts[1]) else {
      check(false, "\(text) is taken for \(prefix)")
      return
    }
    let isIPv6 = parts[0].contains(":")
    check(Int(prefix.bitCount) == (isIPv6 ? bits : bits + 96), "\(text) has \(prefix.bitCount)")
    check(
      isStrict
        == (AddressPrefix(whole.bytes, bitCount: prefix.bitCount) == prefix
          && prefix.high == whole.high && prefix.low == whole.low),
      "host bits of \(text)")
    check(AddressPrefix(text: prefix.description) == prefix, "\(prefix) is another")
    check(prefix.contains(whole) == (prefix.isIPv4 == whole.isIPv4), "\(prefix) has not \(whole)")
  }

  private static func checkHostPort(_ text: String) {
    guard case .success(let address) = HostPort.parse(text) else { return }
    check(address.port > 0 && !address.host.isEmpty, "\(text) has no place")
    guard case .success(let again) = HostPort.parse(address.text) else {
      check(false, "\(address.text) is refused")
      return
    }
    check(again == address, "\(address.text) is another")
    check(address.collides(with: again), "\(text) does not collide with itself")
    _ = address.isLoopback
  }

  /// Against bits one by one.
  private static func checkContains(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    func prefix() -> AddressPrefix {
      let isIPv4 = input.bool()
      let bytes = [16 of UInt8] { !isIPv4 || $0 > 11 ? input.byte() : $0 > 9 ? 0xff : 0 }
      return AddressPrefix(bytes, bitCount: UInt8(input.number(0...128)))
    }
    let (a, b) = (prefix(), prefix())
    let sameBits = (0..<Int(a.bitCount)).allSatisfy {
      (a.bytes[$0 / 8] ^ b.bytes[$0 / 8]) & (0x80 >> UInt8($0 % 8)) == 0
    }
    check(
      a.contains(b) == (sameBits && b.bitCount >= a.bitCount && a.isIPv4 == b.isIPv4),
      "\(a) and \(b)")
    check(AddressPrefix(text: a.description) == a, "\(a) is read as another")
  }
}
