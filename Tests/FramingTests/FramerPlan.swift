import Framing

/// A framer as a test writes it down: with the keys of a definition, and nothing worked out.
///
/// ``FramerModel`` says what it means; nothing is taken from the framer that it is compared with.
indirect enum FramerPlan {
  case raw
  case length(LengthPlan)
  case delimiter(DelimiterPlan)
  case fixed(size: Int, leading: [UInt8])
  case table(TablePlan)
  case choice(SwitchPlan)
  case sequence(steps: [(plan: FramerPlan, until: SequenceFramer.Until)], last: FramerPlan)

  func framer() throws(FramerDefinitionError) -> Framer {
    switch self {
    case .raw: return .raw
    case .length(let plan): return .lengthPrefix(try plan.framer())
    case .delimiter(let plan):
      return .delimiter(
        try DelimiterFramer(
          delimiters: plan.delimiters, keepsDelimiter: plan.keeps, isTelnet: plan.isTelnet,
          packetBytesMin: plan.minimum, packetBytesMax: plan.maximum))
    case .fixed(let size, let leading):
      return .fixed(try FixedFramer(size: size, leading: ConstantBytes(leading)))
    case .table(let plan): return .table(try plan.framer())
    case .choice(let plan): return .switch(try plan.framer())
    case .sequence(let steps, let last):
      var made: [SequenceFramer.Step] = []
      for step in steps {
        made.append(try SequenceFramer.Step(framer: step.plan.framer(), until: step.until))
      }
      return .sequence(try SequenceFramer(steps: made, last: last.framer()))
    }
  }

  var kind: String {
    switch self {
    case .raw: "raw"
    case .length(let plan): "length-prefix, \(plan.encoding.rawValue)"
    case .delimiter(let plan): plan.isTelnet ? "telnet" : "delimiter"
    case .fixed: "fixed"
    case .table(let plan): "table of width \(plan.width)"
    case .choice(let plan): "switch of each \(plan.each.rawValue)"
    case .sequence: "sequence"
    }
  }
}

struct LengthPlan {
  enum Rule {
    case value(Int)
    case adjustment(Int)
    case field(offset: Int, width: Int, Endianness, LengthCounts, adjustment: Int)
  }

  var encoding = LengthPrefixFramer.Encoding.binary
  var offset = 0
  var width = 2
  var endianness = Endianness.big
  var mask: UInt64?
  var xorOffset: Int?
  var terminator: UInt8?
  var isCanonical = false
  var escapes: [(values: ClosedRange<UInt64>, rule: Rule)] = []
  var multiplier = 1
  var counts = LengthCounts.rest
  var adjustment = 0
  var leading: [UInt8] = []
  var trailing: [UInt8] = []
  var minimum: Int?
  var maximum = 65_536

  func framer() throws(FramerDefinitionError) -> LengthPrefixFramer {
    var made: [LengthPrefixFramer.Escape] = []
    for escape in escapes {
      switch escape.rule {
      case .value(let value): made.append(try .init(escape.values, .value(UInt64(value))))
      case .adjustment(let value): made.append(try .init(escape.values, .adjustment(value)))
      case .field(let offset, let width, let order, let counts, let adjustment):
        let field = try LengthField(offset: offset, width: width, endianness: order)
        made.append(try .init(escape.values, .field(field, counts, adjustment: adjustment)))
      }
    }
    return try LengthPrefixFramer(
      encoding: encoding, lengthOffset: offset, lengthWidth: width, endianness: endianness,
      mask: mask, xorOffset: xorOffset, terminator: terminator, isCanonical: isCanonical,
      escapes: made, multiplier: multiplier, counts: counts, adjustment: adjustment,
      leading: ConstantBytes(leading), trailing: ConstantBytes(trailing),
      packetBytesMin: minimum, packetBytesMax: maximum)
  }
}

struct DelimiterPlan {
  var delimiters: [[UInt8]]
  var keeps = true
  var isTelnet = false
  var minimum: Int?
  var maximum = 4_096
}

struct TablePlan {
  /// A length field of two or so bytes, counted from the packet's start.
  struct Field {
    var offset: Int
    var width: Int
    var endianness: Endianness
    var counts = LengthCounts.rest
    var adjustment = 0
    var minimum: Int?
  }

  enum Size {
    case bytes(Int)
    case field(Field)
  }

  enum Unknown {
    case violation, raw
    case field(Field)
  }

  var offset = 0
  var width = 1
  var endianness = Endianness.little
  var sizes: [UInt16: Size] = [:]
  var unknown = Unknown.violation
  var maximum = 65_536

  func framer() throws(FramerDefinitionError) -> TableFramer {
    var entries: [TableFramer.Entry] = []
    for (opcode, size) in sizes.sorted(by: { $0.key < $1.key }) {
      switch size {
      case .bytes(let size): entries.append(.init(opcode: opcode, length: .fixed(size)))
      case .field(let field):
        entries.append(.init(opcode: opcode, length: .field(try made(field))))
      }
    }
    let rest: TableFramer.Unknown
    switch unknown {
    case .violation: rest = .violation
    case .raw: rest = .raw
    case .field(let field): rest = .field(try made(field))
    }
    return try TableFramer(
      opcode: LengthField(offset: offset, width: width, endianness: endianness),
      entries: entries, unknown: rest, packetBytesMax: maximum)
  }

  private func made(_ field: Field) throws(FramerDefinitionError) -> PlainLength {
    try PlainLength(
      field: LengthField(offset: field.offset, width: field.width, endianness: field.endianness),
      counts: field.counts, adjustment: field.adjustment, minimum: field.minimum,
      maximum: maximum, least: offset + width)
  }
}

struct SwitchPlan {
  struct Case {
    var offset = 0
    var matches: [[UInt8]]
    var mask: [UInt8]?
    var plan: FramerPlan
  }

  var each = SwitchFramer.Each.packet
  var cases: [Case]
  var otherwise: FramerPlan?

  func framer() throws(FramerDefinitionError) -> SwitchFramer {
    var made: [SwitchFramer.Case] = []
    for found in cases {
      made.append(
        try SwitchFramer.Case(
          offset: found.offset,
          matches: found.matches.compactMap { ConstantBytes($0, mask: found.mask) },
          framer: found.plan.framer()))
    }
    var rest: Framer?
    if let otherwise { rest = try otherwise.framer() }
    return try SwitchFramer(each: each, cases: made, otherwise: rest)
  }
}
