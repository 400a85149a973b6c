extension Rule {
  /// A packet that says to be longer is held to be none, in bytes.
  static let packetBytesMax = 1 << 22

  /// Goes through `bytes` into `walk`, whose storage is used again.
  ///
  /// - Parameter cutsMax: it stops behind so many packets.
  func walk(_ bytes: [UInt8], cutsMax: Int = .max, into walk: inout Walk) {
    walk.cuts.removeAll(keepingCapacity: true)
    walk.half = nil
    walk.cutsMax = min(cutsMax, rawAfter ?? .max)
    let end = bytes.count
    guard prelude <= end else {
      walk.end = .violation
      return
    }
    switch shape {
    case .length(let rule): walkLengths(bytes, end, [Choice(leads: [], rule: rule)], &walk)
    case .choice(let choices): walkLengths(bytes, end, choices, &walk)
    case .delimiter(let delimiter, let isTelnet):
      walkDelimited(bytes, end, delimiter, isTelnet, &walk)
    case .fixed(let size): walkSizes(bytes, end, &walk) { _ in size }
    case .table(let sizes): walkSizes(bytes, end, &walk) { sizes[$0] }
    }
  }

  private func walkLengths(
    _ bytes: [UInt8], _ end: Int, _ choices: [Choice], _ walk: inout Walk
  ) {
    var place = prelude
    var reading = LengthRule.Reading()
    while place < end {
      let chosen = choices.firstIndex { $0.leads.isEmpty || $0.leads.contains(bytes[place]) }
      guard let chosen else {
        walk.end = .violation
        return
      }
      let rule = choices[chosen].rule
      switch rule.read(bytes, at: place, end: end, into: &reading) {
      case .malformed:
        walk.end = .violation
        return
      case .cut:
        walk.end = .half
        return
      case .length: break
      }
      let header = reading.headerEnd - place
      guard reading.total >= header, reading.total <= Self.packetBytesMax else {
        walk.end = .violation
        return
      }
      let field = place + rule.offset
      let width: Int =
        if case .binary(let width, _) = rule.encoding { width } else { reading.headerEnd - field }
      let cut = Cut(
        start: place, fieldStart: field, fieldEnd: field + width, end: place + reading.total,
        value: reading.value, choice: chosen)
      guard cut.end <= end else {
        walk.half = cut
        walk.end = .half
        return
      }
      guard walk.append(cut) else { return }
      place = cut.end
    }
    walk.end = .exact
  }

  private func walkSizes(
    _ bytes: [UInt8], _ end: Int, _ walk: inout Walk, _ size: (UInt8) -> Int?
  ) {
    var place = prelude
    while place < end {
      guard let size = size(bytes[place]) else {
        walk.end = .violation
        return
      }
      guard place + size <= end else {
        walk.end = .half
        return
      }
      guard walk.append(Cut(start: place, end: place + size)) else { return }
      place += size
    }
    walk.end = .exact
  }

  private func walkDelimited(
    _ bytes: [UInt8], _ end: Int, _ delimiter: [UInt8], _ isTelnet: Bool, _ walk: inout Walk
  ) {
    var start = prelude
    var place = start
    while place < end {
      var isEnd = false
      if isTelnet && bytes[place] == TelnetByte.command {
        guard let after = TelnetByte.commandEnd(bytes, at: place, end: end) else { break }
        // At a packet's front a command is a packet of its own; FF FF is data.
        isEnd = place == start && bytes[place + 1] != TelnetByte.command
        place = after
      } else {
        place += 1
        let first = place - delimiter.count
        isEnd =
          first >= start && bytes[place - 1] == delimiter[delimiter.count - 1]
          && delimiter.indices.allSatisfy { bytes[first + $0] == delimiter[$0] }
      }
      guard isEnd else { continue }
      guard walk.append(Cut(start: start, end: place)) else { return }
      start = place
    }
    walk.end = start == end ? .exact : .half
  }
}

/// What of telnet (RFC 854, RFC 855) a learner has to know.
enum TelnetByte {
  static let command: UInt8 = 255
  private static let subnegotiation: UInt8 = 250
  private static let subnegotiationEnd: UInt8 = 240

  /// Where the command ends that begins at `place`; nil when the stream ends inside it.
  static func commandEnd(_ bytes: [UInt8], at place: Int, end: Int) -> Int? {
    guard place + 1 < end else { return nil }
    switch bytes[place + 1] {
    case 251...254: return place + 3 <= end ? place + 3 : nil
    case subnegotiation:
      var next = place + 2
      while next + 1 < end {
        if bytes[next] == command {
          if bytes[next + 1] == subnegotiationEnd { return next + 2 }
          next += 1
        }
        next += 1
      }
      return nil
    default: return place + 2
    }
  }

  /// Whether options are negotiated in `bytes`.
  static func isSpoken(in bytes: [UInt8]) -> Bool {
    guard bytes.count >= 3 else { return false }
    return (0..<bytes.count - 2).contains {
      bytes[$0] == command && (250...254).contains(bytes[$0 + 1]) && bytes[$0 + 2] < 240
    }
  }
}
