internal import Primitives

extension Scenario {
  /// A scenario drawn from its seed: small more often than large, calm more often than wild.
  package static func random(seed: UInt64) -> Scenario {
    var scenario = Scenario(seed: seed)
    var random = SeededRandom(seed: seed, "scenario")
    scenario.drawSizes(&random)
    scenario.drawGames(&random)
    scenario.drawWorkers(&random)
    scenario.drawClients(&random)
    scenario.drawFaults(&random)
    if random.chance(200) { scenario.workerSocketBytes = random.pick([2000, 20_000]) }
    scenario.drawStore(&random)
    scenario.drawShards()
    return scenario
  }

  /// From chance of its own: other numbers of a seed stay what they were before there were shards.
  private mutating func drawShards() {
    var random = SeededRandom(seed: seed, "shards")
    shards = random.pick([1, 1, 1, 1, 1, 2, 2, 3, 3, 4])
  }

  private mutating func drawSizes(_ random: inout SeededRandom) {
    milliseconds = random.pick([10, 20, 30, 60, 60, 120]) * 1000
    gateways = random.pick([1, 1, 1, 1, 2, 3])
    workers = random.draw(1...5)
    clients = random.pick([3, 8, 15, 25, 25, 40, 80])
    if random.chance(100) { descriptorsForClients = max(2, clients / 2) }
    cutPermille = random.pick([0, 100, 300, 300, 600, 1000])
    turnDelayMicroseconds = random.pick([0, 50, 200, 200, 2000, 20_000])
  }

  private mutating func drawGames(_ random: inout SeededRandom) {
    games = random.draw(1...4)
    pools = random.pick([1, 1, 2, 3])
    packetBalancePermille = random.pick([0, 500, 1000])
    rawPermille = random.pick([0, 150, 500])
    loginPermille = random.pick([0, 0, 500, 1000])
    preludePermille = random.pick([0, 300])
    if random.chance(200) { limitedPermille = random.pick([300, 1000]) }
    if random.chance(150) { temporaryBanRules = random.draw(1...3) }
    if random.chance(150) { setBounds() }
    fixtureAccounts = random.pick([20, 200, 200])
    if random.chance(100) { halfCloseMilliseconds = 300 }
    if random.chance(100) { idleMilliseconds = 3000 }
    if random.chance(100) { workerWaitMilliseconds = 1000 }
  }

  private mutating func drawWorkers(_ random: inout SeededRandom) {
    workersSessionEventsPermille = random.pick([0, 500, 1000])
    workersSilentPermille = random.pick([0, 100, 500])
    workersSeveralPermille = random.pick([0, 100, 500])
    workersLatePermille = random.pick([0, 300, 1000])
    workersDelayMilliseconds = random.pick([1, 5, 50, 300])
    if random.chance(200) { workersVeryLatePermille = 20 }
    if random.chance(300) { workersBroadcastMilliseconds = 1000 }
    if random.chance(200) { workersUnpromptedMilliseconds = 100 }
    if random.chance(150) { workersAuthenticateErrorPermille = 100 }
    if random.chance(150) { workersAuthenticateSilentPermille = 50 }
  }

  private mutating func drawClients(_ random: inout SeededRandom) {
    arrivals = random.pick([0, 0, 0, 1, 2])
    visitMilliseconds = random.pick([100, 1000, 8000, 8000, 60_000])
    pauseMilliseconds = random.pick([50, 500, 2000, 10_000])
    packetMilliseconds = random.pick([20, 100, 400, 400, 2000])
    burstPackets = random.pick([1, 4, 4, 20])
    latencyMilliseconds = random.pick([0, 5, 40, 200])
    if random.chance(200) { stampedeAt = milliseconds / 2 }
    // One in three is well-behaved.
    guard random.chance(667) else { return }
    let manners: [any Knob.Path] = [
      \.abruptPermille, \.resetPermille, \.halfPacketPermille, \.silentPermille,
      \.slowReaderPermille, \.stalledReaderPermille, \.violatingPermille, \.floodingPermille,
      \.wrongLoginPermille, \.sharedAccountPermille, \.noLoginPermille, \.questionPermille,
      \.tricklingPermille,
    ]
    for manner in manners where random.chance(300) {
      self[keyPath: manner] = random.pick([20, 100, 300])
    }
  }

  private mutating func drawStore(_ random: inout SeededRandom) {
    fixtureKind = random.pick([0, 1, 1, 1, 1, 2, 3])
    manyBans = random.pick([1000, 3000, 9000])
    hashThreads = random.pick([1, 2, 2, 4])
    hashMilliseconds = random.pick([5, 60, 60, 250])
    diskMicroseconds = random.pick([0, 50, 50, 500])
    sharedAddressPermille = random.pick([0, 200, 200, 800])
    bannedHostPermille = random.pick([0, 0, 100])
    eagerPermille = random.pick([0, 300, 300, 1000])
    refusalPermille = random.pick([0, 500, 1000])
    drawOthers(&random)
  }

  /// What seldom matters, and is seldom drawn.
  private mutating func drawOthers(_ random: inout SeededRandom) {
    let choices: [(path: any Knob.Path, values: [Int])] = [
      (\.arrivalMilliseconds, [200, 10_000]), (\.reconnectPermille, [0, 600]),
      (\.jitterMilliseconds, [0, 100]), (\.packetBytes, [20, 1000]),
      (\.longPacketPermille, [0, 200]), (\.cutWritePermille, [0, 500]),
      (\.writeMilliseconds, [2000]), (\.activeWindowMilliseconds, [1000]),
      (\.sessionsMax, [1000]), (\.clientQueueBytes, [65_536]),
      (\.clientQueueBytesTotal, [16 << 20]), (\.workerQueueBytes, [262_144]),
      (\.pendingLogins, [16]), (\.workersWithoutReadyPermille, [0, 500]),
      (\.workersWithoutLivePermille, [0, 500]), (\.workersSmallWindowPermille, [0, 1000]),
      (\.workersAnswersMax, [20]), (\.workersAnswerBytesMax, [100, 65_535]),
      (\.workersLargeAnswerPermille, [0, 30]), (\.workersVeryLateMilliseconds, [8000]),
      (\.workersGreetPermille, [0, 1000]), (\.workersAuthenticateLatePermille, [0, 1000]),
      (\.workersAuthenticateDelayMilliseconds, [5, 300]),
    ]
    for choice in choices where random.chance(100) {
      self[keyPath: choice.path] = random.pick(choice.values)
    }
  }

  /// None in one of six; else a few families, of which one may be wild.
  private mutating func drawFaults(_ random: inout SeededRandom) {
    longestFaultMilliseconds = random.pick([200, 2000, 8000, 8000, 20_000])
    guard !random.chance(166) else { return }
    var order = Array(DeedFamily.allCases.indices)
    random.shuffle(&order)
    for index in order.prefix(random.draw(1...5)) {
      self[keyPath: DeedFamily.allCases[index].rate] = random.pick([1, 3, 6, 12, 12, 40])
    }
  }
}
