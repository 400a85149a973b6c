import Framing

/// Random plans, small enough that their packets, and what breaks them, come up often.
extension FramerPlan {
  /// A plan that can be made into a framer, of any kind.
  static func random(from random: inout SplitMix64) -> FramerPlan {
    while true {
      let plan = stream(depth: 0, from: &random)
      if let framer = try? plan.framer(), (try? CompiledFramer(framer)) != nil { return plan }
    }
  }

  /// What may stand at the top: ends raw at times, and knows stages.
  private static func stream(depth: Int, from random: inout SplitMix64) -> FramerPlan {
    switch depth < 3 ? Int.random(in: 0..<10, using: &random) : 9 {
    case 0: return depth == 0 ? packets(depth: depth, from: &random) : .raw
    case 1, 2:
      let steps = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        (
          plan: packets(depth: depth + 1, from: &random),
          until: Int.random(in: 0..<3, using: &random) == 0
            ? SequenceFramer.Until.authenticated
            : .packets(Int.random(in: 1...3, using: &random))
        )
      }
      return .sequence(steps: steps, last: stream(depth: depth + 1, from: &random))
    case 3, 4:
      return .choice(
        choice(.stream, from: &random) { stream(depth: depth + 1, from: &$0) })
    default: return packets(depth: depth, from: &random)
    }
  }

  /// What cuts each packet in the same way.
  private static func packets(depth: Int, from random: inout SplitMix64) -> FramerPlan {
    switch Int.random(in: 0..<(depth < 3 ? 10 : 9), using: &random) {
    case 0, 1, 2: return .length(length(from: &random))
    case 3, 4: return .delimiter(delimiter(from: &random))
    case 5:
      return .fixed(
        size: Int.random(in: 1...9, using: &random),
        leading: Bool.random(using: &random) ? [] : bytes(1...2, from: &random))
    case 6, 7, 8: return .table(table(from: &random))
    default:
      return .choice(
        choice(.packet, from: &random) { packets(depth: depth + 1, from: &$0) })
    }
  }

  /// Of four values only, so that texts are found in one another.
  static func bytes(_ counts: ClosedRange<Int>, from random: inout SplitMix64) -> [UInt8] {
    (0..<Int.random(in: counts, using: &random)).map { _ in
      [0x0D, 0x0A, 0x41, 0xFF].randomElement(using: &random)!
    }
  }

  private static func length(from random: inout SplitMix64) -> LengthPlan {
    var plan = LengthPlan()
    plan.encoding = LengthPrefixFramer.Encoding.allCases.randomElement(using: &random)!
    plan.offset = [0, 0, 1, 2, 5].randomElement(using: &random)!
    plan.width = [1, 2, 3, 4, 2, 8].randomElement(using: &random)!
    plan.endianness = Endianness.allCases.randomElement(using: &random)!
    plan.counts = LengthCounts.allCases.randomElement(using: &random)!
    plan.adjustment = [0, 0, 0, 1, -1, 3].randomElement(using: &random)!
    plan.isCanonical = Bool.random(using: &random) && plan.encoding == .leb128
    if plan.encoding == .decimal, Bool.random(using: &random) { plan.terminator = 0x3A }
    if Int.random(in: 0..<4, using: &random) == 0 { plan.multiplier = 4 }
    if plan.encoding == .binary, Int.random(in: 0..<3, using: &random) == 0 {
      plan.mask = [0x7F, 0x3C, 0x80, 0x0FF0].randomElement(using: &random)!
    }
    if plan.encoding == .binary, Int.random(in: 0..<5, using: &random) == 0 {
      plan.xorOffset = plan.offset + plan.width
    }
    if Int.random(in: 0..<4, using: &random) == 0 { plan.leading = bytes(1...3, from: &random) }
    if Int.random(in: 0..<4, using: &random) == 0 {
      plan.trailing = bytes(1...2, from: &random)
      plan.adjustment += plan.counts == .packet ? 0 : plan.trailing.count
    }
    while Int.random(in: 0..<3, using: &random) == 0, plan.escapes.count < 4 {
      plan.escapes.append(escape(plan, from: &random))
    }
    if Int.random(in: 0..<5, using: &random) == 0 { plan.minimum = 6 }
    plan.maximum = [40, 70, 300].randomElement(using: &random)!
    return plan
  }

  private static func escape(
    _ plan: LengthPlan, from random: inout SplitMix64
  ) -> (values: ClosedRange<UInt64>, rule: LengthPlan.Rule) {
    let first = UInt64.random(in: 0...6, using: &random)
    let rule: LengthPlan.Rule =
      switch Int.random(in: 0..<3, using: &random) {
      case 0: .value(Int.random(in: 0...20, using: &random))
      case 1: .adjustment(Int.random(in: 0...8, using: &random))
      default:
        .field(
          offset: plan.offset + Int.random(in: 0...10, using: &random),
          width: [1, 2, 4].randomElement(using: &random)!,
          Endianness.allCases.randomElement(using: &random)!,
          LengthCounts.allCases.randomElement(using: &random)!,
          adjustment: Int.random(in: 0...4, using: &random))
      }
    return (first...(first + UInt64.random(in: 0...3, using: &random)), rule)
  }

  private static func delimiter(from random: inout SplitMix64) -> DelimiterPlan {
    var plan = DelimiterPlan(
      delimiters: (0..<Int.random(in: 1...3, using: &random)).map { _ in
        bytes(1...3, from: &random)
      })
    plan.keeps = Bool.random(using: &random)
    plan.isTelnet = Bool.random(using: &random)
    plan.minimum = [nil, nil, 3].randomElement(using: &random)!
    plan.maximum = [8, 20, 60].randomElement(using: &random)!
    return plan
  }

  private static func table(from random: inout SplitMix64) -> TablePlan {
    var plan = TablePlan()
    plan.offset = Int.random(in: 0...2, using: &random)
    plan.width = Int.random(in: 1...2, using: &random)
    plan.endianness = Endianness.allCases.randomElement(using: &random)!
    plan.maximum = 60
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      let opcode = UInt16.random(in: 0...20, using: &random) << (plan.width == 2 ? 5 : 0)
      plan.sizes[opcode] =
        Int.random(in: 0..<3, using: &random) == 0
        ? .field(field(plan, from: &random))
        : .bytes(plan.offset + plan.width + Int.random(in: 0...12, using: &random))
    }
    switch Int.random(in: 0..<3, using: &random) {
    case 0: plan.unknown = .violation
    case 1: plan.unknown = .raw
    default: plan.unknown = .field(field(plan, from: &random))
    }
    return plan
  }

  private static func field(
    _ plan: TablePlan, from random: inout SplitMix64
  ) -> TablePlan.Field {
    TablePlan.Field(
      offset: Int.random(in: 0...6, using: &random),
      width: [1, 2, 4].randomElement(using: &random)!,
      endianness: Endianness.allCases.randomElement(using: &random)!,
      counts: LengthCounts.allCases.randomElement(using: &random)!,
      adjustment: Int.random(in: 0...2, using: &random),
      minimum: [nil, nil, 4].randomElement(using: &random)!)
  }

  private static func choice(
    _ each: SwitchFramer.Each, from random: inout SplitMix64,
    _ inner: (inout SplitMix64) -> FramerPlan
  ) -> SwitchPlan {
    let cases = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let isMasked = Int.random(in: 0..<4, using: &random) == 0
      let matches = (0..<Int.random(in: 1...2, using: &random)).map { _ in
        bytes(isMasked ? 2...2 : 1...3, from: &random)
      }
      return SwitchPlan.Case(
        offset: [0, 0, 0, 1, 2].randomElement(using: &random)!,
        matches: isMasked ? matches.map { $0.map { $0 & 0xF3 } } : matches,
        mask: isMasked ? [0xF3, 0xF3] : nil, plan: inner(&random))
    }
    return SwitchPlan(
      each: each, cases: cases, otherwise: Bool.random(using: &random) ? inner(&random) : nil)
  }
}

