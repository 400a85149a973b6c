internal import Framing

/// Framers of which others are parts, and tables.
extension TableReader {
  // MARK: Tables

  mutating func framerTable() throws(FramerDefinitionError) -> Framer? {
    let problemsBefore = problems.count
    let opcode = try LengthField(
      offset: integer("offset", LengthField.offsets, default: 0),
      width: integer("width", 1...2, default: 1), endianness: endianness(default: .little))
    let maximum = byteCount("max", 1...PacketBounds.largest, default: 65_536)
    let shared = tableLength("length", opcode, maximum)
    var entries = tableSizes(opcode, shared)
    entries += tableLengths(opcode, maximum)
    let unknown = choice(
      "unknown",
      [("violation", UnknownName.violation), ("length", .length), ("raw", .raw)]
        .map { (name: $0.0, value: $0.1) }, default: .violation)
    guard problems.count == problemsBefore else { return nil }
    let rest: TableFramer.Unknown
    switch (unknown, shared) {
    case (.violation, _): rest = .violation
    case (.raw, _): rest = .raw
    case (.length, let shared?): rest = .field(shared)
    case (.length, nil):
      note("unknown", "the table has no `length`", expected: "a length field for \"length\"")
      return nil
    }
    return .table(
      try TableFramer(opcode: opcode, entries: entries, unknown: rest, packetBytesMax: maximum))
  }

  private enum UnknownName { case violation, length, raw }

  /// `sizes`: opcodes with a size, or with the table's length field.
  private mutating func tableSizes(
    _ opcode: LengthField, _ shared: PlainLength?
  ) -> [TableFramer.Entry] {
    guard let sizes = subtable("sizes") else { return [] }
    var reader = sizes
    var entries: [TableFramer.Entry] = []
    for entry in sizes.table.entries.prefix(TableFramer.entriesMax + 1) {
      guard let code = reader.opcode(entry, opcode) else { continue }
      switch entry.node.value {
      case .string("length"):
        guard let shared else {
          reader.note(entry.key, "the table has no `length`", expected: "a number of bytes")
          continue
        }
        entries.append(.init(opcode: code, length: .field(shared)))
      case .integer(let size):
        entries.append(.init(opcode: code, length: .fixed(Int(clamping: size))))
      case .string, .boolean, .float, .dateOrTime, .array, .table:
        reader.noteWrongType(
          shownKey(entry.key), entry.node, expected: "the bytes of a whole packet, or \"length\"")
      }
    }
    add(reader.finish(ignoresUnknown: true))
    return entries
  }

  /// `lengths`: opcodes with a length field of their own.
  private mutating func tableLengths(
    _ opcode: LengthField, _ maximum: Int
  ) -> [TableFramer.Entry] {
    guard var reader = subtable("lengths") else { return [] }
    var entries: [TableFramer.Entry] = []
    for entry in reader.table.entries.prefix(TableFramer.entriesMax + 1) {
      guard let code = reader.opcode(entry, opcode),
        let length = reader.tableLength(entry.key, opcode, maximum)
      else { continue }
      entries.append(.init(opcode: code, length: .field(length)))
    }
    add(reader.finish(ignoresUnknown: true))
    return entries
  }

  private mutating func opcode(_ entry: TomlTable.Entry, _ field: LengthField) -> UInt16? {
    let largest: UInt16 = field.width == 1 ? 0xFF : 0xFFFF
    let digits = entry.key.dropFirst(2)
    if entry.key.hasPrefix("0x"), let code = UInt16(digits, radix: 16), digits.first != "+",
      code <= largest
    {
      return code
    }
    noteKey(
      entry, shownKey(entry.key), "not an opcode",
      expected: "0x0 to 0x\(String(largest, radix: 16, uppercase: true))")
    return nil
  }

  private mutating func tableLength(
    _ key: String, _ opcode: LengthField, _ maximum: Int
  ) -> PlainLength? {
    guard var reader = subtable(key) else { return nil }
    let problemsBefore = reader.problems.count
    let offset = reader.integer("offset", LengthField.offsets, default: opcode.end)
    let width = reader.integer("width", 1...8, default: 2)
    let order = reader.endianness(default: opcode.endianness)
    let counts = reader.lengthCounts()
    let adjustment = reader.integer("adjustment", PlainLength.adjustments, default: 0)
    let minimum = reader.take("min").flatMap {
      reader.byteCount("min", $0, 1...PacketBounds.largest)
    }
    defer { add(reader.finish()) }
    guard reader.problems.count == problemsBefore else { return nil }
    do throws(FramerDefinitionError) {
      return try PlainLength(
        field: LengthField(offset: offset, width: width, endianness: order), counts: counts,
        adjustment: adjustment, minimum: minimum, maximum: maximum, least: opcode.end)
    } catch {
      reader.noteUnfit(error)
      return nil
    }
  }

