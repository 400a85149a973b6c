internal import Primitives
internal import Upstream

/// Workers that serve the same purpose, and whose turn it is.
struct Pool {
  let configuration: PoolConfiguration
  /// Its workers are on several shards, and its sessions follow them.
  let isSpread: Bool
  /// Links that sessions may be given to.
  private(set) var rotation: [LinkIndex] = []
  private var nextTurn = 0
  /// At the door: how many links of each other shard sessions may be given to.
  private(set) var elsewhere: [Int] = []
  private var nextShardTurn = 0
  /// At other shards: what the door was told of ``rotation``.
  var rotationTold = 0
  /// Encoded packets that a lost worker could not take, for the next worker, oldest first.
  var orphans: [UInt8] = []
  /// Sessions that wait until any worker can take more; with packet balance only.
  var parked: [SessionID] = []

  init(_ configuration: PoolConfiguration, isSpread: Bool) {
    self.configuration = configuration
    self.isSpread = isSpread
  }

  /// The link whose turn it is, or nil when there is none.
  mutating func next() -> LinkIndex? {
    guard !rotation.isEmpty else { return nil }
    if nextTurn >= rotation.count { nextTurn = 0 }
    defer { nextTurn += 1 }
    return rotation[nextTurn]
  }

  mutating func enter(_ link: LinkIndex) { rotation.append(link) }

  mutating func leave(_ link: LinkIndex) {
    guard let place = rotation.firstIndex(of: link) else { return }
    rotation.remove(at: place)
    if place < nextTurn { nextTurn -= 1 }
  }

  // MARK: At the door

  /// There is a worker that sessions may be given to, here or elsewhere.
  var hasWorker: Bool { !rotation.isEmpty || elsewhere.contains { $0 > 0 } }

  /// Another shard has so many links in rotation.
  mutating func setElsewhere(_ shard: Int, _ count: Int) {
    while elsewhere.count <= shard { elsewhere.append(0) }
    elsewhere[shard] = count
  }

  /// The shard whose turn it is, each coming as often as it has workers; nil when there is none.
  mutating func nextShard() -> Int? {
    if elsewhere.isEmpty { return rotation.isEmpty ? nil : 0 }
    let total = elsewhere.reduce(rotation.count, +)
    guard total > 0 else { return nil }
    if nextShardTurn >= total { nextShardTurn = 0 }
    var place = nextShardTurn - rotation.count
    nextShardTurn += 1
    guard place >= 0 else { return 0 }
    var shard = 0
    while place >= elsewhere[shard] {
      place -= elsewhere[shard]
      shard += 1
    }
    return shard
  }
}
