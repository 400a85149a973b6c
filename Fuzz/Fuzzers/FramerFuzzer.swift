import Framing

/// Goal: a stream is cut where a plain search says, whatever pieces it comes in.
enum FramerFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    guard let (framer, front) = input.bool() ? delimiter(&input) : lengthPrefix(&input) else {
      return
    }
    let sizes = input.bytes(4).map { Int($0) }
    let stream = input.remaining()
    var expected = Cut()
    var rest = stream[...]
    while expected.violation == nil, !rest.isEmpty {
      switch front(Array(rest)) {
      case .packet(let byteCount, _):
        expected.packets.append(Array(rest.prefix(byteCount)))
        rest = rest.dropFirst(byteCount)
      case .violation(let violation): expected.violation = violation
      case .needMore, .needAnyMore:
        expected.tail = Array(rest)
        rest = []
      }
    }
    if expected.violation != nil { expected.tail = Array(rest) }
    for sizes in [[], sizes, [1]] {
      check(cut(stream, framer, sizes) == expected, "\(framer) cuts in another place")
    }
  }

  private struct Cut: Equatable {
    var packets: [[UInt8]] = []
    var violation: FramingViolation?
    var tail: [UInt8] = []
  }

  /// As a session does: the framer is asked again once there is what it asked for.
  private static func cut(_ stream: [UInt8], _ framer: Framer, _ sizes: [Int]) -> Cut {
    var cut = Cut()
    var wanted = 1
    guard let compiled = try? CompiledFramer(framer) else {
      check(false, "a framer that can't be laid out")
      return cut
    }
    var state = FramerState()
    for piece in pieces(of: stream, sizes: sizes) {
      cut.tail += piece
      while cut.violation == nil, cut.tail.count >= wanted {
        let step = withExtendedLifetime(compiled) {
          cut.tail.withUnsafeBytes { compiled.cutter.step($0, &state) }
        }
        wanted = 1
        switch step {
        case .packet(let byteCount, _):
          check((1...cut.tail.count).contains(byteCount), "a packet of \(byteCount) bytes")
          check(byteCount <= framer.packetBytesMax ?? .max, "longer than the maximum")
          compiled.cutter.took(&state)
          cut.packets.append(Array(cut.tail.prefix(byteCount)))
          cut.tail.removeFirst(byteCount)
        case .needMore(let totalBytes):
          check(totalBytes > cut.tail.count, "asks for what is there")
          check(totalBytes <= framer.packetBytesMax ?? .max, "asks for more than the maximum")
          wanted = totalBytes
        case .needAnyMore:
          wanted = cut.tail.count + 1
        case .violation(let violation): cut.violation = violation
        }
      }
    }
    return cut
  }

  private static func end(of delimiters: [[UInt8]], in bytes: [UInt8]) -> Int? {
    bytes.indices.map { $0 + 1 }.first { end in
      delimiters.contains { $0.count <= end && bytes[(end - $0.count)..<end] == $0[...] }
    }
  }

  private typealias Model = (framer: Framer, front: ([UInt8]) -> PacketCutter.Step)

  private static func delimiter(_ input: inout FuzzInput) -> Model? {
    let delimiters = (0..<input.number(0...4)).map { _ in input.bytes(9) }
    let maximum = input.number(0...300)
    guard let framer = try? DelimiterFramer(delimiters: delimiters, packetBytesMax: maximum) else {
      let isUsable = delimiters.count == 1 && (1...8).contains(delimiters[0].count)
      check(!isUsable || maximum < delimiters[0].count, "one delimiter is refused")
      return nil
    }
    check(framer.delimiters == delimiters, "other delimiters than given")
    return (
      .delimiter(framer),
      { bytes in
        let end = end(of: delimiters, in: bytes)
        if let end, end <= maximum { return .packet(byteCount: end, dropped: 0) }
        return bytes.count < maximum
          ? .needAnyMore : .violation(.noDelimiter(maximum: maximum))
      }
    )
  }

  private static func lengthPrefix(_ input: inout FuzzInput) -> Model? {
    let (offset, width) = (input.number(0...66), input.pick([1, 2, 3, 4, 8, 5]))
    let endianness = input.pick(Endianness.allCases)
    let counts = input.pick(LengthCounts.allCases)
    let adjustment = input.number(-32_000...32_000) * input.pick([0, 1, 2, 3])
    let maximum = input.pick([300, 64 << 20, 65_536, input.number(0...65_535)])
    let header = offset + width
    guard
      let framer = try? LengthPrefixFramer(
        lengthOffset: offset, lengthWidth: width, endianness: endianness, counts: counts,
        adjustment: adjustment, packetBytesMax: maximum)
    else {
      let isUsable = offset <= 64 && width != 5 && abs(adjustment) <= 65_536 && maximum >= header
      check(!isUsable, "a usable definition is refused")
      return nil
    }
    let uncounted = [.rest: header, .selfAndRest: offset, .packet: 0][counts] ?? 0
    return (
      .lengthPrefix(framer),
      { bytes in
        guard bytes.count >= header else { return .needMore(totalBytes: header) }
        let digits = bytes[offset..<header]
        let field = (endianness == .big ? Array(digits) : digits.reversed())
          .reduce(Int128(0)) { $0 * 256 + Int128($1) }
        let total = field + Int128(uncounted + adjustment)
        if total < header {
          return .violation(.packetTooShort(announced: Int64(total), minimum: header))
        }
        if total > maximum {
          return .violation(.packetTooLong(announced: UInt64(clamping: total), maximum: maximum))
        }
        return bytes.count < total
          ? .needMore(totalBytes: Int(total)) : .packet(byteCount: Int(total), dropped: 0)
      }
    )
  }
}
