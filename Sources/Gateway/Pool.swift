internal import Primitives
internal import Upstream

/// Workers that serve the same purpose, and whose turn it is.
struct Pool {
  let configuration: PoolConfiguration
  /// Links that sessions may be given to.
  private(set) var rotation: [LinkIndex] = []
  private var nextTurn = 0
  /// Encoded packets that a lost worker could not take, for the next worker, oldest first.
  var orphans: [UInt8] = []
  /// Sessions that wait until any worker can take more; with packet balance only.
  var parked: [SessionID] = []

  init(_ configuration: PoolConfiguration) { self.configuration = configuration }

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
}
