/// All addresses that begin with the same bits (RFC 4632, RFC 4291 section 2.3).
@frozen
public struct AddressPrefix: Hashable, Sendable {
  /// Network byte order, IPv4 mapped as in ``SocketAddress``; bits behind the prefix are zero.
  public let bytes: [16 of UInt8]
  /// Bits of the mapped form, 0 to 128: those of an IPv4 prefix and 96 more.
  public let bitCount: UInt8

  /// Clears the bits behind the prefix.
  ///
  /// - Precondition: `bitCount` is at most 128.
  public init(_ bytes: [16 of UInt8], bitCount: UInt8) {
    precondition(bitCount <= 128)
    var cleared = bytes
    for index in 0..<16 {
      let kept = max(0, min(8, Int(bitCount) - index * 8))
      cleared[index] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
    }
    self.bytes = cleared
    self.bitCount = bitCount
  }

  /// The one address of a client.
  public init(_ address: SocketAddress) { self.init(address.bytes, bitCount: 128) }

  public static func == (a: AddressPrefix, b: AddressPrefix) -> Bool {
    for index in 0..<16 where a.bytes[index] != b.bytes[index] { return false }
    return a.bitCount == b.bitCount
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<16 { hasher.combine(bytes[index]) }
    hasher.combine(bitCount)
  }
}
