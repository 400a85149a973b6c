package import Auth
internal import Primitives
internal import Synchronization
internal import Threading

/// What the service's threads have in common.
///
/// Those who do the work are ``LoginVerifier``, ``HashPool`` and ``BanWatcher``. In production each
/// has threads; a simulation takes their turns itself.
package final class StoreServiceShared: Sendable {
  let configuration: StoreServiceConfiguration
  let callbacks: StoreServiceCallbacks
  let inbox = StoreServiceInbox()
  let health: StoreHealth
  let watcherWakeUp = Semaphore()
  let ended = Semaphore()
  let isStopping = Atomic(false)
  /// Much was written, and should be copied from the log into the file.
  let isLogLong = Atomic(false)
  /// What could not be written at the end is not tried again.
  let isGivenUp = Atomic(false)
  private let counts = Mutex(StoreStatistics())

  package init(_ configuration: StoreServiceConfiguration, _ callbacks: StoreServiceCallbacks) {
    self.configuration = configuration
    self.callbacks = callbacks
    health = StoreHealth(changed: callbacks.stateChanged)
  }

  package var statistics: StoreStatistics {
    var statistics = counts.withLock { $0 }
    (statistics.requestsWaiting, statistics.recordsWaiting) = inbox.depths
    statistics.failure = health.current
    return statistics
  }

  /// Takes a request whose answer comes to the callback; never waits.
  ///
  /// It is begun with when ``wake()`` is called, or before.
  package func verify(_ request: LoginRequest) {
    guard !inbox.add(request) else { return }
    count { $0.unavailable += 1 }
    callbacks.deliver([
      (
        request.session,
        .unavailable("too many logins wait for the store (\(StoreServiceInbox.requestsMax))")
      )
    ])
  }

  /// Takes a record that is written soon; never waits.
  ///
  /// What finds no room is counted. It is seen when ``wake()`` is called, or before.
  package func record(_ record: StoreRecord) {
    switch record {
    case .login(let login):
      if !inbox.add(.login(login, at: configuration.clock.unixSeconds())) {
        count { $0.loginRecordsDropped += 1 }
      }
    case .temporaryBan(let ban):
      if !inbox.add(.temporaryBan(ban)) { count { $0.temporaryBansDropped += 1 } }
    }
  }

  /// Whoever gave something has nothing more to give for now.
  func wake() { inbox.wake() }

  /// Nothing more is taken in; whoever works finds it in the next turn.
  package func stop() {
    isStopping.store(true, ordering: .releasing)
    inbox.stop()
    watcherWakeUp.signal()
  }

  func count(_ change: (inout StoreStatistics) -> Void) {
    counts.withLock { change(&$0) }
  }

  /// Answers requests, which makes room for as many others.
  func answer(_ answers: [(SessionID, LoginVerdict)]) {
    guard !answers.isEmpty else { return }
    count { statistics in
      for (_, verdict) in answers {
        switch verdict {
        case .accepted: statistics.accepted += 1
        case .refused: statistics.refused += 1
        case .unavailable(let text):
          statistics.unavailable += 1
          statistics.lastError = text
        }
      }
    }
    inbox.finishedRequests(answers.count)
    callbacks.deliver(answers)
  }
}
