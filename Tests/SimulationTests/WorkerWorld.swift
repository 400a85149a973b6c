import Primitives
import Upstream

@testable import Gateway
@testable import Simulation

/// A simulation without clients of its own, for tests of workers.
final class WorkerWorld {
  let simulation: Simulation
  private var clients: [HandClient] = []

  /// One gateway, one framed game without logins, and workers that answer each packet at once.
  init(seed: UInt64 = 1, workers: Int = 1, adjust: (inout Scenario) -> Void = { _ in }) {
    var scenario = Scenario(seed: seed)
    scenario.clients = 0
    scenario.workers = workers
    scenario.milliseconds = 3_600_000
    scenario.loginPermille = 0
    scenario.rawPermille = 0
    scenario.workersWithoutLivePermille = 0
    scenario.workersWithoutReadyPermille = 0
    scenario.workersSilentPermille = 0
    scenario.workersSeveralPermille = 0
    scenario.workersLatePermille = 0
    scenario.workersGreetPermille = 0
    scenario.workersUnpromptedMilliseconds = 0
    scenario.workersBroadcastMilliseconds = 0
    adjust(&scenario)
    simulation = Simulation(scenario)
    simulation.setUp()
    advance(seconds: 1)
  }

  var worker: WorkerProcess { simulation.workers[0] }
  var violations: [String] { simulation.oracle.violations.map(\.text) }

  /// All gateways have all workers.
  var isReady: Bool {
    simulation.gateways.allSatisfy {
      $0.door.shard.pools.reduce(0) { $0 + $1.rotation.count } == simulation.workers.count
    }
  }

  /// How many connections to workers have ended, whyever.
  var linkEnds: UInt64 {
    simulation.gateways.reduce(0) { $0 + $1.door.shard.counters.linkEnds.reduce(0, +) }
  }

  func connect() -> HandClient {
    let client = HandClient(simulation, number: clients.count)
    clients.append(client)
    advance(milliseconds: 20)
    return client
  }

  func advance(seconds: Int) { advance(milliseconds: seconds * 1000) }

  /// Clients read as time passes.
  func advance(milliseconds: Int) {
    var left = milliseconds
    while left > 0 {
      let step = min(left, 20)
      left -= step
      simulation.advance(to: simulation.now + .milliseconds(UInt64(step)))
      for client in clients { client.read() }
    }
  }
}

/// A client that does what a test says, and tells the oracle.
final class HandClient {
  private let simulation: Simulation
  private let connection: Connection
  private let visit: Int
  private var sent = 0
  private var received: [UInt8] = []
  private(set) var answers: [Answer] = []
  private(set) var hasEnded = false
  private(set) var problems: [String] = []

  init(_ simulation: Simulation, number: Int) {
    self.simulation = simulation
    let network = simulation.network
    let path = network.addPath(latency: .milliseconds(1), jitter: .milliseconds(1))
    connection = network.open(
      from: number, address: SocketAddress(ipv4: 192, 0, 2, 1, port: UInt16(1000 + number)),
      to: 0, port: simulation.games[0].port, path: path)
    visit = simulation.oracle.began(
      Visit(client: number, connection: connection, game: 0, login: .none))
  }

  /// Without what went to everybody.
  var ownAnswers: [Answer] { answers.filter { $0.visit != Answer.everybody } }

  func send() {
    let form = simulation.games[0].form
    let size = form.byteCounts.lowerBound + sent * 7 % 50
    let packet = form.packet(visit: visit, number: sent, byteCount: size)
    simulation.oracle.willSend(visit, packet: sent)
    sent += 1
    if simulation.network.write(packet, on: connection, from: .peer) != packet.count {
      problems.append("no room")
    }
  }

  func read() {
    received += simulation.network.read(connection, at: .peer, bytesMax: .max)
    while let byteCount = Answer.byteCount(atFrontOf: received[...]), byteCount <= received.count {
      if let answer = Answer(received[..<byteCount]) {
        answers.append(answer)
        simulation.oracle.received(visit, answer)
      } else {
        problems.append("not an answer")
      }
      received.removeFirst(byteCount)
    }
    if !hasEnded, connection.toPeer.endArrived || connection.phase == .reset {
      hasEnded = true
      simulation.oracle.sawEnd(visit, reset: connection.phase == .reset)
    }
  }
}
