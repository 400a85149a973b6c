internal import Auth

/// The keys of a listener's `auth` table that describe the packets of a login.
let loginKeys = [
  "packet", "answer", "greeting", "before", "ordered", "telnet", "packets_max", "bytes_max",
]

/// Reads what a listener's `auth` table says about the packets of a login.
///
/// The ``loginKeys`` of the table are taken; all others are the caller's.
///
/// - Returns: nil when something is wrong, which is noted.
func readLogin(_ auth: inout TableReader) -> LoginDescription? {
  let problemsBefore = auth.problems.count
  let parts = auth.loginEntries("packet") { $0.loginPart() }
  let answers = auth.loginEntries("answer") { $0.loginAnswer() }
  let greeting = auth.replyTemplate("greeting")
  let before = auth.choice(
    "before", LoginDescription.Before.allCases.map { (name: $0.rawValue, value: $0) },
    default: .hold)
  let isOrdered = auth.boolean("ordered", default: false)
  let isTelnet = auth.boolean("telnet", default: false)
  let packetsMax = auth.integer("packets_max", Bounds.loginPackets, default: 16)
  let bytesMax = auth.byteCount("bytes_max", Bounds.loginBytes, default: 16 << 10)
  guard auth.problems.count == problemsBefore else { return nil }
  return LoginDescription(
    parts: parts.isEmpty ? [LoginPart()] : parts, isOrdered: isOrdered, isTelnet: isTelnet,
    answers: answers, greeting: greeting, before: before, packetsMax: packetsMax, bytesMax: bytesMax
  )
}

extension TableReader {
  /// The entries of a list of tables, none of them nil or beyond the most there may be.
  fileprivate mutating func loginEntries<Entry>(
    _ key: String, _ read: (inout TableReader) -> Entry?
  ) -> [Entry] {
    var readers = subtables(key)
    if readers.count > LoginDescription.entriesMax {
      note(key, "more than \(LoginDescription.entriesMax) of them")
    }
    var entries: [Entry] = []
    for index in readers.indices {
      if let entry = read(&readers[index]) { entries.append(entry) }
      add(readers[index].finish())
    }
    return entries
  }

  fileprivate mutating func loginPart() -> LoginPart? {
    var part = LoginPart()
    if let node = take("number") {
      part.packet = integer("number", node, Bounds.loginPackets).map { .ordinal($0) } ?? .firstMatch
    }
    part.match = loginConditions("match")
    part.isOptional = boolean("optional", default: false)
    part.fields = loginEntries("field") { $0.loginField() }
    part.reply = replyTemplate("reply")
    let repeated = part.fields.indices.first { index in
      part.fields[..<index].contains { $0.target == part.fields[index].target }
    }
    if let repeated {
      note(
        "field", "two fields are named \"\(part.fields[repeated].target.name)\"",
        expected: "one of a name in a packet")
    }
    return part
  }

  fileprivate mutating func loginAnswer() -> LoginAnswer? {
    let firstBytes = byteString("first_bytes", byteCount: Bounds.loginQuestionBytes)
    let conditions = loginConditions("match")
    let reply = replyTemplate("reply")
    let then = choice(
      "then", LoginAnswer.Then.allCases.map { (name: $0.rawValue, value: $0) }, default: .close)
    guard (table.entry("first_bytes") == nil) != (table.entry("match") == nil) else {
      note(
        "first_bytes", "one of first_bytes and match says what is answered",
        expected: "one of them, and not both")
      return nil
    }
    return LoginAnswer(
      on: firstBytes.map { .stream($0) } ?? .packet(conditions), reply: reply, then: then)
  }

  /// What a `match` says: one table, or a list of tables that all must hold.
  private mutating func loginConditions(_ key: String) -> [LoginCondition] {
    guard let node = take(key) else { return [] }
    let nodes: [(key: String, node: TomlNode)]
    switch node.value {
    case .table: nodes = [(key, node)]
    case .array(let elements):
      nodes = elements.enumerated().map { ("\(key)[\($0 + 1)]", $1) }
      if elements.isEmpty || elements.count > LoginDescription.entriesMax {
        note(
          key, "the list has \(elements.count) conditions",
          expected: "1 to \(LoginDescription.entriesMax)")
      }
    case .string, .integer, .boolean, .float, .dateOrTime: nodes = [(key, node)]
    }
    var conditions: [LoginCondition] = []
    for (key, node) in nodes.prefix(LoginDescription.entriesMax) {
      guard case .table(let table) = node.value else {
        noteWrongType(key, node, expected: "a table such as { offset = 2, value = 1 }")
        continue
      }
      var reader = TableReader(table, path: path(of: key), position: node.position)
      conditions += reader.loginCondition()
      add(reader.finish())
    }
    return conditions
  }

