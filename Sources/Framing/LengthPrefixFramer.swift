/// Packets that say in their header how long they are.
///
/// ```
/// 0         lengthOffset          header's end                        total
/// | any bytes | length ... | any bytes | rest of the packet ... | trailing |
/// ```
///
/// The value of the length is found in this order: the field is read by its ``Encoding``, the mask
/// and the second field are applied, an ``Escape`` may replace it, the multiplier turns it into
/// bytes,
/// and what ``LengthCounts`` implies and the adjustment are added. The result counts the whole
/// packet
/// from offset 0. Where each of these occurs is named in framers/.
public struct LengthPrefixFramer: Equatable, BitwiseCopyable, Sendable {
  /// How the number is written.
  public enum Encoding: String, CaseIterable, BitwiseCopyable, Sendable {
    /// An integer of `lengthWidth` bytes.
    case binary
    /// Seven bits a byte, the lowest first, the high bit set in all bytes but the last: DWARF 5,
    /// section 7.6. Up to `lengthWidth` bytes.
    case leb128
    /// 1, 2, 4 or 5 bytes, told apart by the leading bits 0, 10, 110 and 111; big-endian. The last
    /// has 32 bits behind its first byte.
    case prefix
    /// `lengthWidth` printable digits of six bits, the highest first: the byte minus 64.
    case base64
    /// ASCII digits: `lengthWidth` of them, or up to so many before the terminator.
    case decimal
  }

  /// A value that does not mean a number of bytes.
  public struct Escape: Equatable, BitwiseCopyable, Sendable {
    public enum Rule: Equatable, BitwiseCopyable, Sendable {
      /// The value stands for this one.
      case value(UInt64)
      /// The framer's adjustment is this one.
      case adjustment(Int)
      /// The length is in another field.
      case field(LengthField, LengthCounts, adjustment: Int)
    }

    @usableFromInline let first: UInt64
    @usableFromInline let last: UInt64
    public let rule: Rule

    public init(
      _ values: ClosedRange<UInt64>, _ rule: Rule
    ) throws(FramerDefinitionError) {
      first = values.lowerBound
      last = values.upperBound
      self.rule = rule
      switch rule {
      case .value(let value):
        guard value <= UInt64(PacketBounds.largest) else {
          throw FramerDefinitionError(key: "value", expected: "at most 67108864")
        }
      case .adjustment(let adjustment), .field(_, _, let adjustment):
        try PlainLength.adjustments.check(adjustment, "adjustment")
      }
    }

    public var values: ClosedRange<UInt64> { first...last }
  }

  public static let escapesMax = 4
  public static let multipliers = 1...65_536

  public let encoding: Encoding
  /// Where the length begins, in bytes from the packet's start; 0 to 64.
  public var lengthOffset: Int { field.offset }
  /// How many bytes, or digits, the length has, or may have; see ``Encoding``.
  public let lengthWidth: Int
  public let counts: LengthCounts
  /// What is added to what ``counts`` implies, in bytes.
  public let adjustment: Int
  /// How many bytes the value counts in ones of.
  public let multiplier: Int
  /// The bits of a binary field that are the length, shifted down to the lowest of them.
  public let mask: UInt64?
  /// A second binary field, whose value is XORed with the first.
  public let second: LengthField?
  /// What ends a decimal length.
  public let terminator: UInt8?
  /// Whether a longer form than needed is refused.
  public let isCanonical: Bool
  public let leading: ConstantBytes?
  public let trailing: ConstantBytes?
  public let bounds: PacketBounds

  /// The field, if it is binary; its place alone, if not.
  let field: LengthField
  private let escapeSlots: [4 of Escape?]

  public var endianness: Endianness { field.endianness }
  public var packetBytesMax: Int { bounds.maximum }
  public var escapes: [Escape] { (0..<Self.escapesMax).compactMap { escapeSlots[$0] } }

  /// The fewest bytes that a header can have.
  public var headerByteCount: Int {
    switch encoding {
    case .binary: max(field.end, second?.end ?? 0)
    case .leb128, .prefix: lengthOffset + 1
    case .base64: lengthOffset + lengthWidth
    case .decimal: lengthOffset + (terminator == nil ? lengthWidth : 2)
    }
  }

