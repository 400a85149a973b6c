/// Counts of one listener's sessions that are over; live ones carry their own.
///
/// A session's traffic is added when the session is over, or leaves for another shard, and taken
/// off when it comes from one: so the sum alone may be below zero and wrap. With that of the live
/// sessions it is what has happened here, and none is lost while a session is on its way.
struct ListenerCounters {
  var opened: UInt64 = 0
  /// Sessions that came from the door, and those that went back; at the door, those that ended on
  /// other shards.
  var arrived: UInt64 = 0
  var left: UInt64 = 0
  var closed = [UInt64](repeating: 0, count: 256)
  var traffic = Traffic()
}
