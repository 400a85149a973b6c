package import Auth
package import Primitives
package import Store

/// The store of a simulated gateway: the parts of ``StoreService``, without its threads.
///
/// The driver calls ``turn(now:unixMilliseconds:)`` when ``nextDeadline`` has come, and after it
/// gave something to ``verify(_:)`` or ``record(_:)``. What a turn did is on the disk at once; what
/// it tells becomes visible when the virtual time that disk and hashing take is over.
package final class VirtualStore {
  package enum Output: Sendable {
    case verdict(SessionID, LoginVerdict)
    case bans(BanTable, event: Int64)
    case recorded(TemporaryBan, event: Int64)
    case known([AccountName])
    case stateChanged(StoreError?)
    case replaced(before: Int, now: Int)
  }

  package struct TimedOutput: Sendable {
    /// When the gateway sees it.
    package var at: Instant
    package var output: Output
  }

  /// What a thread that hashes is at.
  private enum Hashing {
    case nothing
    case job(HashPool.Job, until: Instant)
    case renewal(HashPool.Renewal, until: Instant)
  }

  private enum News {
    case request(LoginRequest)
    case record(StoreRecord)
  }

  /// The least that libsodium does for a password; the virtual time of it is told apart.
  package static let passwords = PasswordParameters(opsLimit: 1, memoryBytes: 8 << 10)
  /// How long a program that ends waits for a database that fails.
  private static let stopPatience = Interval.seconds(3)
  /// A thread that has nothing to do rests at least so long.
  private static let rest = Interval.milliseconds(1)

  private let disk: VirtualDisk
  private let owner: VirtualDisk.Owner
  private let time: VirtualTime
  private let told: Told
  private let shared: StoreServiceShared
  private let watcher: BanWatcher
  private let verifier: LoginVerifier
  private let pool: HashPool
  private let hashTime: Interval
  private var random: SeededRandom
  private var isRunning = false

  /// What came since the last turn.
  private var news: [News] = []
  /// The time of the last turn.
  private var now = Instant(nanoseconds: 0)
  private var unixMilliseconds: Int64 = 0
  private var isVerifierWanted = false
  private var verifierDue = Instant(nanoseconds: 0)
  private var verifierFree = Instant(nanoseconds: 0)
  private var watcherDue = Instant(nanoseconds: 0)
  private var hashers: [Hashing]
  /// Since when each of the pool's jobs waits.
  private var jobsSince: [Instant] = []

  /// - Parameters:
  ///   - configuration: its clock, files and cost of passwords are replaced.
  ///   - seed: of the moment at which the bans are looked at.
  ///   - hashTime: virtual time of one password.
  package init(
    disk: VirtualDisk, configuration: StoreServiceConfiguration, seed: UInt64, hashThreads: Int,
    hashTime: Interval
  ) {
    precondition((1...64).contains(hashThreads))
    self.disk = disk
    self.hashTime = hashTime
    random = SeededRandom(seed: seed)
    owner = disk.makeOwner()
    time = VirtualTime(disk: disk, owner: owner)
    told = Told(time)
    var configuration = configuration
    configuration.files = disk
    configuration.clock = time.clock
    configuration.passwords = Self.passwords
    configuration.passwordThreads = hashThreads
    shared = StoreServiceShared(configuration, told.callbacks)
    watcher = BanWatcher(shared)
    pool = HashPool(shared)
    verifier = LoginVerifier(shared, pool)
    hashers = Array(repeating: .nothing, count: hashThreads)
  }

  /// Opens the database, or makes it, and reads all bans.
  ///
  /// - Returns: the bans that hold, and the last event that they show.
  package func start(
    now: Instant, unixMilliseconds: Int64
  ) throws(StoreError) -> (bans: BanTable, event: Int64) {
    precondition(!isRunning)
    begin(now, unixMilliseconds)
    defer { _ = time.end() }
    let (bans, event) = try watcher.load()
    pool.prepare()
    isRunning = true
    verifierDue = time.now
    verifierFree = time.now
    let period = UInt64(BanWatcher.turnMilliseconds) * 1_000_000
    watcherDue = time.now + Interval(nanoseconds: random.next() % period)
    return (bans, event)
  }

  /// Takes a request whose answer comes in ``outputs``.
  package func verify(_ request: LoginRequest) { news.append(.request(request)) }

  /// Takes a record that is written soon.
  package func record(_ record: StoreRecord) { news.append(.record(record)) }

  /// What was told and not taken yet, in the order in which it was found.
  package var outputs: [TimedOutput] { told.outputs }

  package func takeOutputs() -> [TimedOutput] {
    defer { told.outputs = [] }
    return told.outputs
  }

  package var statistics: StoreStatistics { shared.statistics }

  /// Writes what waits and closes the database; requests without an answer get none.
  ///
  /// - Returns: when that is done.
  @discardableResult
  package func stop() -> Instant {
    guard isRunning else { return now }
    isRunning = false
    begin(max(now, verifierFree), unixMilliseconds)
    takeNews()
    shared.stop()
    pool.stop()
    hashers = hashers.map { _ in .nothing }
    let deadline = time.now + Self.stopPatience
    while let until = verifier.turn(), until < deadline {
      disk.pause(milliseconds: Int32(clamping: until.since(time.now).milliseconds) + 1)
    }
    verifier.close()
    watcher.close()
    return time.end()
  }

  /// Ends without a word, as when the process is killed: nothing more is written.
  package func kill() {
    guard isRunning else { return }
    isRunning = false
    disk.end(owner)
    verifier.close()
    watcher.close()
  }
}

