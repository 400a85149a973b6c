internal import Primitives

/// What one turn gathered for clients, as pieces that still lie where they were received.
///
/// Each session has a list of its pieces, so that one system call writes them all.
@safe
struct Outbox: ~Copyable {
  @safe
  struct Piece {
    var base: UnsafeRawPointer
    var count: UInt32
    var next: UInt32
  }

  static let none = UInt32.max

  private let pieces: UnsafeMutablePointer<Piece>
  private(set) var count = 0
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    unsafe pieces = .allocate(capacity: capacity)
  }

  deinit { unsafe pieces.deallocate() }

  var room: Int { capacity - count }
  subscript(index: UInt32) -> Piece { unsafe pieces[Int(index)] }

  /// Adds a piece; `after` is the piece before it in its list, if there is one.
  @inline(__always)
  mutating func add(_ bytes: UnsafeRawBufferPointer, after last: UInt32) -> UInt32 {
    precondition(count < capacity)
    let index = UInt32(truncatingIfNeeded: count)
    unsafe (pieces + count).initialize(
      to: Piece(
        base: bytes.baseAddress!, count: UInt32(truncatingIfNeeded: bytes.count), next: Self.none))
    count += 1
    if last != Self.none { unsafe pieces[Int(last)].next = index }
    return index
  }

  /// Forgets all pieces; every list must have been taken before.
  mutating func reset() { count = 0 }
}

/// Memory for one turn, for payloads whose own memory will be used again before they are written.
@safe
struct TurnArena: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private var used = 0
  private let capacity: Int
  /// What there was no room for.
  private var blocks: [UnsafeMutableRawBufferPointer] = unsafe []

  init(capacity: Int) {
    self.capacity = capacity
    unsafe base = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit {
    unsafe base.deallocate()
    unsafe blocks.forEach { unsafe $0.deallocate() }
  }

  /// A copy of `bytes` that lasts until ``reset()``, or nil when there is no room for it.
  mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard bytes.count <= capacity - used, let source = bytes.baseAddress else { return nil }
    let copy = unsafe base + used
    unsafe copy.copyMemory(from: source, byteCount: bytes.count)
    used += bytes.count
    return unsafe UnsafeRawBufferPointer(start: copy, count: bytes.count)
  }

  /// A copy of `bytes`, which lasts until ``reset()``, in memory of its own if there is no room.
  ///
  /// How much that is altogether is bounded by who calls it.
  mutating func keep(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if let copy = unsafe copy(bytes) { return unsafe copy }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    unsafe block.copyMemory(from: bytes)
    unsafe blocks.append(block)
    return UnsafeRawBufferPointer(block)
  }

  /// More was kept than there is room for.
  var isExceeded: Bool { unsafe !blocks.isEmpty }

  mutating func reset() {
    used = 0
    if isExceeded { freeBlocks() }
  }

  private mutating func freeBlocks() {
    unsafe blocks.forEach { unsafe $0.deallocate() }
    unsafe blocks = []
  }
}
