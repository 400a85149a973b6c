/// Packets that end with one of a few short byte strings, as lines do.
///
/// ```
/// | any bytes | delimiter | any bytes | delimiter |
/// |<-- one packet ------->|<-- the next --------->|
/// ```
///
/// A packet includes its delimiter. It ends where the first of the alternatives ends; of two that
/// end at the same place, such as LF and CR LF, both are in the packet anyway.
public struct DelimiterFramer: BitwiseCopyable, Sendable {
  /// How many alternatives there may be.
  public static let delimitersMax = 4
  /// The longest delimiter, in bytes.
  public static let delimiterByteCountMax = 8

  /// Of whole packets, delimiter included.
  public let bounds: PacketBounds
  /// Whether the delimiter is a part of the packet that is handed on.
  public let keepsDelimiter: Bool
  /// Whether commands of telnet stand in the stream, which are no text; see ``TelnetScan``.
  public let isTelnet: Bool
  /// Each delimiter's bytes as a big-endian integer, so that its last byte is the lowest.
  @usableFromInline let values: [4 of UInt64]
  @usableFromInline let byteCounts: [4 of UInt8]
  @usableFromInline let count: UInt8
  /// Finds what may be a delimiter's last byte, and telnet's commands.
  let search: ByteSearch

  /// - Parameters:
  ///   - delimiters: 1 to 4, of 1 to 8 bytes each; none may contain another, but at its own end.
  ///   - packetBytesMin: nil for 1; delimiter included.
  ///   - packetBytesMax: delimiter included; up to 64 MiB.
  public init(
    delimiters: [[UInt8]], keepsDelimiter: Bool = true, isTelnet: Bool = false,
    packetBytesMin: Int? = nil, packetBytesMax: Int = 4_096
  ) throws(FramerDefinitionError) {
    guard (1...Self.delimitersMax).contains(delimiters.count) else {
      throw FramerDefinitionError(key: "delimiter", expected: "1 to \(Self.delimitersMax)")
    }
    var values = [4 of UInt64](repeating: 0)
    var byteCounts = [4 of UInt8](repeating: 0)
    var longest = 0
    for (index, delimiter) in delimiters.enumerated() {
      guard (1...Self.delimiterByteCountMax).contains(delimiter.count) else {
        throw FramerDefinitionError(key: "delimiter", expected: "1 to 8 bytes each")
      }
      if isTelnet && delimiter.contains(0xFF) {
        throw FramerDefinitionError(
          key: "delimiter", expected: "no FF, which begins a command of telnet")
      }
      if let other = Self.ending(inside: delimiter, among: delimiters) {
        throw FramerDefinitionError(
          key: "delimiter",
          expected: "no \(shownBytes(delimiter)), as each packet ends at the "
            + "\(shownBytes(delimiters[other])) inside it")
      }
      values[index] = delimiter.reduce(0) { $0 << 8 | UInt64($1) }
      byteCounts[index] = UInt8(delimiter.count)
      longest = max(longest, delimiter.count)
    }
    // The shortest packet is a delimiter alone, of which another may be shorter than the longest.
    _ = try PacketBounds(
      minimum: packetBytesMin, maximum: packetBytesMax, least: longest, of: "the longest delimiter")
    bounds = try PacketBounds(
      minimum: packetBytesMin, maximum: packetBytesMax, least: 1, of: "a packet")
    self.keepsDelimiter = keepsDelimiter
    self.isTelnet = isTelnet
    self.values = values
    self.byteCounts = byteCounts
    self.count = UInt8(delimiters.count)
    let lasts = delimiters.compactMap(\.last)
    search = ByteSearch(isTelnet ? [TelnetScan.commandByte] + lasts : lasts)
  }

  /// Which of `all` ends before the end of `delimiter`; nil when none does.
  private static func ending(inside delimiter: [UInt8], among all: [[UInt8]]) -> Int? {
    all.firstIndex { other in
      guard !other.isEmpty, other.count < delimiter.count else { return false }
      return (other.count..<delimiter.count).contains {
        delimiter[($0 - other.count)..<$0].elementsEqual(other)
      }
    }
  }

