/// The bytes of a file in memory.
///
/// Copies share what neither has changed.
struct FileContent: Sendable {
  static let chunkByteCount = 4096

  private(set) var byteCount = 0
  /// Each of ``chunkByteCount``; zero beyond ``byteCount``.
  private(set) var chunks: [[UInt8]] = []

  /// Fills `target` from `offset` on, with zeros beyond the end.
  ///
  /// - Returns: whether the file has so many bytes.
  func read(into target: UnsafeMutableRawBufferPointer, from offset: Int) -> Bool {
    let end = min(byteCount, offset + target.count)
    var position = offset
    while position < end {
      let start = position % Self.chunkByteCount
      let count = min(Self.chunkByteCount - start, end - position)
      let chunk = chunks[position / Self.chunkByteCount]
      // SAFETY: `start + count` is within the chunk, `position - offset + count` within the target.
      unsafe chunk.withUnsafeBytes { bytes in
        unsafe target[(position - offset)..<(position - offset + count)].copyBytes(
          from: bytes[start..<(start + count)])
      }
      position += count
    }
    let known = max(0, end - offset)
    guard known < target.count else { return true }
    unsafe target[known...].initializeMemory(as: UInt8.self, repeating: 0)
    return false
  }

  mutating func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
    let end = offset + source.count
    resize(to: max(byteCount, end))
    var position = offset
    while position < end {
      let start = position % Self.chunkByteCount
      let count = min(Self.chunkByteCount - start, end - position)
      // SAFETY: as above.
      unsafe chunks[position / Self.chunkByteCount].withUnsafeMutableBytes { bytes in
        unsafe bytes[start..<(start + count)].copyBytes(
          from: source[(position - offset)..<(position - offset + count)])
      }
      position += count
    }
  }

  /// Cuts off, or adds zeros.
  mutating func resize(to newByteCount: Int) {
    let chunkCount = (newByteCount + Self.chunkByteCount - 1) / Self.chunkByteCount
    if chunkCount < chunks.count { chunks.removeLast(chunks.count - chunkCount) }
    while chunks.count < chunkCount {
      chunks.append([UInt8](repeating: 0, count: Self.chunkByteCount))
    }
    let used = newByteCount % Self.chunkByteCount
    if newByteCount < byteCount, used > 0 {
      for index in used..<Self.chunkByteCount { chunks[chunkCount - 1][index] = 0 }
    }
    byteCount = newByteCount
  }

  /// The chunk of this number; nil beyond the end.
  func chunk(_ index: Int) -> [UInt8]? { index < chunks.count ? chunks[index] : nil }

  /// - Precondition: there is a chunk of this number, and `chunk` has ``chunkByteCount`` bytes.
  mutating func setChunk(_ index: Int, _ chunk: [UInt8]) {
    precondition(chunk.count == Self.chunkByteCount)
    chunks[index] = chunk
  }
}
