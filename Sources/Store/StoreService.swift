public import Auth
public import Primitives
internal import Synchronization
internal import Threading

/// What a ``StoreService`` works with.
public struct StoreServiceConfiguration: Sendable {
  /// Of the database; the file is made at the start when there is none.
  public var path: String
  public var passwords = PasswordParameters()
  /// Threads that hash passwords, 1 to 64; each needs the memory of ``passwords``.
  public var passwordThreads = 1
  /// How long a login stays in the history.
  public var loginHistoryDays: Int64 = 90
  /// Accounts that were let in so lately are told at the start.
  public var knownFor: Interval = .seconds(14 * 86_400)
  /// The most of them.
  public var knownAccountsMax = 1 << 18
  /// The listeners' names, in the order in which ``BanTable``'s lookups count them.
  public var listeners: [String]
  /// Allowances beside those in the store.
  public var allow: [Subject] = []
  /// How long other writers may hold up a group of logins, which have deadlines.
  package var busyTimeout = Interval.seconds(2)
  package var files: any StoreFiles = SystemFiles()
  package var clock = StoreClock.system

  public init(path: String, listeners: [String]) {
    self.path = path
    self.listeners = listeners
  }
}

/// Who is told what the store finds.
///
/// All are called on the service's threads and must not wait.
public struct StoreServiceCallbacks: Sendable {
  /// Answers, as many as were found at once; each request gets one.
  ///
  /// ``StoreService/verify(_:)`` itself calls it when there is no room.
  public var deliver: @Sendable ([(SessionID, LoginVerdict)]) -> Void
  /// The bans as they are from here on, and the last event that they show.
  public var bans: @Sendable (BanTable, _ event: Int64) -> Void
  /// A rule's ban was recorded, with this event.
  public var recorded: @Sendable (TemporaryBan, _ event: Int64) -> Void
  /// Accounts that were let in lately; once, soon after the start.
  public var known: @Sendable ([AccountName]) -> Void
  /// For the log: the error with which the store begins to fail; nil when it works again.
  public var stateChanged: @Sendable (StoreError?) -> Void
  /// For the log: another database was found in the place of the one that was there, one in which
  /// less has happened; how many bans and allowances held before, and how many do now.
  public var replaced: @Sendable (_ before: Int, _ now: Int) -> Void

  public init(
    deliver: @escaping @Sendable ([(SessionID, LoginVerdict)]) -> Void,
    bans: @escaping @Sendable (BanTable, _ event: Int64) -> Void,
    recorded: @escaping @Sendable (TemporaryBan, _ event: Int64) -> Void = { _, _ in },
    known: @escaping @Sendable ([AccountName]) -> Void = { _ in },
    stateChanged: @escaping @Sendable (StoreError?) -> Void = { _ in },
    replaced: @escaping @Sendable (_ before: Int, _ now: Int) -> Void = { _, _ in }
  ) {
    self.deliver = deliver
    self.bans = bans
    self.recorded = recorded
    self.known = known
    self.stateChanged = stateChanged
    self.replaced = replaced
  }
}

/// What a service has done since its start.
public struct StoreStatistics: Equatable, Sendable {
  /// Requests that have no answer yet.
  public var requestsWaiting = 0
  /// Records that are not written yet.
  public var recordsWaiting = 0
  public var accepted: UInt64 = 0
  public var refused: UInt64 = 0
  public var unavailable: UInt64 = 0
  /// Passwords that were hashed.
  public var hashes: UInt64 = 0
  /// Time that hashing took, in all threads together.
  public var hashTime = Interval.zero
  /// Passwords' records that were replaced by better ones.
  public var upgrades: UInt64 = 0
  public var recordsWritten: UInt64 = 0
  /// Lines of the login history that found no room, or that the database did not take.
  public var loginRecordsDropped: UInt64 = 0
  /// Bans of rules that found no room, or that the database did not take; they hold in memory
  /// alone.
  public var temporaryBansDropped: UInt64 = 0
  /// Changes of bans that were taken over one by one.
  public var banUpdates: UInt64 = 0
  /// Times that all bans were read.
  public var banReloads: UInt64 = 0
  /// What the store fails with now.
  public var failure: StoreError?
  /// The last error of any kind.
  public var lastError: String?

