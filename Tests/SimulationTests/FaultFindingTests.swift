import Primitives
import Testing

@testable import Simulation

/// Goal: each classical mistake that can be put back is found by the simulator within a few seeds.
///
/// Method: a small scenario for each, seeds from 1 on until one breaks. Then the same seed without
/// the mistake, which must pass: otherwise it would not be the mistake that was found.
@Suite struct FaultFindingTests {
  @Test(arguments: Fault.allCases) func theSimulatorFinds(fault: Fault) throws {
    let trial = try #require(FaultTrial.all.first { $0.fault == fault }, "no trial for \(fault)")
    var found: (seed: UInt64, violation: Violation)?
    for seed in 1...trial.seedsMax where found == nil {
      let report = try Fault.$active.withValue(fault) { try trial.run(seed: seed) }
      found = report.violations.first.map { (seed, $0) }
    }
    let (seed, violation) = try #require(
      found, "not found in \(trial.seedsMax) seeds of \"\(trial.scenario)\"")
    #expect(trial.properties.contains(violation.property), "\(violation.text)")
    let report = try trial.run(seed: seed)
    #expect(report.hasPassed, "without the fault: \(report.line)")
  }

  /// Goal: a table that is out of date does not hide it.
  @Test func eachFaultHasOneTrial() {
    for fault in Fault.allCases {
      #expect(FaultTrial.all.count { $0.fault == fault } == 1, "\(fault)")
    }
  }
}

/// Where one mistake shows.
struct FaultTrial {
  var fault: Fault
  /// As for `gatehouse sim --scenario`; all clients come at its start.
  var scenario: String
  /// It shows with one of the seeds up to this one.
  var seedsMax: UInt64
  /// What it breaks first, depending on how things go.
  var properties: Set<Property>

  init(
    _ fault: Fault, _ scenario: String, seedsMax: UInt64 = 3, _ properties: Set<Property>
  ) {
    self.fault = fault
    self.scenario = scenario
    self.seedsMax = seedsMax
    self.properties = properties
  }

  func run(seed: UInt64) throws -> Report {
    let scenario = try Scenario.parse(scenario + " arrivals=2", seed: seed)
    return Simulation(scenario).run()
  }

  static let all = packets + answers + workers + logins + bans + leftBehind + shards

  // MARK: Packets

  private static let packets = [
    FaultTrial(
      .dropOnFailover, "half-written milliseconds=4000 clients=6 workers=2",
      [.packets, .sessionEvents]),
    FaultTrial(
      .forgetHalfPacket,
      "cuts milliseconds=600 clients=4 games=4 rawPermille=0 cutWritePermille=500 "
        + "packetMilliseconds=20 burstPackets=20",
      [.packets, .reasons]),
    FaultTrial(.countOffered, fullWorker, [.counters, .packets]),
    FaultTrial(
      .misorderAfterMove,
      "half-written milliseconds=3000 clients=6 delaysPerMinute=300 stallsPerMinute=0",
      [.audit, .packets]),
    FaultTrial(
      .sendAgainWhatLeft, "half-written milliseconds=4000 clients=6 workers=2",
      [.packets, .sessionEvents]),
    FaultTrial(
      .forgetHalfWritten, "half-written milliseconds=4000 clients=6 workers=2",
      [.packets, .sessionEvents]),
    FaultTrial(
      .dropHeld, "logins milliseconds=3000 clients=6 games=4 preludePermille=1000", [.packets]),
    FaultTrial(.loseWorkerWakeUp, fullWorker, [.audit]),
  ]

  /// A worker that stops now and then, behind a small queue.
  private static let fullWorker =
    "bounds milliseconds=4000 clients=6 workers=1 stallsPerMinute=120 workerSocketBytes=1024 "
    + "packetMilliseconds=50"

  // MARK: Answers

  private static let answers = [
    FaultTrial(.answerByPlace, "half-closes milliseconds=3000 clients=6", [.crossing]),
    FaultTrial(.dropAnswerToHalfClosed, "half-closes milliseconds=3000 clients=6", [.answers]),
    FaultTrial(
      .broadcastToOtherPools,
      "packets milliseconds=3000 clients=6 workersBroadcastMilliseconds=1000", [.crossing]),
    FaultTrial(.wrongOffset, "quiet milliseconds=3000 clients=4", [.answers]),
    FaultTrial(.loseClientWakeUp, "quiet milliseconds=3000 clients=4", [.driver]),
    FaultTrial(
      .unboundedQueue,
      "slow-readers milliseconds=4000 clients=3 stalledReaderPermille=1000 "
        + "packetMilliseconds=50 workersLargeAnswerPermille=1000",
      [.audit]),
    FaultTrial(
      .keepHalfAnswer,
      "lies milliseconds=4000 clients=6 workers=1 liesPerMinute=300 packetMilliseconds=50 "
        + "longestFaultMilliseconds=100",
      [.answers]),
  ]

  // MARK: Workers

