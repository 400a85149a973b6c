internal import Primitives

// How addresses stand in the database: 16 bytes, IPv4 mapped, which sort as addresses do.

extension Array where Element == UInt8 {
  init(copying bytes: [16 of UInt8]) { self = bytes.indices.map { bytes[$0] } }
}

extension InlineArray where Element == UInt8, count == 16 {
  /// - Returns: nil unless there are 16 bytes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.init { bytes[$0] }
  }
}

extension AddressPrefix {
  /// Whether it is one of IPv4 addresses; shorter prefixes are of IPv6 addresses alone.
  var isOfIPv4: Bool { bitCount >= 96 && SocketAddress(ipv6: bytes, port: 0).isIPv4 }

  /// For people, and to search in.
  var text: String {
    let host = SocketAddress(ipv6: bytes, port: 0).host
    return bitCount == 128 ? host : "\(host)/\(isOfIPv4 ? bitCount - 96 : bitCount)"
  }
}

/// The first and the last address of a prefix.
struct AddressRange {
  static let ofIPv4 = AddressRange(
    AddressPrefix(SocketAddress(ipv4: 0, 0, 0, 0, port: 0).bytes, bitCount: 96))

  let isIPv4: Bool
  let first: [UInt8]
  let last: [UInt8]

  init(_ prefix: AddressPrefix) {
    isIPv4 = prefix.isOfIPv4
    first = Array(copying: prefix.bytes)
    last = first.enumerated().map { index, byte in
      let kept = max(0, min(8, Int(prefix.bitCount) - index * 8))
      return byte | UInt8(truncatingIfNeeded: 0xff >> kept)
    }
  }

  var bounds: [SQLValue] { [.blob(first), .blob(last)] }
}
