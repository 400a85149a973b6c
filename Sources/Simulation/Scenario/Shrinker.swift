package import Primitives

/// Looks for a smaller scenario that breaks the same property.
///
/// Numbers are made least, or halved towards it; the time is cut right behind the failure; entries
/// of the plan are left out by halves, quarters, and so on ("delta debugging": Zeller and
/// Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). What no longer fails, or
/// fails otherwise, is not taken.
package struct Shrinker {
  /// What came of a run.
  package struct Failure: Equatable, Sendable {
    package var property: Property
    /// From the beginning.
    package var after: Interval

    package init(property: Property, after: Interval) {
      self.property = property
      self.after = after
    }
  }

  private let property: Property
  private let run: (Scenario) -> Failure?
  private let progress: (Scenario, _ runs: Int) -> Void
  private let runsMax: Int
  /// The smallest that was found.
  package private(set) var scenario: Scenario
  package private(set) var runs = 0

  /// - Parameters:
  ///   - failure: what `scenario` ends with.
  ///   - run: runs a scenario; nil when it passes.
  ///   - runsMax: more runs are not made.
  ///   - progress: is told of each smaller scenario.
  package init(
    _ scenario: Scenario, _ failure: Failure, runsMax: Int = 300,
    run: @escaping (Scenario) -> Failure?,
    progress: @escaping (Scenario, _ runs: Int) -> Void = { _, _ in }
  ) {
    self.scenario = scenario
    property = failure.property
    self.run = run
    self.runsMax = runsMax
    self.progress = progress
    cutTime(behind: failure)
  }

  /// Tries until nothing gets smaller, or ``runsMax`` are made.
  package mutating func shrink() {
    while runs < runsMax {
      let before = scenario
      // Whole families first: each run gets shorter by what it leaves out.
      for family in DeedFamily.allCases { set(family.rate, to: 0) }
      for knob in Knob.all { lower(knob) }
      leaveOutEntries()
      if scenario == before { break }
    }
  }

  // MARK: Numbers

  private mutating func lower(_ knob: Knob) {
    let value = scenario[keyPath: knob.path]
    guard value > knob.least, !set(knob.path, to: knob.least) else { return }
    // The least that fails, if those above it fail as well.
    var passing = knob.least
    for _ in 0..<8 {
      let failing = scenario[keyPath: knob.path]
      guard failing - passing > 1 else { return }
      let middle = passing + (failing - passing) / 2
      if !set(knob.path, to: middle) { passing = middle }
    }
  }

  @discardableResult
  private mutating func set(_ path: any Knob.Path, to value: Int) -> Bool {
    guard scenario[keyPath: path] != value else { return true }
    var candidate = scenario
    candidate[keyPath: path] = value
    return take(candidate)
  }

  // MARK: Entries

  private mutating func leaveOutEntries() {
    var pieces = 2
    while runs < runsMax {
      let names = Plan(scenario).entries.map(\.name)
      guard !names.isEmpty else { return }
      pieces = min(pieces, names.count)
      let size = (names.count + pieces - 1) / pieces
      var isSmaller = false
      for start in stride(from: 0, to: names.count, by: size) {
        let piece = names[start..<min(start + size, names.count)]
        var candidate = scenario
        candidate.leaveOut(Array(piece))
        if take(candidate) { isSmaller = true }
      }
      if size == 1, !isSmaller { return }
      pieces = isSmaller ? 2 : pieces * 2
    }
  }

  // MARK: Trying

  private mutating func take(_ candidate: Scenario) -> Bool {
    guard runs < runsMax else { return false }
    runs += 1
    guard let failure = run(candidate), failure.property == property else { return false }
    scenario = candidate
    cutTime(behind: failure)
    progress(scenario, runs)
    return true
  }

  /// What comes behind the failure does nothing for it: a run stops there.
  private mutating func cutTime(behind failure: Failure) {
    let milliseconds = Int(failure.after.milliseconds) + 1
    guard milliseconds < scenario.milliseconds else { return }
    scenario.milliseconds = milliseconds
    // Names of what is beyond the end would only make the command longer.
    let entries = Set(Plan(withAll: scenario).entries.map(\.name))
    scenario.without = scenario.without.filter { entries.contains($0) }
  }
}
