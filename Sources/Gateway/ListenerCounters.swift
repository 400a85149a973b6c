/// Counts of one listener's sessions that are over; live ones carry their own.
///
/// Those of traffic are what has happened here, once the live ones' is added. A session that comes
/// from another shard brings what it has had there: that is taken off, so that these alone may be
/// below zero and wrap. So what has happened anywhere stays counted while a session is on its way.
struct ListenerCounters {
  var opened: UInt64 = 0
  /// Sessions that came from the door, and those that went back; at the door, those that ended on
  /// other shards.
  var arrived: UInt64 = 0
  var left: UInt64 = 0
  var closed = [UInt64](repeating: 0, count: 256)
  var packetsIn: UInt64 = 0
  var bytesIn: UInt64 = 0
  var messagesOut: UInt64 = 0
  var bytesOut: UInt64 = 0

  /// A session is over, or leaves for another shard.
  mutating func count(_ traffic: Session.Traffic) {
    packetsIn &+= traffic.packetsIn
    bytesIn &+= traffic.bytesIn
    messagesOut &+= traffic.messagesOut
    bytesOut &+= traffic.bytesOut
  }

  /// A session has come from another shard.
  mutating func uncount(_ traffic: Session.Traffic) {
    packetsIn &-= traffic.packetsIn
    bytesIn &-= traffic.bytesIn
    messagesOut &-= traffic.messagesOut
    bytesOut &-= traffic.bytesOut
  }
}
