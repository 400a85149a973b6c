internal import Primitives

/// What workers send to clients: it says where it comes from, and each byte of it can be checked.
///
/// ```
/// length of the rest (2, big endian) | visit (4) | stream (4) | serial (4) | padding
/// ```
struct Answer: Equatable {
  static let headByteCount = 14
  /// Stands for the visit in what goes to many.
  static let everybody: UInt32 = .max
  /// Stands for it in what is for a UUID that no session of the gateway has.
  static let nobody: UInt32 = .max - 1

  /// Whom it is for.
  var visit: UInt32
  /// The worker's packet stream that it came by.
  var stream: UInt32
  /// Counts a stream's answers from 1, those for others included.
  var serial: UInt32
  var byteCount: Int

  var bytes: [UInt8] {
    precondition(byteCount >= Self.headByteCount && byteCount <= 0xffff + 2)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    bytes.append(UInt8(truncatingIfNeeded: (byteCount - 2) >> 8))
    bytes.append(UInt8(truncatingIfNeeded: byteCount - 2))
    for number in [visit, stream, serial] {
      for shift in [24, 16, 8, 0] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    var padding = Padding(visit, stream, serial)
    while bytes.count < byteCount { bytes.append(padding.next()) }
    return bytes
  }

  /// Reads one answer; nil when a byte of it is not as it was sent.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count >= Self.headByteCount else { return nil }
    func number(at offset: Int) -> UInt32 {
      bytes.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
    self.init(
      visit: number(at: 2), stream: number(at: 6), serial: number(at: 10), byteCount: bytes.count)
    guard bytes.elementsEqual(self.bytes) else { return nil }
  }

  init(visit: UInt32, stream: UInt32, serial: UInt32, byteCount: Int) {
    self.visit = visit
    self.stream = stream
    self.serial = serial
    self.byteCount = byteCount
  }

  /// How many bytes the answer at the front of `bytes` has; nil while its length has not come.
  static func byteCount(atFrontOf bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= 2 else { return nil }
    return 2 + (Int(bytes[bytes.startIndex]) << 8 | Int(bytes[bytes.startIndex + 1]))
  }
}

/// Bytes that follow from three numbers.
struct Padding {
  private var random: SeededRandom
  private var word: UInt64 = 0
  private var left = 0

  init(_ a: UInt32, _ b: UInt32, _ c: UInt32) {
    random = SeededRandom(seed: UInt64(a) << 32 ^ UInt64(b) << 16 ^ UInt64(c))
  }

  mutating func next() -> UInt8 {
    if left == 0 {
      word = random.next()
      left = 8
    }
    left -= 1
    defer { word >>= 8 }
    return UInt8(truncatingIfNeeded: word)
  }
}
