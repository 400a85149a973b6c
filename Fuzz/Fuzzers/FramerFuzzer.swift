import Framing

/// Goal: a framer of any kind cuts a stream where a naive model does, whatever pieces it comes in.
enum FramerFuzzer {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let plan = input.plan()
    let letInAfter = input.pick([nil, 0, 1, 2, 5])
    let sizes = input.bytes(4).map { Int($0) }
    let stream = input.remaining()
    guard let framer = try? plan.framer(), let compiled = try? CompiledFramer(framer) else {
      return
    }
    check(!framer.description.isEmpty, "a framer without a description")
    let expected = modelled(stream, plan, letInAfter)
    for sizes in [[], sizes, [1]] {
      let found = withExtendedLifetime(compiled) {
        FramerCut(stream, compiled, sizes: sizes, letInAfter: letInAfter)
      }
      check(found == expected, "\(framer), \(sizes): \(found) instead of \(expected)")
    }
  }

  private static func modelled(
    _ stream: [UInt8], _ plan: FramerPlan, _ letInAfter: Int?
  ) -> FramerCut {
    var model = FramerModel(plan)
    var cut = FramerCut()
    var rest = stream
    while true {
      if cut.packets.count == letInAfter { model.authenticated() }
      guard !rest.isEmpty else { return cut }
      switch model.step(rest) {
      case .packet(let byteCount, let dropped):
        cut.packets.append(Array(rest.prefix(byteCount)))
        cut.dropped.append(dropped)
        rest.removeFirst(byteCount)
        model.took()
        continue
      case .more: cut.tail = rest
      case .raw: cut.raw = rest
      case .violation(let name):
        cut.violation = name
        cut.tail = rest
      }
      return cut
    }
  }
}

extension FuzzInput {
  /// A framer of any kind, not always one that can be made.
  fileprivate mutating func plan() -> FramerPlan { stream(depth: 0) }

  private mutating func stream(depth: Int) -> FramerPlan {
    switch depth < 4 ? number(0...9) : 9 {
    case 0: return .raw
    case 1, 2:
      let steps = (0..<number(1...3)).map { _ in
        let until = number(0...4)
        return (
          plan: packets(depth: depth + 1),
          until: until == 0 ? SequenceFramer.Until.authenticated : .packets(until)
        )
      }
      return .sequence(steps: steps, last: stream(depth: depth + 1))
    case 3: return choice(.stream) { $0.stream(depth: depth + 1) }
    default: return packets(depth: depth)
    }
  }

  /// What is cut in the same way wherever it stands.
  private mutating func packets(depth: Int) -> FramerPlan {
    switch number(0...5) {
    case 0: return .length(length())
    case 1:
      return .delimiter(
        DelimiterPlan(
          delimiters: (0..<number(1...4)).map { _ in bytes(9) }, keeps: bool(),
          isTelnet: bool(), minimum: pick([nil, 1, 3, 20]), maximum: number(0...300)))
    case 2: return .fixed(size: number(0...40), leading: bytes(3))
    case 3, 4: return .table(table())
    default:
      return depth < 4 ? choice(.packet) { $0.packets(depth: depth + 1) } : .length(length())
    }
  }

  private mutating func length() -> LengthPlan {
    var plan = LengthPlan()
    plan.encoding = pick(LengthPrefixFramer.Encoding.allCases)
    plan.offset = number(0...66)
    plan.width = pick([1, 2, 3, 4, 8, 5, 10])
    plan.endianness = pick(Endianness.allCases)
    plan.counts = pick(LengthCounts.allCases)
    plan.adjustment = pick([0, 1, -1, number(-300...300), 65_536, -65_536, 70_000])
    plan.maximum = pick([300, 64 << 20, 65_536, number(0...65_535)])
    let options = byte()
    if options & 1 != 0 { plan.mask = word() }
    if options & 2 != 0 { plan.xorOffset = number(0...70) }
    if options & 4 != 0 { plan.terminator = byte() }
    plan.isCanonical = options & 8 != 0 && plan.encoding == .leb128
    if options & 16 != 0 { plan.multiplier = number(0...65_535) }
    if options & 32 != 0 { plan.leading = bytes(8) }
    if options & 64 != 0 { plan.trailing = bytes(8) }
    if options & 128 != 0 {
      plan.escapes = (0..<number(0...5)).map { _ in escape() }
      plan.minimum = pick([nil, 1, 9, 300])
    }
    return plan
  }

  private mutating func escape() -> (values: ClosedRange<UInt64>, rule: LengthPlan.Rule) {
    let first = UInt64(number(0...65_535))
    let values = first...(first + UInt64(number(0...65_535)))
    switch number(0...2) {
    case 0: return (values, .value(number(0...65_535) * pick([1, 1, 1_024, 1_025])))
    case 1: return (values, .adjustment(number(-32_000...32_000)))
    default:
      return (
        values,
        .field(
          offset: number(0...66), width: pick([1, 2, 3, 4, 8]), pick(Endianness.allCases),
          pick(LengthCounts.allCases), adjustment: number(-10...10))
      )
    }
  }

  private mutating func table() -> TablePlan {
    var plan = TablePlan()
    plan.offset = number(0...5)
    plan.width = number(1...2)
    plan.endianness = pick(Endianness.allCases)
    plan.maximum = number(0...400)
    for _ in 0..<number(0...20) {
      let opcode = UInt16(plan.width == 1 ? number(0...255) : number(0...65_535))
      plan.sizes[opcode] = bool() ? .bytes(number(0...255)) : .field(field())
    }
    switch number(0...2) {
    case 0: plan.unknown = .violation
    case 1: plan.unknown = .raw
    default: plan.unknown = .field(field())
    }
    return plan
  }

  private mutating func field() -> TablePlan.Field {
    TablePlan.Field(
      offset: number(0...10), width: pick([1, 2, 3, 4, 8]),
      endianness: pick(Endianness.allCases), counts: pick(LengthCounts.allCases),
      adjustment: number(-10...10), minimum: pick([nil, 1, 12]))
  }

  private mutating func choice(
    _ each: SwitchFramer.Each, _ inner: (inout FuzzInput) -> FramerPlan
  ) -> FramerPlan {
    let cases = (0..<number(1...4)).map { _ in
      let mask = bool() ? bytes(2) : nil
      let matches = (0..<number(1...3)).map { _ in
        mask.map { mask in mask.map { $0 & byte() } } ?? [byte()] + bytes(4)
      }
      return SwitchPlan.Case(
        offset: number(0...8), matches: matches.filter { !$0.isEmpty }, mask: mask,
        plan: inner(&self))
    }
    return .choice(
      SwitchPlan(each: each, cases: cases, otherwise: bool() ? inner(&self) : nil))
  }
}
