import Primitives
import Testing

@testable import Simulation

/// Goal: what fails is made as small as it can be, in a bounded number of runs.
@Suite struct ShrinkTests {
  private func failure(_ milliseconds: UInt64, _ property: Property = .packets)
    -> Shrinker.Failure
  {
    Shrinker.Failure(property: property, after: .milliseconds(milliseconds))
  }

  /// What `culprits` cause, when there are enough clients.
  private func shrunk(
    culprits: [EntryName], clients: Int, runsMax: Int = 2000,
    then change: (inout Scenario) -> Void = { _ in }
  ) -> Shrinker {
    var scenario = NamedScenario.everything.scenario(seed: 5)
    scenario.clients = 60
    change(&scenario)
    let entries = Plan(scenario).entries
    let last = culprits.map { name in entries.first { $0.name == name }!.after }.max() ?? .zero
    var shrinker = Shrinker(
      scenario, failure(55_000), runsMax: runsMax,
      run: { candidate in
        let left = Set(Plan(candidate).entries.map(\.name))
        guard culprits.allSatisfy({ left.contains($0) }), candidate.clients >= clients else {
          // Another property is no reason to go there.
          return candidate.workers == 1 ? self.failure(1, .answers) : nil
        }
        return Shrinker.Failure(property: .packets, after: last + .milliseconds(700))
      })
    shrinker.shrink()
    return shrinker
  }

  @Test func onlyWhatMattersIsLeft() {
    let culprits = [
      EntryName(family: .crashes, index: 1), EntryName(family: .delays, index: 0),
    ]
    let shrinker = shrunk(culprits: culprits, clients: 7)
    let scenario = shrinker.scenario
    #expect(Set(Plan(scenario).entries.map(\.name)) == Set(culprits))
    #expect(scenario.clients == 7)
    #expect(scenario.workers == 1)
    #expect(scenario.cutPermille == 0)
    #expect(scenario.liesPerMinute == 0 && scenario.resetsPerMinute == 0)
    #expect(scenario.milliseconds < 60_000)
    #expect(shrinker.runs < 2000)
    #expect(scenario.without.allSatisfy { $0.family == .crashes || $0.family == .delays })
  }

  @Test func nothingMayMatterAtAll() {
    let scenario = shrunk(culprits: [], clients: 0).scenario
    for knob in Knob.all where knob.name != "milliseconds" {
      #expect(scenario[keyPath: knob.path] == knob.least, "\(knob.name)")
    }
    #expect(scenario.without.isEmpty)
  }

  @Test func runsAreBounded() {
    let shrinker = shrunk(culprits: [], clients: 50, runsMax: 5)
    #expect(shrinker.runs == 5)
  }

  @Test func anotherFailureIsNotTaken() {
    var shrinker = Shrinker(
      NamedScenario.lies.scenario(seed: 1), failure(10_000),
      run: { _ in self.failure(10, .answers) })
    shrinker.shrink()
    #expect(shrinker.scenario.clients == 20 && shrinker.scenario.milliseconds == 10_001)
  }
}