// Turns.
extension VirtualStore {
  /// When the next turn is due.
  ///
  /// It may be past; nil when the store does not run.
  package var nextDeadline: Instant? {
    guard isRunning else { return nil }
    if !news.isEmpty { return now }
    var deadline = min(watcherDue, isVerifierWanted ? verifierFree : verifierDue)
    for hasher in hashers {
      switch hasher {
      case .nothing: if let since = jobsSince.first { deadline = min(deadline, since) }
      case .job(_, let until), .renewal(_, let until): deadline = min(deadline, until)
      }
    }
    return deadline
  }

  /// Does what is due.
  package func turn(now: Instant, unixMilliseconds: Int64) {
    guard isRunning else { return }
    begin(now, unixMilliseconds)
    takeNews()
    _ = time.end()
    while finishHash() || verify() || startHash() || watch() {}
  }

  private func begin(_ now: Instant, _ unixMilliseconds: Int64) {
    (self.now, self.unixMilliseconds) = (now, unixMilliseconds)
    time.begin(now: now, unixMilliseconds: unixMilliseconds)
  }

  private func takeNews() {
    for item in news {
      switch item {
      case .request(let request): shared.verify(request)
      case .record(let record): shared.record(record)
      }
      isVerifierWanted = true
    }
    news = []
  }

  /// The turn of the thread that asks and writes.
  ///
  /// - Returns: whether it was due; so do the others.
  private func verify() -> Bool {
    guard now >= (isVerifierWanted ? verifierFree : verifierDue) else { return false }
    begin(now, unixMilliseconds)
    isVerifierWanted = false
    let until = verifier.turn() ?? .distantFuture
    verifierFree = time.end()
    verifierDue = max(until, verifierFree + Self.rest)
    while jobsSince.count < pool.jobsWaiting { jobsSince.append(verifierFree) }
    return true
  }

  private func watch() -> Bool {
    guard now >= watcherDue else { return false }
    begin(now, unixMilliseconds)
    watcher.turn()
    watcherDue = time.end() + .milliseconds(UInt64(BanWatcher.turnMilliseconds))
    return true
  }

  private func startHash() -> Bool {
    guard let since = jobsSince.first, since <= now else { return false }
    let idle = hashers.firstIndex { if case .nothing = $0 { true } else { false } }
    guard let idle, let job = pool.takeJob() else { return false }
    jobsSince.removeFirst()
    hashers[idle] = .job(job, until: now + hashTime)
    return true
  }

  private func finishHash() -> Bool {
    for index in hashers.indices {
      switch hashers[index] {
      case .job(var job, let until) where until <= now:
        hashers[index] = .nothing
        begin(now, unixMilliseconds)
        if let renewal = pool.perform(&job) {
          hashers[index] = .renewal(renewal, until: now + hashTime)
        }
        _ = time.end()
        return true
      case .renewal(var renewal, let until) where until <= now:
        hashers[index] = .nothing
        begin(now, unixMilliseconds)
        pool.renew(&renewal)
        isVerifierWanted = true
        _ = time.end()
        return true
      case .nothing, .job, .renewal: break
      }
    }
    return false
  }
}

/// Gathers what the store's parts tell.
///
/// - SAFETY: used where its store is used, on one thread at a time.
private final class Told: @unchecked Sendable {
  var outputs: [VirtualStore.TimedOutput] = []
  private let time: VirtualTime

  init(_ time: VirtualTime) { self.time = time }

  private func add(_ output: VirtualStore.Output) {
    outputs.append(.init(at: time.now, output: output))
  }

  var callbacks: StoreServiceCallbacks {
    StoreServiceCallbacks(
      deliver: { [self] in for (session, verdict) in $0 { add(.verdict(session, verdict)) } },
      bans: { [self] in add(.bans($0, event: $1)) },
      recorded: { [self] in add(.recorded($0, event: $1)) },
      known: { [self] in add(.known($0)) },
      stateChanged: { [self] in add(.stateChanged($0)) },
      replaced: { [self] in add(.replaced(before: $0, now: $1)) })
  }
}
