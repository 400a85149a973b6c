/// The table of all numbers; whoever adds one to ``Scenario`` adds its line here.
extension Knob {
  /// One for each number of a scenario.
  package static let all: [Knob] =
    [sizes, system, deeds, games, bounds, visits, talk, manners, store, workerHabits].flatMap { $0 }

  private static let deeds: [Knob] =
    DeedFamily.allCases.map { family in
      Knob(
        "\(family.rawValue)PerMinute", family.rate, 0...6000,
        "a virtual minute: \(family.meaning)")
    } + [
      Knob(
        "longestFaultMilliseconds", \.longestFaultMilliseconds, 10...600_000,
        "the longest time that a fault lasts")
    ]

  private static let sizes: [Knob] = [
    Knob("milliseconds", \.milliseconds, 1...360_000_000, "how long load and faults last"),
    Knob("gateways", \.gateways, 1...16, "gateways, which share workers and database"),
    Knob("shards", \.shards, 1...4, "shards of each gateway, with a loop each"),
    Knob("workers", \.workers, 1...64, "workers' processes"),
    Knob("clients", \.clients, 0...100_000, "players' programs"),
    Knob(
      "descriptorsForClients", \.descriptorsForClients, 1...1_000_000,
      "connections that a gateway may have with clients", calm: .standard),
  ]

  private static let system: [Knob] = [
    Knob("cutPermille", \.cutPermille, 0...1000, "system calls that move only a part, of 1000"),
    Knob(
      "turnDelayMicroseconds", \.turnDelayMicroseconds, 0...1_000_000,
      "the longest time until a gateway's loop wakes up"),
    Knob(
      "workerSocketBytes", \.workerSocketBytes, 1024...1 << 24,
      "bytes that wait to be read on a connection with a worker", calm: .standard),
  ]

  private static let games: [Knob] = [
    Knob("games", \.games, 1...4, "listeners, each with a game of its own"),
    Knob("pools", \.pools, 1...64, "pools that workers are dealt to"),
    Knob(
      "packetBalancePermille", \.packetBalancePermille, 0...1000,
      "pools but the first that deal packets, of 1000"),
    Knob("rawPermille", \.rawPermille, 0...1000, "games without packets, of 1000"),
    Knob(
      "loginPermille", \.loginPermille, 0...1000,
      "games that ask who their clients are, of 1000"),
    Knob(
      "preludePermille", \.preludePermille, 0...1000,
      "of those, whose clients say something else before, of 1000"),
    Knob("limitedPermille", \.limitedPermille, 0...1000, "games with limits, of 1000"),
    Knob(
      "refusalPermille", \.refusalPermille, 0...1000,
      "reasons of which a game's clients are told, of 1000"),
    Knob("temporaryBanRules", \.temporaryBanRules, 0...8, "rules that ban for a while"),
  ]

  private static let bounds: [Knob] = [
    Knob("sessionsMax", \.sessionsMax, 1...1_000_000, "sessions of a gateway", calm: .standard),
    Knob(
      "clientQueueBytes", \.clientQueueBytes, 65_536...1 << 30,
      "bytes that may wait for a client", calm: .standard),
    Knob(
      "clientQueueBytesTotal", \.clientQueueBytesTotal, 65_536...1 << 34,
      "bytes that may wait for all clients", calm: .standard),
    Knob(
      "workerQueueBytes", \.workerQueueBytes, 65_536...1 << 32,
      "bytes that may wait for a worker", calm: .standard),
    Knob(
      "pendingLogins", \.pendingLogins, 1...100_000,
      "clients at a time that are not let in yet", calm: .standard),
    Knob(
      "idleMilliseconds", \.idleMilliseconds, 100...3_600_000,
      "a silent client is closed after so long", calm: .standard),
    Knob(
      "writeMilliseconds", \.writeMilliseconds, 100...3_600_000,
      "a client that takes nothing is closed after so long", calm: .standard),
    Knob(
      "workerWaitMilliseconds", \.workerWaitMilliseconds, 100...3_600_000,
      "a session without a worker is closed after so long", calm: .standard),
    Knob(
      "halfCloseMilliseconds", \.halfCloseMilliseconds, 100...3_600_000,
      "how long answers are due to a client that has ended", calm: .standard),
    Knob(
      "activeWindowMilliseconds", \.activeWindowMilliseconds, 100...3_600_000,
      "how long a session counts as active", calm: .standard),
  ]

