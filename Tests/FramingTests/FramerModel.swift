import Framing

/// What a plan cuts, as naively as possible: all that came is looked at anew for each packet.
struct FramerModel {
  enum Step: Equatable {
    case packet(Int, dropped: Int)
    case more
    case violation(String)
    /// This, and all that follows, is raw.
    case raw
  }

  /// A plan and how long it holds.
  private struct Item {
    var plan: FramerPlan
    var packets: Int?
    var endsWhenLetIn: Bool
  }

  /// The first one cuts.
  private var items: [Item]
  private var isLetIn = false

  init(_ plan: FramerPlan) { items = [Item(plan: plan, packets: nil, endsWhenLetIn: false)] }

  /// What cuts the next packet, as far as that is known without looking at it.
  var plan: FramerPlan {
    mutating get {
      settle()
      return items[0].plan
    }
  }

  mutating func authenticated() { isLetIn = true }

  mutating func took() {
    guard let packets = items[0].packets else { return }
    items[0].packets = packets - 1
    if packets == 1 { items.removeFirst() }
  }

  mutating func step(_ bytes: [UInt8]) -> Step {
    settle()
    while case .choice(let choice) = items[0].plan, choice.each == .stream {
      switch choice.decision(bytes) {
      case .plan(let plan): items[0].plan = plan
      case .more: return .more
      case .none: return .violation("no-case")
      }
      settle()
    }
    let step = items[0].plan.front(bytes)
    if step == .raw { items = [Item(plan: .raw, packets: nil, endsWhenLetIn: false)] }
    return step
  }

  private mutating func settle() {
    while true {
      if isLetIn && items[0].endsWhenLetIn {
        items.removeFirst()
      } else if case .sequence(let steps, let last) = items[0].plan {
        let outer = items.removeFirst().endsWhenLetIn
        var inner: [Item] = []
        for step in steps {
          switch step.until {
          case .packets(let count):
            inner.append(Item(plan: step.plan, packets: count, endsWhenLetIn: outer))
          case .authenticated:
            inner.append(Item(plan: step.plan, packets: nil, endsWhenLetIn: true))
          }
        }
        inner.append(Item(plan: last, packets: nil, endsWhenLetIn: outer))
        items = inner + items
      } else {
        return
      }
    }
  }
}

extension FramerPlan {
  /// Of a plan that is no sequence and decides nothing for the stream.
  fileprivate func front(_ bytes: [UInt8]) -> FramerModel.Step {
    switch self {
    case .raw: return .raw
    case .length(let plan): return plan.front(bytes)
    case .delimiter(let plan): return plan.front(bytes)
    case .fixed(let size, let leading):
      if !bytes.canBegin(with: leading) { return .violation("wrong-constant") }
      return bytes.count < size ? .more : .packet(size, dropped: 0)
    case .table(let plan): return plan.front(bytes)
    case .choice(let choice):
      switch choice.decision(bytes) {
      case .plan(let plan): return plan.front(bytes)
      case .more: return .more
      case .none: return .violation("no-case")
      }
    case .sequence: fatalError("a sequence stands nowhere in a packet")
    }
  }
}

extension [UInt8] {
  /// Whether they begin with `constant`, or may do so once there are more of them.
  fileprivate func canBegin(with constant: [UInt8]) -> Bool {
    zip(self, constant).allSatisfy { $0 == $1 }
  }

