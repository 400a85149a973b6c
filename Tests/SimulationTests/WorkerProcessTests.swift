import Gateway
import Primitives
import Testing
import Upstream

@testable import Simulation

/// Goal: simulated workers serve as real ones do, and whatever becomes of them harms nobody else.
@Suite struct WorkerProcessTests {
  @Test func packetsAreAnswered() {
    let world = WorkerWorld()
    let client = world.connect()
    for _ in 0..<50 { client.send() }
    world.advance(seconds: 1)
    #expect(client.ownAnswers.count == 50)
    #expect(client.ownAnswers.map(\.serial) == Array(1...50))
    #expect(client.problems.isEmpty && world.violations.isEmpty)
  }

  /// Goal: habits are what the scenario says, and the same seed has the same ones.
  @Test func answersFollowTheScenario() {
    func answers(seed: UInt64) -> [Answer] {
      let world = WorkerWorld(seed: seed) {
        $0.workersSilentPermille = 300
        $0.workersSeveralPermille = 300
        $0.workersLatePermille = 300
        $0.workersUnpromptedMilliseconds = 200
        $0.workersBroadcastMilliseconds = 500
        $0.workersLargeAnswerPermille = 20
      }
      let client = world.connect()
      for _ in 0..<200 {
        client.send()
        world.advance(milliseconds: 10)
      }
      world.advance(seconds: 1)
      #expect(client.problems.isEmpty && world.violations.isEmpty)
      return client.answers
    }
    let (first, again, other) = (answers(seed: 1), answers(seed: 1), answers(seed: 2))
    #expect(first == again)
    #expect(first != other)
    #expect(first.contains { $0.visit == Answer.everybody })
    #expect(first.contains { $0.byteCount > 5000 })
    #expect(zip(first, first.dropFirst()).allSatisfy { $0.serial < $1.serial })
  }

  /// Goal: a client outlives its worker's crashes, and the worker comes back.
  @Test func crashesAndStartsAgain() {
    let world = WorkerWorld()
    let client = world.connect()
    for round in 1...3 {
      client.send()
      world.advance(seconds: 1)
      #expect(client.ownAnswers.count == round)
      world.worker.crash()
      world.worker.crash()
      #expect(world.worker.openSocketCount == 0)
      world.advance(seconds: 1)
      #expect(!world.isReady)
      world.worker.restart()
      world.advance(seconds: 2)
      #expect(world.isReady)
    }
    #expect(!client.hasEnded && client.problems.isEmpty && world.violations.isEmpty)
  }

  /// Goal: what the gateway had written to a worker that died unheeding is accounted for.
  ///
  /// Method: a stopped worker's socket fills, then the process is killed.
  @Test func whatADeadWorkerNeverReadIsLost() {
    let world = WorkerWorld()
    let client = world.connect()
    client.send()
    world.advance(seconds: 1)
    world.worker.stop()
    for _ in 0..<20 { client.send() }
    world.advance(seconds: 1)
    #expect(client.ownAnswers.count == 1)
    world.worker.crash()
    world.worker.restart()
    world.advance(seconds: 2)
    client.send()
    world.advance(seconds: 1)
    #expect(client.ownAnswers.count == 2)
    #expect(!client.hasEnded && world.violations.isEmpty)
  }

  /// Goal: a process that is stopped for a moment loses nothing.
  @Test func stopsAndGoesOn() {
    let world = WorkerWorld()
    let client = world.connect()
    world.worker.stop()
    for _ in 0..<20 { client.send() }
    world.advance(seconds: 3)
    #expect(client.ownAnswers.isEmpty)
    world.worker.go()
    world.advance(seconds: 1)
    #expect(client.ownAnswers.count == 20)
    #expect(world.isReady && world.violations.isEmpty)
  }