  /// The most bytes that a header can have.
  private var headerByteCountMax: Int {
    let longest =
      switch encoding {
      case .binary, .base64: headerByteCount
      case .leb128: lengthOffset + lengthWidth
      case .prefix: lengthOffset + Self.prefixByteCountMax
      case .decimal: lengthOffset + lengthWidth + (terminator == nil ? 0 : 1)
      }
    return escapes.reduce(longest) { longest, escape in
      guard case .field(let field, _, _) = escape.rule else { return longest }
      return max(longest, field.end)
    }
  }

  private static let prefixByteCountMax = 5

  /// - Parameters:
  ///   - adjustment: added on top of what `counts` implies; -65,536 to 65,536 bytes.
  ///   - packetBytesMin: nil for the header's bytes.
  ///   - packetBytesMax: from the longest header that there can be to 64 MiB.
  public init(
    encoding: Encoding = .binary, lengthOffset: Int = 0, lengthWidth: Int = 2,
    endianness: Endianness = .big, mask: UInt64? = nil, xorOffset: Int? = nil,
    terminator: UInt8? = nil, isCanonical: Bool = false, escapes: [Escape] = [],
    multiplier: Int = 1, counts: LengthCounts = .rest, adjustment: Int = 0,
    leading: ConstantBytes? = nil, trailing: ConstantBytes? = nil, packetBytesMin: Int? = nil,
    packetBytesMax: Int = 65_536
  ) throws(FramerDefinitionError) {
    try Self.checkWidth(lengthWidth, encoding, hasTerminator: terminator != nil)
    if let terminator, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(terminator) {
      throw FramerDefinitionError(key: "terminator", expected: "no digit")
    }
    try PlainLength.adjustments.check(adjustment, "adjustment")
    try Self.multipliers.check(multiplier, "multiplier")
    try Self.checkMask(mask, encoding, lengthWidth)
    guard escapes.count <= Self.escapesMax else {
      throw FramerDefinitionError(key: "escapes", expected: "at most \(Self.escapesMax)")
    }
    self.encoding = encoding
    self.lengthWidth = lengthWidth
    field = try LengthField(
      offset: lengthOffset, width: encoding == .binary ? lengthWidth : 1, endianness: endianness)
    self.counts = counts
    self.adjustment = adjustment
    self.multiplier = multiplier
    self.mask = mask
    second = try xorOffset.map { (offset) throws(FramerDefinitionError) in
      try Self.secondField(at: offset, encoding, lengthWidth, endianness)
    }
    self.terminator = terminator
    self.isCanonical = isCanonical
    self.leading = leading
    self.trailing = trailing
    var slots = [4 of Escape?](repeating: nil)
    for (index, escape) in escapes.enumerated() { slots[index] = escape }
    escapeSlots = slots
    bounds = try PacketBounds(
      minimum: packetBytesMin, maximum: packetBytesMax, least: 1, of: "a packet")
    let least = max(headerByteCountMax, leading?.byteCount ?? 0) + (trailing?.byteCount ?? 0)
    _ = try PacketBounds(
      minimum: packetBytesMin, maximum: packetBytesMax, least: least, of: "the packet's header")
  }

  private static func checkWidth(
    _ width: Int, _ encoding: Encoding, hasTerminator: Bool
  ) throws(FramerDefinitionError) {
    switch encoding {
    case .binary:
      guard LengthField.widths.contains(width) else {
        throw FramerDefinitionError(key: "width", expected: "1, 2, 3, 4 or 8")
      }
    case .leb128, .base64: try (1...5).check(width, "width")
    case .prefix: break
    case .decimal: try (1...10).check(width, "width")
    }
    if hasTerminator && encoding != .decimal {
      throw FramerDefinitionError(key: "terminator", expected: "only decimal lengths to have one")
    }
  }

