internal import Auth
internal import Synchronization
internal import Threading

/// What waits for the login thread; bounded in all its parts.
///
/// The thread is woken when somebody who gave it something says so, and only when it sleeps:
/// whoever has many things to give does so first. Records of logins wake it once, so that it knows
/// of them; it writes them some time later, many at once.
final class StoreServiceInbox: Sendable {
  /// Requests that are not answered yet, wherever they are.
  static let requestsMax = 1024
  /// Lines of the login history that are not written yet.
  static let loginRecordsMax = 16_384
  /// So many records are written without waiting for more.
  static let recordsWantedMax = 4096
  /// Temporary bans that are not written yet.
  static let temporaryBansMax = 16_384
  /// New hashes of passwords that are not written yet; what finds no room comes at the next login.
  static let upgradesMax = 256

  struct Upgrade: Sendable {
    var account: AccountName
    var old: PasswordRecord
    var new: PasswordRecord
  }

  enum Record: Sendable {
    case login(LoginRecord, at: Int64)
    case temporaryBan(TemporaryBan)
    case upgrade(Upgrade)

    /// Whether others may be waited for before it is written.
    fileprivate var mayWait: Bool {
      if case .login = self { true } else { false }
    }
  }

  /// What the login thread finds in a turn.
  struct News {
    var requests: [LoginRequest]
    /// There are records, which stay here until they are written.
    var hasRecords: Bool
    /// They are to be written at once.
    var areRecordsUrgent: Bool
    var isStopping: Bool
  }

  private struct State {
    var requests: [LoginRequest] = []
    var records: [Record] = []
    var areRecordsUrgent = false
    /// The login thread has found some of the records, and will come back for all of them.
    var areRecordsKnown = false
    var counts = Counts()
    var isStopping = false
    /// The login thread knows that it is to stop, and what it has still to write.
    var isStopKnown = false
    /// The login thread waits to be woken.
    var isAsleep = false

    var hasNews: Bool {
      isStopping && !isStopKnown || !requests.isEmpty
        || !records.isEmpty && (areRecordsUrgent || !areRecordsKnown)
    }
  }

  /// With those that the login thread has taken and not finished.
  fileprivate struct Counts {
    var requests = 0
    var logins = 0
    var bans = 0
    var upgrades = 0
  }

  private let wakeUp = Semaphore()
  private let state = Mutex(State())
  /// Something was added since the last ``wake()``.
  private let isChanged = Atomic(false)

  /// - Returns: false when there are too many, or the service has stopped.
  func add(_ request: LoginRequest) -> Bool {
    let isAdded = state.withLock { state in
      guard !state.isStopping, state.counts.requests < Self.requestsMax else { return false }
      state.counts.requests += 1
      state.requests.append(request)
      return true
    }
    isChanged.store(true, ordering: .releasing)
    return isAdded
  }

  /// - Returns: false when there are too many of its kind, or the service has stopped.
  func add(_ record: Record) -> Bool {
    let isAdded = state.withLock { state in
      guard !state.isStopping, state.counts.add(record) else { return false }
      state.records.append(record)
      if !record.mayWait || state.records.count >= Self.recordsWantedMax {
        state.areRecordsUrgent = true
      }
      return true
    }
    isChanged.store(true, ordering: .releasing)
    return isAdded
  }

  /// Has the login thread look at what was added, if it sleeps; costs nothing if nothing was.
  func wake() {
    guard isChanged.load(ordering: .relaxed), isChanged.exchange(false, ordering: .acquiring)
    else { return }
    let isNeeded = state.withLock { state in
      guard state.isAsleep, state.hasNews else { return false }
      state.isAsleep = false
      return true
    }
    if isNeeded { wakeUp.signal() }
  }

  /// Sleeps until there is something to be done at once, or the time is over.
  func sleep(milliseconds: UInt32) {
    let isIdle = state.withLock { state in
      state.isAsleep = !state.hasNews
      return state.isAsleep
    }
    guard isIdle, !wakeUp.wait(milliseconds: milliseconds) else { return }
    state.withLock { $0.isAsleep = false }
  }

  /// The requests that wait, and whether there are records.
  func take() -> News {
    state.withLock { state in
      defer {
        state.requests = []
        state.areRecordsKnown = !state.records.isEmpty
        state.isStopKnown = state.isStopping
      }
      return News(
        requests: state.requests, hasRecords: !state.records.isEmpty,
        areRecordsUrgent: state.areRecordsUrgent, isStopping: state.isStopping)
    }
  }

  /// The records that wait, oldest first.
  func takeRecords() -> [Record] {
    state.withLock { state in
      defer {
        state.records = []
        state.areRecordsUrgent = false
        state.areRecordsKnown = false
      }
      return state.records
    }
  }

  /// Makes room for as many requests.
  func finishedRequests(_ count: Int) { state.withLock { $0.counts.requests -= count } }

  /// Makes room for as many records.
  func finished(_ records: ArraySlice<Record>) {
    state.withLock { state in
      for record in records { state.counts.remove(record) }
    }
  }

  /// Nothing more is taken in.
  func stop() {
    state.withLock { $0.isStopping = true }
    isChanged.store(true, ordering: .releasing)
    wake()
  }

  var depths: (requests: Int, records: Int) {
    state.withLock { ($0.counts.requests, $0.counts.logins + $0.counts.bans) }
  }
}

extension StoreServiceInbox.Counts {
  /// - Returns: false, and nothing is added, when there are too many of its kind.
  fileprivate mutating func add(_ record: StoreServiceInbox.Record) -> Bool {
    switch record {
    case .login:
      guard logins < StoreServiceInbox.loginRecordsMax else { return false }
      logins += 1
    case .temporaryBan:
      guard bans < StoreServiceInbox.temporaryBansMax else { return false }
      bans += 1
    case .upgrade:
      guard upgrades < StoreServiceInbox.upgradesMax else { return false }
      upgrades += 1
    }
    return true
  }

  fileprivate mutating func remove(_ record: StoreServiceInbox.Record) {
    switch record {
    case .login: logins -= 1
    case .temporaryBan: bans -= 1
    case .upgrade: upgrades -= 1
    }
  }
}
