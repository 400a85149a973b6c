public import Framing

extension FramerDefinition {
  /// Reads a definition's file.
  ///
  /// - Parameter file: named in problems.
  public static func load(
    _ file: FramerLibrary.File, loadPlugin: PluginLoader
  ) -> Result<FramerDefinition, ConfigurationProblems> {
    var problems: [ConfigurationProblem]
    var definition: FramerDefinition?
    switch TomlNode.parse(file.text) {
    case .failure(let problem): problems = [problem]
    case .success(let root):
      guard case .table(let table) = root.value else { preconditionFailure("a root is a table") }
      var reader = TableReader(table, path: "", position: .start)
      if let framer = reader.onlyFramer {
        reader = framer
      }
      definition = reader.definition(file.name, loadPlugin)
      problems = reader.finish(ignoresUnknown: reader.isFlatWithoutKind)
    }
    guard problems.isEmpty, let definition else {
      return .failure(ConfigurationProblems(finished(problems, file: file.path)))
    }
    return .success(definition)
  }
}

/// All that is wrong with a text; never empty.
public struct ConfigurationProblems: Error, Equatable, Sendable {
  public let problems: [ConfigurationProblem]

  init(_ problems: [ConfigurationProblem]) { self.problems = problems }
}

extension TableReader {
  /// Reads a definition of one direction or of both.
  ///
  /// - Returns: nil when something is wrong, which is noted.
  mutating func definition(
    _ name: String, _ plugins: PluginLoader
  ) -> FramerDefinition? {
    let problemsBefore = problems.count
    var definition = FramerDefinition(name: name)
    if !hasDirections {
      guard let framer = framer(plugins) else { return nil }
      definition.clientToServer = framer
      return definition
    }
    definition.title = text("title", byteCount: 0...200) ?? ""
    definition.ports = integers("ports", 1...65_535)
    definition.sources = texts("sources")
    if let framer = direction("client_to_server", plugins) { definition.clientToServer = framer }
    definition.serverToClient = direction("server_to_client", plugins)
    if definition.serverToClient?.dropsBytes == true {
      note(
        "server_to_client", "clients get every byte",
        expected: "keep = true in this direction")
    }
    if table.entry("client_to_server") == nil && table.entry("server_to_client") == nil {
      _ = takeRequired(
        "client_to_server", expected: "[client_to_server], [server_to_client] or both")
    }
    definition.opcode = opcodeField()
    if var login = subtable("login") {
      definition.login = readLogin(&login)
      add(login.finish())
    }
    definition.vectors = vectors()
    return problems.count == problemsBefore ? definition : nil
  }

  /// The one table of a file that holds a `[framer.NAME]` as a configuration has it, and nothing
  /// else.
  fileprivate var onlyFramer: TableReader? {
    guard table.entries.count == 1, case .table(let all)? = table.entry("framer")?.node.value,
      all.entries.count == 1, case .table(let framer) = all.entries[0].node.value
    else { return nil }
    return TableReader(
      framer, path: "framer.\(shownKey(all.entries[0].key))",
      position: all.entries[0].node.position)
  }

  /// Whether it is a definition of both directions, complete or not, and not one framer by itself.
  var hasDirections: Bool {
    table.entry("kind") == nil
      && [
        "client_to_server", "server_to_client", "title", "ports", "sources", "opcode", "login",
        "vector",
      ].contains { table.entry($0) != nil }
  }

  /// Whether nobody can tell which keys belong here.
  var isFlatWithoutKind: Bool { !hasDirections && !hasKnownKind }

  private mutating func direction(
    _ key: String, _ plugins: PluginLoader
  ) -> Framer? {
    guard let node = take(key) else { return nil }
    return inner(key, node, plugins, depth: 0)
  }

  private mutating func opcodeField() -> LengthField? {
    guard var reader = subtable("opcode") else { return nil }
    defer { add(reader.finish()) }
    let width = reader.integer("width", 1...4, default: 1)
    let offset = reader.integer("offset", LengthField.offsets, default: 0)
    do throws(FramerDefinitionError) {
      return try LengthField(offset: offset, width: width, endianness: reader.endianness())
    } catch {
      reader.noteUnfit(error)
      return nil
    }
  }