  /// The delimiters, in the order they were given.
  public var delimiters: [[UInt8]] {
    (0..<Int(count)).map { index in
      let byteCount = Int(byteCounts[index])
      return (0..<byteCount).map {
        UInt8(truncatingIfNeeded: values[index] >> UInt64((byteCount - 1 - $0) * 8))
      }
    }
  }
}

extension DelimiterFramer: Equatable {
  public static func == (a: DelimiterFramer, b: DelimiterFramer) -> Bool {
    a.bounds == b.bounds && a.keepsDelimiter == b.keepsDelimiter && a.isTelnet == b.isTelnet
      && a.delimiters == b.delimiters
  }
}

extension DelimiterFramer {
  /// - Parameter scanned: bytes at the front in which no packet ends.
  @usableFromInline
  func step(_ bytes: UnsafeRawBufferPointer, scanned: Int) -> PacketCutter.Step {
    let looked = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(bounds.maximum))
    if let end = unsafe firstEnd(in: looked, after: scanned) {
      return unsafe packet(endingAt: end, textByteCount: end, of: bytes)
    }
    // Whatever follows, the packet would be longer than the maximum.
    guard bytes.count < bounds.maximum else {
      return .violation(.noDelimiter(maximum: bounds.maximum))
    }
    return .needAnyMore
  }

  /// A whole packet that ends with a delimiter.
  ///
  /// - Parameter textByteCount: of how many bytes in front of `end` a delimiter can be.
  func packet(
    endingAt end: Int, textByteCount: Int, of bytes: UnsafeRawBufferPointer
  ) -> PacketCutter.Step {
    guard end >= bounds.minimum else {
      return .violation(.packetTooShort(announced: Int64(end), minimum: bounds.minimum))
    }
    if keepsDelimiter { return .packet(byteCount: end, dropped: 0) }
    let dropped = longestMatch(unsafe window(of: bytes, at: end), byteCount: min(textByteCount, 8))
    return .packet(byteCount: end, dropped: dropped)
  }

  /// The end of the first delimiter that ends behind the first `scanned` bytes.
  ///
  /// Looks at the whole delimiter only where the last byte of one stands.
  private func firstEnd(in bytes: UnsafeRawBufferPointer, after scanned: Int) -> Int? {
    var place = scanned
    while let found = unsafe search.first(in: bytes, from: place) {
      place = found + 1
      let window = unsafe window(of: bytes, at: place)
      if longestMatch(window, byteCount: min(place, 8)) > 0 { return place }
    }
    return nil
  }

  /// The eight bytes in front of `end`, or as many as there are, the last one being the lowest.
  @inline(__always)
  func window(of bytes: UnsafeRawBufferPointer, at end: Int) -> UInt64 {
    precondition(end <= bytes.count)
    if end >= 8 {
      // SAFETY: the eight bytes in front of `end`, which is within `bytes`.
      return unsafe UInt64(
        bigEndian: bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self))
    }
    var window: UInt64 = 0
    for place in 0..<end { unsafe window = window << 8 | UInt64(bytes[place]) }
    return window
  }

  /// How long the longest delimiter is that the lowest `byteCount` bytes of `window` end with; 0
  /// when
  /// they end with none.
  @inline(__always)
  func longestMatch(_ window: UInt64, byteCount: Int) -> Int {
    var longest = 0
    for index in 0..<Int(count) where byteCounts[index] <= byteCount {
      let mask = UInt64.max >> UInt64(64 - 8 * Int(byteCounts[index]))
      if window & mask == values[index] { longest = max(longest, Int(byteCounts[index])) }
    }
    return longest
  }
}

/// Bytes in hexadecimal, as `0D 0A`.
func shownBytes(_ bytes: [UInt8]) -> String {
  bytes.map { byte in
    let digits = String(byte, radix: 16, uppercase: true)
    return byte < 16 ? "0" + digits : digits
  }
  .joined(separator: " ")
}
