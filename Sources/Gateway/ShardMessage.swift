public import Auth
public import Primitives
internal import Upstream

/// What one shard tells another.
///
/// The shards of a gateway form a star: shard 0, the door, tells the others, and they tell it.
/// Messages between two keep their order, and none is lost.
public enum ShardMessage: Sendable {
  // MARK: Sessions

  /// To a shard: these sessions are with its workers from here on.
  case sessions(MovingSessions)
  /// To the door: the last worker that these sessions could be with is gone.
  case returned(MovingSessions)
  /// To the door: a session that was handed over is over.
  case ended(SessionUUID)
  /// To the session's shard: end it.
  case close(SessionUUID, CloseReason, BanMatch?)
  /// To the session's shard: whether bans and limits touch it has changed.
  case allow(SessionUUID, Bool)

  // MARK: Workers

  /// To the door: so many of a pool's workers may be given sessions.
  case rotation(pool: Int, count: Int)
  /// A worker's words for clients that are not on its shard; see ``OutputAccount``.
  case output(WorkerOutput)
  /// To the door: so many more of such messages were delivered.
  case outputsDelivered(count: Int)
  /// To the shard whose workers sent them: so many more bytes of such messages were delivered, and
  /// so many of all of them have come to the door.
  case outputCredit(byteCount: Int, heard: UInt64)

  // MARK: Listeners, rules and recordings

  /// To a shard: this is the listener of a place, until it is said to be gone.
  indirect case listener(slot: Int, ListenerConfiguration, ListenerFramers)
  /// To a shard: the listener of a place is gone, its last session with it.
  case listenerGone(slot: Int)
  /// To the door: something that rules count.
  case offence(TemporaryBanRule.Trigger, Offender)
  /// To the door: a limit bans somebody.
  case ban(TemporaryBan)
  /// To the door: what happened to a session that is recorded.
  case recorded(RecordedMoment)
  /// To the shard that told of it: so many more bytes were noted.
  case recordingCredit(byteCount: Int)
  /// To the door: a session is not recorded any further, as too much was in flight.
  case recordingCut(SessionUUID)
  /// To the session's shard: it is not recorded any more.
  case recordingEnded(SessionUUID)

  /// To a shard: the gateway ends.
  case shutdown

  /// The sessions that come with it, and whose sockets have to; nil when there are none.
  public var movingSessions: MovingSessions? {
    switch self {
    case .sessions(let batch), .returned(let batch): batch
    case .ended, .close, .allow, .rotation, .output, .outputsDelivered, .outputCredit, .listener,
      .listenerGone, .offence, .ban, .recorded, .recordingCredit, .recordingCut, .recordingEnded,
      .shutdown:
      nil
    }
  }
}

/// A message of a worker for clients on other shards than its own.
public struct WorkerOutput: Sendable {
  enum Target: Sendable {
    case session(SessionUUID)
    case broadcast(Audience)
  }

  var target: Target
  /// Index of the worker's pool.
  var pool: Int
  var worker: WorkerID
  /// The shard of the worker.
  var origin: Int
  /// Tells halves of packets apart by where they come from; see Session+Links.
  var source: UInt32
  var payload: [UInt8]
}

/// Something that happened to a recorded session that is not at the door.
public struct RecordedMoment: Sendable {
  var uuid: SessionUUID
  var kind: RecordedEvent.Kind
  var bytes: [UInt8]
  var unixMilliseconds: UInt64
}
