internal import Gateway
internal import Primitives

/// The bounds of every value that a configuration file may set.
///
/// Lower bounds keep a slip of the unit from making the gateway useless; upper bounds keep timers
/// and queues within what the rest of the gateway is made for.
enum Bounds {
  static let idleTimeout = Interval.seconds(1)...Interval.seconds(30 * 86_400)
  static let writeTimeout = Interval.milliseconds(100)...Interval.seconds(3_600)
  static let workerWait = Interval.zero...Interval.seconds(600)
  static let halfCloseTimeout = Interval.zero...Interval.seconds(600)
  /// The longest that Linux takes for TCP_KEEPIDLE.
  static let keepalive = Interval.zero...Interval.seconds(32_767)

  static let activeWindow = Interval.seconds(1)...Interval.seconds(86_400)
  static let drainTimeout = Interval.zero...Interval.seconds(3_600)
  static let connectTimeout = Interval.milliseconds(10)...Interval.seconds(300)
  static let readyTimeout = Interval.milliseconds(10)...Interval.seconds(3_600)
  static let aliveTimeout = Interval.milliseconds(100)...Interval.seconds(3_600)

  static let shards = 1...Shard.shardsMax

  static let shutdownGrace = Interval.zero...Interval.seconds(3_600)

  static let loginDeadline = Interval.milliseconds(100)...Interval.seconds(600)
  static let workerVerdictTimeout = Interval.milliseconds(10)...Interval.seconds(60)
  static let ticketKeys = 1...16
  static let audienceBytes = 1...64
  static let ticketLifetime = Interval.seconds(1)...Interval.seconds(30 * 86_400)

  static let loginReservedPercent = 0...90
  static let loginKnownFor = Interval.seconds(1)...Interval.seconds(3_650 * 86_400)
  /// No more than the store's queue holds.
  static let loginVerifications = 1...1_024
  static let loginRefusalDelay = Interval.zero...Interval.seconds(10)

  static let eventsPerSecond = 1...1_000_000
  static let eventsBurst = 1...1_000_000
  /// As exact as ``Auth/RatePace`` is.
  static let bytesPerSecond = 1...(1 << 40)
  static let bytesBurst = 1...(1 << 40)
  static let packetBytes = 1...(64 << 20)

  static let offences = 1...10_000
  static let offencesWithin = Interval.seconds(1)...Interval.seconds(30 * 86_400)
  static let banDuration = Interval.seconds(1)...Interval.seconds(3_650 * 86_400)
  static let banGrowth = 1...100
  static let banReasonBytes = 0...256
  static let allowances = 256
  static let ipv4PrefixLength = 8...32
  static let ipv6PrefixLength = 32...128

  /// Argon2id as libsodium takes it (RFC 9106 section 3.1).
  static let passwordPasses = 1...64
  static let passwordMemoryBytes = 8_192...(1 << 30)
  static let passwordThreads = 1...64
  static let loginHistory = Interval.seconds(86_400)...Interval.seconds(3_650 * 86_400)

  static let sessions = 1...16_777_215
  static let messageBytes = 1_024...(64 << 20)
  static let clientQueueBytes = 4_096...(1 << 30)
  static let clientQueueBytesTotal = 65_536...(64 << 30)
  static let workerQueueBytes = 65_536...(512 << 20)

  /// A bearer token (RFC 6750 section 2.1); shorter ones can be guessed.
  static let tokenBytes = 16...256
  static let pathBytes = 1...4_095

  /// What a gRPC message holds beside the client's packet, rounded up: prefix, time, UUID, tags,
  /// sequence numbers.
  static let messageOverheadBytes = 256

  static let loginPackets = 1...1_000
  static let loginBytes = 64...(1 << 20)
  static let loginOffset = -65_536...65_536
  static let loginLength = 0...(1 << 20)
  /// What a packet or a connection may have to begin with.
  static let loginQuestionBytes = 1...256
}
