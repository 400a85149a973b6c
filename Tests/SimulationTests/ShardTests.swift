import Gateway
import Primitives
import Testing

@testable import Simulation

/// Goal: the shards of a simulated gateway are threads of one process: each has its own time, what
/// they tell each other comes late but in order, and sessions go where their workers are.
@Suite struct ShardTests {
  private func world(_ text: String, seed: UInt64 = 1) throws -> Simulation {
    let scenario = try Scenario.parse(text + " arrivals=2", seed: seed)
    let simulation = Simulation(scenario)
    simulation.setUp()
    return simulation
  }

  private func advance(_ simulation: Simulation, milliseconds: UInt64) {
    simulation.advance(to: simulation.now + .milliseconds(milliseconds))
  }

  @Test(arguments: 2...4) func sessionsGoToTheirWorkersShards(count: Int) throws {
    let simulation = try world("shards=\(count) workers=4 clients=24 visitMilliseconds=60000")
    advance(simulation, milliseconds: 3000)
    #expect(simulation.oracle.violations.map(\.text) == [])
    let gateway = simulation.gateways[0]
    for shard in gateway.shards {
      #expect(shard.clients.contains { $0.connection != nil }, "shard \(shard.number)")
      #expect(shard.listeners.isEmpty == (shard.number > 0))
    }
    #expect(simulation.oracle.summary.moves > 0)
    let shards = simulation.oracle.visits.compactMap { $0.isOpen ? $0.shard : nil }
    #expect(Set(shards).count == count)
  }

  @Test func messagesBetweenTwoShardsKeepTheirOrder() throws {
    let simulation = try world("shards=3 workers=3 clients=0 turnDelayMicroseconds=20000")
    advance(simulation, milliseconds: 2000)
    let gateway = simulation.gateways[0]
    gateway.shards[2].stalledUntil = .distantFuture
    for number in 1...200 {
      gateway.door.send(.listenerGone(slot: number), to: 2)
      gateway.shards[1].send(.rotation(pool: 0, count: number), to: 2)
    }
    #expect(gateway.messagesUnderWay >= 400)
    #expect(!gateway.isQuiet)
    var seen: Set<Int> = []
    for _ in 0..<40 {
      advance(simulation, milliseconds: 1)
      seen.insert(gateway.shards[2].mailbox.count)
    }
    #expect(seen.count > 2, "they come one by one")
    var numbers: [[Int]] = [[], []]
    for case .message(let message, let sender, _) in gateway.shards[2].mailbox {
      switch message {
      case .listenerGone(let slot): numbers[sender].append(slot)
      case .rotation(_, let count): numbers[sender].append(count)
      default: break
      }
    }
    #expect(numbers == [Array(1...200), Array(1...200)])
  }

  @Test func eachShardHasItsOwnTime() throws {
    let simulation = try world("shards=2 workers=2 clients=12 visitMilliseconds=60000")
    advance(simulation, milliseconds: 3000)
    let gateway = simulation.gateways[0]
    gateway.shards[1].stalledUntil = simulation.now + .seconds(3)
    let before = simulation.oracle.visits.map(\.bytesRead)
    let shards = simulation.oracle.visits.map { $0.isOpen ? $0.shard : nil }
    advance(simulation, milliseconds: 2000)
    let grown = simulation.oracle.visits.prefix(before.count).enumerated().filter {
      $1.bytesRead > before[$0]
    }
    #expect(grown.contains { shards[$0.offset] == 0 })
    #expect(!grown.contains { shards[$0.offset] == 1 })
  }

  @Test func whatIsOnItsWayDiesWithTheProcess() throws {
    let simulation = try world("shards=2 workers=2 clients=24 visitMilliseconds=1000")
    let gateway = simulation.gateways[0]
    #expect(
      simulation.advance(upTo: .seconds(10)) {
        simulation.oracle.visits.contains { $0.isOpen && $0.shard == 1 }
      })
    gateway.shards[1].stalledUntil = .distantFuture
    #expect(simulation.advance(upTo: .seconds(10)) { gateway.movingSockets.count > 3 })
    let moving = gateway.movingSockets
    simulation.oracle.killed(gateway)
    gateway.kill()
    #expect(!moving.contains { !$0.gatewayClosed })
    #expect(gateway.isFinished)
    #expect(gateway.clientCount == 0)
  }

  /// Goal: a command is carried out where it has to be, and answered once.
  @Test func operatorsTalkToAllShardsAsOne() throws {
    let simulation = try world("shards=3 workers=5 clients=12 visitMilliseconds=60000")
    advance(simulation, milliseconds: 3000)
    var replies: [Reply] = []
    func ask(_ command: Command) {
      simulation.deeds.wait(for: simulation.command(command, to: 0)) { reply, _ in
        replies.append(reply)
      }
      advance(simulation, milliseconds: 300)
    }
    ask(.listWorkers)
    guard case .workers(let workers) = replies.last else {
      Issue.record("no workers: \(replies)")
      return
    }
    #expect(Set(workers.map(\.endpoint)).count == 5)
    #expect(Set(workers.map { $0.id.shard(of: 3) }) == [0, 1, 2])
    ask(.listSessions(of: nil, cursor: 0, limit: 10_000))
    guard case .sessions(let sessions, nil) = replies.last else {
      Issue.record("no page of all sessions: \(replies)")
      return
    }
    #expect(Set(sessions.map(\.uuid)).count == sessions.count)
    #expect(sessions.map(\.slot) == sessions.map(\.slot).sorted())
    #expect(sessions.count > 6)
    ask(.metrics)
    guard case .metrics(let metrics) = replies.last else {
      Issue.record("no metrics: \(replies)")
      return
    }
    #expect(metrics.workers.count == 5)
    let worker = simulation.gateways[0].configuration.pools[0].workers[1]
    ask(.addWorker(pool: nil, worker))
    guard case .failed(.duplicateWorker) = replies.last else {
      Issue.record("not refused as a duplicate: \(replies)")
      return
    }
    #expect(replies.count == 4)
    #expect(simulation.gateways[0].additions.isEmpty)
    #expect(simulation.gateways[0].groupCommands.isEmpty)
  }

  @Test func theSameSeedRunsTheSameWay() throws {
    let scenario = try Scenario.parse("moves milliseconds=3000 clients=10", seed: 5)
    let first = Simulation(scenario).run()
    let second = Simulation(scenario).run()
    #expect(first.violations.map(\.text) == [])
    #expect(first.digest == second.digest)
  }
}
