/// Records at fixed places, in chunks that never move.
///
/// Every place holds a record from the moment its chunk exists: `make` says what an unused one
/// looks like. So a stale index reads an unused record, never freed memory: a chunk that nobody
/// uses any more is given back, and its places read as a spare one of unused records does.
///
/// The lowest unused place is taken first, so that what is used stays together, and what was used
/// by many is free again once they have gone.
@safe
@frozen
public struct Slab<Record: ~Copyable>: ~Copyable {
  @usableFromInline let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Record>>
  /// Places that hold a record, used or not: every valid index is below it.
  public private(set) var count = 0
  private let chunksMax: Int
  /// What chunks were given back are read as; nil until there is one.
  private var spare: UnsafeMutablePointer<Record>?
  /// A bit for each place that is not used.
  private var unused: [UInt64] = []
  /// Indexed by chunk: how many places are not used.
  private var unusedInChunk: [Int] = []
  private var unusedCount = 0
  /// All chunks below it are full.
  private var firstWithRoom = 0
  private let make: () -> Record

  /// So that a chunk takes half a megabyte at most: it is memory of its own then, which the system
  /// gets back when the chunk goes.
  @inlinable static var chunkShift: Int { MemoryLayout<Record>.stride <= 512 ? 10 : 8 }
  @inlinable static var chunkSize: Int { 1 << chunkShift }
  private static var wordsInChunk: Int { chunkSize / 64 }

  /// - Parameters:
  ///   - capacity: the most records at one time; up to 16,777,216.
  ///   - make: an unused record.
  public init(capacity: Int, make: @escaping () -> Record) {
    precondition(capacity > 0 && capacity <= 1 << 24)
    chunksMax = (capacity + Self.chunkSize - 1) >> Self.chunkShift
    unsafe chunks = .allocate(capacity: chunksMax)
    unsafe spare = nil
    self.make = make
  }

  deinit {
    for chunk in unusedInChunk.indices where unsafe chunks[chunk] != spare {
      unsafe Self.free(chunks[chunk])
    }
    if let spare = unsafe spare { unsafe Self.free(spare) }
    unsafe chunks.deallocate()
  }

  /// Records that were taken and not given back.
  package var usedCount: Int { count - unusedCount }

  /// The index of an unused record, the lowest, or nil when all are used.
  public mutating func take() -> UInt32? {
    while firstWithRoom < unusedInChunk.count, unusedInChunk[firstWithRoom] == 0 {
      firstWithRoom += 1
    }
    let chunk = firstWithRoom
    if chunk == unusedInChunk.count {
      guard chunk < chunksMax else { return nil }
      unsafe (chunks + chunk).initialize(to: makeChunk())
      unused.append(contentsOf: repeatElement(.max, count: Self.wordsInChunk))
      unusedInChunk.append(Self.chunkSize)
      unusedCount += Self.chunkSize
      count += Self.chunkSize
    } else if unsafe chunks[chunk] == spare {
      unsafe chunks[chunk] = unsafe makeChunk()
    }
    var word = chunk * Self.wordsInChunk
    while unused[word] == 0 { word += 1 }
    let bit = unused[word].trailingZeroBitCount
    unused[word] &= ~(1 << UInt64(bit))
    unusedInChunk[chunk] -= 1
    unusedCount -= 1
    return UInt32(word * 64 + bit)
  }

  /// Marks a record as unused; whoever took it has put it into its unused state.
  public mutating func giveBack(_ index: UInt32) {
    let chunk = Int(index) >> Self.chunkShift
    unused[Int(index) / 64] |= 1 << UInt64(index % 64)
    unusedInChunk[chunk] += 1
    unusedCount += 1
    firstWithRoom = min(firstWithRoom, chunk)
    // Another chunk's worth of room stays, so that one who comes and goes does not bring and take
    // a chunk each time.
    guard unusedInChunk[chunk] == Self.chunkSize, unusedCount >= 2 * Self.chunkSize else { return }
    if unsafe spare == nil {
      unsafe spare = unsafe chunks[chunk]
    } else {
      unsafe Self.free(chunks[chunk])
      unsafe chunks[chunk] = unsafe spare!
    }
  }

  private func makeChunk() -> UnsafeMutablePointer<Record> {
    let chunk = UnsafeMutablePointer<Record>.allocate(capacity: Self.chunkSize)
    for index in 0..<Self.chunkSize { unsafe (chunk + index).initialize(to: make()) }
    return unsafe chunk
  }

  private static func free(_ chunk: UnsafeMutablePointer<Record>) {
    unsafe chunk.deinitialize(count: chunkSize)
    unsafe chunk.deallocate()
  }

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
