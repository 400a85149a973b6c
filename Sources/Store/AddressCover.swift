internal import Primitives

/// Runs of addresses as prefixes; addresses are numbers of the IPv4-mapped form.
enum AddressCover {
  static func mapped(_ ipv4: UInt32) -> UInt128 { 0xffff << 32 | UInt128(ipv4) }

  static func value(of prefix: AddressPrefix) -> UInt128 {
    var value: UInt128 = 0
    for index in 0..<16 { value = value << 8 | UInt128(prefix.bytes[index]) }
    return value
  }

  /// The fewest prefixes that cover a range and nothing else; at most 254.
  static func prefixes(_ range: ClosedRange<UInt128>) -> [AddressPrefix] {
    var found: [AddressPrefix] = []
    var start = range.lowerBound
    while true {
      // As large as the start's alignment allows, and not beyond the end.
      var hostBits = min(128, start.trailingZeroBitCount)
      while hostBits > 0 {
        if last(from: start, hostBits: hostBits) <= range.upperBound { break }
        hostBits -= 1
      }
      found.append(prefix(start, hostBits: hostBits))
      let last = last(from: start, hostBits: hostBits)
      guard last < range.upperBound else { return found }
      start = last + 1
    }
  }

  /// The last address of a block; no sum goes beyond the last address of all.
  private static func last(from start: UInt128, hostBits: Int) -> UInt128 {
    hostBits == 128 ? .max : start + ((UInt128(1) << UInt128(hostBits)) - 1)
  }

  private static func prefix(_ start: UInt128, hostBits: Int) -> AddressPrefix {
    AddressPrefix(
      [16 of UInt8] { UInt8(truncatingIfNeeded: start >> UInt128(120 - 8 * $0)) },
      bitCount: UInt8(128 - hostBits))
  }
}
