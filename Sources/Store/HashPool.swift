internal import Auth
internal import Glibc
internal import Primitives
internal import Synchronization
internal import Threading

/// Threads that do nothing but hash passwords, the only work here that takes long.
///
/// Jobs are bounded by the requests that the inbox lets in.
package final class HashPool: Sendable {
  package struct Job: Sendable {
    enum Question: Sendable {
      /// There is no such account, or it has no password: hash for the time that it takes.
      case nobody
      case account(Account, PasswordRecord)
    }

    var request: LoginRequest
    var question: Question
  }

  /// A record of an older kind that is to be replaced, with the password that it is of.
  package struct Renewal: Sendable {
    fileprivate var account: AccountName
    fileprivate var old: PasswordRecord
    fileprivate var password: [UInt8]
  }

  private struct State {
    var jobs: [Job] = []
    var isStopping = false
  }

  /// How far behind the newest packets are worked at: enough that whoever plays feels no login.
  private static let niceness: Int32 = 10

  private let shared: StoreServiceShared
  private let state = Mutex(State())
  private let wakeUp = Semaphore()

  package init(_ shared: StoreServiceShared) { self.shared = shared }

  func add(_ jobs: consuming [Job]) {
    let count = jobs.count
    var added = consume jobs
    state.withLock { state in
      if state.isStopping { Self.wipe(&added) } else { state.jobs += added }
    }
    for _ in 0..<count { wakeUp.signal() }
  }

  /// Jobs that wait are forgotten.
  package func stop() {
    state.withLock { state in
      state.isStopping = true
      Self.wipe(&state.jobs)
    }
    for _ in 0..<shared.configuration.passwordThreads { wakeUp.signal() }
  }

  /// Nobody is answered any more, and no password stays behind.
  private static func wipe(_ jobs: inout [Job]) {
    for index in jobs.indices { SecretBytes.wipe(&jobs[index].request.credentials.secret) }
    jobs = []
  }

  /// What each of the pool's threads does until the end.
  func run() {
    // Linux lowers the calling thread alone (setpriority(2), "C library/kernel differences").
    _ = nice(Self.niceness)
    prepare()
    while true {
      _ = wakeUp.wait()
      if state.withLock({ $0.isStopping }) { return }
      guard var job = takeJob() else { continue }
      if var renewal = perform(&job) { renew(&renewal) }
    }
  }

  /// How many jobs nobody has taken.
  package var jobsWaiting: Int { state.withLock { $0.jobs.count } }

  /// Takes the job that has waited the longest.
  package func takeJob() -> Job? {
    state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
  }

  /// Sees to it that the first unknown account takes no longer than the others.
  package func prepare() {
    do throws(StoreError) {
      try PasswordHash.verifyNobody([], current: shared.configuration.passwords)
    } catch {
      shared.count { $0.lastError = error.description }
    }
  }

  /// Hashes a job's password, takes it out of the job, and answers.
  ///
  /// - Returns: what is to be done after it, if anything: it takes as long as the job.
  package func perform(_ job: inout Job) -> Renewal? {
    var password: [UInt8] = []
    swap(&password, &job.request.credentials.secret)
    defer { SecretBytes.wipe(&password) }
    let start = shared.configuration.clock.monotonic()
    let (verdict, upgrade) = answer(password, job.request.credentials, job.question)
    count(since: start)
    shared.answer([(job.request.session, verdict)])
    // The player is in by now. Under load whoever waits for a first answer comes before this.
    guard let (account, old) = upgrade, state.withLock({ $0.jobs.isEmpty }) else { return nil }
    var renewal = Renewal(account: account, old: old, password: [])
    swap(&password, &renewal.password)
    return renewal
  }

  private func answer(
    _ password: [UInt8], _ credentials: Credentials, _ question: Job.Question
  ) -> (LoginVerdict, (AccountName, PasswordRecord)?) {
    let current = shared.configuration.passwords
    do throws(StoreError) {
      switch question {
      case .nobody:
        try PasswordHash.verifyNobody(password, current: current)
        return (.refused(.unknownAccount), nil)
      case .account(let account, let record):
        let verification = try PasswordHash.verify(password, record, current: current)
        if verification == .wrong { return (.refused(.wrongSecret), nil) }
        if account.isDisabled { return (.refused(.accountDisabled), nil) }
        return (
          .accepted(account.name, attributes: credentials.attributes),
          verification == .rightButOutdated ? (account.name, record) : nil
        )
      }
    } catch {
      return (.unavailable(error.description), nil)
    }
  }

  /// Makes a new record, which the login thread writes.
  package func renew(_ renewal: inout Renewal) {
    defer { SecretBytes.wipe(&renewal.password) }
    let start = shared.configuration.clock.monotonic()
    do throws(StoreError) {
      let new = try PasswordHash.make(renewal.password, shared.configuration.passwords)
      // Without room it is made again at the next login.
      _ = shared.inbox.add(
        .upgrade(.init(account: renewal.account, old: renewal.old, new: new)))
      shared.wake()
    } catch {
      shared.count { $0.lastError = error.description }
    }
    count(since: start)
  }

  private func count(since start: Instant) {
    let taken = shared.configuration.clock.monotonic().since(start)
    shared.count { statistics in
      statistics.hashes += 1
      statistics.hashTime.nanoseconds += taken.nanoseconds
    }
  }
}