  private static let workers = [
    FaultTrial(
      .forgetFlowControlCredit,
      "quiet milliseconds=3000 clients=3 workers=1 packetMilliseconds=50 "
        + "workersLargeAnswerPermille=1000",
      [.progress]),
    FaultTrial(.forgetFrames, "quiet milliseconds=2000 clients=3", [.audit]),
    FaultTrial(
      .noWaitForEndOfStream, "drains milliseconds=3000 clients=4 drainsPerMinute=60", [.answers]),
    FaultTrial(
      .closedNotSent,
      "resets milliseconds=3000 clients=4 resetsPerMinute=120 "
        + "workersSessionEventsPermille=1000",
      [.progress]),
    FaultTrial(
      .leakHold,
      "slow-readers milliseconds=4000 clients=6 workers=1 visitMilliseconds=1000 "
        + "stalledReaderPermille=700 resetPermille=500 packetMilliseconds=50 "
        + "workersLargeAnswerPermille=500",
      [.audit]),
  ]

  // MARK: Logins and bans

  private static let logins = [
    FaultTrial(.verdictByPlace, hastyLogins, [.authentication, .reasons]),
    FaultTrial(
      .forwardBeforeVerdict, "logins milliseconds=2000 clients=4 games=4 loginPermille=1000",
      [.authentication]),
    FaultTrial(
      .failOpen,
      "disk milliseconds=4000 clients=6 loginPermille=1000 visitMilliseconds=300 "
        + "pauseMilliseconds=100 diskFaultsPerMinute=200",
      seedsMax: 5, [.authentication]),
    FaultTrial(.leakVerification, hastyLogins, [.progress]),
  ]

  /// Clients that do not wait for what becomes of their claims.
  private static let hastyLogins =
    "logins milliseconds=4000 clients=8 games=4 loginPermille=1000 hashMilliseconds=500 "
    + "visitMilliseconds=200 pauseMilliseconds=20 reconnectPermille=1000 resetPermille=1000"

  private static let bans = [
    FaultTrial(
      .ignoreBanDuringLogin,
      "bans milliseconds=8000 clients=24 games=4 loginPermille=1000 bansPerMinute=120 "
        + "visitMilliseconds=1000 pauseMilliseconds=100 sharedAddressPermille=0 "
        + "wrongLoginPermille=0 noLoginPermille=0 questionPermille=0",
      seedsMax: 6, [.bans]),
    FaultTrial(
      .ignoreBanOfOpen,
      "bans milliseconds=5000 clients=8 games=4 bansPerMinute=300 visitMilliseconds=60000",
      seedsMax: 5, [.bans]),
    FaultTrial(
      .forgetRuleBan,
      "hostile milliseconds=4000 clients=6 temporaryBanRules=8 bansPerMinute=120 "
        + "visitMilliseconds=300 pauseMilliseconds=100 violatingPermille=1000 "
        + "diskMicroseconds=200000",
      seedsMax: 5, [.bans]),
  ]

  // MARK: What sessions leave behind

  private static let leftBehind = [
    FaultTrial(.leakTimer, caughtClients, [.audit]),
    FaultTrial(.forgetHalfCloseTimer, "half-closes milliseconds=2000 clients=4", [.audit]),
    FaultTrial(
      .keepAddressCount,
      "limits milliseconds=3000 clients=6 games=4 visitMilliseconds=500 pauseMilliseconds=100 "
        + "resetPermille=1000 sharedAddressPermille=500",
      [.audit, .limits]),
    FaultTrial(
      .forgetRate, "limits milliseconds=3000 clients=4 games=4 packetMilliseconds=50",
      seedsMax: 5, [.limits]),
    FaultTrial(.freeListenerEarly, caughtClients, [.audit]),
  ]

  // MARK: Several shards

  private static let shards = [
    FaultTrial(.loseReturnedPackets, lonelyWorkers, [.audit, .packets]),
    FaultTrial(.misorderReturnedPackets, lonelyWorkers, [.audit, .packets]),
    FaultTrial(
      .forgetCloseOfAway,
      "bans milliseconds=5000 clients=8 games=4 workers=2 shards=2 bansPerMinute=300 "
        + "visitMilliseconds=60000",
      seedsMax: 5, [.bans]),
    FaultTrial(
      .forgetEndOfAway, "shards milliseconds=3000 clients=6 visitMilliseconds=500",
      [.audit, .counters]),
    FaultTrial(
      .broadcastToOwnShard,
      "shards milliseconds=3000 clients=6 workersBroadcastMilliseconds=300", [.progress, .answers]
    ),
  ]

  /// One on each shard, which can't be reached now and then, and then is gone.
  private static let lonelyWorkers =
    "half-written milliseconds=4000 clients=16 workers=3 shards=3 packetMilliseconds=20 "
    + "delaysPerMinute=600 crashesPerMinute=300 latencyMilliseconds=5 "
    + "longestFaultMilliseconds=500"

  /// Clients that are told why they are closed.
  private static let caughtClients =
    "hostile milliseconds=3000 clients=4 visitMilliseconds=500 violatingPermille=1000"
}
