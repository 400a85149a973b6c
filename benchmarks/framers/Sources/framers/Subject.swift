internal import CBench
internal import CFramer
internal import Framing

/// A framer, and a stream for it.
struct Subject {
  var name: String
  /// Nil for what is measured beside framers.
  var framer: Framer?
  var stream: [UInt8]
  var isMemchr = false

  init(_ name: String, _ framer: Framer?, isMemchr: Bool = false, packet: (Int) -> [UInt8]) {
    self.name = name
    self.framer = framer
    self.isMemchr = isMemchr
    stream = []
    stream.reserveCapacity(Self.byteCount + 8_192)
    var number = 0
    while stream.count < Self.byteCount {
      stream += packet(number)
      number += 1
    }
  }

  /// 1 MiB: larger than the second cache, as what many sessions read is.
  static let byteCount = 1 << 20

  static func all() throws(FramerDefinitionError) -> [Subject] {
    var all = [
      Subject("memcpy", nil) { _ in bytes(1_024) },
      Subject("raw", .raw) { _ in bytes(1_024) },
    ]
    all += try lengths()
    for size in [20, 80, 1_024] {
      all.append(Subject("memchr, lines of \(size)", nil, isMemchr: true) { _ in line(size) })
      all.append(
        Subject("delimiter LF, lines of \(size)", try lines([[10]])) { _ in line(size) })
    }
    all.append(
      Subject("delimiter CR LF or LF, lines of 80", try lines([[13, 10], [10]])) { _ in line(80) })
    for size in [20, 80, 1_024] {
      all.append(
        Subject("telnet, lines of \(size)", try lines([[10]], isTelnet: true)) { number in
          // A command in every tenth line.
          number % 10 == 0 ? [255, 249] + line(size - 2) : line(size)
        })
    }
    all.append(Subject("fixed, 64", .fixed(try FixedFramer(size: 64))) { _ in bytes(64) })
    return try all + tables() + compound()
  }

  private static func lengths() throws(FramerDefinitionError) -> [Subject] {
    var all: [Subject] = []
    for size in [16, 256, 4_096] {
      all.append(
        Subject("length-prefix, 2 bytes, \(size)", .lengthPrefix(try LengthPrefixFramer())) { _ in
          prefixed(size)
        })
    }
    for size in [16, 256] {
      let framer = try LengthPrefixFramer(encoding: .leb128, lengthWidth: 3)
      all.append(
        Subject("length-prefix, LEB128, \(size)", .lengthPrefix(framer)) { _ in
          let rest = size < 128 ? size - 1 : size - 2
          return (rest < 128 ? [UInt8(rest)] : [UInt8(rest & 127 | 128), UInt8(rest >> 7)])
            + bytes(rest)
        })
    }
    let escaped = try LengthPrefixFramer(
      escapes: [
        .init(
          65_535...65_535,
          .field(
            LengthField(offset: 2, width: 4, endianness: .big), .rest, adjustment: 0)),
        .init(16_384...65_534, .adjustment(-16_384)),
      ])
    all.append(
      Subject("length-prefix, two escapes, 256", .lengthPrefix(escaped)) { _ in prefixed(256) })
    let masked = try LengthPrefixFramer(mask: 0x0FFF)
    all.append(
      Subject("length-prefix, mask, 256", .lengthPrefix(masked)) { _ in prefixed(256) })
    let base64 = try LengthPrefixFramer(encoding: .base64, lengthWidth: 3)
    all.append(
      Subject("length-prefix, base64, 256", .lengthPrefix(base64)) { _ in
        [64, 64 + 253 >> 6, 64 + 253 & 63] + bytes(253)
      })
    let decimal = try LengthPrefixFramer(encoding: .decimal, lengthWidth: 4, terminator: 58)
    all.append(
      Subject("length-prefix, decimal, 256", .lengthPrefix(decimal)) { _ in
        Array("252:".utf8) + bytes(252)
      })
    return all
  }

