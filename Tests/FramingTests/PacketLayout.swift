import Framing

/// A length-prefix definition as a test writes it down, and the packets that follow it.
///
/// Works out lengths on its own, from the meaning of each key: nothing is taken from the framer
/// that it is compared with.
struct PacketLayout {
  var offset = 0
  var width = 2
  var endianness = Endianness.big
  var counts = LengthCounts.rest
  var adjustment = 0
  /// The longest whole packet, in bytes.
  var maximum = 65_536

  var headerByteCount: Int { offset + width }

  func framer() throws(FramerDefinitionError) -> Framer {
    .lengthPrefix(
      try LengthPrefixFramer(
        lengthOffset: offset, lengthWidth: width, endianness: endianness, counts: counts,
        adjustment: adjustment, packetBytesMax: maximum))
  }

  /// The bytes of the packet that are not counted by the length field, before the adjustment.
  var uncountedByteCount: Int {
    switch counts {
    case .rest: offset + width
    case .selfAndRest: offset
    case .packet: 0
    }
  }

  /// The bytes of the whole packet that a length field of `field` announces; any sign, any size.
  func totalByteCount(field: UInt64) -> Int128 {
    Int128(field) + Int128(uncountedByteCount) + Int128(adjustment)
  }

  /// The largest value that the length field can hold.
  var fieldMax: UInt64 { width == 8 ? .max : (1 << UInt64(width * 8)) - 1 }

  /// A header whose length field holds `field`, and `filler` everywhere else.
  func header(field: UInt64, filler: UInt8 = 0xa5) -> [UInt8] {
    precondition(field <= fieldMax)
    let bigEndian = (0..<width).reversed().map { UInt8(truncatingIfNeeded: field >> ($0 * 8)) }
    return [UInt8](repeating: filler, count: offset)
      + (endianness == .big ? bigEndian : bigEndian.reversed())
  }

  /// A whole packet around `body`, or nil when its length can't be written in the field.
  func packet(body: [UInt8]) -> [UInt8]? {
    let field = headerByteCount + body.count - uncountedByteCount - adjustment
    guard field >= 0, UInt64(field) <= fieldMax else { return nil }
    return header(field: UInt64(field)) + body
  }

  /// What a framer with this definition must say about `bytes`.
  func expectedStep(_ bytes: [UInt8]) -> PacketCutter.Step {
    guard bytes.count >= headerByteCount else { return .needMore(totalBytes: headerByteCount) }
    let digits = bytes[offset..<headerByteCount]
    let field = (endianness == .big ? Array(digits) : digits.reversed())
      .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let total = totalByteCount(field: field)
    if total < Int128(headerByteCount) {
      return .violation(.packetTooShort(announced: Int64(total), minimum: headerByteCount))
    }
    if total > Int128(maximum) {
      return .violation(.packetTooLong(announced: UInt64(clamping: total), maximum: maximum))
    }
    return bytes.count >= Int(total)
      ? .packet(byteCount: Int(total)) : .needMore(totalBytes: Int(total))
  }

  /// Every combination of offsets, widths, endiannesses and what the length counts.
  static func all(
    offsets: [Int] = [0, 1, 5, 64], adjustments: [Int] = [0], maximum: Int = 65_536
  ) -> [PacketLayout] {
    var layouts: [PacketLayout] = []
    for offset in offsets {
      for width in [1, 2, 3, 4, 8] {
        for endianness in Endianness.allCases {
          for counts in LengthCounts.allCases {
            for adjustment in adjustments {
              layouts.append(
                PacketLayout(
                  offset: offset, width: width, endianness: endianness, counts: counts,
                  adjustment: adjustment, maximum: maximum))
            }
          }
        }
      }
    }
    return layouts
  }
}

extension Framer {
  /// What lies at the front of `bytes`, which are not empty, at the start of a stream.
  func step(_ bytes: some Collection<UInt8>) throws -> PacketCutter.Step {
    let compiled = try CompiledFramer(self)
    var state = FramerState()
    return withExtendedLifetime(compiled) {
      Array(bytes).withUnsafeBytes { compiled.cutter.step($0, &state) }
    }
  }
}

extension PacketCutter.Step {
  /// A packet of which everything is handed on.
  static func packet(byteCount: Int) -> PacketCutter.Step {
    .packet(byteCount: byteCount, dropped: 0)
  }
}
