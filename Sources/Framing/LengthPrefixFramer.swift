/// Packets that say how long they are in an integer at a fixed place of their header.
///
/// ```
/// 0          lengthOffset      lengthOffset + lengthWidth        total
/// | any bytes | length (LE or BE) | rest of the packet ............|
/// ```
///
/// The whole packet has `length + adjustment` bytes, counted from offset 0; ``Counts`` names the
/// adjustments that protocols usually need. Source: shared survey of game protocols, each entry
/// named in framers/.
public struct LengthPrefixFramer: Equatable, BitwiseCopyable, Sendable {
  public enum Endianness: String, CaseIterable, BitwiseCopyable, Sendable { case big, little }

  /// What the value of the length field counts.
  public enum Counts: String, CaseIterable, Sendable {
    /// What follows the length field.
    case rest
    /// The length field and what follows it.
    case selfAndRest = "self-and-rest"
    /// The whole packet, from its first byte.
    case packet
  }

  /// Where the length field begins, in bytes from the packet's start; 0 to 64.
  public let lengthOffset: Int
  /// Size of the length field in bytes: 1, 2, 3, 4 or 8.
  public let lengthWidth: Int
  public let endianness: Endianness
  /// What is added to the value of the field to get the whole packet's bytes; includes ``Counts``.
  public let adjustment: Int64
  /// The longest whole packet, in bytes.
  public let packetBytesMax: Int

  /// The bytes that must be there before the length can be read; also the shortest packet.
  @inlinable public var headerByteCount: Int { lengthOffset + lengthWidth }

  /// Why a definition can't be used.
  public enum DefinitionError: Error, Equatable, Sendable {
    case offsetOutOfRange(Int)
    case widthNotSupported(Int)
    case adjustmentOutOfRange(Int)
    /// The maximum is shorter than the header or longer than 64 MiB.
    case maximumOutOfRange(Int, minimum: Int)
  }

  /// - Parameters:
  ///   - adjustment: added on top of what `counts` implies; -65,536 to 65,536 bytes.
  ///   - packetBytesMax: header included; up to 64 MiB.
  /// - Throws: ``DefinitionError``.
  public init(
    lengthOffset: Int = 0, lengthWidth: Int = 2, endianness: Endianness = .big,
    counts: Counts = .rest, adjustment: Int = 0, packetBytesMax: Int = 65_536
  ) throws(DefinitionError) {
    guard (0...64).contains(lengthOffset) else { throw .offsetOutOfRange(lengthOffset) }
    guard [1, 2, 3, 4, 8].contains(lengthWidth) else { throw .widthNotSupported(lengthWidth) }
    guard (-65_536...65_536).contains(adjustment) else { throw .adjustmentOutOfRange(adjustment) }
    let header = lengthOffset + lengthWidth
    guard packetBytesMax >= header, packetBytesMax <= 64 << 20 else {
      throw .maximumOutOfRange(packetBytesMax, minimum: header)
    }
    self.lengthOffset = lengthOffset
    self.lengthWidth = lengthWidth
    self.endianness = endianness
    self.packetBytesMax = packetBytesMax
    let implied =
      switch counts {
      case .rest: header
      case .selfAndRest: lengthOffset
      case .packet: 0
      }
    self.adjustment = Int64(implied + adjustment)
  }

  @inlinable
  func step(_ bytes: UnsafeRawBufferPointer) -> Framer.Step {
    guard bytes.count >= headerByteCount else { return .needMore(totalBytes: headerByteCount) }
    let length = unsafe readLength(bytes)
    // Compared before any arithmetic: the value may be anything up to 2^64 - 1.
    guard length <= UInt64(packetBytesMax) + 131_072 else {
      return .violation(
        .packetTooLong(announced: saturatedTotal(length: length), maximum: packetBytesMax))
    }
    let total = Int64(length) + adjustment
    guard total >= Int64(headerByteCount) else {
      return .violation(.packetTooShort(announced: total, minimum: headerByteCount))
    }
    guard total <= Int64(packetBytesMax) else {
      return .violation(.packetTooLong(announced: UInt64(total), maximum: packetBytesMax))
    }
    return bytes.count >= Int(total)
      ? .packet(byteCount: Int(total)) : .needMore(totalBytes: Int(total))
  }

  /// The whole packet's bytes for a `length` above 131,072 that may be anything; at most 2^64 - 1.
  @usableFromInline
  func saturatedTotal(length: UInt64) -> UInt64 {
    let magnitude = adjustment.magnitude
    guard adjustment > 0 else { return length - magnitude }
    let (total, overflow) = length.addingReportingOverflow(magnitude)
    return overflow ? .max : total
  }

  @inlinable
  func readLength(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    // SAFETY: the caller checked that the header, which holds the field, is there.
    if lengthWidth == 2 {
      let value = unsafe bytes.loadUnaligned(fromByteOffset: lengthOffset, as: UInt16.self)
      return UInt64(endianness == .big ? UInt16(bigEndian: value) : UInt16(littleEndian: value))
    }
    var value: UInt64 = 0
    for index in 0..<lengthWidth {
      let place = endianness == .big ? index : lengthWidth - 1 - index
      value = unsafe value << 8 | UInt64(bytes[lengthOffset + place])
    }
    return value
  }
}
