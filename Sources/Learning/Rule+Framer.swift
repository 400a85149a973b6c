internal import Framing

extension Rule {
  /// The framer that a definition of the rule makes.
  ///
  /// - Parameters:
  ///   - longest: the longest packet that was seen, in bytes; the maximum leaves room for more.
  ///   - leading: what each packet begins with, if it is to be checked.
  ///   - minimum: the shortest packet to let through; nil for the header's bytes.
  ///   - preludeBytes: what the prelude has to be, if it is to be checked.
  func framer(
    longest: Int, leading: [UInt8] = [], minimum: Int? = nil, preludeBytes: [UInt8] = []
  ) throws(FramerDefinitionError) -> Framer {
    let packets = try packetFramer(longest, leading, minimum)
    var steps: [SequenceFramer.Step] = []
    if prelude > 0 {
      steps.append(
        try SequenceFramer.Step(
          framer: .fixed(
            FixedFramer(size: prelude, leading: ConstantBytes(Array(preludeBytes.prefix(8))))),
          until: .packets(1)))
    }
    guard let rawAfter else {
      guard !steps.isEmpty else { return packets }
      return .sequence(try SequenceFramer(steps: steps, last: packets))
    }
    steps.append(try SequenceFramer.Step(framer: packets, until: .packets(rawAfter)))
    return .sequence(try SequenceFramer(steps: steps, last: .raw))
  }

  private func packetFramer(
    _ longest: Int, _ leading: [UInt8], _ minimum: Int?
  ) throws(FramerDefinitionError) -> Framer {
    switch shape {
    case .length(let rule):
      return .lengthPrefix(try rule.framer(longest, leading, minimum))
    case .delimiter(let delimiter, let isTelnet):
      return .delimiter(
        try DelimiterFramer(
          delimiters: [delimiter], isTelnet: isTelnet,
          packetBytesMax: max(4096, Self.roomFor(longest))))
    case .fixed(let size): return .fixed(try FixedFramer(size: size))
    case .choice(let choices):
      var cases: [SwitchFramer.Case] = []
      for choice in choices {
        cases.append(
          try SwitchFramer.Case(
            matches: choice.leads.compactMap { ConstantBytes([$0]) },
            framer: .lengthPrefix(try choice.rule.framer(longest, [], nil))))
      }
      return .switch(try SwitchFramer(cases: cases))
    case .table(let sizes):
      return .table(
        try TableFramer(
          opcode: LengthField(offset: 0, width: 1, endianness: .little),
          entries: sizes.map {
            TableFramer.Entry(opcode: UInt16($0.key), length: .fixed($0.value))
          },
          packetBytesMax: max(longest, sizes.values.max() ?? 1)))
    }
  }

  /// A maximum with room above the longest packet that was seen.
  static func roomFor(_ longest: Int) -> Int {
    var room = 4096
    while room < 4 * longest && room < 16 << 20 { room *= 2 }
    return max(room, longest)
  }
}

extension LengthRule {
  fileprivate func framer(
    _ longest: Int, _ leading: [UInt8], _ minimum: Int?
  ) throws(FramerDefinitionError) -> LengthPrefixFramer {
    let (counts, adjustment) = naturalCounts
    let room = min(Rule.roomFor(longest), max(longest, capacity))
    let constant = ConstantBytes(Array(leading.prefix(8)))
    switch encoding {
    case .binary(let width, let isLittle):
      return try LengthPrefixFramer(
        lengthOffset: offset, lengthWidth: width, endianness: isLittle ? .little : .big,
        mask: mask, xorOffset: xorOffset, multiplier: multiplier, counts: counts,
        adjustment: adjustment, leading: constant, packetBytesMin: minimum, packetBytesMax: room)
    case .leb128:
      return try LengthPrefixFramer(
        encoding: .leb128, lengthOffset: offset, lengthWidth: room < 1 << 21 ? 3 : 5,
        multiplier: multiplier, counts: counts, adjustment: adjustment, leading: constant,
        packetBytesMax: room)
    case .prefix:
      return try LengthPrefixFramer(
        encoding: .prefix, lengthOffset: offset, multiplier: multiplier, counts: counts,
        adjustment: adjustment, leading: constant, packetBytesMax: room)
    case .base64(let width):
      return try LengthPrefixFramer(
        encoding: .base64, lengthOffset: offset, lengthWidth: width, multiplier: multiplier,
        counts: counts, adjustment: adjustment, leading: constant, packetBytesMax: room)
    case .decimal(let width, let terminator):
      return try LengthPrefixFramer(
        encoding: .decimal, lengthOffset: offset, lengthWidth: width, terminator: terminator,
        multiplier: multiplier, counts: counts, adjustment: adjustment, leading: constant,
        packetBytesMax: room)
    }
  }

  /// What a person would say that the length counts, and what is to be added to that.
  var naturalCounts: (counts: LengthCounts, adjustment: Int) {
    guard let header = fixedHeader else { return (.rest, adjustment) }
    let total = header + adjustment
    if adjustment == 0 { return (.rest, 0) }
    if total == 0 { return (.packet, 0) }
    if total == offset { return (.selfAndRest, 0) }
    return abs(total) < abs(adjustment) ? (.packet, total) : (.rest, adjustment)
  }

  /// The longest packet that the field can announce, in bytes.
  var capacity: Int {
    let values: Int
    switch encoding {
    case .binary(let width, _):
      let bits = mask?.nonzeroBitCount ?? width * 8
      values = 1 << min(bits, 32)
    case .leb128, .prefix: values = 1 << 32
    case .base64(let width): values = 1 << (6 * width)
    case .decimal(let width, let terminator):
      values = terminator == nil ? (0..<width).reduce(1) { result, _ in result * 10 } : 1 << 32
    }
    return (values - 1) * multiplier + (fixedHeader ?? 0) + adjustment
  }
}
