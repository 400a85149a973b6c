import Testing

@testable import Simulation

/// Goal: in worlds where nothing goes wrong, the oracle finds nothing wrong, and everything comes
/// through.
@Suite struct OracleRunTests {
  private func run(_ scenario: Scenario) -> [String] {
    let simulation = Simulation(scenario)
    _ = simulation.run()
    let oracle = simulation.oracle
    if !oracle.hasFailed {
      _ = simulation.advance(upTo: .seconds(30)) { oracle.settled().isEmpty }
      for problem in oracle.settled() { oracle.broken(.progress, problem) }
      oracle.checkCalm()
    }
    print(scenario.seed, oracle.summary.lines, simulation.eventCount)
    return oracle.violations.map { "\($0.property) at \($0.at.nanoseconds): \($0.text)" }
  }

  @Test(arguments: UInt64(0)..<6) func aQuietWorldIsClean(seed: UInt64) {
    var scenario = Scenario(seed: seed)
    scenario.milliseconds = 10_000
    scenario.arrivalMilliseconds = 500
    let problems = run(scenario)
    #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(5))")
  }
}