  private static func checkMask(
    _ mask: UInt64?, _ encoding: Encoding, _ width: Int
  ) throws(FramerDefinitionError) {
    guard let mask else { return }
    guard encoding == .binary else {
      throw FramerDefinitionError(key: "mask", expected: "only binary lengths to have one")
    }
    guard mask > 0, width == 8 || mask >> UInt64(8 * width) == 0 else {
      throw FramerDefinitionError(
        key: "mask", expected: "at least one of the \(8 * width) bits of the field, and no others")
    }
  }

  private static func secondField(
    at offset: Int, _ encoding: Encoding, _ width: Int, _ endianness: Endianness
  ) throws(FramerDefinitionError) -> LengthField {
    guard encoding == .binary else {
      throw FramerDefinitionError(key: "xor_offset", expected: "only binary lengths to have one")
    }
    guard LengthField.offsets.contains(offset) else {
      throw FramerDefinitionError(key: "xor_offset", expected: "0 to 64")
    }
    return try LengthField(offset: offset, width: width, endianness: endianness)
  }

  /// The same framer without what few protocols need; nil when it needs some of that.
  var plain: PlainLength? {
    guard encoding == .binary, mask == nil, second == nil, multiplier == 1, leading == nil,
      trailing == nil, escapes.isEmpty
    else { return nil }
    return PlainLength(of: self)
  }
}

extension LengthPrefixFramer {
  public static func == (a: LengthPrefixFramer, b: LengthPrefixFramer) -> Bool {
    a.encoding == b.encoding && a.field == b.field && a.lengthWidth == b.lengthWidth
      && a.counts == b.counts && a.adjustment == b.adjustment && a.multiplier == b.multiplier
      && a.mask == b.mask && a.second == b.second && a.terminator == b.terminator
      && a.isCanonical == b.isCanonical && a.leading == b.leading && a.trailing == b.trailing
      && a.bounds == b.bounds && a.escapes == b.escapes
  }
}

extension LengthPrefixFramer {
  /// A length as it was read, before anything is added to it.
  struct Reading {
    var value: UInt64
    /// Where the header ends, in bytes from the packet's start.
    var headerEnd: Int
  }

  enum ReadingStep {
    case found(Reading)
    case needMore(totalBytes: Int)
    case malformed(offset: Int)
  }

  @usableFromInline
  func step(_ bytes: UnsafeRawBufferPointer) -> PacketCutter.Step {
    if let leading {
      switch unsafe leading.match(bytes, at: 0) {
      case .no: return .violation(.wrongConstant(offset: 0))
      // Asked for one by one, so that the first wrong byte is seen when it comes.
      case .undecided: return .needMore(totalBytes: bytes.count + 1)
      case .yes: break
      }
    }
    switch unsafe read(bytes) {
    case .needMore(let total): return .needMore(totalBytes: total)
    case .malformed(let offset): return .violation(.malformedLength(offset: offset))
    case .found(let reading): return unsafe step(bytes, reading)
    }
  }

  private func step(
    _ bytes: UnsafeRawBufferPointer, _ reading: Reading
  ) -> PacketCutter.Step {
    var reading = reading
    var counts = counts
    var adjustment = adjustment
    var fieldOffset = lengthOffset
    for index in 0..<Self.escapesMax {
      guard let escape = escapeSlots[index] else { break }
      guard reading.value >= escape.first, reading.value <= escape.last else { continue }
      switch escape.rule {
      case .value(let value): reading.value = value
      case .adjustment(let other): adjustment = other
      case .field(let field, let otherCounts, let other):
        guard bytes.count >= field.end else { return .needMore(totalBytes: field.end) }
        reading.value = unsafe field.read(bytes)
        reading.headerEnd = max(reading.headerEnd, field.end)
        fieldOffset = field.offset
        counts = otherCounts
        adjustment = other
      }
      break
    }
    let (scaled, overflow) = reading.value.multipliedReportingOverflow(by: UInt64(multiplier))
    let header = max(reading.headerEnd, leading?.byteCount ?? 0)
    let implied = counts.implied(fieldOffset: fieldOffset, headerByteCount: reading.headerEnd)
    let step = bounds.step(
      value: overflow ? .max : scaled, adjustment: Int64(implied + adjustment),
      headerByteCount: header + (trailing?.byteCount ?? 0), available: bytes.count)
    guard let trailing, case .packet(let total, _) = step else { return step }
    let offset = total - trailing.byteCount
    return unsafe trailing.match(bytes, at: offset) == .yes
      ? step : .violation(.wrongConstant(offset: offset))
  }

