/// Finds the first of a few byte values in a buffer, 32 bytes at a time, as words of eight.
///
/// Vectors of the standard library were tried, and are not compiled to the processor's: 25 times
/// slower.
struct ByteSearch: BitwiseCopyable, Sendable {
  static let valuesMax = 5

  /// Each value in all bytes of a word.
  private let words: [5 of UInt64]
  private let count: UInt8

  private static let low: UInt64 = 0x0101_0101_0101_0101

  /// - Parameter values: 1 to ``valuesMax``; the same one may stand there twice.
  init(_ values: [UInt8]) {
    precondition((1...Self.valuesMax).contains(values.count))
    var slots = [5 of UInt64](repeating: 0)
    var count = 0
    for value in values {
      let word = Self.low &* UInt64(value)
      guard !(0..<count).contains(where: { slots[$0] == word }) else { continue }
      slots[count] = word
      count += 1
    }
    words = slots
    self.count = UInt8(count)
  }

  /// Where the first of them stands, at `start` or behind it; nil when there is none.
  func first(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    switch count {
    case 1: unsafe first(bytes, start) { Self.zeros($0 ^ words[0]) }
    case 2: unsafe first(bytes, start) { Self.zeros($0 ^ words[0]) | Self.zeros($0 ^ words[1]) }
    default:
      unsafe first(bytes, start) { word in
        var found: UInt64 = 0
        for index in 0..<Int(count) { found |= Self.zeros(word ^ words[index]) }
        return found
      }
    }
  }

  /// - Parameter hits: marks bytes of a word, of which the lowest is a hit; 0 when there is none.
  @inline(__always)
  private func first(
    _ bytes: UnsafeRawBufferPointer, _ start: Int, _ hits: (UInt64) -> UInt64
  ) -> Int? {
    var place = start
    while place + 32 <= bytes.count {
      // SAFETY: the loop's condition says that 32 bytes stand at `place`.
      let (a, b) = unsafe (word(bytes, place), word(bytes, place + 8))
      let (c, d) = unsafe (word(bytes, place + 16), word(bytes, place + 24))
      let found = hits(a) | hits(b) | hits(c) | hits(d)
      if found != 0 { break }
      place += 32
    }
    while place + 8 <= bytes.count {
      // SAFETY: as above, of eight bytes.
      let found = unsafe hits(word(bytes, place))
      if found != 0 { return place + found.trailingZeroBitCount / 8 }
      place += 8
    }
    while place < bytes.count {
      let word = unsafe Self.low &* UInt64(bytes[place])
      if hits(word) != 0 { return place }
      place += 1
    }
    return nil
  }

  /// The eight bytes at `place`, the first one being the lowest.
  @inline(__always)
  private func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
    UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }

  /// The highest bit of bytes of `word`, the lowest of which is its first zero.
  ///
  /// A byte is zero where taking 1 from it borrows; a borrow may go on into later bytes.
  @inline(__always)
  private static func zeros(_ word: UInt64) -> UInt64 {
    (word &- low) & ~word & (low << 7)
  }
}