  // MARK: Vectors

  private mutating func vectors() -> [FramerVector] {
    var vectors: [FramerVector] = []
    var readers = subtables("vector")
    for index in readers.indices {
      vectors.append(readers[index].vector())
      add(readers[index].finish())
    }
    return vectors
  }

  private mutating func vector() -> FramerVector {
    _ = takeRequired("name", expected: "what it shows")
    var vector = FramerVector(name: text("name", byteCount: 1...200) ?? "")
    vector.direction = choice(
      "direction", FramerVector.Direction.allCases.map { (name: $0.rawValue, value: $0) },
      default: .clientToServer)
    for (index, text) in texts("packets").enumerated() {
      guard let bytes = bytesOfVector(text), !bytes.isEmpty else {
        note("packets", "number \(index + 1) is no packet", expected: vectorExpected)
        continue
      }
      vector.packets.append(bytes)
    }
    if let text = text("rest", byteCount: 0...4_096) {
      if let bytes = bytesOfVector(text) {
        vector.rest = bytes
      } else {
        note("rest", "no bytes", expected: vectorExpected)
      }
    }
    vector.violation = take("violation").flatMap {
      choice("violation", $0, FramingViolation.names.map { (name: $0, value: $0) })
    }
    vector.authenticatedAfter = take("authenticated_after")
      .flatMap { integer("authenticated_after", $0, 0...1_000) }
    if var login = subtable("login") {
      for entry in login.table.entries {
        vector.login[entry.key] = login.text(entry.key, byteCount: 0...1_024)
      }
      add(login.finish())
    }
    return vector
  }

  // MARK: Lists

  private mutating func texts(_ key: String) -> [String] {
    guard let node = take(key) else { return [] }
    guard case .array(let elements) = node.value else {
      noteWrongType(key, node, expected: "a list of strings")
      return []
    }
    return elements.prefix(Self.tablesMax).enumerated().compactMap { index, element in
      text("\(key)[\(index + 1)]", element, byteCount: 0...65_536)
    }
  }

  private mutating func integers(_ key: String, _ bounds: ClosedRange<Int>) -> [Int] {
    guard let node = take(key) else { return [] }
    guard case .array(let elements) = node.value else {
      noteWrongType(key, node, expected: "a list of integers")
      return []
    }
    return elements.prefix(Self.tablesMax).enumerated().compactMap { index, element in
      integer("\(key)[\(index + 1)]", element, bounds)
    }
  }
}

private let vectorExpected =
  "hexadecimal pairs, 'text' and XX*N for N times a byte, as in \"80 'bob' 00*27\""

/// The bytes that a vector's text stands for; nil when it is none, or more than 1 MiB.
///
/// Hexadecimal pairs, text of Latin-1 in single quotes, and a pair with a repetition, separated by
/// spaces.
func bytesOfVector(_ text: String) -> [UInt8]? {
  var bytes: [UInt8] = []
  var rest = Array(text.unicodeScalars)[...]
  while let scalar = rest.popFirst() {
    if scalar == " " { continue }
    if scalar == "'" {
      guard let end = rest.firstIndex(of: "'") else { return nil }
      for letter in rest[..<end] {
        guard letter.value <= 0xFF else { return nil }
        bytes.append(UInt8(letter.value))
      }
      rest = rest[rest.index(after: end)...]
      continue
    }
    guard let high = hexDigit(scalar), let low = rest.popFirst().flatMap(hexDigit) else {
      return nil
    }
    var count = 1
    if rest.first == "*" {
      rest.removeFirst()
      var digits = ""
      while let digit = rest.first, ("0"..."9").contains(digit) {
        digits.unicodeScalars.append(digit)
        rest.removeFirst()
      }
      guard let number = Int(digits), number <= 1 << 20 else { return nil }
      count = number
    }
    guard bytes.count + count <= 1 << 20 else { return nil }
    bytes += [UInt8](repeating: high << 4 | low, count: count)
  }
  return bytes
}

private func hexDigit(_ scalar: Unicode.Scalar) -> UInt8? {
  UInt8(exactly: scalar.value).flatMap(hexDigit)
}
