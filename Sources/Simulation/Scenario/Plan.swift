internal import Primitives

/// What is done to a simulation and when: faults, and operators' deeds.
struct Plan {
  struct Entry {
    var name: EntryName
    var kind: DeedKind
    /// From the beginning.
    var after: Interval
    /// How long it lasts, where it lasts.
    var lasting: Interval
  }

  /// No family has more: a run is not to consist of faults alone.
  static let familyEntriesMax = 100_000

  /// By time.
  let entries: [Entry]

  init(_ scenario: Scenario) {
    let without = Set(scenario.without)
    entries = DeedFamily.allCases.flatMap { Self.entries(of: $0, scenario) }
      .filter { !without.contains($0.name) }
      .sorted { ($0.after, $0.name) < ($1.after, $1.name) }
  }

  /// The plan with the entries that the scenario leaves out.
  init(withAll scenario: Scenario) {
    var scenario = scenario
    scenario.without = []
    self.init(scenario)
  }

  /// A shorter scenario has the same entries, but for those that come too late.
  private static func entries(of family: DeedFamily, _ scenario: Scenario) -> [Entry] {
    let rate = scenario[keyPath: family.rate]
    guard rate > 0 else { return [] }
    var random = SeededRandom(seed: scenario.seed, "plan", family.order)
    let longest = Interval.milliseconds(UInt64(scenario.longestFaultMilliseconds))
    var entries: [Entry] = []
    var at = Interval.zero
    while entries.count < familyEntriesMax {
      at = at + random.exponential(mean: .seconds(60) / UInt64(rate))
      guard at < scenario.duration else { break }
      let kind = random.pick(family.kinds)
      // Short ones are as telling as long ones, and there is room for more of them.
      var lasting = random.draw(.zero...longest)
      if random.chance(500) { lasting = lasting / 20 }
      entries.append(
        Entry(
          name: EntryName(family: family, index: entries.count), kind: kind, after: at,
          lasting: lasting))
    }
    return entries
  }

  /// What an entry draws is its own.
  static func random(of entry: Entry, _ scenario: Scenario) -> SeededRandom {
    SeededRandom(
      seed: scenario.seed, "deed", entry.name.family.order << 32 | entry.name.index)
  }
}
