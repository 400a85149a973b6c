package import Primitives

/// All that tells one simulation from another; everything else follows from it.
///
/// Numbers alone, so that they can be named on the command line and made smaller one by one. Each
/// has its line in ``Knob/all``. As it is made, a scenario is a quiet world without faults, in
/// which nothing may be lost.
package struct Scenario: Equatable, Sendable {
  package var seed: UInt64
  /// How long faults and load last, in virtual milliseconds; then all must calm down.
  package var milliseconds = 60_000

  // Sizes.
  package var gateways = 1
  /// Of each gateway, see ``VirtualGateway``: 1 to 4.
  package var shards = 1
  package var workers = 3
  package var clients = 20
  package var descriptorsForClients = 1000

  // The network and the system.
  /// System calls that move only a part, of a thousand.
  package var cutPermille = 300
  /// The longest time between something happening and the loop's turn, in microseconds.
  package var turnDelayMicroseconds = 200
  /// What a connection with a worker takes each way before it is read: both kernels' buffers.
  package var workerSocketBytes = 256 << 10

  // What the plan does, so many times a virtual minute; see ``DeedFamily``.
  package var resetsPerMinute = 0
  package var delaysPerMinute = 0
  package var partitionsPerMinute = 0
  package var crashesPerMinute = 0
  package var stallsPerMinute = 0
  package var liesPerMinute = 0
  package var pausesPerMinute = 0
  package var restartsPerMinute = 0
  package var drainsPerMinute = 0
  package var kicksPerMinute = 0
  package var listenersPerMinute = 0
  package var recordingsPerMinute = 0
  package var questionsPerMinute = 0
  package var bansPerMinute = 0
  package var diskFaultsPerMinute = 0
  package var killsPerMinute = 0
  /// The longest time that a fault of the plan lasts, in milliseconds.
  package var longestFaultMilliseconds = 8000

  /// Entries of the plan that are left out, in the order of ``EntryName``.
  package var without: [EntryName] = []

  // Games.
  /// Listeners, each with a game of its own: 1 to 4.
  package var games = 1
  /// Pools that the workers are dealt to, in turn: 1 to the number of workers.
  package var pools = 1
  /// Pools but the first one that deal packets, not sessions; of a thousand.
  package var packetBalancePermille = 0
  /// Games whose packets the gateway can't tell apart, of a thousand.
  package var rawPermille = 150
  /// Games that ask who their clients are, of a thousand.
  package var loginPermille = 0
  /// Such games whose clients say something else before, of a thousand.
  package var preludePermille = 0
  /// Games with limits on traffic and connections, of a thousand.
  package var limitedPermille = 0
  /// Reasons of which a game's clients are told, of a thousand.
  package var refusalPermille = 500
  /// Rules that ban an address or account for a while.
  package var temporaryBanRules = 0

  // Bounds and deadlines of the gateways.
  package var sessionsMax = 4000
  /// What may wait for one client, in bytes.
  package var clientQueueBytes = 1 << 20
  /// What may wait for all clients together, in bytes.
  package var clientQueueBytesTotal = 256 << 20
  /// What may wait for one worker, in bytes.
  package var workerQueueBytes = 8 << 20
  /// Clients at a time that have not been let in.
  package var pendingLogins = 1024
  package var idleMilliseconds = 20_000
  package var writeMilliseconds = 15_000
  package var workerWaitMilliseconds = 10_000
  package var halfCloseMilliseconds = 5000
  package var activeWindowMilliseconds = 60_000

  // Clients: when they come and go.
  /// At random (0), in waves that are ten seconds apart (1), or all at the start and then at random
  /// (2).
  package var arrivals = 0
  /// The mean time until a client's first visit, in milliseconds.
  package var arrivalMilliseconds = 3000
  /// The mean length of a visit, in milliseconds.
  package var visitMilliseconds = 8000
  /// The mean time between two visits, in milliseconds.
  package var pauseMilliseconds = 2000
  /// Clients that come again at once, of a thousand visits.
  package var reconnectPermille = 150
  /// When all clients that are away come at once, in milliseconds; 0 for never.
  package var stampedeAt = 0
  /// Clients that share the address of the one before them, of a thousand.
  package var sharedAddressPermille = 200
  /// Clients in a network that the prepared database bans, of a thousand.
  package var bannedHostPermille = 0
  /// The longest way from a client to a gateway, in milliseconds, and how much it varies.
  package var latencyMilliseconds = 40
  package var jitterMilliseconds = 10

  // Clients: what they send.
  /// The mean time between a client's bursts of packets, in milliseconds.
  package var packetMilliseconds = 400
  /// The most packets of one burst.
  package var burstPackets = 4
  /// How long packets are, but for long ones, in bytes.
  package var packetBytes = 150
  /// Packets of any length that the game allows, of a thousand.
  package var longPacketPermille = 40
  /// Writes that stop at any byte and go on later, of a thousand.
  package var cutWritePermille = 100

  // Clients: how they misbehave; all of a thousand visits, and none by default.
  /// Close without waiting for what is on its way.
  package var abruptPermille = 0
  /// Leave with a reset.
  package var resetPermille = 0
  /// Leave in the middle of a packet.
  package var halfPacketPermille = 0
  /// Say nothing any more, and stay.
  package var silentPermille = 0
  /// Read slowly.
  package var slowReaderPermille = 0
  /// Stop reading for some seconds, or for ever.
  package var stalledReaderPermille = 0
  /// Send what breaks the game's form.
  package var violatingPermille = 0
  /// Send far more than others.
  package var floodingPermille = 0
  /// Log in with a wrong secret.
  package var wrongLoginPermille = 0
  /// Log in as somebody else who may be in already.
  package var sharedAccountPermille = 0
  /// Send no login, or garbage in its place.
  package var noLoginPermille = 0
  /// Ask the gateway something instead.
  package var questionPermille = 0
  /// Send their login a byte at a time.
  package var tricklingPermille = 0
  /// Go on behind the login without waiting for what becomes of it.
  package var eagerPermille = 300

  // The store.
  /// What is in the database: nothing (0), ``fixtureAccounts`` accounts (1), what has expired (2),
  /// or a thousand accounts and ``manyBans`` bans (3).
  package var fixtureKind = 1
  package var fixtureAccounts = 200
  package var manyBans = 1_000_000
  package var hashThreads = 2
  /// How long one password takes, in milliseconds.
  package var hashMilliseconds = 60
  /// How long a write, and a sync, take at their best, in microseconds.
  package var diskMicroseconds = 50

  // Workers' programs and habits.
  /// Workers that ask for SESSION_EVENTS, of a thousand.
  package var workersSessionEventsPermille = 500
  /// Workers to which `ready` is UNIMPLEMENTED, of a thousand; they get no session events.
  package var workersWithoutReadyPermille = 100
  /// Workers to which `live` is UNIMPLEMENTED, of a thousand.
  package var workersWithoutLivePermille = 100
  /// Workers with HTTP/2 windows of about 1 MiB instead of 16 MiB, of a thousand.
  package var workersSmallWindowPermille = 300
  /// Packets that get no answer, of a thousand.
  package var workersSilentPermille = 100
  /// Packets that get more than one answer, of a thousand.
  package var workersSeveralPermille = 100
  /// The most answers that one packet gets; at least 2.
  package var workersAnswersMax = 4
  /// What few answers come near to, in bytes; 14 to 65,535.
  package var workersAnswerBytesMax = 10_000
  /// Answers of up to 65,535 bytes, of a thousand.
  package var workersLargeAnswerPermille = 2
  /// Answers that take some time, of a thousand.
  package var workersLatePermille = 300
  /// How long those take on the average, in milliseconds.
  package var workersDelayMilliseconds = 5
  /// Answers that take very long, of a thousand.
  package var workersVeryLatePermille = 0
  /// How long those take at the most, in milliseconds.
  package var workersVeryLateMilliseconds = 3000
  /// New sessions that are greeted by a worker with SESSION_EVENTS, of a thousand.
  package var workersGreetPermille = 500
  /// The mean time between two answers of a worker that nobody asked for, in milliseconds; 0 is
  /// never.
  package var workersUnpromptedMilliseconds = 2000
  /// The mean time between two broadcasts of a worker, in milliseconds; 0 is never.
  package var workersBroadcastMilliseconds = 10_000
  /// Calls of `authenticate` that are answered late, of a thousand.
  package var workersAuthenticateLatePermille = 300
  /// How late those are on the average, in milliseconds.
  package var workersAuthenticateDelayMilliseconds = 50
  /// Calls of `authenticate` that end with an error, of a thousand.
  package var workersAuthenticateErrorPermille = 0
  /// Calls of `authenticate` that are never answered, of a thousand.
  package var workersAuthenticateSilentPermille = 0

  package init(seed: UInt64) { self.seed = seed }

  var turnDelayMax: Interval { Interval(nanoseconds: UInt64(turnDelayMicroseconds) * 1000) }
  package var duration: Interval { .milliseconds(UInt64(milliseconds)) }

  var fixture: StoreFixture {
    switch fixtureKind {
    case 0: .empty
    case 2: .expired
    case 3: .manyBans(manyBans)
    default: .accounts(fixtureAccounts)
    }
  }
}
