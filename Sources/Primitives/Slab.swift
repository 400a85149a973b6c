/// Records at fixed places, in chunks that never move.
///
/// Every place holds a record from the moment its chunk exists: `make` says what an unused one
/// looks like. So a stale index reads an unused record, never freed memory.
@safe
@frozen
public struct Slab<Record: ~Copyable>: ~Copyable {
  @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutablePointer<Record>>
  @usableFromInline var chunkCount = 0
  @usableFromInline let chunksMax: Int
  @usableFromInline var free: [UInt32] = []
  @usableFromInline let make: () -> Record

  @inlinable static var chunkShift: Int { 8 }
  @inlinable static var chunkSize: Int { 1 << chunkShift }

  /// - Parameters:
  ///   - capacity: the most records at one time; up to 16,777,216.
  ///   - make: an unused record.
  @inlinable public init(capacity: Int, make: @escaping () -> Record) {
    precondition(capacity > 0 && capacity <= 1 << 24)
    chunksMax = (capacity + Self.chunkSize - 1) >> Self.chunkShift
    unsafe chunks = .allocate(capacity: chunksMax)
    self.make = make
  }

  @inlinable deinit {
    for chunk in 0..<chunkCount {
      unsafe chunks[chunk].deinitialize(count: Self.chunkSize)
      unsafe chunks[chunk].deallocate()
    }
    unsafe chunks.deallocate()
  }

  /// Places that hold a record, used or not: every valid index is below it.
  @inlinable public var count: Int { chunkCount << Self.chunkShift }

  /// Records that were taken and not given back.
  package var usedCount: Int { count - free.count }

  /// The index of an unused record, or nil when all are used.
  @inlinable public mutating func take() -> UInt32? {
    if let index = free.popLast() { return index }
    guard chunkCount < chunksMax else { return nil }
    let chunk = UnsafeMutablePointer<Record>.allocate(capacity: Self.chunkSize)
    for index in 0..<Self.chunkSize { unsafe (chunk + index).initialize(to: make()) }
    unsafe chunks[chunkCount] = chunk
    let first = UInt32(count)
    chunkCount += 1
    free.reserveCapacity(count)
    for index in (first + 1..<first + UInt32(Self.chunkSize)).reversed() { free.append(index) }
    return first
  }

  /// Marks a record as unused; whoever took it has put it into its unused state.
  @inlinable public mutating func giveBack(_ index: UInt32) { free.append(index) }

  /// The record at `index`.
  ///
  /// - Precondition: `index` is below ``count``.
  @inlinable public subscript(index: UInt32) -> Record {
    unsafeAddress {
      unsafe UnsafePointer(address(of: index))
    }
    nonmutating unsafeMutableAddress {
      unsafe address(of: index)
    }
  }

  @inlinable func address(of index: UInt32) -> UnsafeMutablePointer<Record> {
    let place = Int(index)
    precondition(place < count)
    // SAFETY: every place below `count` lies in an initialised chunk.
    return unsafe chunks[place >> Self.chunkShift] + (place & (Self.chunkSize - 1))
  }
}
