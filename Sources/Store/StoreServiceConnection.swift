internal import Glibc
internal import Primitives

/// One thread's database, which is opened again after it failed or when its file was replaced.
///
/// A file that is gone is not made anew: all bans would be gone with it. It is an error until
/// somebody puts a database in its place.
final class StoreConnection {
  private static let backoffMin = Interval.milliseconds(250)
  private static let backoffMax = Interval.seconds(5)
  /// How often the file is looked for.
  private static let checkEvery = Interval.seconds(1)

  private struct FileIdentity: Equatable {
    var device: UInt64
    var inode: UInt64
  }

  private let path: String
  private let busyTimeout: Interval
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
    let now = StoreClock.monotonic()
    if let database {
      if now < nextCheck { return database }
      nextCheck = now + Self.checkEvery
      if try currentIdentity() == identity { return database }
      close()
    }
    if let failure, now < retryAt { throw failure }
    if !mayCreate { _ = try currentIdentity() }
    let new = try Database(path: path, busyTimeout: busyTimeout)
    identity = try currentIdentity()
    nextCheck = now + Self.checkEvery
    database = new
    openCount += 1
    return new
  }

  private func note(_ error: StoreError) {
    switch error {
    // These say something of a row or a secret, not of the database.
    case .constraint, .cryptography, .unknownAccount, .accountExists, .malformedLine: return
    case .busy where database != nil:
      failure = error
      retryAt = StoreClock.monotonic() + Self.backoffMin
      return
    case .busy, .cannotOpen, .notADatabase, .notOurs, .newer, .older, .exists, .readOnly, .full,
      .io, .corrupt, .outOfMemory, .database:
      break
    }
    let now = StoreClock.monotonic()
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

  private func currentIdentity() throws(StoreError) -> FileIdentity {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw .cannotOpen(
        path: path,
        problem: errno == ENOENT
          ? "the file is gone; put it or a backup of it in its place" : "error \(errno) of stat(2)")
    }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}