/// Streams in which whole packets come up.
extension FramerPlan {
  /// Noise in front of which a packet of this plan is likely.
  func likely(from random: inout SplitMix64) -> [UInt8] {
    var noise = (0..<110).map { _ in
      Int.random(in: 0..<3, using: &random) == 0
        ? UInt8.random(in: 0...30, using: &random)
        : [0, 0, 0x41, 0x0D, 0x0A, 0xFF].randomElement(using: &random)!
    }
    shape(&noise, from: &random)
    return noise
  }

  private func shape(_ bytes: inout [UInt8], from random: inout SplitMix64) {
    switch self {
    case .raw: break
    case .delimiter(let plan):
      if plan.isTelnet, Bool.random(using: &random) {
        let commands: [[UInt8]] = [
          [255, 251, 1], [255, 241], [255, 255], [255, 250, 24, 10, 255, 255, 1, 255, 240],
        ]
        bytes.put(
          commands.randomElement(using: &random)!, at: Int.random(in: 0...4, using: &random))
      }
    case .fixed(_, let leading): bytes.put(leading, at: 0)
    case .length(let plan): plan.shape(&bytes, from: &random)
    case .table(let plan):
      guard let opcode = plan.sizes.keys.sorted().randomElement(using: &random),
        Int.random(in: 0..<8, using: &random) > 0
      else { return }
      let (low, high) = (UInt8(opcode & 0xFF), UInt8(opcode >> 8))
      bytes.put(
        plan.width == 1 ? [low] : plan.endianness == .big ? [high, low] : [low, high],
        at: plan.offset)
    case .choice(let plan):
      guard let found = plan.cases.randomElement(using: &random) else { return }
      found.plan.shape(&bytes, from: &random)
      bytes.put(found.matches.randomElement(using: &random)!, at: found.offset)
    case .sequence(let steps, _): steps[0].plan.shape(&bytes, from: &random)
    }
  }
}