  private static let visits: [Knob] = [
    Knob(
      "arrivals", \.arrivals, 0...2,
      "clients come at random (0), in waves (1), all at once (2)"),
    Knob(
      "arrivalMilliseconds", \.arrivalMilliseconds, 1...3_600_000,
      "the mean time until a client's first visit", calm: .standard),
    Knob(
      "visitMilliseconds", \.visitMilliseconds, 1...3_600_000,
      "the mean length of a visit", calm: .standard),
    Knob(
      "pauseMilliseconds", \.pauseMilliseconds, 1...3_600_000,
      "the mean time between two visits", calm: .standard),
    Knob(
      "reconnectPermille", \.reconnectPermille, 0...1000,
      "visits after which the client comes again at once, of 1000"),
    Knob(
      "stampedeAt", \.stampedeAt, 0...360_000_000,
      "when all clients come at once, in milliseconds; 0 is never"),
    Knob(
      "sharedAddressPermille", \.sharedAddressPermille, 0...1000,
      "clients that share an address, of 1000"),
    Knob(
      "bannedHostPermille", \.bannedHostPermille, 0...1000,
      "clients in a network that the prepared database bans, of 1000"),
    Knob(
      "latencyMilliseconds", \.latencyMilliseconds, 0...60_000,
      "the longest way of a client to a gateway"),
    Knob("jitterMilliseconds", \.jitterMilliseconds, 0...60_000, "how much that varies"),
  ]

  private static let talk: [Knob] = [
    Knob(
      "packetMilliseconds", \.packetMilliseconds, 1...3_600_000,
      "the mean time between a client's bursts", calm: .standard),
    Knob("burstPackets", \.burstPackets, 1...1000, "the most packets of a burst"),
    Knob(
      "packetBytes", \.packetBytes, 1...65_535,
      "how long packets are, but for long ones", calm: .standard),
    Knob("longPacketPermille", \.longPacketPermille, 0...1000, "packets of any length, of 1000"),
    Knob(
      "cutWritePermille", \.cutWritePermille, 0...1000,
      "writes of clients that stop at any byte, of 1000"),
  ]

  private static let manners: [Knob] = [
    Knob(
      "abruptPermille", \.abruptPermille, 0...1000,
      "visits that end without waiting for what is on its way, of 1000"),
    Knob("resetPermille", \.resetPermille, 0...1000, "visits that end with a reset, of 1000"),
    Knob(
      "halfPacketPermille", \.halfPacketPermille, 0...1000,
      "visits that end within a packet, of 1000"),
    Knob("silentPermille", \.silentPermille, 0...1000, "visits that fall silent and stay, of 1000"),
    Knob("slowReaderPermille", \.slowReaderPermille, 0...1000, "visits that read slowly, of 1000"),
    Knob(
      "stalledReaderPermille", \.stalledReaderPermille, 0...1000,
      "visits that stop reading, of 1000"),
    Knob(
      "violatingPermille", \.violatingPermille, 0...1000,
      "visits that break the game's form, of 1000"),
    Knob(
      "floodingPermille", \.floodingPermille, 0...1000,
      "visits that send far more than others, of 1000"),
    Knob(
      "wrongLoginPermille", \.wrongLoginPermille, 0...1000,
      "logins with a wrong secret, of 1000"),
    Knob(
      "sharedAccountPermille", \.sharedAccountPermille, 0...1000,
      "logins as somebody else, of 1000"),
    Knob("noLoginPermille", \.noLoginPermille, 0...1000, "visits without a login, of 1000"),
    Knob(
      "questionPermille", \.questionPermille, 0...1000,
      "visits that ask the gateway something, of 1000"),
    Knob(
      "tricklingPermille", \.tricklingPermille, 0...1000,
      "logins that come a byte at a time, of 1000"),
    Knob(
      "eagerPermille", \.eagerPermille, 0...1000,
      "visits that go on without waiting for the login, of 1000"),
  ]

