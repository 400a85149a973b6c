import Primitives
import Testing

@testable import Gateway
@testable import Simulation

/// Goal: clients do what their scenario says, and a gateway sees it for what it is.
///
/// Method: one gateway, and a count of why its sessions were closed.
@Suite struct GameClientTests {
  private struct Outcome: Equatable {
    var closed: [CloseReason: UInt64] = [:]
    var opened: UInt64 = 0
    var packets: UInt64 = 0
    var messages: UInt64 = 0
    var events = 0
    var violations: [String] = []

    var reasons: Set<CloseReason> { Set(closed.keys) }
  }

  private func scenario(
    _ seed: UInt64 = 1, _ adjust: (inout Scenario) -> Void = { _ in }
  ) -> Scenario {
    var scenario = Scenario(seed: seed)
    scenario.milliseconds = 12_000
    scenario.clients = 8
    scenario.packetMilliseconds = 600
    scenario.rawPermille = 0
    scenario.visitMilliseconds = 4000
    scenario.workersBroadcastMilliseconds = 0
    scenario.workersUnpromptedMilliseconds = 0
    adjust(&scenario)
    return scenario
  }

  /// Runs it, and has everybody leave.
  private func run(_ scenario: Scenario, _ place: SourceLocation = #_sourceLocation) -> Outcome {
    let simulation = Simulation(scenario)
    _ = simulation.run()
    for client in simulation.clients { client.calmDown() }
    for client in simulation.clients { client.leave() }
    let isEmpty = simulation.advance(upTo: .seconds(70)) {
      simulation.clients.allSatisfy { !$0.isHere }
    }
    _ = simulation.advance(upTo: .seconds(2)) { false }
    #expect(isEmpty, sourceLocation: place)
    let connections = simulation.network.connections
    for connection in connections {
      guard case .client = connection.peer else { continue }
      #expect(connection.isOver, sourceLocation: place)
    }
    var outcome = Outcome()
    outcome.events = simulation.eventCount
    outcome.violations = simulation.oracle.violations.map(\.text)
    for gateway in simulation.gateways {
      #expect(gateway.door.shard.live.isEmpty, sourceLocation: place)
      for counters in gateway.door.shard.listenerCounters {
        outcome.opened += counters.opened
        outcome.packets += counters.traffic.packetsIn
        outcome.messages += counters.traffic.messagesOut
        for reason in CloseReason.allCases where counters.closed[Int(reason.rawValue)] > 0 {
          outcome.closed[reason, default: 0] += counters.closed[Int(reason.rawValue)]
        }
      }
    }
    #expect(outcome.violations == [], sourceLocation: place)
    return outcome
  }

  /// Games of each shape: what is sent is taken, and what is answered comes.
  @Test func quietClientsPlayAndLeave() {
    for seed in 0..<6 as Range<UInt64> {
      let outcome = run(
        scenario(seed) {
          $0.games = 2
          $0.rawPermille = 200
        })
      #expect(outcome.reasons == [.clientClosed], "\(seed) \(outcome)")
      #expect(outcome.opened >= 8 && outcome.packets > 50 && outcome.messages > 50)
    }
  }

  @Test func theSameSeedIsTheSameDay() {
    let busy = scenario(7) {
      $0.games = 3
      $0.violatingPermille = 200
      $0.slowReaderPermille = 300
      $0.resetPermille = 200
      $0.cutWritePermille = 500
    }
    #expect(run(busy) == run(busy))
    #expect(run(busy) != run(scenario(8)))
  }

  @Test func everyPatternBringsClients() {
    for pattern in 0...2 {
      let outcome = run(
        scenario {
          $0.arrivals = pattern
          $0.stampedeAt = 8000
        })
      #expect(outcome.opened >= 8 && outcome.reasons == [.clientClosed], "\(pattern)")
    }
  }

