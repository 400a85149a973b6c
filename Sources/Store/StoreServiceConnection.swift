internal import Primitives

/// One thread's database, which is opened again after it failed or when its file was replaced.
///
/// A file that is gone is not made anew: all bans would be gone with it. It is an error until
/// somebody puts a database in its place.
final class StoreConnection {
  private static let backoffMin = Interval.milliseconds(250)
  private static let backoffMax = Interval.seconds(5)
  /// Of the database's pages, in memory: a gateway writes at the end of its tables and looks up
  /// little, while commands go through all of them.
  private static let cacheKibibytes = 512
  /// 64 MiB of the log, should it never be copied elsewhere.
  private static let pagesBeforeCopying = 16_000
  /// How often the file is looked for.
  private static let checkEvery = Interval.seconds(1)

  private let path: String
  private let busyTimeout: Interval
  private let files: any StoreFiles
  private let clock: StoreClock
  private var database: Database?
  private var identity: FileIdentity?
  private var nextCheck = Instant(nanoseconds: 0)
  private var backoff = StoreConnection.backoffMin
  private(set) var failure: StoreError?
  /// When to try again after a ``failure``.
  private(set) var retryAt = Instant(nanoseconds: 0)
  /// How many times the database was opened.
  private(set) var openCount = 0

  init(_ configuration: StoreServiceConfiguration) {
    path = configuration.path
    busyTimeout = configuration.busyTimeout
    files = configuration.files
    clock = configuration.clock
  }

  /// Does `work` with the database.
  ///
  /// - Parameter mayCreate: whether a file that is not there is made.
  /// - Throws: what went wrong; soon after a failure that closed the database, the same again
  ///   without trying.
  func perform<R>(
    mayCreate: Bool = false, _ work: (Database) throws(StoreError) -> R
  ) throws(StoreError) -> R {
    do throws(StoreError) {
      let result = try work(try opened(mayCreate: mayCreate))
      failure = nil
      backoff = Self.backoffMin
      return result
    } catch {
      note(error)
      throw error
    }
  }

  private func opened(mayCreate: Bool) throws(StoreError) -> Database {
    let now = clock.monotonic()
    if let database {
      if now < nextCheck { return database }
      nextCheck = now + Self.checkEvery
      if try files.identity(of: path) == identity { return database }
      close()
    }
    if let failure, now < retryAt { throw failure }
    if !mayCreate { _ = try files.identity(of: path) }
    let new = try Database(path: path, busyTimeout: busyTimeout, files: files)
    try new.limitCache(kibibytes: Self.cacheKibibytes)
    try new.deferCopying(to: Self.pagesBeforeCopying)
    identity = try files.identity(of: path)
    nextCheck = now + Self.checkEvery
    database = new
    openCount += 1
    return new
  }

  private func note(_ error: StoreError) {
    switch error {
    // These say something of a row or a secret, not of the database.
    case .constraint, .cryptography, .unknownAccount, .accountExists, .malformedLine: return
    // It can still be read.
    case .busy where database != nil, .full where database != nil:
      failure = error
      retryAt = clock.monotonic() + Self.backoffMin
      return
    case .busy, .cannotOpen, .notADatabase, .notOurs, .newer, .older, .exists, .readOnly, .full,
      .io, .corrupt, .outOfMemory, .database:
      break
    }
    let now = clock.monotonic()
    // Answers in the time of a backoff do not lengthen it.
    if failure == nil || now >= retryAt {
      retryAt = now + backoff
      backoff = min(Self.backoffMax, Interval(nanoseconds: backoff.nanoseconds * 2))
    }
    failure = error
    close()
  }

  /// Lets go of the database; the next use opens it again.
  func close() {
    database = nil
    identity = nil
  }
}
