internal import Auth
internal import Framing
public import Primitives

/// Sessions of one pool on their way to another shard, and the packets that go with them.
///
/// Their sockets go the same way, in the same order; that is the driver's part.
public struct MovingSessions: Sendable {
  /// Index of the pool that all of them are of.
  var pool: Int
  var sessions: [MovingSession] = []
  /// Encoded packets that no worker has got, oldest first: of these sessions, and of some that are
  /// over.
  var packets: [UInt8] = []
  /// So many messages for clients have come to the sender from the receiver; those behind them
  /// these sessions have missed.
  var outputsHeard: UInt64 = 0

  init(pool: Int) { self.pool = pool }

  public var count: Int { sessions.count }

  /// The sender's ids, in order: the driver takes their sockets along.
  public var ids: [SessionID] { sessions.map(\.sender) }

  package var uuids: [SessionUUID] { sessions.map(\.uuid) }
}

/// What one session takes along: all of its record that does not name a place.
struct MovingSession: Sendable {
  /// What the shard that it leaves has called it.
  var sender: SessionID
  var uuid: SessionUUID
  var listener: UInt16
  var client: SocketAddress
  /// Nil where nobody is let in by name.
  var account: AccountName?
  var attributes: [Credentials.Attribute] = []
  /// Its client has ended its direction.
  var hasEnded: Bool
  /// It has sent more than its listener allows, and is not read for a while.
  var isLimited: Bool
  var hadWorker: Bool
  var isAllowed: Bool
  var isRecorded: Bool
  var takesQueue: Bool
  var wasHeld: Bool
  var unanswered: UInt32
  var packetsWaiting: UInt32

  var received: [UInt8]
  var heldByteCount: UInt32
  var fromClient: FramerState
  var toClient: FramerState
  /// What its socket has not taken.
  var queue: [UInt8]

  var openedAt: Instant
  var activeAt: Instant
  var packetAt: Instant
  var waitingSince: Instant
  var progressAt: Instant
  var packetMeter: RateMeter
  var byteMeter: RateMeter
  var limitedUntil: Instant
  /// Of what was sent to the shard that it leaves, so much was sent before it came there.
  var outputsBefore: UInt64

  var traffic: Traffic
}
