public import Primitives

/// Which listeners are not asked for clients for a while, because descriptors have run out.
///
/// A driver's own state: how many descriptors there are is the system's word, not the shard's. It
/// is a value here so that every driver decides alike. Listeners are named by their slots.
public struct AcceptPauses: Sendable {
  /// How long a listener is left alone, unless a descriptor is given back before.
  private static let retryAfter = Interval.seconds(1)

  private struct Listener {
    var isPaused = false
    /// Clients wait to be accepted, as far as is known.
    var isStarved = false
  }

  private var listeners: [Listener] = []
  /// When ``resume()`` is due; ``Instant/distantFuture`` while no listener is paused.
  public private(set) var retryAt = Instant.distantFuture

  public init() {}

  public func isPaused(_ slot: Int) -> Bool { slot < listeners.count && listeners[slot].isPaused }

  /// Descriptors have run out while clients of a listener wait.
  ///
  /// - Returns: whether that is news, to be told with
  ///   ``Shard/acceptPaused(listener:_:effects:)``.
  public mutating func pause(_ slot: Int, now: Instant) -> Bool {
    while listeners.count <= slot { listeners.append(Listener()) }
    listeners[slot].isPaused = true
    retryAt = min(retryAt, now + Self.retryAfter)
    defer { listeners[slot].isStarved = true }
    return !listeners[slot].isStarved
  }

  /// No client of a listener waits any more.
  ///
  /// - Returns: whether that is news, to be told with ``Shard/acceptResumed(listener:effects:)``.
  public mutating func feed(_ slot: Int) -> Bool {
    guard slot < listeners.count, listeners[slot].isStarved else { return false }
    listeners[slot].isStarved = false
    return true
  }

  /// A descriptor was given back: somebody may be waiting for just this one.
  public mutating func descriptorFreed(now: Instant) {
    if retryAt != .distantFuture { retryAt = now }
  }

  /// Ends all pauses; the listeners to be asked at once, since no event may come for those who
  /// wait already.
  public mutating func resume() -> [Int] {
    retryAt = .distantFuture
    let paused = listeners.indices.filter { listeners[$0].isPaused }
    for slot in paused { listeners[slot].isPaused = false }
    return paused
  }

  /// A listener is gone; another one may get its slot.
  public mutating func forget(_ slot: Int) {
    if slot < listeners.count { listeners[slot] = Listener() }
  }
}
