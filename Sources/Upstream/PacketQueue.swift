internal import Primitives

/// Encoded messages on their way to one worker.
///
/// ```
/// front            written         framed             end
/// | message cut by  | in DATA frames | not yet given to |
/// | the last write  | not written    | nghttp2          |
/// ```
///
/// A message is forgotten only when its last byte was written, so that the ones a lost worker can't
/// have read whole are still here to be given to another.
struct PacketQueue: ~Copyable {
  var bytes = ByteQueue()
  /// From the front: bytes that the socket took.
  private(set) var writtenBytes = 0
  /// From the front: bytes that nghttp2 has put into DATA frames.
  private(set) var framedBytes = 0
  /// The most bytes that were in it since ``trim()``.
  private var peakBytes = 0

  /// What a queue keeps in any case: about as much as one read of a client can bring.
  ///
  /// With more in its turns, it keeps what it needs: to give that back whenever it is empty means
  /// to get it again, page by page, in each turn. For 1,400 bytes in bursts that is 1,870
  /// instructions for an echo instead of 1,105 (benchmarks/README.md).
  private static let keptBytes = 256 << 10

  /// Bytes that the socket has not taken.
  var unwrittenBytes: Int { bytes.count - writtenBytes }
  /// Bytes that no DATA frame has announced.
  var unframedBytes: Int { bytes.count - framedBytes }

  mutating func framed(_ byteCount: Int) { framedBytes += byteCount }

  /// Where the next bytes for the socket lie.
  var unwritten: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: bytes.readable[writtenBytes...])
  }

  mutating func wrote(_ byteCount: Int) {
    writtenBytes += byteCount
    precondition(writtenBytes <= framedBytes)
    peakBytes = max(peakBytes, bytes.count)
    if writtenBytes == bytes.count {
      bytes.removeFirst(writtenBytes)
      writtenBytes = 0
      framedBytes = 0
    } else if writtenBytes >= 256 << 10 {
      dropWrittenMessages()
    }
  }

  /// Gives memory back that was not needed since the last time; to be called now and then.
  mutating func trim() {
    if peakBytes < Self.keptBytes { bytes.shrink(to: Self.keptBytes) }
    peakBytes = bytes.count
  }

  /// Takes the messages whose last byte was not written, prefixes included, oldest first.
  mutating func takeUnwrittenMessages() -> [UInt8] {
    if !Fault.sendAgainWhatLeft.isOn { dropWrittenMessages() }
    if Fault.forgetHalfWritten.isOn, writtenBytes > 0 {
      unsafe bytes.removeFirst(ContractWriter.messageByteCount(at: bytes.readable))
    }
    let messages = unsafe Array(bytes.readable)
    bytes.removeAll()
    writtenBytes = 0
    framedBytes = 0
    return messages
  }

  /// Bytes that the socket took of the oldest message whose last byte it did not take.
  var writtenBytesOfFirstMessage: Int {
    var rest = unsafe bytes.readable
    var written = writtenBytes
    while rest.count > 0 {
      let byteCount = unsafe ContractWriter.messageByteCount(at: rest)
      guard byteCount <= written else { return written }
      written -= byteCount
      unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[byteCount...])
    }
    return 0
  }

  private mutating func dropWrittenMessages() {
    while bytes.count > 0 {
      let byteCount = unsafe ContractWriter.messageByteCount(at: bytes.readable)
      guard byteCount <= writtenBytes else { return }
      bytes.removeFirst(byteCount)
      writtenBytes -= byteCount
      framedBytes -= byteCount
    }
  }
}
