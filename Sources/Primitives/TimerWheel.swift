/// One deadline for each of many numbered owners, set and cleared in O(1).
///
/// A hierarchical timing wheel (Varghese and Lauck, 1987): six levels of 64 slots; a slot of level
/// n spans 64^n ticks of 4 ms, so the wheel reaches 9 years. Deadlines are rounded up to a tick: a
/// timer is never early, and at most 4 ms late by the wheel's doing. Owners that share a slot form
/// a doubly linked list through their nodes; what lies beyond the reach waits in the last slot and
/// is sorted in again when its turn comes.
@safe
public struct TimerWheel: ~Copyable {
  private struct Node: BitwiseCopyable {
    var deadline: UInt64 = 0
    var next: UInt32 = TimerWheel.none
    var previous: UInt32 = TimerWheel.none
    /// Level and slot of the list the node is in, or ``TimerWheel/unarmed``.
    var list: UInt16 = TimerWheel.unarmed
  }

  private static let none = UInt32.max
  private static let unarmed = UInt16.max
  private static let levels = 6
  private static let tickNanoseconds: UInt64 = 4_000_000
  /// Nodes whose memory is kept when nothing is armed.
  private static let keptNodes = 4096

  private var nodes: [Node] = []
  private var heads: [UInt32]
  /// Per level, a bit for each slot that is not empty.
  private var occupied: [UInt64]
  /// All ticks up to and including this one have been handled.
  private var tick: UInt64

  /// What ``nextDeadline`` found, until a timer is set or cleared.
  private var nextTick: UInt64?

  public private(set) var armedCount = 0

  /// Owners that memory is there for, armed or not.
  package var nodeCount: Int { nodes.count }

  public init(now: Instant) {
    heads = Array(repeating: Self.none, count: Self.levels * 64)
    occupied = Array(repeating: 0, count: Self.levels)
    tick = now.nanoseconds / Self.tickNanoseconds
  }

  /// Sets `owner`'s deadline, replacing an earlier one.
  public mutating func arm(_ owner: UInt32, at deadline: Instant) {
    while nodes.count <= Int(owner) { nodes.append(Node()) }
    unlink(owner)
    let ticks = deadline.nanoseconds / Self.tickNanoseconds
    let roundedUp = deadline.nanoseconds % Self.tickNanoseconds == 0 ? ticks : ticks + 1
    nodes[Int(owner)].deadline = max(roundedUp, tick + 1)
    link(owner)
  }

  /// Clears `owner`'s deadline, if there is one.
  public mutating func disarm(_ owner: UInt32) {
    guard Int(owner) < nodes.count else { return }
    unlink(owner)
    // Many came and all have gone: the memory goes as well.
    if armedCount == 0, nodes.count > Self.keptNodes { nodes = [] }
  }

  /// What an owner's deadline was rounded up to; nil when it has none.
  package func deadline(of owner: UInt32) -> Instant? {
    guard Int(owner) < nodes.count, nodes[Int(owner)].list != Self.unarmed else { return nil }
    let (nanoseconds, overflow) = nodes[Int(owner)].deadline.multipliedReportingOverflow(
      by: Self.tickNanoseconds)
    return Instant(nanoseconds: overflow ? .max : nanoseconds)
  }

  /// All deadlines up to here have been handled; none that is set behind it is earlier.
  package var handledUntil: Instant { Instant(nanoseconds: tick * Self.tickNanoseconds) }

  /// When ``popExpired(now:)`` has something to do next; nil when nothing is armed.
  ///
  /// May be earlier than the first deadline, when timers must be sorted into a finer level.
  public var nextDeadline: Instant? {
    mutating get {
      guard armedCount > 0 else { return nil }
      let next = nextTick ?? firstTick()
      nextTick = next
      let (nanoseconds, overflow) = next.multipliedReportingOverflow(by: Self.tickNanoseconds)
      return Instant(nanoseconds: overflow ? .max : nanoseconds)
    }
  }

  /// The first tick with something to do, while anything is armed.
  private func firstTick() -> UInt64 {
    var next = UInt64.max
    for level in 0..<Self.levels where occupied[level] != 0 {
      let shift = UInt64(level * 6)
      let current = (tick >> shift) & 63
      // The slot that comes round first lies after the current one, cyclically.
      let rotated = Self.rotateRight(occupied[level], by: current + 1)
      let distance = UInt64(rotated.trailingZeroBitCount) + 1
      next = min(next, ((tick >> shift) + distance) << shift)
    }
    return next
  }

  /// Clears and returns one owner whose deadline has come, or nil when there is none left.
  public mutating func popExpired(now: Instant) -> UInt32? {
    let target = now.nanoseconds / Self.tickNanoseconds
    while true {
      let head = heads[Int(tick & 63)]
      if head != Self.none, nodes[Int(head)].deadline <= tick {
        unlink(head)
        return head
      }
      guard tick < target else { return nil }
      guard armedCount > 0, let next = nextDeadline else {
        tick = target
        return nil
      }
      tick = min(target, next.nanoseconds / Self.tickNanoseconds)
      cascade()
    }
  }

  /// Sorts the timers of the slots that begin at this tick into finer levels.
  private mutating func cascade() {
    for level in (1..<Self.levels).reversed() {
      let shift = UInt64(level * 6)
      guard tick & ((1 << shift) - 1) == 0 else { continue }
      let list = level * 64 + Int((tick >> shift) & 63)
      while heads[list] != Self.none {
        let owner = heads[list]
        unlink(owner)
        link(owner)
      }
    }
  }

  private mutating func link(_ owner: UInt32) {
    let deadline = nodes[Int(owner)].deadline
    var level = 0
    while level < Self.levels - 1,
      (deadline >> UInt64(level * 6)) - (tick >> UInt64(level * 6)) >= 64
    {
      level += 1
    }
    let shift = UInt64(level * 6)
    let slot = min(deadline >> shift, (tick >> shift) + 63) & 63
    let list = level * 64 + Int(slot)
    let head = heads[list]
    nodes[Int(owner)].next = head
    nodes[Int(owner)].previous = Self.none
    nodes[Int(owner)].list = UInt16(list)
    if head != Self.none { nodes[Int(head)].previous = owner }
    heads[list] = owner
    occupied[level] |= 1 << slot
    nextTick = nil
    armedCount += 1
  }

  private mutating func unlink(_ owner: UInt32) {
    let node = nodes[Int(owner)]
    guard node.list != Self.unarmed else { return }
    if node.previous == Self.none {
      heads[Int(node.list)] = node.next
    } else {
      nodes[Int(node.previous)].next = node.next
    }
    if node.next != Self.none { nodes[Int(node.next)].previous = node.previous }
    if heads[Int(node.list)] == Self.none {
      occupied[Int(node.list) / 64] &= ~(1 << UInt64(node.list % 64))
    }
    nodes[Int(owner)].list = Self.unarmed
    nextTick = nil
    armedCount -= 1
  }

  private static func rotateRight(_ value: UInt64, by count: UInt64) -> UInt64 {
    let shift = count & 63
    return shift == 0 ? value : value >> shift | value << (64 - shift)
  }
}
