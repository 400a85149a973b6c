public import Primitives

/// Whose claim is verified next, and when.
///
/// Claims come in through one gate for all listeners: so many a second, so many at a time. A share
/// of both is kept for accounts that are known, so that regulars get in while a flood of others
/// waits. Each of the two kinds waits in the order in which it came.
public struct LoginGate: Sendable {
  /// Sessions in the order in which they came.
  private struct Line: Sendable {
    var sessions: [SessionID] = []
    var first = 0

    var isEmpty: Bool { first == sessions.count }

    mutating func append(_ session: SessionID) { sessions.append(session) }

    mutating func removeFirst() {
      first += 1
      // Moved down now and then, so that what has left takes no memory.
      if first > 64, first * 2 > sessions.count {
        sessions.removeFirst(first)
        first = 0
      }
    }

    var front: SessionID? { isEmpty ? nil : sessions[first] }
  }

  private let known: Allowance
  private let unknown: Allowance
  private var meter = RateMeter()
  private var knownLine = Line()
  private var unknownLine = Line()
  /// Claims that are being verified.
  public private(set) var verifying = 0

  /// What one kind of account may use.
  private struct Allowance: Sendable {
    var pace: RatePace?
    var verifyingMax: Int
  }

  public init(_ limits: LoginLimits) {
    let reserved = min(limits.reservedPercent, 90)
    known = Allowance(pace: limits.rate.map { RatePace($0) }, verifyingMax: limits.verificationsMax)
    let rate = limits.rate.map {
      Rate(perSecond: $0.perSecond, burst: max(1, $0.burst - $0.burst * UInt64(reserved) / 100))
    }
    unknown = Allowance(
      pace: rate.map { RatePace($0) },
      verifyingMax: max(1, limits.verificationsMax - limits.verificationsMax * reserved / 100))
  }

  public mutating func append(_ session: SessionID, isKnown: Bool) {
    if isKnown { knownLine.append(session) } else { unknownLine.append(session) }
  }

  /// Whose turn it is, known ones first; it may be gone meanwhile.
  public var candidate: SessionID? { knownLine.front ?? unknownLine.front }

  /// Passes over the ``candidate``, which waits no more.
  public mutating func skip() {
    nextDeadline = nil
    if knownLine.isEmpty { unknownLine.removeFirst() } else { knownLine.removeFirst() }
  }

  /// Takes the ``candidate`` out of its line to be verified.
  ///
  /// - Returns: false when there is none, or it has to wait.
  public mutating func take(now: Instant) -> Bool {
    nextDeadline = nil
    guard candidate != nil, take(knownLine.isEmpty ? unknown : known, now: now) else {
      return false
    }
    skip()
    return true
  }

  /// The verification of a claim is over.
  public mutating func finished() { verifying -= 1 }

  /// When ``take(now:)`` may succeed that did not when it was last asked;
  /// nil when that depends on another event.
  public private(set) var nextDeadline: Instant?

  private mutating func take(_ allowance: Allowance, now: Instant) -> Bool {
    guard verifying < allowance.verifyingMax else { return false }
    if let pace = allowance.pace, !meter.take(1, of: pace, now: now) {
      var charged = meter
      nextDeadline = now + charged.charge(1, of: pace, now: now)
      return false
    }
    verifying += 1
    return true
  }
}