  public init() {}
}

/// The database at work for a gateway: verifies logins, keeps records, and watches the bans, on
/// threads of its own.
///
/// One thread asks and writes, in groups. What lets in once is let in when its group is committed;
/// lasting tokens are looked up, and what they were used for is written with the login history, a
/// quarter of a second later, unless others keep the database locked. A few threads hash passwords.
/// One watches for changes of bans that other processes make, ten times a second, and copies the
/// write-ahead log into the file. When the database fails, requests that need it are answered with
/// ``LoginVerdict/unavailable(_:)``, records wait, bans stay as they are, and the database is tried
/// again in growing steps of 250 ms to 5 s.
public final class StoreService: Sendable {
  private let shared: StoreServiceShared
  private let pool: HashPool
  private let threadCount: Int

  private init(shared: StoreServiceShared, pool: HashPool, threadCount: Int) {
    self.shared = shared
    self.pool = pool
    self.threadCount = threadCount
  }

  /// Opens the database, reads all bans, and starts the threads.
  ///
  /// - Returns: the service, the bans that hold, and the last event that they show; later ones come
  ///   to the callback.
  /// - Throws: what the database can't be opened or read for; ``StoreError/outOfMemory`` when there
  ///   is no thread.
  public static func start(
    _ configuration: StoreServiceConfiguration, _ callbacks: StoreServiceCallbacks
  ) throws(StoreError) -> (service: StoreService, bans: BanTable, event: Int64) {
    precondition((1...64).contains(configuration.passwordThreads))
    let shared = StoreServiceShared(configuration, callbacks)
    let watcher = BanWatcher(shared)
    let (bans, event) = try watcher.load()
    let pool = HashPool(shared)
    let verifier = LoginVerifier(shared, pool)
    var started = 0
    var bodies: [@Sendable () -> Void] = [{ watcher.run() }, { verifier.run() }]
    for _ in 0..<configuration.passwordThreads { bodies.append { pool.run() } }
    for body in bodies {
      guard
        startThread({ [ended = shared.ended] in
          body()
          ended.signal()
        })
      else { break }
      started += 1
    }
    let service = StoreService(shared: shared, pool: pool, threadCount: started)
    guard started == bodies.count else {
      _ = service.stop(timeoutMilliseconds: 1000)
      throw .outOfMemory
    }
    return (service, bans, event)
  }

  /// Takes a request whose answer comes to the callback; never waits.
  ///
  /// It is begun with when ``wake()`` is called, or before.
  public func verify(_ request: LoginRequest) { shared.verify(request) }

  /// Takes a record that is written soon; never waits.
  ///
  /// What finds no room is counted. It is seen when ``wake()`` is called, or before.
  public func record(_ record: StoreRecord) { shared.record(record) }

  /// Sees to it that what was given is begun with; costs next to nothing when nothing was.
  public func wake() { shared.wake() }

  public func statistics() -> StoreStatistics { shared.statistics }

  /// Writes what waits and ends the threads; requests without an answer get none.
  ///
  /// A database that fails is tried again until the time is over.
  ///
  /// - Returns: false when they have not ended in time; what they hold is then given up, and
  ///   ``statistics()`` says how many records that is.
  public func stop(timeoutMilliseconds: UInt32) -> Bool {
    shared.stop()
    pool.stop()
    let clock = shared.configuration.clock
    let deadline = clock.monotonic() + .milliseconds(UInt64(timeoutMilliseconds))
    for _ in 0..<threadCount {
      let left = deadline.since(clock.monotonic()).milliseconds
      guard shared.ended.wait(milliseconds: UInt32(clamping: left)) else {
        shared.isGivenUp.store(true, ordering: .releasing)
        return false
      }
    }
    return true
  }
}
