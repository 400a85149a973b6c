internal import Primitives

/// A file of a ``VirtualDisk``: what it holds, what of that a loss of power may take, and who has
/// it open.
///
/// It lives on without a name for as long as somebody has it open, as on any Unix.
final class VirtualFile {
  /// What a disk writes whole, or not at all.
  static let sectorByteCount = 512

  /// Tells it from others that have had its name.
  let inode: UInt64
  private(set) var content: FileContent
  /// Chunks as they were at the last sync, by number; an empty one was not there.
  private var synced: [Int: [UInt8]] = [:]
  private var syncedByteCount: Int
  /// Those that have it open, in the order in which they came.
  var handles: [VirtualFileHandle] = []
  /// The index of a write-ahead log, which its users share.
  var memory: VirtualMemory?
  var isLinked = true
  /// Whether what is written is as good as synced.
  private let syncsAlways: Bool
  /// Whether its room is counted no more.
  var isForgotten = false

  init(inode: UInt64, _ content: FileContent, syncsAlways: Bool) {
    self.inode = inode
    self.syncsAlways = syncsAlways
    self.content = content
    syncedByteCount = content.byteCount
  }

  func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
    guard source.count > 0 else { return }
    // What lies between the old end and the offset is written, too: with zeros.
    keepSynced(from: min(offset, content.byteCount), to: offset + source.count)
    unsafe content.write(source, at: offset)
  }

  func truncate(to byteCount: Int) {
    keepSynced(from: min(byteCount, content.byteCount), to: max(byteCount, content.byteCount))
    content.resize(to: byteCount)
  }

  /// From here on no loss of power takes what is written.
  func sync() {
    synced = [:]
    syncedByteCount = content.byteCount
  }

  private func keepSynced(from start: Int, to end: Int) {
    guard start < end, !syncsAlways else { return }
    let size = FileContent.chunkByteCount
    for index in (start / size)...((end - 1) / size) where synced[index] == nil {
      synced[index] = content.chunk(index) ?? []
    }
  }

  /// Loses what was not synced, as ``PowerLoss`` says.
  func losePower(_ random: inout SeededRandom) {
    let unsynced = synced.keys.sorted()
    let loss = PowerLoss(chunks: unsynced, &random)
    let byteCount = loss.byteCount(
      synced: syncedByteCount, written: content.byteCount, &random)
    content.resize(to: max(content.byteCount, syncedByteCount))
    for index in unsynced where index < content.chunks.count {
      let old = synced[index].flatMap { $0.isEmpty ? nil : $0 }
      var chunk = content.chunks[index]
      for start in stride(from: 0, to: chunk.count, by: Self.sectorByteCount)
      where loss.takes(chunk: index, &random) {
        for place in start..<(start + Self.sectorByteCount) { chunk[place] = old?[place] ?? 0 }
      }
      content.setChunk(index, chunk)
    }
    content.resize(to: byteCount)
    sync()
  }
}

/// What a loss of power takes of one file's sectors that were not synced.
private enum PowerLoss {
  case everything
  case nothing
  /// All behind a place, and some at it: the disk wrote in order.
  case end(fromChunk: Int)
  /// Each by chance, one in so many: the disk wrote in any order.
  case some(oneIn: UInt64)

  init(chunks: [Int], _ random: inout SeededRandom) {
    switch random.next() % 4 {
    case 0: self = .everything
    case 1: self = .nothing
    case 2 where !chunks.isEmpty:
      self = .end(fromChunk: chunks[Int(random.next() % UInt64(chunks.count))])
    default: self = .some(oneIn: 2 << (random.next() % 6))
    }
  }

  /// A file's length after it.
  func byteCount(synced: Int, written: Int, _ random: inout SeededRandom) -> Int {
    switch self {
    case .everything: synced
    case .nothing: written
    case .end(let first): max(synced, min(written, (first + 1) * FileContent.chunkByteCount))
    case .some(let count): random.next() % count == 0 ? synced : written
    }
  }

  /// Whether it takes a sector of this chunk.
  func takes(chunk: Int, _ random: inout SeededRandom) -> Bool {
    switch self {
    case .everything: true
    case .nothing: false
    case .end(let first): chunk > first || (chunk == first && random.next() & 1 == 0)
    case .some(let count): random.next() % count == 0
    }
  }
}

/// Memory that the users of one write-ahead log share.
///
/// - SAFETY: regions stay where they are for as long as any user holds the object.
@safe
final class VirtualMemory {
  private var regions: [UnsafeMutableRawBufferPointer] = unsafe []

  deinit {
    while let memory = unsafe regions.popLast() { unsafe memory.deallocate() }
  }

  /// The region of this number; nil when there is none and it is not to be made.
  func region(
    _ index: Int, byteCount: Int, extending: Bool
  ) -> UnsafeMutableRawPointer? {
    while unsafe regions.count <= index {
      guard extending else { return nil }
      let region = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
      unsafe region.initializeMemory(as: UInt8.self, repeating: 0)
      unsafe regions.append(region)
    }
    return unsafe regions[index].baseAddress
  }
}