  @Test func violationsAreSeen() {
    let outcome = run(scenario { $0.violatingPermille = 1000 })
    #expect(outcome.closed[.framingViolation] ?? 0 > 4, "\(outcome)")
    #expect(outcome.reasons.isSubset(of: [.framingViolation, .clientClosed]), "\(outcome)")
  }

  @Test func halfPacketsAreForgotten() {
    let outcome = run(scenario { $0.halfPacketPermille = 1000 })
    #expect(outcome.reasons.isSubset(of: [.clientClosed, .clientReset]), "\(outcome)")
    #expect(outcome.closed[.clientClosed] ?? 0 > 4)
  }

  @Test func resetsAreSeen() {
    let outcome = run(scenario { $0.resetPermille = 1000 })
    #expect(outcome.closed[.clientReset] ?? 0 > 4, "\(outcome)")
  }

  @Test func whoIsSilentIsThrownOut() {
    let outcome = run(
      scenario {
        $0.silentPermille = 1000
        $0.idleMilliseconds = 2000
      })
    #expect(outcome.closed[.idleTimeout] ?? 0 > 2, "\(outcome)")
  }

  @Test func whoDoesNotReadIsThrownOut() {
    let outcome = run(
      scenario {
        $0.stalledReaderPermille = 1000
        $0.clientQueueBytes = 20_000
        $0.writeMilliseconds = 2000
        $0.visitMilliseconds = 8000
      })
    #expect(outcome.closed[.slowClient] ?? 0 > 0, "\(outcome)")
  }

  @Test func slowReadersGetEverything() {
    let outcome = run(
      scenario {
        $0.slowReaderPermille = 1000
        $0.workersLargeAnswerPermille = 0
        $0.workersAnswerBytesMax = 300
        $0.halfCloseMilliseconds = 15_000
        $0.writeMilliseconds = 60_000
      })
    #expect(outcome.reasons == [.clientClosed], "\(outcome)")
  }

  @Test func floodsMeetLimits() {
    var reasons: Set<CloseReason> = []
    for seed in 0..<5 as Range<UInt64> {
      reasons.formUnion(
        run(
          scenario(seed) {
            $0.limitedPermille = 1000
            $0.floodingPermille = 1000
            $0.milliseconds = 5000
          }
        ).reasons)
    }
    #expect(reasons.isSuperset(of: [.rateLimited, .connectionLimit, .banned]), "\(reasons)")
  }

  /// A scenario whose game asks a worker.
  private func askingWorker(_ adjust: (inout Scenario) -> Void) -> Scenario {
    for seed in 0..<1000 as Range<UInt64> {
      let found = scenario(seed) {
        $0.loginPermille = 1000
        $0.refusalPermille = 1000
        adjust(&$0)
      }
      let login = Game.all(of: found)[0].login
      if login?.kind == .worker, login?.answersQuestions == true, login?.duplicates == .allow {
        return found
      }
    }
    preconditionFailure("no such seed")
  }

  @Test func loginsAreRightOrWrong() {
    #expect(run(askingWorker { $0.eagerPermille = 500 }).reasons == [.clientClosed])
    let wrong = run(askingWorker { $0.wrongLoginPermille = 1000 })
    #expect(wrong.closed[.loginRefused] ?? 0 > 2, "\(wrong)")
    let none = run(askingWorker { $0.noLoginPermille = 1000 })
    #expect(none.closed[.loginTimeout] ?? 0 > 0, "\(none)")
    #expect(none.closed[.framingViolation] ?? 0 > 0, "\(none)")
    let question = run(askingWorker { $0.questionPermille = 1000 })
    #expect(question.reasons.contains(.answered), "\(question)")
    let trickle = run(askingWorker { $0.tricklingPermille = 1000 })
    #expect(trickle.reasons.isSubset(of: [.clientClosed, .loginTimeout]), "\(trickle)")
    let prelude = run(askingWorker { $0.preludePermille = 1000 })
    #expect(prelude.reasons == [.clientClosed], "\(prelude)")
  }
}
