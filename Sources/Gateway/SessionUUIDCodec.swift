internal import Primitives

/// Puts a session's place into its UUID, so that an answer finds it without a table.
///
/// The first 32 of the 122 free bits hold the session's slot at the door, mixed with the last 32 so
/// that sessions that had the same one have nothing in common; the other 90 bits are random, and
/// all have to match.
struct SessionUUIDCodec: Sendable {
  private static let multiplier: UInt32 = 0x9e37_79b1
  /// multiplier × inverse = 1 (mod 2^32).
  private static let inverse: UInt32 = modularInverse(multiplier)

  private let mask: UInt32

  /// - Parameter mask: any, and the same for all shards of a gateway.
  init(mask: UInt32) { self.mask = mask }

  /// - Parameters:
  ///   - slot: below 2^24.
  ///   - entropy: 16 random bytes.
  func make(slot: UInt32, entropy: [16 of UInt8]) -> SessionUUID {
    var bytes = entropy
    let last = (12..<16).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }
    let word = (slot &* Self.multiplier) ^ mask ^ last
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: word >> UInt32(24 - index * 8)) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    return SessionUUID(bytes: bytes)
  }

  /// The slot that a UUID names; nil when it can't be one of ours.
  ///
  /// Whether it is one, only the comparison with the slot's own UUID says.
  @inline(__always)
  func slot(of uuid: SessionUUID) -> UInt32? {
    let slot = (uuid.leadingWord ^ uuid.trailingWord ^ mask) &* Self.inverse
    return slot < 1 << 24 ? slot : nil
  }

  /// Newton's iteration: each step doubles the number of right bits, and `odd` is its own inverse
  /// in the lowest three.
  private static func modularInverse(_ odd: UInt32) -> UInt32 {
    var inverse = odd
    for _ in 0..<4 { inverse = inverse &* (2 &- odd &* inverse) }
    return inverse
  }
}
