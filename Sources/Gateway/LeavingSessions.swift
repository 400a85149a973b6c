internal import Primitives

/// Sessions of one pool that leave the door together, sorted by where they go.
struct LeavingSessions {
  let pool: Int
  /// In the order in which their shards first had a turn.
  private(set) var batches: [(shard: Int, sessions: MovingSessions)] = []

  init(pool: Int) { self.pool = pool }

  /// The shard that the first of them goes to.
  var firstShard: Int? { batches.first?.shard }

  mutating func append(_ session: MovingSession, to shard: Int) {
    batches[place(of: shard)].sessions.sessions.append(session)
  }

  /// - Parameter packet: encoded for a worker; goes along behind those appended before.
  mutating func append(_ packet: UnsafeRawBufferPointer, to shard: Int) {
    unsafe batches[place(of: shard)].sessions.packets.append(contentsOf: packet)
  }

  private mutating func place(of shard: Int) -> Int {
    if let place = batches.firstIndex(where: { $0.shard == shard }) { return place }
    batches.append((shard, MovingSessions(pool: pool)))
    return batches.count - 1
  }
}
