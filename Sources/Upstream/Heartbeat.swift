internal import Primitives

/// Whether a worker still answers: the `live` call and HTTP/2 PING, each with its own wait.
struct Heartbeat: BitwiseCopyable {
  private let aliveTimeout: Interval
  private(set) var nextBeat: Instant
  /// When the oldest unanswered beat, or PING, was sent.
  private var liveWaitingSince: Instant?
  private var pingWaitingSince: Instant?

  init(aliveTimeout: Interval, now: Instant) {
    self.aliveTimeout = aliveTimeout
    nextBeat = now
  }

  /// When something is to be done next.
  var deadline: Instant {
    var first = nextBeat
    if let since = liveWaitingSince { first = min(first, since + aliveTimeout) }
    if let since = pingWaitingSince { first = min(first, since + aliveTimeout) }
    return first
  }

  /// An answer has been due for longer than allowed.
  func isOverdue(now: Instant) -> Bool {
    for case .some(let since) in [liveWaitingSince, pingWaitingSince]
    where since + aliveTimeout <= now { return true }
    return false
  }

  /// Notes that beats are sent now; returns whether a PING is to go with it.
  mutating func sent(live: Bool, now: Instant) -> Bool {
    nextBeat = now + aliveTimeout / 3
    if live, liveWaitingSince == nil { liveWaitingSince = now }
    guard pingWaitingSince == nil else { return false }
    pingWaitingSince = now
    return true
  }

  mutating func liveAnswered() { liveWaitingSince = nil }
  mutating func pingAnswered() { pingWaitingSince = nil }

  /// Answers could not be read meanwhile, by the gateway's own doing: the waits begin anew.
  mutating func readingResumed(now: Instant) {
    if liveWaitingSince != nil { liveWaitingSince = now }
    if pingWaitingSince != nil { pingWaitingSince = now }
  }
}
