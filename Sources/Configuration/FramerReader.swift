internal import Framing

extension TableReader {
  static let framerKinds = [
    "raw", "length-prefix", "delimiter", "fixed", "table", "switch", "sequence", "plugin",
  ]

  /// Reads what defines one framer: `kind` and the keys of that kind.
  ///
  /// - Parameter depth: how many framers this one stands in.
  /// - Returns: nil when something is wrong, which is noted.
  mutating func framer(_ plugins: PluginLoader, depth: Int = 0) -> Framer? {
    let problemsBefore = problems.count
    let expected = list(Self.framerKinds.map { "\"\($0)\"" })
    guard let node = takeRequired("kind", expected: expected),
      let kind = choice("kind", node, Self.framerKinds.map { (name: $0, value: $0) })
    else { return nil }
    do throws(FramerDefinitionError) {
      let framer = try framer(of: kind, plugins, depth: depth)
      guard problems.count == problemsBefore, let framer else { return nil }
      // What can't be laid out is better said here than when a listener is opened.
      if depth == 0 { _ = try CompiledFramer(framer) }
      return framer
    } catch {
      noteUnfit(error)
      return nil
    }
  }

  private mutating func framer(
    of kind: String, _ plugins: PluginLoader, depth: Int
  ) throws(FramerDefinitionError) -> Framer? {
    switch kind {
    case "raw": .raw
    case "length-prefix": try lengthPrefix()
    case "delimiter": try delimiter()
    case "fixed": try fixed()
    case "table": try framerTable()
    case "switch": try framerSwitch(plugins, depth: depth)
    case "sequence": try framerSequence(plugins, depth: depth)
    default: plugin(plugins)
    }
  }

  mutating func noteUnfit(_ error: FramerDefinitionError) {
    note(error.key, "it does not fit the other keys", expected: error.expected)
  }

  /// Whether a table's framer can be told at all: without a known kind nobody knows its keys.
  var hasKnownKind: Bool {
    guard case .string(let name)? = table.entry("kind")?.node.value else { return false }
    return Self.framerKinds.contains(name)
  }

  /// A framer inside another: a table, or "raw".
  mutating func inner(
    _ key: String, _ node: TomlNode, _ plugins: PluginLoader, depth: Int
  ) -> Framer? {
    let expected = "a table { kind = … }, or \"raw\""
    guard depth < Framer.depthMax else {
      noteProblem(key, node, "too deep", expected: "at most \(Framer.depthMax) in one another")
      return nil
    }
    switch node.value {
    case .string("raw"): return .raw
    case .table(let table):
      var reader = TableReader(table, path: path(of: key), position: node.position)
      let framer = reader.framer(plugins, depth: depth)
      let isRead = reader.hasKnownKind
      add(reader.finish(ignoresUnknown: !isRead))
      return framer
    case .string(let name):
      noteProblem(key, node, "\"\(shown(name))\" can't stand here", expected: expected)
      return nil
    case .integer, .boolean, .float, .dateOrTime, .array:
      noteWrongType(key, node, expected: expected)
      return nil
    }
  }

  // MARK: The simple kinds

  /// The key `min`, nil when it is not given, and `max`.
  mutating func packetBounds(
    default longest: Int = 65_536
  ) -> (minimum: Int?, maximum: Int) {
    let bounds = 1...PacketBounds.largest
    let minimum = take("min").flatMap { byteCount("min", $0, bounds) }
    return (minimum, byteCount("max", bounds, default: longest))
  }

  mutating func endianness(default order: Endianness = .big) -> Endianness {
    choice(
      "endian", Endianness.allCases.map { (name: $0.rawValue, value: $0) }, default: order)
  }

  mutating func lengthCounts(default counts: LengthCounts = .rest) -> LengthCounts {
    choice(
      "counts", LengthCounts.allCases.map { (name: $0.rawValue, value: $0) }, default: counts)
  }

  mutating func constant(_ key: String) -> ConstantBytes? {
    guard let node = take(key) else { return nil }
    return bytes(key, node, byteCount: ConstantBytes.byteCounts).flatMap { ConstantBytes($0) }
  }

  private mutating func lengthPrefix() throws(FramerDefinitionError) -> Framer? {
    let encoding = choice(
      "encoding",
      LengthPrefixFramer.Encoding.allCases.map { (name: $0.rawValue, value: $0) }, default: .binary)
    let width = integer(
      "width", 1...10, default: encoding == .leb128 ? 3 : encoding == .base64 ? 3 : 2)
    let offset = integer("offset", LengthField.offsets, default: 0)
    let order = endianness()
    let counts = lengthCounts()
    let adjustment = integer("adjustment", PlainLength.adjustments, default: 0)
    let escapes = try escapes(order, counts, adjustment)
    let bounds = packetBounds()
    return .lengthPrefix(
      try LengthPrefixFramer(
        encoding: encoding, lengthOffset: offset, lengthWidth: width, endianness: order,
        mask: take("mask").flatMap { integer("mask", $0, 1...Int.max) }.map { UInt64($0) },
        xorOffset: take("xor_offset").flatMap { integer("xor_offset", $0, LengthField.offsets) },
        terminator: take("terminator").flatMap { bytes("terminator", $0, byteCount: 1...1)?.first },
        isCanonical: boolean("canonical", default: false), escapes: escapes,
        multiplier: integer("multiplier", LengthPrefixFramer.multipliers, default: 1),
        counts: counts, adjustment: adjustment, leading: constant("leading"),
        trailing: constant("trailing"), packetBytesMin: bounds.minimum,
        packetBytesMax: bounds.maximum))
  }