  /// One kind of condition; none when it is wrong.
  private mutating func loginCondition() -> [LoginCondition] {
    let kinds = ["bytes", "value", "text", "length"].filter { table.entry($0) != nil }
    guard kinds.count == 1 else {
      keysOfConditions()
      note(
        kinds.last ?? "value", kinds.isEmpty ? "missing" : "a condition has one kind alone",
        expected: "one of bytes, value, text and length")
      return []
    }
    switch kinds[0] {
    case "bytes":
      let bytes = hexBytes("bytes", byteCount: Bounds.loginQuestionBytes)
      let offset = integer("offset", Bounds.loginOffset, default: 0)
      return bytes.map { [.bytes($0, offset: offset)] } ?? []
    case "value": return valueCondition()
    case "text":
      let ignoresCase = boolean("ignore_case", default: false)
      return text("text", byteCount: Bounds.loginQuestionBytes)
        .map { [.text($0, ignoresCase: ignoresCase)] } ?? []
    default: return lengthCondition()
    }
  }

  /// Makes all keys of all kinds known, when it can't be told which belong here.
  private mutating func keysOfConditions() {
    for key in [
      "bytes", "value", "text", "length", "offset", "width", "endian", "mask", "ignore_case",
    ] {
      _ = take(key)
    }
  }

  private mutating func valueCondition() -> [LoginCondition] {
    let offset = integer("offset", Bounds.loginOffset, default: 0)
    let integer = loginInteger(defaultWidth: 1)
    let largest = integer.width == 8 ? Int.max : 1 << (8 * integer.width) - 1
    let value = self.integer("value", 0...largest, default: 0)
    let mask = take("mask").flatMap { self.integer("mask", $0, 1...largest) }
    if let mask, value & ~mask != 0 {
      note(
        "value", "\(value) has bits that mask = \(mask) takes away, so it never holds",
        expected: "a value within the mask")
    }
    return [
      .integer(integer, offset: offset, mask: mask.map { UInt64($0) } ?? .max, value: UInt64(value))
    ]
  }

  /// An exact number of bytes, or a table with `min` and `max`.
  private mutating func lengthCondition() -> [LoginCondition] {
    guard let node = take("length") else { return [] }
    guard case .table(let table) = node.value else {
      return integer("length", node, Bounds.loginLength).map { [.byteCount($0...$0)] } ?? []
    }
    var reader = TableReader(table, path: path(of: "length"), position: node.position)
    let bounds = Bounds.loginLength
    let shortest = reader.integer("min", bounds, default: bounds.lowerBound)
    let longest = reader.integer("max", bounds, default: bounds.upperBound)
    if shortest > longest {
      reader.note("max", "\(longest) is less than min", expected: "at least \(shortest)")
    }
    add(reader.finish())
    return shortest <= longest ? [.byteCount(shortest...longest)] : []
  }

  /// The keys `width` and `endian`.
  ///
  /// - Parameter defaultWidth: nil when the width has to be given.
  mutating func loginInteger(defaultWidth: Int?) -> LoginInteger {
    let widths = [1, 2, 3, 4, 8]
    let expected = list(widths.map { String($0) })
    var width = defaultWidth ?? 1
    let node = defaultWidth == nil ? takeRequired("width", expected: expected) : take("width")
    if let node, let given = integer("width", node, 1...8) {
      if widths.contains(given) {
        width = given
      } else {
        note("width", "\(given) is not one of its values", expected: expected)
      }
    }
    let endianness = choice(
      "endian", LoginInteger.Endianness.allCases.map { (name: $0.rawValue, value: $0) },
      default: .big)
    return LoginInteger(width: width, endianness: endianness)
  }
}
