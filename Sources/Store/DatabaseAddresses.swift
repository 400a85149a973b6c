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

/// The first and the last address of a prefix.
struct AddressRange {
  static let ofIPv4 = AddressRange(
    AddressPrefix(SocketAddress(ipv4: 0, 0, 0, 0, port: 0).bytes, bitCount: 96))

  let isIPv4: Bool
  let first: [UInt8]
  let last: [UInt8]

  init(_ prefix: AddressPrefix) {
    isIPv4 = prefix.isIPv4
    first = Array(copying: prefix.bytes)
    last = first.enumerated().map { index, byte in
      let kept = max(0, min(8, Int(prefix.bitCount) - index * 8))
      return byte | UInt8(truncatingIfNeeded: 0xff >> kept)
    }
  }

  var bounds: [SQLValue] { [.blob(first), .blob(last)] }
}
