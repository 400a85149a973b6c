/// Scenarios that have a name: each shows one side of the gateway's life.
package enum NamedScenario: String, CaseIterable, Sendable {
  case random, quiet, crowd, waves, stampede, leavers, logins, limits, bounds, packets
  case slowReaders = "slow-readers"
  case halfCloses = "half-closes"
  case halfWritten = "half-written"
  case hostile, cuts, resets, delays, partitions, crashes, stalls, lies, drains, pauses, shutdown
  case manyBans = "many-bans"
  case operators, bans, disk, kills, gateways, shards, moves, everything

  package var meaning: String {
    switch self {
    case .random: "drawn from the seed: sizes, and a few families of faults or none"
    case .quiet: "no faults: nothing may be lost"
    case .crowd: "many clients"
    case .waves: "clients come in waves, all together"
    case .stampede: "all workers are gone for a while; all clients come back at once"
    case .leavers: "clients reset, close without waiting, or leave within a packet"
    case .logins: "clients show who they are: rightly, wrongly, late, never, as garbage"
    case .limits: "listeners with limits, and clients that don't keep to them"
    case .bounds: "small queues and few sessions"
    case .packets: "several pools, some of which deal packets"
    case .slowReaders: "clients that read slowly, or stop reading"
    case .halfCloses: "short visits that end with a half-close, and late answers"
    case .hostile: "clients that break their game's form, or flood"
    case .cuts: "no system call moves all that it could"
    case .resets: "connections are reset from outside"
    case .delays: "paths go dark or slow for a while"
    case .partitions: "gateways reach no worker for a while"
    case .crashes: "workers crash, exit and come back"
    case .stalls: "workers stop, take or answer nothing, are not ready, can't be reached"
    case .halfWritten: "workers stop reading, and crash with half a message taken"
    case .lies: "workers break the contract"
    case .drains: "workers are drained, removed and added"
    case .pauses: "gateways get no time, or no descriptors"
    case .shutdown: "gateways are ended by SIGTERM and started again"
    case .operators: "sessions kicked, listeners removed and added, recordings, questions"
    case .bans: "operators ban and lift bans, disable accounts, revoke tokens"
    case .disk: "the disk is slow, full, or failing"
    case .kills: "gateways are killed, or lose power, and are started again"
    case .manyBans: "a million bans are in the database; some clients are under one"
    case .gateways: "three gateways share workers"
    case .shards: "three shards, which sessions are dealt to with their workers"
    case .moves: "three shards, and workers that crash, lie and drain: sessions come back"
    case .everything: "all of it at once"
    }
  }

  package func scenario(seed: UInt64) -> Scenario {
    guard self != .random else { return .random(seed: seed) }
    var scenario = Scenario(seed: seed)
    setFaults(of: &scenario)
    setPeople(of: &scenario)
    return scenario
  }

  private func setFaults(of scenario: inout Scenario) {
    switch self {
    case .cuts: scenario.cutPermille = 1000
    case .resets: scenario.resetsPerMinute = 60
    case .delays: scenario.delaysPerMinute = 20
    case .partitions: scenario.partitionsPerMinute = 6
    case .crashes: scenario.crashesPerMinute = 12
    case .stalls: scenario.stallsPerMinute = 12
    case .halfWritten:
      // Workers that stop reading for a while, and then are gone.
      scenario.crashesPerMinute = 120
      scenario.stallsPerMinute = 300
      scenario.longestFaultMilliseconds = 2000
      scenario.workerSocketBytes = 1024
      scenario.packetMilliseconds = 50
      scenario.packetBytes = 400
    case .lies: scenario.liesPerMinute = 12
    case .drains: scenario.drainsPerMinute = 12
    case .pauses: scenario.pausesPerMinute = 20
    case .shutdown: scenario.restartsPerMinute = 4
    case .operators:
      scenario.games = 3
      scenario.kicksPerMinute = 20
      scenario.listenersPerMinute = 6
      scenario.recordingsPerMinute = 6
      scenario.questionsPerMinute = 30
    case .bans:
      scenario.setLogins()
      scenario.bansPerMinute = 20
      scenario.bannedHostPermille = 100
    case .disk:
      scenario.setLogins()
      scenario.bansPerMinute = 3
      scenario.diskFaultsPerMinute = 12
    case .kills:
      scenario.setLogins()
      scenario.bansPerMinute = 12
      scenario.killsPerMinute = 6
    case .manyBans:
      scenario.setLogins()
      scenario.fixtureKind = 3
      scenario.bansPerMinute = 12
    case .moves:
      scenario.crashesPerMinute = 30
      scenario.liesPerMinute = 12
      scenario.drainsPerMinute = 20
      scenario.longestFaultMilliseconds = 3000
    case .stampede:
      scenario.partitionsPerMinute = 2
      scenario.stampedeAt = 30_000
      scenario.clients = 100
    case .everything:
      scenario.cutPermille = 500
      for family in DeedFamily.allCases { scenario[keyPath: family.rate] = 3 }
    case .random, .quiet, .crowd, .waves, .leavers, .logins, .limits, .bounds, .packets,
      .slowReaders, .halfCloses, .hostile, .gateways, .shards:
      break
    }
  }

  private func setPeople(of scenario: inout Scenario) {
    switch self {
    case .crowd: scenario.clients = 400
    case .waves:
      scenario.arrivals = 1
      scenario.clients = 100
    case .leavers: scenario.setLeavers()
    case .logins: scenario.setLogins()
    case .limits:
      scenario.limitedPermille = 1000
      scenario.floodingPermille = 200
      scenario.temporaryBanRules = 3
    case .bounds: scenario.setBounds()
    case .packets: scenario.setPackets()
    case .slowReaders:
      scenario.slowReaderPermille = 300
      scenario.stalledReaderPermille = 100
      scenario.clientQueueBytes = 65_536
    case .halfCloses:
      scenario.visitMilliseconds = 300
      scenario.pauseMilliseconds = 300
      scenario.workersLatePermille = 700
      scenario.workersDelayMilliseconds = 100
    case .hostile:
      scenario.violatingPermille = 300
      scenario.floodingPermille = 200
      scenario.silentPermille = 100
    case .gateways:
      scenario.gateways = 3
      scenario.clients = 60
    case .shards: scenario.setShards()
    case .moves:
      scenario.setShards()
      scenario.workersBroadcastMilliseconds = 1000
    case .everything:
      scenario.games = 3
      scenario.clients = 40
      scenario.setLogins()
      scenario.setLeavers()
      scenario.setPackets()
      scenario.limitedPermille = 300
      scenario.violatingPermille = 50
      scenario.slowReaderPermille = 50
    case .random, .quiet, .stampede, .cuts, .resets, .delays, .partitions, .crashes, .stalls,
      .halfWritten, .lies, .drains, .pauses, .shutdown, .operators, .bans, .manyBans, .disk,
      .kills:
      break
    }
  }
}

