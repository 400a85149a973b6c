internal import Auth
internal import Framing
internal import Primitives

/// One client's connection.
///
/// ```
///   vacant ─accepted─▶ login ─let in─▶ open ─client ends─▶ halfClosed
///                        │              │                    │
///                        ▼              ▼                    ▼
///                      closing (its queue is flushed) ─▶ vacant
/// ```
///
/// Of several shards, the door has those that are with another one as `away`: see Shard+Moving.
///
/// A flat record with a phase instead of an enum with payloads: it is changed in place for each
/// packet, and moving its queues out and in again would cost more than the change. An idle session
/// owns no memory beyond this record. On a listener without authentication it is open at once.
struct Session: ~Copyable {
  enum Phase: UInt8, BitwiseCopyable {
    case vacant, login, open, halfClosed, closing
    /// It is with another shard; here are only its place, its counts and its account.
    case away
  }

  /// Why a client's socket is not read; it is read when there is no reason not to.
  struct Pauses: OptionSet, BitwiseCopyable {
    let rawValue: UInt8
    /// There is no worker to send to.
    static let noWorker = Pauses(rawValue: 1)
    /// The worker's queue is full, or the worker is draining.
    static let workerBusy = Pauses(rawValue: 2)
    /// The client has ended its direction.
    static let ended = Pauses(rawValue: 4)
    /// The session is closing, or the gateway is.
    static let closing = Pauses(rawValue: 8)
    /// Whether to let it in is not decided yet.
    static let verifying = Pauses(rawValue: 16)
    /// It has sent more than its listener allows.
    static let limited = Pauses(rawValue: 32)
    /// It is with another shard: what ``phase`` says already, so that the packet path need look at
    /// nothing but the pauses.
    static let away = Pauses(rawValue: 64)
  }

  var uuid = SessionUUID.none
  var generation: UInt32 = 0
  var phase = Phase.vacant
  var pauses: Pauses = []
  /// Whether the driver reads it when there is something to read, or asks.
  var isRead = false
  var closeReason = CloseReason.clientClosed
  /// The worker was told of the session, and is to be told of its end.
  var isAnnounced = false
  /// It had a worker before the one it has, or waits for.
  var hadWorker = false
  /// Neither bans nor limits touch it.
  var isAllowed = false
  /// It was turned away, and the log has said so.
  var wasRefused = false
  /// It counts as a connection of its address.
  var isCounted = false
  /// The shard that it is with, while ``phase`` is `away`.
  var shard: UInt8 = 0
  var listener: UInt16 = 0
  /// The recording that it belongs to.
  var recording = RecordingMark.none
  /// Its place among the pending logins, while ``phase`` is `login`.
  var login = PendingLogin.none
  /// Its place among the identities, once it was let in.
  var identity = Identities.none
  /// The worker it is with, or ``noLink``; with packet balance always ``noLink``.
  var link = Session.noLink
  /// The link whose reading this session holds back, or ``noLink``.
  var heldLink = Session.noLink
  /// The link that `unfinished` came from.
  var unfinishedLink = Session.noLink
  /// The client's socket has taken bytes of the queue since that was last empty.
  var takesQueue = false
  /// It has held back a worker since its queue was last mostly empty.
  var wasHeld = false
  /// Packets that no message to the client has followed yet, one message counting for one packet.
  var unanswered: UInt32 = 0
  /// Packets that were queued for a lost worker and wait for the next.
  var packetsWaiting: UInt32 = 0
  /// Where it is in the shard's list of live sessions.
  var liveIndex: UInt32 = 0
  /// The first and last piece gathered for the client in this turn.
  var firstPiece = Outbox.none
  var lastPiece = Outbox.none

  /// Bytes from the client that are not a whole packet yet, or that no worker could take.
  var received = ByteQueue()
  /// The bytes at the front of `received` that are ``HeldPackets``.
  var heldByteCount: UInt32 = 0
  /// How far the client's stream has been cut, from behind what is held on.
  var fromClient = FramerState()
  /// Bytes that the client's socket did not take.
  var queue = ByteQueue()
  /// Bytes from workers that are not a whole packet of the server-to-client framer.
  var unfinished = ByteQueue()
  /// How far what workers send has been cut, from the front of `unfinished` on.
  var toClient = FramerState()

  var client = SocketAddress(ipv4: 0, 0, 0, 0, port: 0)
  var openedAt = Instant(nanoseconds: 0)
  /// The last time that bytes came from or went to the client.
  var activeAt = Instant(nanoseconds: 0)
  /// The last time that a packet came from the client; the origin when none did.
  var packetAt = Instant(nanoseconds: 0)
  /// Since when it has no worker.
  var waitingSince = Instant(nanoseconds: 0)
  /// Since when it holds back the reading from a worker.
  var heldSince = Instant(nanoseconds: 0)
  /// The last time that the client's socket took bytes.
  var progressAt = Instant(nanoseconds: 0)

  var packetMeter = RateMeter()
  var byteMeter = RateMeter()
  /// Until when it is not read because it has sent too much.
  var limitedUntil = Instant(nanoseconds: 0)

  /// What has come from and gone to its client, on whatever shard.
  var traffic = Traffic()
  /// Beside the door: so many of other shards' messages had come when it came.
  ///
  /// It has heard them, where it was, though some may still wait here. Once it is back at the door
  /// this is of no use any more.
  var outputsBefore: UInt64 = 0

  /// It has been let in, and is not closing.
  var isIn: Bool { phase == .open || phase == .halfClosed }

  /// Each packet has been followed by a message to the client, and none waits for a worker.
  var seemsAnswered: Bool { unanswered == 0 && !pauses.contains(.workerBusy) }

  /// Back to the unused state; ids given out before no longer match.
  mutating func vacate() {
    self = Session()
  }
}
