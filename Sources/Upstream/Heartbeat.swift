internal import Primitives

/// Whether a worker still answers: calls and HTTP/2 PING, each with its own wait.
struct Heartbeat: BitwiseCopyable {
  private let aliveTimeout: Interval
  private(set) var nextBeat: Instant
  /// An answer came since the last PING.
  private var wasAnswered = false
  /// When the oldest unanswered beat, or PING, was sent.
  private var waitingSince: Instant?
  private var pingWaitingSince: Instant?
  /// Answers can't be read, by the gateway's own doing: their absence says nothing.
  private var isPaused = false

  init(aliveTimeout: Interval, now: Instant) {
    self.aliveTimeout = aliveTimeout
    nextBeat = now
  }

  /// When something is to be done next.
  var deadline: Instant {
    var first = nextBeat
    if isPaused { return first }
    if let since = waitingSince { first = min(first, since + aliveTimeout) }
    if let since = pingWaitingSince { first = min(first, since + aliveTimeout) }
    return first
  }

  /// An answer has been due for longer than allowed.
  func isOverdue(now: Instant) -> Bool {
    if isPaused { return false }
    for case .some(let since) in [waitingSince, pingWaitingSince]
    where since + aliveTimeout <= now { return true }
    return false
  }

  /// Notes that a beat is sent now; returns whether a PING is to go with it.
  ///
  /// A gRPC server that gets PINGs without having sent anything in between takes them for abuse and
  /// ends the connection, so one follows only an answered beat.
  mutating func sent(now: Instant) -> Bool {
    nextBeat = now + aliveTimeout / 3
    if waitingSince == nil { waitingSince = now }
    guard wasAnswered, pingWaitingSince == nil else { return false }
    wasAnswered = false
    pingWaitingSince = now
    return true
  }

  mutating func answered() {
    waitingSince = nil
    wasAnswered = true
  }

  mutating func pingAnswered() { pingWaitingSince = nil }

  mutating func readingPaused() { isPaused = true }

  /// Answers can be read again: the waits begin anew.
  mutating func readingResumed(now: Instant) {
    isPaused = false
    if waitingSince != nil { waitingSince = now }
    if pingWaitingSince != nil { pingWaitingSince = now }
  }
}
