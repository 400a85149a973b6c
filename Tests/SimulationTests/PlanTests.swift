import Primitives
import Testing

@testable import Simulation

/// Goal: a plan follows from its seed, and what is left out of it changes nothing else.
@Suite struct PlanTests {
  private func scenario() -> Scenario {
    var scenario = NamedScenario.everything.scenario(seed: 21)
    scenario.milliseconds = 300_000
    return scenario
  }

  private func described(_ plan: Plan) -> [String] {
    plan.entries.map {
      "\($0.name.text) \($0.kind) \($0.after.nanoseconds) \($0.lasting.nanoseconds)"
    }
  }

  @Test func entriesComeInOrderAtTheirRate() {
    let plan = Plan(scenario())
    let times = plan.entries.map(\.after)
    #expect(times == times.sorted())
    for family in DeedFamily.allCases {
      let own = plan.entries.filter { $0.name.family == family }
      // Fifteen are expected of each.
      #expect((3...40).contains(own.count), "\(family): \(own.count)")
      #expect(own.map(\.name.index) == Array(own.indices))
      #expect(own.allSatisfy { family.kinds.contains($0.kind) })
    }
    #expect(plan.entries.allSatisfy { $0.lasting <= .milliseconds(8000) })
  }

  @Test func everyKindBelongsToOneFamily() {
    for kind in DeedKind.allCases {
      #expect(DeedFamily.allCases.count { $0.kinds.contains(kind) } == 1, "\(kind)")
    }
  }

  @Test func aFamilyLeftOutChangesNoOther() {
    let all = Plan(scenario())
    for family in DeedFamily.allCases {
      var without = scenario()
      without[keyPath: family.rate] = 0
      let left = Plan(without)
      #expect(
        described(left)
          == zip(all.entries, described(all)).filter { $0.0.name.family != family }.map(\.1))
    }
  }

  @Test func aShorterTimeOnlyCutsTheEnd() {
    let all = described(Plan(scenario()))
    var shorter = scenario()
    shorter.milliseconds = 90_000
    let first = described(Plan(shorter))
    #expect(first.count > 20)
    #expect(first == Array(all.prefix(first.count)))
  }

  @Test func entriesAreLeftOutByName() {
    var scenario = scenario()
    let all = Plan(scenario).entries.map(\.name)
    let chosen = stride(from: 0, to: all.count, by: 3).map { all[$0] }
    scenario.leaveOut(chosen)
    #expect(Plan(scenario).entries.map(\.name) == all.filter { !chosen.contains($0) })
    #expect(Plan(withAll: scenario).entries.map(\.name) == all)
  }

  @Test func aQuietWorldHasNoPlan() {
    #expect(Plan(Scenario(seed: 1)).entries.isEmpty)
  }
}
