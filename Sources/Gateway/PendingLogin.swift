internal import Auth
internal import Primitives

/// A client that has not been let in yet.
///
/// ```
///   reading ─identity complete─▶ waiting ─its turn─▶ verifying ─accepted─▶ (the session is open)
///                                   ▲                    │
///                                   └──no worker to ask──┤
///                                                        └─refused─▶ refused ─delay over─▶ closed
/// ```
struct PendingLogin: ~Copyable {
  enum Phase: BitwiseCopyable {
    /// Its packets are read for who it is.
    case reading
    /// Its claim waits until it may be verified.
    case waiting
    case verifying
    /// Its refusal waits, so that nobody can tell by the time why.
    case refused(CloseReason)
  }

  static let none = UInt32.max

  var session: UInt32 = 0
  var phase = Phase.reading
  var progress = LoginProgress()
  /// The connection's first bytes are no question that is answered before any framing.
  var isPastStreamAnswers = false
  /// Packets that go to the worker once the client is let in.
  var held = ByteQueue()
  var credentials = Credentials()
  /// Whose its ticket says it is, true or not.
  var ticketAccount: AccountName?
  /// The packets of the identity, for a worker that is asked.
  var packets: [[UInt8]] = []
  var verifyingSince = Instant(nanoseconds: 0)
  /// When its refusal goes out.
  var refusalDue = Instant(nanoseconds: 0)
  /// Why it is refused, which the client is not told.
  var detail = ""
  /// The link whose worker is asked, or ``Session/noLink``.
  var askedLink = Session.noLink
  /// The store verifies its claim, and its refusal counts for rules.
  var isVerifiedByStore = false
  /// Workers that could not say.
  var failures: UInt8 = 0
  /// Its neighbours by age.
  var older = PendingLogin.none
  var newer = PendingLogin.none
}

/// All clients that have not been let in yet, by age.
struct PendingLogins: ~Copyable {
  var records: Slab<PendingLogin>
  private(set) var count = 0
  private(set) var oldest = PendingLogin.none
  private var newest = PendingLogin.none

  /// - Parameter capacity: the most at one time.
  init(capacity: Int) { records = Slab(capacity: capacity) { PendingLogin() } }

  /// Adds a record for a session; nil when there is no room.
  mutating func add(_ session: UInt32) -> UInt32? {
    guard let place = records.take() else { return nil }
    records[place] = PendingLogin()
    records[place].session = session
    records[place].older = newest
    if newest == PendingLogin.none { oldest = place } else { records[newest].newer = place }
    newest = place
    count += 1
    return place
  }

  mutating func remove(_ place: UInt32) {
    let older = records[place].older
    let newer = records[place].newer
    if older == PendingLogin.none { oldest = newer } else { records[older].newer = newer }
    if newer == PendingLogin.none { newest = older } else { records[newer].older = older }
    records[place] = PendingLogin()
    records.giveBack(place)
    count -= 1
  }
}