  private func read(_ bytes: UnsafeRawBufferPointer) -> ReadingStep {
    switch encoding {
    case .binary: unsafe readBinary(bytes)
    case .leb128: unsafe readLEB128(bytes)
    case .prefix: unsafe readPrefix(bytes)
    case .base64: unsafe readBase64(bytes)
    case .decimal: unsafe readDecimal(bytes)
    }
  }

  private func readBinary(_ bytes: UnsafeRawBufferPointer) -> ReadingStep {
    let header = headerByteCount
    guard bytes.count >= header else { return .needMore(totalBytes: header) }
    var value = unsafe field.read(bytes)
    if let second { value ^= unsafe second.read(bytes) }
    if let mask { value = (value & mask) >> UInt64(mask.trailingZeroBitCount) }
    return .found(Reading(value: value, headerEnd: header))
  }

  private func readLEB128(_ bytes: UnsafeRawBufferPointer) -> ReadingStep {
    var value: UInt64 = 0
    for index in 0..<lengthWidth {
      let place = lengthOffset + index
      guard place < bytes.count else { return .needMore(totalBytes: place + 1) }
      let byte = unsafe bytes[place]
      value |= UInt64(byte & 0x7F) << UInt64(7 * index)
      guard byte & 0x80 == 0 else { continue }
      if isCanonical && index > 0 && byte == 0 { return .malformed(offset: lengthOffset) }
      return .found(Reading(value: value, headerEnd: place + 1))
    }
    return .malformed(offset: lengthOffset)
  }

  private func readPrefix(_ bytes: UnsafeRawBufferPointer) -> ReadingStep {
    guard bytes.count > lengthOffset else { return .needMore(totalBytes: lengthOffset + 1) }
    let first = unsafe bytes[lengthOffset]
    let width = first < 0x80 ? 1 : first < 0xC0 ? 2 : first < 0xE0 ? 4 : 5
    let end = lengthOffset + width
    guard bytes.count >= end else { return .needMore(totalBytes: end) }
    var value = UInt64(width == 1 ? first : width == 2 ? first & 0x3F : first & 0x1F)
    if width == 5 { value = 0 }
    for place in (lengthOffset + 1)..<end { value = unsafe value << 8 | UInt64(bytes[place]) }
    return .found(Reading(value: value, headerEnd: end))
  }

  private func readBase64(_ bytes: UnsafeRawBufferPointer) -> ReadingStep {
    var value: UInt64 = 0
    for place in lengthOffset..<(lengthOffset + lengthWidth) {
      guard place < bytes.count else { return .needMore(totalBytes: place + 1) }
      let digit = unsafe bytes[place] &- 64
      guard digit < 64 else { return .malformed(offset: place) }
      value = value << 6 | UInt64(digit)
    }
    return .found(Reading(value: value, headerEnd: lengthOffset + lengthWidth))
  }

  private func readDecimal(_ bytes: UnsafeRawBufferPointer) -> ReadingStep {
    var value: UInt64 = 0
    for index in 0...lengthWidth {
      let place = lengthOffset + index
      if terminator == nil && index == lengthWidth {
        return .found(Reading(value: value, headerEnd: place))
      }
      guard place < bytes.count else { return .needMore(totalBytes: place + 1) }
      let byte = unsafe bytes[place]
      if byte == terminator && index > 0 {
        return .found(Reading(value: value, headerEnd: place + 1))
      }
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10, index < lengthWidth else { return .malformed(offset: place) }
      if isCanonical && index == 1 && value == 0 { return .malformed(offset: lengthOffset) }
      value = value * 10 + UInt64(digit)
    }
    return .malformed(offset: lengthOffset)
  }
}
