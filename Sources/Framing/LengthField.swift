/// The order of an integer's bytes.
public enum Endianness: String, CaseIterable, BitwiseCopyable, Sendable { case big, little }

/// What the value of a length field counts.
public enum LengthCounts: String, CaseIterable, BitwiseCopyable, Sendable {
  /// What follows the header, which ends with the length field.
  case rest
  /// The length field, what may stand between it and the header's end, and what follows.
  case selfAndRest = "self-and-rest"
  /// The whole packet, from its first byte.
  case packet

  /// What has to be added to a value for it to count the whole packet, in bytes.
  @inlinable
  func implied(fieldOffset: Int, headerByteCount: Int) -> Int {
    switch self {
    case .rest: headerByteCount
    case .selfAndRest: fieldOffset
    case .packet: 0
    }
  }
}

/// An integer at a fixed place of a packet.
public struct LengthField: Equatable, BitwiseCopyable, Sendable {
  public static let offsets = 0...64
  public static let widths = [1, 2, 3, 4, 8]

  @usableFromInline let place: UInt8
  @usableFromInline let size: UInt8
  public let endianness: Endianness

  /// - Parameters:
  ///   - offset: where it begins, in bytes from the packet's start; 0 to 64.
  ///   - width: 1, 2, 3, 4 or 8 bytes.
  public init(
    offset: Int, width: Int, endianness: Endianness
  ) throws(FramerDefinitionError) {
    try Self.offsets.check(offset, "offset")
    guard Self.widths.contains(width) else {
      throw FramerDefinitionError(key: "width", expected: "1, 2, 3, 4 or 8")
    }
    place = UInt8(offset)
    size = UInt8(width)
    self.endianness = endianness
  }

  @inlinable public var offset: Int { Int(place) }
  /// In bytes.
  @inlinable public var width: Int { Int(size) }
  /// Where it ends, in bytes from the packet's start.
  @inlinable public var end: Int { offset + width }

  /// - Precondition: `bytes` has at least ``end`` bytes.
  @inlinable @inline(__always)
  func read(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    precondition(bytes.count >= end)
    // SAFETY: the field lies within `bytes`, as was just checked.
    if size == 2 {
      let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
      return UInt64(endianness == .big ? UInt16(bigEndian: value) : UInt16(littleEndian: value))
    }
    return unsafe readByteByByte(bytes)
  }

  @usableFromInline
  func readByteByByte(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<width {
      let place = endianness == .big ? index : width - 1 - index
      value = unsafe value << 8 | UInt64(bytes[offset + place])
    }
    return value
  }
}

/// Bounds on a whole packet, in bytes, and how an announced length is held against them.
public struct PacketBounds: Equatable, BitwiseCopyable, Sendable {
  /// The longest packet that any framer can be told to let through: 64 MiB.
  public static let largest = 64 << 20

  public let minimum: Int
  public let maximum: Int

  /// - Parameters:
  ///   - minimum: 1 or more; nil for `least`.
  ///   - least: what the framer needs in any case, such as its header.
  public init(
    minimum: Int?, maximum: Int, least: Int, of what: String
  ) throws(FramerDefinitionError) {
    guard maximum >= least, maximum <= Self.largest else {
      throw FramerDefinitionError(
        key: "max", expected: "at least the \(least) bytes of \(what), and at most 64MiB")
    }
    if let minimum, !(1...maximum).contains(minimum) {
      throw FramerDefinitionError(key: "min", expected: "1 to the \(maximum) bytes of `max`")
    }
    self.minimum = max(minimum ?? least, least)
    self.maximum = maximum
  }

  /// The packet that `value`, in bytes, announces once `adjustment` is added to it.
  ///
  /// - Parameters:
  ///   - value: anything up to 2^64 - 1.
  ///   - adjustment: at most 131,072 in magnitude.
  ///   - headerByteCount: what the packet has at the least; at most `maximum`.
  @inlinable @inline(__always)
  func step(
    value: UInt64, adjustment: Int64, headerByteCount: Int, available: Int
  ) -> PacketCutter.Step {
    // Compared before any arithmetic.
    guard value <= UInt64(maximum) + 131_072 else {
      return .violation(
        .packetTooLong(announced: saturated(value, adjustment), maximum: maximum))
    }
    let total = Int64(value) + adjustment
    let least = max(minimum, headerByteCount)
    guard total >= Int64(least) else {
      return .violation(.packetTooShort(announced: total, minimum: least))
    }
    guard total <= Int64(maximum) else {
      return .violation(.packetTooLong(announced: UInt64(total), maximum: maximum))
    }
    return available >= Int(total)
      ? .packet(byteCount: Int(total), dropped: 0) : .needMore(totalBytes: Int(total))
  }

  /// The sum of a value above 131,072 and an adjustment, at most 2^64 - 1.
  @usableFromInline
  func saturated(_ value: UInt64, _ adjustment: Int64) -> UInt64 {
    guard adjustment > 0 else { return value - adjustment.magnitude }
    let (total, overflow) = value.addingReportingOverflow(adjustment.magnitude)
    return overflow ? .max : total
  }
}

/// A length in an integer at a fixed place, with nothing special about it: most protocols have it.
public struct PlainLength: Equatable, BitwiseCopyable, Sendable {
  public let field: LengthField
  public let counts: LengthCounts
  /// What is added to the value of the field to get the whole packet's bytes; includes `counts`.
  public let adjustment: Int64
  public let bounds: PacketBounds

  /// What may be added on top of what `counts` implies, in bytes.
  public static let adjustments = -65_536...65_536

  /// - Parameters:
  ///   - adjustment: added on top of what `counts` implies; -65,536 to 65,536 bytes.
  ///   - least: bytes that a packet has in any case, beside the field.
  public init(
    field: LengthField, counts: LengthCounts, adjustment: Int, minimum: Int?, maximum: Int,
    least: Int = 1
  ) throws(FramerDefinitionError) {
    try Self.adjustments.check(adjustment, "adjustment")
    self.field = field
    self.counts = counts
    bounds = try PacketBounds(
      minimum: minimum, maximum: maximum, least: max(field.end, least), of: "the packet's header")
    self.adjustment = Int64(
      counts.implied(fieldOffset: field.offset, headerByteCount: field.end) + adjustment)
  }

  /// What it needs was checked when `framer` was made, which needs nothing else.
  init(of framer: LengthPrefixFramer) {
    field = framer.field
    counts = framer.counts
    bounds = framer.bounds
    adjustment = Int64(
      counts.implied(fieldOffset: field.offset, headerByteCount: field.end) + framer.adjustment)
  }

  @inlinable @inline(__always)
  func step(_ bytes: UnsafeRawBufferPointer) -> PacketCutter.Step {
    guard bytes.count >= field.end else { return .needMore(totalBytes: field.end) }
    return unsafe bounds.step(
      value: field.read(bytes), adjustment: adjustment, headerByteCount: field.end,
      available: bytes.count)
  }
}
