/// Scenarios as they are typed: `crashes clients=12 without=crashes.3`.
extension Scenario {
  static let textBytesMax = 1 << 20
  /// More entries can't be left out one by one.
  private static let withoutMax = 1_000_000

  /// Reads a scenario's name, where one comes first, and what differs from it.
  ///
  /// - Parameter seed: is taken unless the text has a `seed=` of its own.
  /// - Throws: ``ScenarioError``.
  package static func parse(_ text: String, seed: UInt64) throws(ScenarioError) -> Scenario {
    guard text.utf8.count <= textBytesMax else { throw .tooLong }
    var words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" }.map(String.init)
    let name = words.first.flatMap { $0.contains("=") ? nil : $0 }
    if name != nil { words.removeFirst() }
    var settings: [(name: String, value: String)] = []
    for word in words {
      guard let equals = word.firstIndex(of: "=") else { throw .unknownName(word) }
      let setting = (String(word[..<equals]), String(word[word.index(after: equals)...]))
      guard !settings.contains(where: { $0.name == setting.0 }) else { throw .twice(setting.0) }
      settings.append(setting)
    }
    var seed = seed
    if let own = settings.first(where: { $0.name == "seed" }) {
      guard let number = UInt64(own.value) else {
        throw .notANumber(knob: "seed", text: own.value)
      }
      seed = number
    }
    var scenario = Scenario(seed: seed)
    if let name {
      guard let named = NamedScenario(rawValue: name) else { throw .unknownName(name) }
      scenario = named.scenario(seed: seed)
    }
    for (name, value) in settings where name != "seed" { try scenario.set(name, value) }
    return scenario
  }

  private mutating func set(_ name: String, _ value: String) throws(ScenarioError) {
    if name == "without" { return without = try Self.entries(value) }
    guard let knob = Knob.named(name) else { throw .unknownKnob(name) }
    guard let number = Int(value) else { throw .notANumber(knob: name, text: value) }
    guard number >= knob.least, number <= knob.most else {
      throw .outOfRange(knob: name, least: knob.least, most: knob.most)
    }
    self[keyPath: knob.path] = number
  }

  /// Reads `crashes.3,resets.0-4`.
  package static func entries(_ text: String) throws(ScenarioError) -> [EntryName] {
    var entries: Set<EntryName> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = part.split(separator: ".", maxSplits: 1)
      guard halves.count == 2, let family = DeedFamily(rawValue: String(halves[0])) else {
        throw .notAnEntry(String(part))
      }
      let ends = halves[1].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count <= 2, let first = ends.first, let first, let last = ends.last, let last,
        first >= 0, first <= last, last < Plan.familyEntriesMax,
        entries.count + (last - first) < withoutMax
      else { throw .notAnEntry(String(part)) }
      for index in first...last { entries.insert(EntryName(family: family, index: index)) }
    }
    return entries.sorted()
  }

  /// Leaves out further entries of the plan.
  package mutating func leaveOut(_ entries: [EntryName]) {
    without = Set(without + entries).sorted()
  }

  /// What differs from a new scenario, without the seed; empty when nothing does.
  package var text: String {
    let standard = Scenario(seed: seed)
    var words: [String] = []
    for knob in Knob.all where self[keyPath: knob.path] != standard[keyPath: knob.path] {
      words.append("\(knob.name)=\(self[keyPath: knob.path])")
    }
    if !without.isEmpty { words.append("without=\(withoutText)") }
    return words.joined(separator: " ")
  }

  private var withoutText: String {
    var parts: [String] = []
    var index = 0
    while index < without.count {
      let first = without[index]
      var last = first
      while index + 1 < without.count, without[index + 1].family == last.family,
        without[index + 1].index == last.index + 1
      {
        index += 1
        last = without[index]
      }
      parts.append(first == last ? first.text : "\(first.text)-\(last.index)")
      index += 1
    }
    return parts.joined(separator: ",")
  }

  /// The command that runs it again, as short as it can be.
  package var command: String {
    let start = "gatehouse sim --seed \(seed)"
    let texts = NamedScenario.allCases.map { named -> String in
      // The random one is what the command takes without a scenario.
      let name = named == .random ? "" : named.rawValue
      let settings = differences(from: named.scenario(seed: seed))
      return settings.isEmpty ? name : "\(named.rawValue) \(settings)"
    }
    let plain = text.isEmpty ? NamedScenario.quiet.rawValue : text
    let shortest = (texts + [plain]).min { $0.utf8.count < $1.utf8.count } ?? plain
    return shortest.isEmpty ? start : "\(start) --scenario \"\(shortest)\""
  }

  private func differences(from other: Scenario) -> String {
    var words: [String] = []
    for knob in Knob.all where self[keyPath: knob.path] != other[keyPath: knob.path] {
      words.append("\(knob.name)=\(self[keyPath: knob.path])")
    }
    if without != other.without { words.append("without=\(withoutText)") }
    return words.joined(separator: " ")
  }
}