/// What several scenarios have in common.
extension Scenario {
  mutating func setLeavers() {
    abruptPermille = 150
    resetPermille = 150
    halfPacketPermille = 150
  }

  /// Clients log in, most of them rightly.
  mutating func setLogins() {
    games = max(games, 2)
    loginPermille = 800
    preludePermille = 200
    wrongLoginPermille = 150
    sharedAccountPermille = 100
    noLoginPermille = 80
    questionPermille = 50
    tricklingPermille = 100
    temporaryBanRules = 1
  }

  /// Workers on each of several shards, some with more than one.
  mutating func setShards() {
    shards = 3
    workers = 5
    games = 3
    pools = 2
    clients = 30
    packetMilliseconds = 100
    longPacketPermille = 200
  }

  mutating func setBounds() {
    sessionsMax = max(2, clients / 2)
    clientQueueBytes = 65_536
    clientQueueBytesTotal = 262_144
    workerQueueBytes = 65_536
    workerSocketBytes = 16_384
    pendingLogins = 4
    workersLargeAnswerPermille = 50
    longPacketPermille = 200
    slowReaderPermille = max(slowReaderPermille, 100)
  }

  mutating func setPackets() {
    games = max(games, 3)
    pools = 2
    workers = max(workers, 4)
    packetBalancePermille = 1000
  }
}
