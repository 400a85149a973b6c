/// Puts the bytes of one direction of a TCP connection in order.
///
/// ```
///   offset 0          handedOn                      waitingBytesMax
///   |  handed on       |  lost so far  |  waiting  |
/// ```
///
/// Places in the stream are offsets from its first byte: what wraps around is a segment's sequence
/// number (RFC 9293 section 3.4), and it does so once, here. Of bytes that come twice the first are
/// taken. A gap that is not filled before too much waits behind it cuts the stream: what comes
/// after it is not handed on.
struct DirectionAssembler {
  /// No sender is so far ahead of its receiver (RFC 7323 section 2.3), in bytes.
  private static let windowBytesMax = 1 << 30
  /// What a waiting piece costs beside its bytes.
  private static let pieceBytes = 64

  /// Bytes that are next in the stream.
  struct Chunk: Equatable {
    var bytes: ArraySlice<UInt8>
    /// When they were there; never before those in front of them.
    var time: UInt64
  }

  private struct Piece {
    var offset: Int
    var bytes: ArraySlice<UInt8>
    var time: UInt64

    var end: Int { offset + bytes.count }
  }

  /// A sequence number, and the offset that it stands for.
  private var known: (sequence: UInt32, offset: Int)?
  /// Bytes handed on, which is the offset of the next.
  private(set) var handedOn = 0
  /// The first byte handed on is the connection's first.
  private(set) var isFromStart = false
  /// Bytes are missing, and the stream ends in front of them.
  private(set) var isCut = false
  private(set) var waitingBytes = 0
  private var waiting: [Piece] = []
  /// The offset behind the last byte, once the sender has said it.
  private var end: Int?
  private var time: UInt64 = 0

  var isStarted: Bool { known != nil }

  /// The sender has said that this is all, and all was handed on.
  var isEnded: Bool { end == handedOn }

  /// Whether a SYN with this number can be the one that this direction began with.
  func canBegin(behind sequence: UInt32) -> Bool {
    known == nil || offset(of: sequence &+ 1) == 0
  }

  /// The sender's first byte has the sequence number behind this one.
  mutating func synchronize(_ sequence: UInt32) {
    let first = sequence &+ 1
    if known == nil {
      known = (first, 0)
      isFromStart = true
    } else if offset(of: first) == 0 {
      // It comes late, behind what it stands in front of.
      isFromStart = true
    }
  }

  /// Takes a segment's bytes, and returns what is in order with them.
  mutating func take(
    _ sequence: UInt32, _ bytes: ArraySlice<UInt8>, time: UInt64, ends: Bool, waitingBytesMax: Int
  ) -> [Chunk] {
    if known == nil {
      guard !bytes.isEmpty else { return [] }
      known = (sequence, 0)
    }
    guard !isCut, let start = offset(of: sequence) else { return [] }
    if ends, end == nil, start + bytes.count >= handedOn { end = start + bytes.count }
    let last = min(start + bytes.count, end ?? .max)
    let first = max(start, handedOn)
    guard first < last else { return [] }
    let new = bytes[bytes.startIndex + first - start..<bytes.startIndex + last - start]
    if first == handedOn, waiting.isEmpty { return [handOn(new, time)] }
    insert(Piece(offset: first, bytes: new, time: time))
    let chunks = takeInOrder()
    if waitingBytes > waitingBytesMax { cut() }
    return chunks
  }

  /// Nothing more comes.
  mutating func finish() {
    if !waiting.isEmpty || (end ?? 0) > handedOn { cut() }
  }

  /// What waits is given up, and all that follows.
  mutating func cut() {
    isCut = true
    waiting = []
    waitingBytes = 0
  }

  /// Nil for a number that is too far from where the stream is.
  private func offset(of sequence: UInt32) -> Int? {
    guard let known else { return nil }
    let distance = Int(Int32(bitPattern: sequence &- known.sequence))
    guard abs(distance) <= Self.windowBytesMax else { return nil }
    return known.offset + distance
  }

  private mutating func handOn(_ bytes: ArraySlice<UInt8>, _ time: UInt64) -> Chunk {
    handedOn += bytes.count
    known!.sequence = known!.sequence &+ UInt32(truncatingIfNeeded: handedOn - known!.offset)
    known!.offset = handedOn
    self.time = max(self.time, time)
    return Chunk(bytes: bytes, time: self.time)
  }

  /// Keeps those bytes of `piece` that are not there yet.
  private mutating func insert(_ piece: Piece) {
    var index = waiting.partitioningIndex { $0.end > piece.offset }
    var offset = piece.offset
    while offset < piece.end {
      if index < waiting.count, waiting[index].offset <= offset {
        offset = waiting[index].end
        index += 1
        continue
      }
      let end = index < waiting.count ? min(piece.end, waiting[index].offset) : piece.end
      let start = piece.bytes.startIndex - piece.offset
      // A copy, so that a short piece does not keep a long packet.
      let bytes = Array(piece.bytes[start + offset..<start + end])[...]
      waiting.insert(Piece(offset: offset, bytes: bytes, time: piece.time), at: index)
      waitingBytes += bytes.count + Self.pieceBytes
      index += 1
      offset = end
    }
  }

  private mutating func takeInOrder() -> [Chunk] {
    var chunks: [Chunk] = []
    for piece in waiting {
      guard piece.offset == handedOn else { break }
      waitingBytes -= piece.bytes.count + Self.pieceBytes
      chunks.append(handOn(piece.bytes, piece.time))
    }
    waiting.removeFirst(chunks.count)
    return chunks
  }
}

extension Array {
  /// The first index whose element is `true` for `belongsBehind`, which no element behind it is
  /// false for.
  fileprivate func partitioningIndex(_ belongsBehind: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
