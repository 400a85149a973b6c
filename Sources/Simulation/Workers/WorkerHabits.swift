internal import Primitives

/// How a worker's program is written: drawn once, the same after each restart.
struct WorkerHabits {
  /// It asks for SESSION_EVENTS.
  var sessionEvents: Bool
  /// False: `ready` is UNIMPLEMENTED.
  var hasReady: Bool
  /// False: `live` is UNIMPLEMENTED.
  var hasLive: Bool
  /// The longest message it takes; its windows are four times as large.
  var messageBytesMax: Int

  init(_ scenario: Scenario, _ random: inout SeededRandom) {
    hasReady = !random.chance(scenario.workersWithoutReadyPermille)
    hasLive = !random.chance(scenario.workersWithoutLivePermille)
    let asks = random.chance(scenario.workersSessionEventsPermille)
    // The answer to `ready` is where it would ask.
    sessionEvents = hasReady && asks
    let isSmall = random.chance(scenario.workersSmallWindowPermille)
    messageBytesMax = isSmall ? Self.smallMessageBytesMax : Self.largeMessageBytesMax
  }

  /// What one read of a raw client brings, and the little around it.
  private static let smallMessageBytesMax = (256 << 10) + 1024
  /// Beyond the longest message of a gateway, 4 MiB.
  private static let largeMessageBytesMax = (4 << 20) + 1024
}

/// What a worker does with one packet.
extension Scenario {
  /// How many answers a packet gets.
  func answerCount(_ random: inout SeededRandom) -> Int {
    if random.chance(workersSilentPermille) { return 0 }
    return random.chance(workersSeveralPermille) ? random.draw(2...max(2, workersAnswersMax)) : 1
  }

  /// Mostly short, some longer, few very long.
  func answerByteCount(_ random: inout SeededRandom) -> Int {
    let least = Answer.headByteCount
    if random.chance(workersLargeAnswerPermille) { return random.draw(least...0xffff) }
    let most = min(max(workersAnswerBytesMax, least), 0xffff)
    return random.draw(least...(random.chance(200) ? most : min(most, 200)))
  }

  /// How long an answer takes; zero for most.
  func answerDelay(_ random: inout SeededRandom) -> Interval {
    if random.chance(workersVeryLatePermille) {
      return random.draw(.zero ... .milliseconds(UInt64(workersVeryLateMilliseconds)))
    }
    guard random.chance(workersLatePermille) else { return .zero }
    return random.exponential(mean: .milliseconds(UInt64(workersDelayMilliseconds)))
  }
}
