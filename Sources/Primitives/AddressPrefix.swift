/// All addresses that begin with the same bits (RFC 4632, RFC 4291 section 2.3).
///
/// IPv4 and IPv6 are separate worlds: an IPv6 prefix never holds an IPv4 address, however short it
/// is, though IPv4 addresses are kept among the IPv6 ones.
@frozen
public struct AddressPrefix: Hashable, Sendable {
  /// Network byte order, IPv4 mapped as in ``SocketAddress``; bits behind the prefix are zero.
  public let bytes: [16 of UInt8]
  /// Bits of the mapped form, 0 to 128: those of an IPv4 prefix and 96 more.
  public let bitCount: UInt8

  /// Clears the bits behind the prefix.
  ///
  /// - Precondition: `bitCount` is at most 128.
  @inlinable public init(_ bytes: [16 of UInt8], bitCount: UInt8) {
    precondition(bitCount <= 128)
    var cleared = bytes
    if bitCount < 128 {
      for index in 0..<16 {
        let kept = max(0, min(8, Int(bitCount) - index * 8))
        cleared[index] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
      }
    }
    self.bytes = cleared
    self.bitCount = bitCount
  }

  /// The one address of a client.
  @inlinable public init(_ address: SocketAddress) { self.init(address.bytes, bitCount: 128) }

  /// The prefix that an address lies in.
  ///
  /// - Parameters:
  ///   - ipv4: its length for an IPv4 address, in bits; more than 32 count as 32.
  ///   - ipv6: its length for an IPv6 address, in bits; more than 128 count as 128.
  @inlinable public static func of(_ address: SocketAddress, ipv4: UInt8, ipv6: UInt8)
    -> AddressPrefix
  {
    let bitCount = address.isIPv4 ? 96 + min(ipv4, 32) : min(ipv6, 128)
    return AddressPrefix(address.bytes, bitCount: bitCount)
  }

  /// This prefix, or the one around it that has no more bits than given for its family.
  @inlinable public func widened(ipv4: UInt8, ipv6: UInt8) -> AddressPrefix {
    AddressPrefix(bytes, bitCount: min(bitCount, isIPv4 ? 96 + min(ipv4, 32) : min(ipv6, 128)))
  }

  /// True for a prefix of IPv4 addresses: those in ::ffff:0:0/96.
  @inlinable public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

  /// The first eight bytes, as a number.
  @inlinable public var high: UInt64 { word(at: 0) }

  /// The last eight bytes, as a number.
  @inlinable public var low: UInt64 { word(at: 8) }

  @inlinable func word(at start: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
    return word
  }

  @inlinable public func contains(_ address: SocketAddress) -> Bool {
    contains(AddressPrefix(address))
  }

  /// True when all of the other's addresses are among these.
  @inlinable public func contains(_ other: AddressPrefix) -> Bool {
    guard other.bitCount >= bitCount, other.isIPv4 == isIPv4 else { return false }
    // Shifts by 64 and more give zero.
    return (high ^ other.high) & ~(UInt64.max >> bitCount) == 0
      && (low ^ other.low) & ~(UInt64.max >> (max(bitCount, 64) - 64)) == 0
  }

  @inlinable public static func == (a: AddressPrefix, b: AddressPrefix) -> Bool {
    a.high == b.high && a.low == b.low && a.bitCount == b.bitCount
  }

  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(high)
    hasher.combine(low)
    hasher.combine(bitCount)
  }
}