  /// Ranges of values that are no length.
  private mutating func escapes(
    _ order: Endianness, _ counts: LengthCounts, _ adjustment: Int
  ) throws(FramerDefinitionError) -> [LengthPrefixFramer.Escape] {
    var escapes: [LengthPrefixFramer.Escape] = []
    var readers = subtables("escapes")
    if readers.count > LengthPrefixFramer.escapesMax {
      note("escapes", "more than \(LengthPrefixFramer.escapesMax) of them")
    }
    for index in readers.indices.prefix(LengthPrefixFramer.escapesMax) {
      if let escape = readers[index].escape(order, counts, adjustment) { escapes.append(escape) }
      add(readers[index].finish())
    }
    return escapes
  }

  private mutating func escape(
    _ order: Endianness, _ counts: LengthCounts, _ adjustment: Int
  ) -> LengthPrefixFramer.Escape? {
    let problemsBefore = problems.count
    let from = takeRequired("from", expected: "the first value").flatMap {
      integer("from", $0, 0...Int.max)
    }
    let to = takeRequired("to", expected: "the last value").flatMap {
      integer("to", $0, 0...Int.max)
    }
    let value = take("value").flatMap { integer("value", $0, 0...PacketBounds.largest) }
    let place = take("offset").flatMap { integer("offset", $0, LengthField.offsets) }
    let width = integer("width", 1...8, default: 2)
    let own = take("adjustment").flatMap { integer("adjustment", $0, PlainLength.adjustments) }
    let otherOrder = endianness(default: order)
    let otherCounts = lengthCounts(default: counts)
    guard let from, let to, problems.count == problemsBefore else { return nil }
    guard from <= to else {
      note("to", "\(to) is less than from", expected: "at least \(from)")
      return nil
    }
    do throws(FramerDefinitionError) {
      let range = UInt64(from)...UInt64(to)
      switch (value, place, own) {
      case (let value?, nil, nil): return try .init(range, .value(UInt64(value)))
      case (nil, nil, let adjustment?): return try .init(range, .adjustment(adjustment))
      case (nil, let place?, _):
        let field = try LengthField(offset: place, width: width, endianness: otherOrder)
        return try .init(range, .field(field, otherCounts, adjustment: own ?? adjustment))
      case (_?, _, _), (nil, nil, nil):
        note(
          "from", "it does not say what these values mean",
          expected: "one of value, adjustment and offset")
        return nil
      }
    } catch {
      noteUnfit(error)
      return nil
    }
  }

  private mutating func delimiter() throws(FramerDefinitionError) -> Framer? {
    let expected = "what ends a packet: \(Self.bytesExpected), or a list of them"
    let delimiters = takeRequired("delimiter", expected: expected).flatMap {
      byteStrings(
        "delimiter", $0, count: 1...DelimiterFramer.delimitersMax,
        byteCount: 1...DelimiterFramer.delimiterByteCountMax)
    }
    let bounds = packetBounds(default: 4_096)
    let keeps = boolean("keep", default: true)
    let isTelnet = boolean("telnet", default: false)
    guard let delimiters else { return nil }
    return .delimiter(
      try DelimiterFramer(
        delimiters: delimiters, keepsDelimiter: keeps, isTelnet: isTelnet,
        packetBytesMin: bounds.minimum, packetBytesMax: bounds.maximum))
  }

  private mutating func fixed() throws(FramerDefinitionError) -> Framer? {
    let size = takeRequired("size", expected: "the bytes of each packet").flatMap {
      byteCount("size", $0, FixedFramer.sizes)
    }
    let leading = constant("leading")
    guard let size else { return nil }
    return .fixed(try FixedFramer(size: size, leading: leading))
  }

  private mutating func plugin(_ plugins: PluginLoader) -> Framer? {
    let file = takeRequired("file", expected: "the path of a shared object")
      .flatMap { text("file", $0, byteCount: Bounds.pathBytes) }
    let arguments = text("arguments", byteCount: 0...4_096) ?? ""
    let (minimum, maximum) = packetBounds()
    guard let file else { return nil }
    do throws(FramerDefinitionError) {
      let bounds = try PacketBounds(
        minimum: minimum, maximum: maximum, least: 1, of: "a packet")
      switch plugins(file, arguments, bounds) {
      case .success(let plugin): return .plugin(plugin)
      case .failure(let failure):
        note("file", "\"\(shown(file))\": \(failure.reason)", expected: failure.expected)
      }
    } catch {
      noteUnfit(error)
    }
    return nil
  }
}