extension LengthPlan {
  fileprivate func shape(_ bytes: inout [UInt8], from random: inout SplitMix64) {
    let small = UInt8.random(in: 0...25, using: &random)
    switch encoding {
    case .binary:
      let digits = [UInt8](repeating: 0, count: width - 1)
      let field = endianness == .big ? digits + [small] : [small] + digits
      bytes.put(mask == 0x0FF0 && width == 2 ? [small & 1, small] : field, at: offset)
      if let xorOffset { bytes.put([UInt8](repeating: 0, count: width), at: xorOffset) }
    case .leb128, .prefix:
      bytes.put(
        [[small], [small | 128, 0], [small | 128, 1]].randomElement(using: &random)!, at: offset)
    case .base64:
      bytes.put([UInt8](repeating: 64, count: width - 1) + [64 + small], at: offset)
    case .decimal:
      let digits = [UInt8](repeating: 48, count: width - 1) + [48 + small % 10]
      bytes.put(terminator.map { [48 + small % 10, $0] } ?? digits, at: offset)
    }
    bytes.put(leading, at: 0)
    // A packet that ends as it must: wherever it ends, here too.
    if !trailing.isEmpty, Int.random(in: 0..<6, using: &random) > 0 {
      let end = front(bytes + trailing)
      for byteCount in 1..<bytes.count where end == .violation("wrong-constant") {
        var tried = bytes
        guard byteCount >= trailing.count else { continue }
        tried.put(trailing, at: byteCount - trailing.count)
        if front(tried) == .packet(byteCount, dropped: 0) {
          bytes = tried
          return
        }
      }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func put(_ other: [UInt8], at offset: Int) {
    for (index, byte) in other.enumerated() where offset + index < count {
      self[offset + index] = byte
    }
  }
}
