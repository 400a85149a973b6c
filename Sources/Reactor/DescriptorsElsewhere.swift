internal import Synchronization

/// Clients' sockets that the door has handed to other shards: they count against the same limit.
///
/// The door alone accepts. It counts its own sockets by itself, so that a gateway with one shard
/// shares nothing.
final class DescriptorsElsewhere: Sendable {
  private let all = Atomic<Int>(0)
  /// The door has stopped accepting and waits for one of them.
  private let isWaitedFor = Atomic<Bool>(false)

  var count: Int { all.load(ordering: .relaxed) }

  func left(_ count: Int) { all.add(count, ordering: .relaxed) }

  func cameBack(_ count: Int) { all.subtract(count, ordering: .relaxed) }

  func waitForOne() { isWaitedFor.store(true, ordering: .relaxed) }

  /// One was closed elsewhere.
  ///
  /// - Returns: whether the door is to be told; one shard is asked to.
  func closedOne() -> Bool {
    cameBack(1)
    // Read first: a write would take the line from all other shards each time.
    return isWaitedFor.load(ordering: .relaxed)
      && isWaitedFor.exchange(false, ordering: .relaxed)
  }
}
