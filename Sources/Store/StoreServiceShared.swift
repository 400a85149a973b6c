package import Auth
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
  package func verify(_ request: LoginRequest) {
    guard !inbox.add(request) else { return }
    count { $0.unavailable += 1 }
    callbacks.deliver(
      request.session,
      .unavailable("too many logins wait for the store (\(StoreServiceInbox.requestsMax))"))
  }

  /// Takes a record that is written soon; never waits.
  ///
  /// What finds no room is counted.
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

  /// Nothing more is taken in; whoever works finds it in the next turn.
  package func stop() {
    isStopping.store(true, ordering: .releasing)
    inbox.stop()
    watcherWakeUp.signal()
  }

  func count(_ change: (inout StoreStatistics) -> Void) {
    counts.withLock { change(&$0) }
  }

  /// Answers a request, which makes room for another.
  func answer(_ request: LoginRequest, _ verdict: LoginVerdict) {
    count { statistics in
      switch verdict {
      case .accepted: statistics.accepted += 1
      case .refused: statistics.refused += 1
      case .unavailable(let text):
        statistics.unavailable += 1
        statistics.lastError = text
      }
    }
    inbox.finishedRequest()
    callbacks.deliver(request.session, verdict)
  }
}