  /// Nil when they are not all there.
  fileprivate func integer(_ offset: Int, _ width: Int, _ order: Endianness) -> UInt64? {
    guard count >= offset + width else { return nil }
    let digits = self[offset..<(offset + width)]
    return (order == .big ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension FramerModel.Step {
  fileprivate static func whole(
    _ total: Int128, least: Int, most: Int, of bytes: [UInt8]
  ) -> FramerModel.Step {
    if total < least { return .violation("packet-too-short") }
    if total > most { return .violation("packet-too-long") }
    return bytes.count < total ? .more : .packet(Int(total), dropped: 0)
  }
}

extension LengthPlan {
  fileprivate enum Reading {
    case value(UInt64, end: Int)
    case more, malformed
  }

  func front(_ bytes: [UInt8]) -> FramerModel.Step {
    if !bytes.canBegin(with: leading) { return .violation("wrong-constant") }
    guard bytes.count >= leading.count else { return .more }
    guard case .value(var value, var end) = reading(bytes) else {
      if case .malformed = reading(bytes) { return .violation("malformed-length") }
      return .more
    }
    var (start, counts, adjustment) = (offset, counts, adjustment)
    if let escape = escapes.first(where: { $0.values.contains(value) }) {
      switch escape.rule {
      case .value(let other): value = UInt64(other)
      case .adjustment(let other): adjustment = other
      case .field(let offset, let width, let order, let otherCounts, let other):
        guard let longer = bytes.integer(offset, width, order) else { return .more }
        (value, start, counts, adjustment) = (longer, offset, otherCounts, other)
        end = max(end, offset + width)
      }
    }
    let uncounted = [.rest: end, .selfAndRest: start, .packet: 0][counts]!
    let total = Int128(value) * Int128(multiplier) + Int128(uncounted + adjustment)
    let header = max(end, leading.count) + trailing.count
    let step = FramerModel.Step.whole(
      total, least: max(header, minimum ?? 1), most: maximum, of: bytes)
    guard case .packet(let byteCount, _) = step else { return step }
    return bytes[..<byteCount].suffix(trailing.count).elementsEqual(trailing)
      ? step : .violation("wrong-constant")
  }

  private func reading(_ bytes: [UInt8]) -> Reading {
    let rest = bytes.dropFirst(offset)
    switch encoding {
    case .binary:
      guard var value = bytes.integer(offset, width, endianness) else { return .more }
      if let xorOffset {
        guard let second = bytes.integer(xorOffset, width, endianness) else { return .more }
        value ^= second
      }
      if let mask {
        value &= mask
        var bit = mask
        while bit & 1 == 0 { (bit, value) = (bit >> 1, value >> 1) }
      }
      return .value(value, end: max(offset, xorOffset ?? 0) + width)
    case .leb128:
      let digits = rest.prefix(width)
      guard let last = digits.firstIndex(where: { $0 < 128 }) else {
        return digits.count == width ? .malformed : .more
      }
      if isCanonical && last > offset && bytes[last] == 0 { return .malformed }
      let value = digits[...last].reversed().reduce(UInt64(0)) { $0 * 128 + UInt64($1 % 128) }
      return .value(value, end: last + 1)
    case .prefix:
      guard let first = rest.first else { return .more }
      let (width, bits) =
        first < 128 ? (1, 7) : first < 192 ? (2, 14) : first < 224 ? (4, 29) : (5, 32)
      return bytes.integer(offset, width, .big)
        .map { .value($0 % (1 << UInt64(bits)), end: offset + width) } ?? .more
    case .base64:
      let digits = rest.prefix(width)
      guard digits.allSatisfy({ (64..<128).contains($0) }) else { return .malformed }
      guard digits.count == width else { return .more }
      return .value(digits.reduce(0) { $0 * 64 + UInt64($1 - 64) }, end: offset + width)
    case .decimal: return decimal(rest)
    }
  }

  private func decimal(_ rest: ArraySlice<UInt8>) -> Reading {
    let text = rest.prefix(width)
    let digits = text.prefix { (48..<58).contains($0) }
    let value = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 48) }
    guard let terminator else {
      guard digits.count == text.count else { return .malformed }
      return digits.count == width ? .value(value, end: offset + width) : .more
    }
    guard rest.count > digits.count else { return .more }
    guard !digits.isEmpty, rest[rest.startIndex + digits.count] == terminator else {
      return .malformed
    }
    return .value(value, end: offset + digits.count + 1)
  }
}

extension DelimiterPlan {
  fileprivate func front(_ bytes: [UInt8]) -> FramerModel.Step {
    let looked = Array(bytes.prefix(maximum))
    if isTelnet, looked[0] == 255, looked.count > 1, looked[1] != 255 {
      if let byteCount = command(looked[...]) { return .packet(byteCount, dropped: 0) }
    } else if let step = line(looked) {
      return step
    }
    return bytes.count < maximum ? .more : .violation("no-delimiter")
  }

  private func line(_ bytes: [UInt8]) -> FramerModel.Step? {
    var place = 0
    // What stands behind the last command.
    var text: [UInt8] = []
    while place < bytes.count {
      if isTelnet && bytes[place] == 255 {
        guard let byteCount = command(bytes[place...]) else { return nil }
        place += byteCount
        text = []
        continue
      }
      text.append(bytes[place])
      place += 1
      let found = delimiters.filter { text.suffix($0.count).elementsEqual($0) }
      guard let longest = found.map(\.count).max() else { continue }
      if place < minimum ?? 1 { return .violation("packet-too-short") }
      return .packet(place, dropped: keeps ? 0 : longest)
    }
    return nil
  }

  /// How long the command is, or the doubled FF; nil when it is cut short.
  private func command(_ bytes: ArraySlice<UInt8>) -> Int? {
    let bytes = Array(bytes)
    guard bytes.count > 1 else { return nil }
    switch bytes[1] {
    case 251...254: return bytes.count > 2 ? 3 : nil
    case 250:
      var place = 2
      while place + 1 < bytes.count {
        if bytes[place] != 255 {
          place += 1
        } else if bytes[place + 1] == 240 {
          return place + 2
        } else {
          place += 2
        }
      }
      return nil
    default: return 2
    }
  }
}

extension TablePlan {
  fileprivate func front(_ bytes: [UInt8]) -> FramerModel.Step {
    guard let opcode = bytes.integer(offset, width, endianness) else { return .more }
    switch sizes[UInt16(opcode)] {
    case .bytes(let size): return bytes.count < size ? .more : .packet(size, dropped: 0)
    case .field(let field): return front(bytes, field)
    case nil:
      switch unknown {
      case .violation: return .violation("unknown-opcode")
      case .raw: return .raw
      case .field(let field): return front(bytes, field)
      }
    }
  }

  private func front(_ bytes: [UInt8], _ field: Field) -> FramerModel.Step {
    guard let value = bytes.integer(field.offset, field.width, field.endianness) else {
      return .more
    }
    let end = field.offset + field.width
    let uncounted = [.rest: end, .selfAndRest: field.offset, .packet: 0][field.counts]!
    let least = max(end, offset + width, field.minimum ?? 1)
    return .whole(
      Int128(value) + Int128(uncounted + field.adjustment), least: least, most: maximum, of: bytes)
  }
}

extension SwitchPlan {
  fileprivate enum Decision {
    case plan(FramerPlan)
    case more, none
  }

  fileprivate func decision(_ bytes: [UInt8]) -> Decision {
    for found in cases {
      let there = bytes.dropFirst(found.offset)
      let possible = found.matches.filter { match in
        let mask = found.mask ?? match.map { _ in 255 }
        return zip(zip(there, match), mask).allSatisfy { $0.0 & $1 == $0.1 }
      }
      if possible.contains(where: { $0.count <= there.count }) { return .plan(found.plan) }
      if !possible.isEmpty { return .more }
    }
    return otherwise.map { .plan($0) } ?? .none
  }
}
