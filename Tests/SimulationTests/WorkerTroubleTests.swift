import Primitives
import Testing

@testable import Simulation

/// Goal: whatever workers do, the account of packets and answers stays exact.
///
/// Method: whole simulations with clients that play, while random deeds are done to workers; the
/// oracle judges.
@Suite struct WorkerTroubleTests {
  private func run(seed: UInt64) -> Simulation {
    var scenario = Scenario(seed: seed)
    scenario.milliseconds = 12_000
    scenario.clients = 8
    scenario.gateways = 1 + Int(seed % 2)
    scenario.loginPermille = 0
    scenario.workersVeryLatePermille = 20
    let simulation = Simulation(scenario)
    simulation.setUp()
    var random = SeededRandom(seed: seed)
    while simulation.elapsed < .seconds(12), !simulation.oracle.hasFailed {
      let worker = random.pick(simulation.workers)
      WorkerDeed.draw(&random).perform(on: worker, &random)
      simulation.advance(to: simulation.now + .milliseconds(UInt64(random.draw(0...600))))
    }
    for worker in simulation.workers { worker.becomeNormal() }
    simulation.advance(to: simulation.now + .seconds(10))
    return simulation
  }

  @Test func nothingIsLostUnaccounted() {
    for seed in UInt64(1)...2 {
      let simulation = run(seed: seed)
      let hasSettled = simulation.advance(upTo: .seconds(20)) {
        simulation.oracle.settled().isEmpty
      }
      #expect(hasSettled, "seed \(seed): \(simulation.oracle.settled())")
      let texts = simulation.oracle.violations.map(\.text)
      #expect(texts.isEmpty, "seed \(seed)")
      let summary = simulation.oracle.summary
      #expect(summary.packetsHandled > 100 && summary.packetsLost > 10)
      #expect(summary.answersReceived > 100 && summary.streams > 6)
    }
  }

  @Test func sameSeedSameRun() {
    let (first, again) = (run(seed: 7), run(seed: 7))
    #expect(first.eventCount == again.eventCount)
    #expect(first.oracle.summary.bytesOut == again.oracle.summary.bytesOut)
    #expect(first.oracle.summary.packetsHandled == again.oracle.summary.packetsHandled)
  }
}
