/// Counts of what has happened to a shard as a whole, since it began.
struct ShardCounters {
  var linkEnds = [UInt64](repeating: 0, count: 256)
  var messagesToUnknownSession: UInt64 = 0
  var messagesWithoutTarget: UInt64 = 0
  var broadcasts: UInt64 = 0
  var broadcastsRefused: UInt64 = 0
  var packetsRerouted: UInt64 = 0
  var unfinishedDropped: UInt64 = 0
  var packetsOfClosedSessions: UInt64 = 0
  var acceptPauses: UInt64 = 0
  var workerReadPauses: UInt64 = 0
}
