internal import Primitives

/// Sessions that have come from another shard, and are given what they have missed before they go
/// on.
struct ArrivingSessions {
  let pool: Int
  /// What this shard calls them; some may have ended since they came.
  let ids: [SessionID]
  /// How those are to end that were to end while they were away from the door.
  var closings: [AwayClosing?] = []
  /// Encoded packets that came along with them, and wait; none at the door, which keeps them with
  /// its own.
  var packets: [UInt8] = []
  /// What they have not been given yet, oldest first.
  var missed: ArraySlice<WorkerOutput>
  /// So many messages had been sent there before the first of them.
  var missedFrom: UInt64
}
