import Primitives
import Testing

@testable import Simulation

/// Goal: in worlds where nothing goes wrong, the oracle finds nothing wrong, and everything comes
/// through; where somebody lies to it, it finds that out.
@Suite struct OracleRunTests {
  private func problems(_ scenario: Scenario) -> [String] {
    let report = Simulation(scenario).run()
    return report.violations.map { "\($0.property): \($0.text)" }
  }

  private func scenario(_ seed: UInt64) -> Scenario {
    var scenario = Scenario(seed: seed)
    scenario.milliseconds = 6000
    scenario.clients = 12
    scenario.arrivalMilliseconds = 500
    return scenario
  }

  @Test(arguments: UInt64(0)..<4) func aQuietWorldIsClean(seed: UInt64) {
    #expect(problems(scenario(seed)).isEmpty)
  }

  @Test(arguments: UInt64(10)..<13) func worldsOfAllGamesAreClean(seed: UInt64) {
    var scenario = scenario(seed)
    scenario.games = 4
    scenario.pools = 2
    scenario.workers = 4
    scenario.packetBalancePermille = 500
    scenario.limitedPermille = 300
    #expect(problems(scenario).isEmpty)
  }

  // MARK: Histories that are wrong

  /// A world with open sessions, in which nothing has gone wrong.
  private func world(_ adjust: (inout Scenario) -> Void = { _ in }) throws -> Simulation {
    var scenario = scenario(1)
    scenario.rawPermille = 0
    scenario.workersSessionEventsPermille = 1000
    scenario.workersWithoutReadyPermille = 0
    adjust(&scenario)
    let simulation = Simulation(scenario)
    simulation.setUp()
    simulation.advance(to: simulation.now + .seconds(4))
    try #require(!simulation.oracle.hasFailed)
    return simulation
  }

  /// A session that is open, has had packets handled, and has nothing on its way.
  private func record(_ simulation: Simulation) throws -> VisitRecord {
    try #require(
      simulation.oracle.visits.first {
        $0.isOpen && $0.packets.handledCount > 1 && $0.packets.missingCount == 0
      })
  }

  private func packet(_ record: VisitRecord, _ number: Int) -> WorkerRequest {
    WorkerRequest(
      uuid: record.uuid.description,
      payload: record.game.form.packet(visit: record.number, number: number, byteCount: 60),
      event: nil)
  }

  private func stream(of record: VisitRecord, _ simulation: Simulation) throws -> Int {
    try #require(
      simulation.oracle.streams.first { $0.events.open.contains(record.number) }
    ).number
  }

  private func found(_ simulation: Simulation) -> Set<Property> {
    Set(simulation.oracle.violations.map(\.property))
  }

  @Test func aPacketHandledTwiceIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    simulation.oracle.handled(
      packet(record, 0), on: try stream(of: record, simulation))
    #expect(found(simulation) == [.packets])
  }

  @Test func aPacketUnderAnothersNameIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    var request = packet(record, 0)
    let other = try #require(
      simulation.oracle.visits.first { $0.isOpen && $0.number != record.number })
    request.uuid = other.uuid.description
    simulation.oracle.handled(request, on: try stream(of: other, simulation))
    #expect(found(simulation) == [.crossing])
  }

  @Test func aPacketOfNobodyIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    var request = packet(record, 0)
    request.uuid = "00000000-0000-4000-8000-000000000000"
    simulation.oracle.handled(request, on: 1)
    #expect(found(simulation) == [.crossing])
  }

  @Test func aPacketThatNobodyCountsIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    let number = record.packets.sentCount
    simulation.oracle.willSend(record.number, packet: number)
    simulation.oracle.handled(packet(record, number), on: try stream(of: record, simulation))
    #expect(found(simulation) == [.counters])
  }

  @Test func aPacketThatNobodyHandlesIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    simulation.oracle.willSend(record.number, packet: record.packets.sentCount)
    #expect(simulation.oracle.settled().contains { $0.contains("visit \(record.number)") })
    simulation.oracle.checkCalm()
    #expect(found(simulation).contains(.packets))
  }

  @Test func answersOfOthersOfNobodyAndTwiceAreFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    let oracle = simulation.oracle
    let stream = try stream(of: record, simulation)
    let serial = oracle.streams[stream - 1].lastSerial + 1
    let answer = Answer(
      visit: UInt32(record.number), stream: UInt32(stream), serial: serial, byteCount: 30)
    oracle.willAnswer(answer, to: record.uuid.description, on: stream)
    #expect(!oracle.hasFailed)
    oracle.received(record.number, Answer(visit: 99, stream: 1, serial: 1, byteCount: 30))
    #expect(oracle.violations.last?.property == .crossing)
    oracle.received(
      record.number,
      Answer(visit: UInt32(record.number), stream: 99, serial: 1, byteCount: 30))
    #expect(oracle.violations.last?.property == .answers)
    let before = oracle.violations.count
    oracle.sawEnd(record.number, reset: true)
    oracle.received(record.number, answer)
    #expect(oracle.violations.count == before + 1)
  }

  @Test func aBroadcastOfNobodyIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    let stream = try stream(of: record, simulation)
    simulation.oracle.received(
      record.number,
      Answer(visit: Answer.everybody, stream: UInt32(stream), serial: 9999, byteCount: 30))
    #expect(found(simulation) == [.answers])
  }

  @Test func aSessionThatEndsUnsaidIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    let gateway = simulation.gateways[0]
    simulation.oracle.gatewayClosed(record.visit.connection, .plain)
    simulation.oracle.turnEnded(gateway.door)
    #expect(found(simulation).contains(.counters))
    #expect(found(simulation).contains(.driver))
  }

  @Test func aWrongCountIsFound() throws {
    let simulation = try world()
    let record = try record(simulation)
    simulation.oracle.gatewayRead([1], from: record.visit.connection)
    simulation.oracle.check()
    #expect(found(simulation) == [.counters])
  }

  @Test func whoIsBannedMustGo() throws {
    let simulation = try world()
    let record = try record(simulation)
    let account = try #require(record.account)
    simulation.oracle.bans.banned(
      .addresses(AddressPrefix(record.address)), listener: nil, until: .distantFuture)
    for _ in 0..<21 {
      simulation.oracle.bans.timePassed(
        .milliseconds(100), gateway: 0, isUndisturbed: true, now: simulation.now)
    }
    simulation.oracle.checkBans(account, .zero)
    #expect(account.gateway.store == nil || found(simulation) == [.bans])
  }

  @Test func whatIsLeftIsFound() throws {
    let simulation = try world()
    #expect(!simulation.oracle.leftovers().isEmpty)
  }
}
