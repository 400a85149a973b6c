internal import Auth
internal import Synchronization
internal import Threading

/// What waits for the login thread; bounded in all its parts.
final class StoreServiceInbox: Sendable {
  /// Requests that are not answered yet, wherever they are.
  static let requestsMax = 1024
  /// Lines of the login history that are not written yet.
  static let loginRecordsMax = 16_384
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
  }

  private struct State {
    var requests: [LoginRequest] = []
    var records: [Record] = []
    var counts = Counts()
    var isStopping = false
  }

  /// With those that the login thread has taken and not finished.
  fileprivate struct Counts {
    var requests = 0
    var logins = 0
    var bans = 0
    var upgrades = 0
  }

  let wakeUp = Semaphore()
  private let state = Mutex(State())

  /// - Returns: false when there are too many, or the service has stopped.
  func add(_ request: LoginRequest) -> Bool {
    let isAdded = state.withLock { state in
      guard !state.isStopping, state.counts.requests < Self.requestsMax else { return false }
      state.counts.requests += 1
      state.requests.append(request)
      return true
    }
    if isAdded { wakeUp.signal() }
    return isAdded
  }

  /// - Returns: false when there are too many of its kind, or the service has stopped.
  func add(_ record: Record) -> Bool {
    let isAdded = state.withLock { state in
      guard !state.isStopping, state.counts.add(record) else { return false }
      state.records.append(record)
      return true
    }
    if isAdded { wakeUp.signal() }
    return isAdded
  }

  /// Everything that waits.
  func take() -> (requests: [LoginRequest], records: [Record], isStopping: Bool) {
    state.withLock { state in
      defer { (state.requests, state.records) = ([], []) }
      return (state.requests, state.records, state.isStopping)
    }
  }

  /// Makes room for another request.
  func finishedRequest() { state.withLock { $0.counts.requests -= 1 } }

  /// Makes room for as many records.
  func finished(_ records: [Record]) {
    state.withLock { state in
      for record in records { state.counts.remove(record) }
    }
  }

  /// Nothing more is taken in.
  func stop() {
    state.withLock { $0.isStopping = true }
    wakeUp.signal()
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
