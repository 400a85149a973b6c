/// Bytes that are added at the end and taken from the front.
///
/// ```
/// base        start             end               capacity
/// |  taken     |  readable       |  room            |
/// ```
///
/// Nothing is allocated before the first byte and after ``removeAll()``; an idle session's queue
/// costs its 24 bytes. Holds at most 4 GiB - 1 bytes; callers bound it far below that.
@safe
@frozen
public struct ByteQueue: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer?
  @usableFromInline var start: UInt32 = 0
  @usableFromInline var end: UInt32 = 0
  @usableFromInline var capacity: UInt32 = 0

  @inlinable public init() { unsafe base = nil }

  deinit { unsafe base?.deallocate() }

  /// Readable bytes.
  @inlinable public var count: Int { Int(end &- start) }
  @inlinable public var isEmpty: Bool { start == end }

  /// The readable bytes, valid until the queue is changed.
  @inlinable public var readable: UnsafeRawBufferPointer {
    guard let base = unsafe base else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
    return unsafe UnsafeRawBufferPointer(start: base + Int(start), count: count)
  }

  /// Makes room for `byteCount` bytes and returns where they go; follow with ``commit(_:)``.
  @inlinable public mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if unsafe Int(capacity &- end) < byteCount || base == nil { grow(by: byteCount) }
    // SAFETY: `end` is at most `capacity`, and there is room for `byteCount` bytes behind it.
    return unsafe base! + Int(end)
  }

  /// Makes `byteCount` bytes, written where ``reserve(_:)`` said, readable.
  @inlinable public mutating func commit(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= Int(capacity &- end))
    end &+= UInt32(truncatingIfNeeded: byteCount)
  }

  @inlinable public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    unsafe reserve(bytes.count).copyMemory(from: source, byteCount: bytes.count)
    commit(bytes.count)
  }

  /// Takes `byteCount` bytes from the front, in O(1).
  @inlinable public mutating func removeFirst(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= count)
    start &+= UInt32(truncatingIfNeeded: byteCount)
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Takes back `byteCount` bytes from the end, in O(1).
  @inlinable public mutating func removeLast(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= count)
    end &-= UInt32(truncatingIfNeeded: byteCount)
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Forgets all bytes and gives the memory back.
  public mutating func removeAll() {
    unsafe base?.deallocate()
    unsafe base = nil
    start = 0
    end = 0
    capacity = 0
  }

  /// Gives the memory back when the queue is empty and holds more than `byteCount` bytes of it.
  public mutating func shrink(to byteCount: Int) {
    if isEmpty && Int(capacity) > byteCount { removeAll() }
  }

  /// Moves what is readable to the front, into more memory if that is needed.
  @usableFromInline mutating func grow(by byteCount: Int) {
    let used = count
    let needed = used + byteCount
    precondition(needed < Int(UInt32.max), "a queue was not bounded")
    if needed <= Int(capacity), used <= Int(capacity) / 2, let base = unsafe base {
      unsafe base.copyMemory(from: base + Int(start), byteCount: used)
    } else {
      var larger = max(Int(capacity) * 2, 64)
      while larger < needed { larger *= 2 }
      larger = min(larger, Int(UInt32.max))
      let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
      if let base = unsafe base {
        unsafe moved.copyMemory(from: base + Int(start), byteCount: used)
        unsafe base.deallocate()
      }
      unsafe base = moved
      capacity = UInt32(larger)
    }
    start = 0
    end = UInt32(used)
  }
}