  // MARK: Switches

  mutating func framerSwitch(
    _ plugins: PluginLoader, depth: Int
  ) throws(FramerDefinitionError) -> Framer? {
    let each = choice(
      "each", SwitchFramer.Each.allCases.map { (name: $0.rawValue, value: $0) }, default: .packet)
    var cases: [SwitchFramer.Case] = []
    var readers = subtables("case", isRequired: true)
    for index in readers.indices {
      if let found = readers[index].framerCase(plugins, depth: depth) { cases.append(found) }
      add(readers[index].finish())
    }
    let otherwise = take("otherwise").map { inner("otherwise", $0, plugins, depth: depth + 1) }
    guard cases.count == readers.count, !cases.isEmpty, otherwise == nil || otherwise! != nil else {
      return nil
    }
    return .switch(try SwitchFramer(each: each, cases: cases, otherwise: otherwise ?? nil))
  }

  private mutating func framerCase(
    _ plugins: PluginLoader, depth: Int
  ) -> SwitchFramer.Case? {
    let offset = integer("offset", SwitchFramer.Case.offsets, default: 0)
    let matches = takeRequired("match", expected: "what the bytes begin with").flatMap {
      byteStrings(
        "match", $0, count: 1...SwitchFramer.Case.matchesMax, byteCount: ConstantBytes.byteCounts)
    }
    let mask = take("mask").flatMap { bytes("mask", $0, byteCount: ConstantBytes.byteCounts) }
    let framer = takeRequired("framer", expected: "a table { kind = … }, or \"raw\"").flatMap {
      inner("framer", $0, plugins, depth: depth + 1)
    }
    guard let matches, let framer else { return nil }
    let constants = matches.compactMap { ConstantBytes($0, mask: mask) }
    guard constants.count == matches.count else {
      note(
        "mask", "it does not fit `match`",
        expected: "as many bytes as each match has, and no bit of a match outside it")
      return nil
    }
    do throws(FramerDefinitionError) {
      return try SwitchFramer.Case(offset: offset, matches: constants, framer: framer)
    } catch {
      noteUnfit(error)
      return nil
    }
  }

  // MARK: Sequences

  mutating func framerSequence(
    _ plugins: PluginLoader, depth: Int
  ) throws(FramerDefinitionError) -> Framer? {
    var readers = subtables("step", isRequired: true)
    var steps: [SequenceFramer.Step] = []
    var last: Framer?
    for index in readers.indices {
      let isLast = index == readers.count - 1
      if let step = readers[index].step(plugins, isLast: isLast, depth: depth) {
        if let until = step.until {
          do throws(FramerDefinitionError) {
            steps.append(try SequenceFramer.Step(framer: step.framer, until: until))
          } catch { readers[index].noteUnfit(error) }
        } else {
          last = step.framer
        }
      }
      add(readers[index].finish())
    }
    guard steps.count == readers.count - 1, let last else { return nil }
    return .sequence(try SequenceFramer(steps: steps, last: last))
  }

  private mutating func step(
    _ plugins: PluginLoader, isLast: Bool, depth: Int
  ) -> (framer: Framer, until: SequenceFramer.Until?)? {
    let framer = takeRequired("framer", expected: "a table { kind = … }, or \"raw\"").flatMap {
      inner("framer", $0, plugins, depth: depth + 1)
    }
    let packets = take("packets").flatMap {
      integer("packets", $0, SequenceFramer.Step.packets)
    }
    let isUntil = take("until").flatMap {
      choice("until", $0, [(name: "authenticated", value: true)])
    }
    guard let framer else { return nil }
    if isLast {
      guard table.entry("packets") == nil, table.entry("until") == nil else {
        note("framer", "the last step goes on for ever", expected: "neither packets nor until")
        return nil
      }
      return (framer, nil)
    }
    guard packets == nil || isUntil == nil else {
      note("until", "there is `packets` already", expected: "one of them")
      return nil
    }
    return (framer, isUntil == true ? .authenticated : .packets(packets ?? 1))
  }
}
