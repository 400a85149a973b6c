/// 1 to 8 bytes that stand at a known place of a packet, or some bits of them.
public struct ConstantBytes: Equatable, BitwiseCopyable, Sendable {
  /// How many there may be.
  public static let byteCounts = 1...8

  /// The first byte is the lowest.
  @usableFromInline let value: UInt64
  @usableFromInline let mask: UInt64
  @usableFromInline let size: UInt8

  /// What a comparison with the front of a stream found.
  @usableFromInline enum Match { case yes, no, undecided }

  /// - Parameters:
  ///   - bytes: 1 to 8.
  ///   - mask: as many bytes; only the bits that are set in it count. All of them when nil.
  /// - Returns: nil when the counts are wrong, or when a bit outside the mask is set.
  public init?(_ bytes: [UInt8], mask: [UInt8]? = nil) {
    guard Self.byteCounts.contains(bytes.count), mask == nil || mask?.count == bytes.count else {
      return nil
    }
    value = bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    self.mask =
      mask.map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
      ?? UInt64.max >> UInt64(64 - 8 * bytes.count)
    size = UInt8(bytes.count)
    guard value & ~self.mask == 0 else { return nil }
  }

  @inlinable public var byteCount: Int { Int(size) }

  public var bytes: [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  /// The bytes of the mask; nil when every bit counts.
  public var maskBytes: [UInt8]? {
    guard mask != UInt64.max >> UInt64(64 - 8 * byteCount) else { return nil }
    return (0..<byteCount).map { UInt8(truncatingIfNeeded: mask >> UInt64(8 * $0)) }
  }

  /// Compares with what stands at `offset`, as far as it is there.
  @inlinable
  func match(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Match {
    let available = min(bytes.count - offset, byteCount)
    guard available > 0 else { return .undecided }
    var found: UInt64 = 0
    for index in (0..<available).reversed() {
      unsafe found = found << 8 | UInt64(bytes[offset + index])
    }
    let looked = UInt64.max >> UInt64(64 - 8 * available) & mask
    guard found & looked == value & looked else { return .no }
    return available == byteCount ? .yes : .undecided
  }
}