  private static func tables() throws(FramerDefinitionError) -> [Subject] {
    try [1, 2].map { (width) throws(FramerDefinitionError) in
      let count = width == 1 ? 120 : 600
      let opcode = try LengthField(offset: 0, width: width, endianness: .big)
      let entries = (0..<count).map {
        TableFramer.Entry(opcode: UInt16($0 * 2), length: .fixed(8 + $0 % 49))
      }
      let framer = Framer.table(try TableFramer(opcode: opcode, entries: entries))
      return Subject("table, \(count) opcodes of \(width) bytes, 8 to 56", framer) { number in
        // In an order that no processor guesses.
        let entry = Int(truncatingIfNeeded: UInt64(number) &* 0x9e37_79b9_7f4a_7c15 >> 33) % count
        let opcode = entry * 2
        let head = width == 1 ? [UInt8(opcode)] : [UInt8(opcode >> 8), UInt8(opcode & 255)]
        return head + bytes(8 + entry % 49 - width)
      }
    }
  }

  private static func compound() throws(FramerDefinitionError) -> [Subject] {
    let plain = Framer.lengthPrefix(try LengthPrefixFramer())
    let narrow = Framer.lengthPrefix(
      try LengthPrefixFramer(lengthOffset: 1, lengthWidth: 1, counts: .packet))
    let wide = Framer.lengthPrefix(try LengthPrefixFramer(lengthOffset: 1, counts: .packet))
    let choice = try SwitchFramer(
      cases: [
        .init(matches: constants(0xC1, 0xC3), framer: narrow),
        .init(matches: constants(0xC2, 0xC4), framer: wide),
      ])
    let stream = try SwitchFramer(
      each: .stream, cases: [.init(matches: constants(0xFF), framer: .raw)], otherwise: plain)
    let prelude = try SequenceFramer.Step(framer: plain, until: .packets(1))
    let sequence = try SequenceFramer(steps: [prelude], last: plain)
    return [
      Subject("switch of packets, 64", .switch(choice)) { number in
        number % 2 == 0 ? [0xC1, 64] + bytes(62) : [0xC4, 0, 64] + bytes(61)
      },
      Subject("switch of streams, then length-prefix, 64", .switch(stream)) { _ in prefixed(64) },
      Subject("sequence, then length-prefix, 64", .sequence(sequence)) { _ in prefixed(64) },
      Subject("length-prefix, 2 bytes, 64", plain) { _ in prefixed(64) },
      Subject("plugin, 64", .plugin(try plugin())) { _ in prefixed(64) },
    ]
  }

  private static func plugin() throws(FramerDefinitionError) -> PluginFramer {
    let functions = unsafe gatehouse_framer(
      abi: UInt32(GATEHOUSE_FRAMER_ABI), size: UInt32(MemoryLayout<gatehouse_framer>.size),
      open: nil, close: nil, step: bench_plugin_step, taken: nil, end: nil)
    return unsafe PluginFramer(
      path: "bench", arguments: "",
      bounds: try PacketBounds(minimum: nil, maximum: 65_536, least: 1, of: "a packet"),
      functions: functions, context: nil, unload: {})
  }

  private static func lines(
    _ delimiters: [[UInt8]], isTelnet: Bool = false
  ) throws(FramerDefinitionError) -> Framer {
    .delimiter(try DelimiterFramer(delimiters: delimiters, isTelnet: isTelnet))
  }

  private static func constants(_ all: UInt8...) -> [ConstantBytes] {
    all.compactMap { ConstantBytes([$0]) }
  }

  private static func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

  private static func line(_ count: Int) -> [UInt8] { bytes(count - 1) + [10] }

  private static func prefixed(_ count: Int) -> [UInt8] {
    [UInt8((count - 2) >> 8), UInt8((count - 2) & 255)] + bytes(count - 2)
  }
}