  private static let workerHabits: [Knob] = [
    Knob(
      "workersSessionEventsPermille", \.workersSessionEventsPermille, 0...1000,
      "workers with session events, of 1000"),
    Knob(
      "workersWithoutReadyPermille", \.workersWithoutReadyPermille, 0...1000,
      "workers without `ready`, of 1000"),
    Knob(
      "workersWithoutLivePermille", \.workersWithoutLivePermille, 0...1000,
      "workers without `live`, of 1000"),
    Knob(
      "workersSmallWindowPermille", \.workersSmallWindowPermille, 0...1000,
      "workers with small HTTP/2 windows, of 1000"),
    Knob(
      "workersSilentPermille", \.workersSilentPermille, 0...1000,
      "packets without an answer, of 1000"),
    Knob(
      "workersSeveralPermille", \.workersSeveralPermille, 0...1000,
      "packets with several answers, of 1000"),
    Knob("workersAnswersMax", \.workersAnswersMax, 2...1000, "the most answers of a packet"),
    Knob(
      "workersAnswerBytesMax", \.workersAnswerBytesMax, 14...65_535,
      "how long most answers are at the most", calm: .standard),
    Knob(
      "workersLargeAnswerPermille", \.workersLargeAnswerPermille, 0...1000,
      "answers that may be longer, of 1000"),
    Knob(
      "workersLatePermille", \.workersLatePermille, 0...1000,
      "answers that take some time, of 1000"),
    Knob(
      "workersDelayMilliseconds", \.workersDelayMilliseconds, 0...600_000,
      "how long, on the average"),
    Knob(
      "workersVeryLatePermille", \.workersVeryLatePermille, 0...1000,
      "answers that take very long, of 1000"),
    Knob(
      "workersVeryLateMilliseconds", \.workersVeryLateMilliseconds, 0...600_000,
      "how long, at the most"),
    Knob(
      "workersGreetPermille", \.workersGreetPermille, 0...1000,
      "sessions that are greeted, of 1000"),
    Knob(
      "workersUnpromptedMilliseconds", \.workersUnpromptedMilliseconds, 0...3_600_000,
      "the mean time between answers to nothing; 0 is never"),
    Knob(
      "workersBroadcastMilliseconds", \.workersBroadcastMilliseconds, 0...3_600_000,
      "the mean time between broadcasts; 0 is never"),
    Knob(
      "workersAuthenticateLatePermille", \.workersAuthenticateLatePermille, 0...1000,
      "logins that a worker decides late, of 1000"),
    Knob(
      "workersAuthenticateDelayMilliseconds", \.workersAuthenticateDelayMilliseconds, 0...600_000,
      "how late, on the average"),
    Knob(
      "workersAuthenticateErrorPermille", \.workersAuthenticateErrorPermille, 0...1000,
      "logins that a worker ends with an error, of 1000"),
    Knob(
      "workersAuthenticateSilentPermille", \.workersAuthenticateSilentPermille, 0...1000,
      "logins that a worker never decides, of 1000"),
  ]

  private static let store: [Knob] = [
    Knob(
      "fixtureKind", \.fixtureKind, 0...3,
      "the database has nothing (0), accounts (1), what has ended (2), many bans (3)"),
    Knob("fixtureAccounts", \.fixtureAccounts, 1...100_000, "accounts there", calm: .standard),
    Knob("manyBans", \.manyBans, 0...10_000_000, "bans there"),
    Knob("hashThreads", \.hashThreads, 1...64, "threads that hash passwords", calm: .standard),
    Knob("hashMilliseconds", \.hashMilliseconds, 0...60_000, "how long each password takes"),
    Knob("diskMicroseconds", \.diskMicroseconds, 0...1_000_000, "how long each write takes"),
  ]
}