  /// Goal: a process that is stopped for long is left; it goes on without harm.
  @Test func stopsForLong() {
    let world = WorkerWorld(workers: 2)
    let client = world.connect()
    client.send()
    world.advance(seconds: 1)
    for worker in world.simulation.workers { worker.stop() }
    world.advance(seconds: 15)
    for worker in world.simulation.workers { worker.go() }
    world.advance(seconds: 6)
    client.send()
    world.advance(seconds: 1)
    #expect(world.isReady && world.violations.isEmpty)
    #expect(client.hasEnded || client.ownAnswers.count == 2)
  }

  /// Goal: a worker that says goodbye loses nothing, and is gone.
  @Test func exitsGracefully() {
    let world = WorkerWorld(workers: 2) {
      $0.workersLatePermille = 1000
      $0.workersDelayMilliseconds = 200
    }
    let client = world.connect()
    let first = world.simulation.workers[0]
    let second = world.simulation.workers[1]
    for _ in 0..<30 { client.send() }
    world.advance(milliseconds: 30)
    first.exitGracefully()
    for _ in 0..<30 { client.send() }
    world.advance(seconds: 4)
    #expect(client.ownAnswers.count == 60)
    #expect(!first.isAlive && first.openSocketCount == 0)
    first.restart()
    second.exitGracefully()
    world.advance(seconds: 4)
    client.send()
    world.advance(seconds: 2)
    #expect(client.ownAnswers.count == 61)
    #expect(!second.isAlive)
    #expect(!client.hasEnded && client.problems.isEmpty && world.violations.isEmpty)
  }

  /// Goal: packets that a worker does not take, and answers that it keeps, come when it changes its
  /// mind; its heartbeats go on.
  @Test func keepsPacketsAndAnswers() {
    let world = WorkerWorld()
    let client = world.connect()
    world.worker.setTakesPackets(false)
    for _ in 0..<20 { client.send() }
    world.advance(seconds: 14)
    #expect(client.ownAnswers.isEmpty && world.isReady)
    world.worker.setSendsAnswers(false)
    world.worker.setTakesPackets(true)
    world.advance(seconds: 1)
    #expect(client.ownAnswers.isEmpty)
    world.worker.setSendsAnswers(true)
    world.advance(seconds: 1)
    #expect(client.ownAnswers.count == 20 && world.violations.isEmpty)
  }

  @Test func reachabilityAndReadiness() {
    let world = WorkerWorld()
    for reachability in [WorkerProcess.Reachability.refuses, .swallows] {
      world.worker.setReachability(reachability)
      world.worker.crash()
      world.worker.restart()
      world.advance(seconds: 8)
      #expect(!world.isReady)
      world.worker.setReachability(.accepts)
      world.advance(seconds: 8)
      #expect(world.isReady)
    }
    world.worker.crash()
    world.worker.restart()
    world.worker.setReady(false)
    world.advance(seconds: 8)
    #expect(!world.isReady && world.worker.openSocketCount == 1)
    world.worker.becomeNormal()
    world.advance(seconds: 6)
    #expect(world.isReady && world.violations.isEmpty)
  }

  /// Goal: any deed is right at any time, and a normal worker comes of it in the end.
  @Test func deedsInAnyOrder() {
    var random = SeededRandom(seed: 1)
    for seed in UInt64(1)...6 {
      let world = WorkerWorld(seed: seed, workers: 2) { $0.gateways = 2 }
      for _ in 0..<60 {
        let worker = random.pick(world.simulation.workers)
        WorkerDeed.draw(&random).perform(on: worker, &random)
        world.advance(milliseconds: random.draw(0...1500))
      }
      for worker in world.simulation.workers { worker.becomeNormal() }
      world.advance(seconds: 20)
      #expect(world.isReady, "seed \(seed)")
      #expect(world.violations.isEmpty)
      for worker in world.simulation.workers { #expect(worker.sockets.count == 2) }
      let client = world.connect()
      client.send()
      world.advance(seconds: 1)
      #expect(client.ownAnswers.count == 1, "seed \(seed)")
    }
  }
}
