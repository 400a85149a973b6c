/// Puts the gRPC messages of one stream together from DATA of any size.
///
/// A message is `u8 compressed | u32 length, big endian | message` (gRPC over HTTP/2,
/// "Length-Prefixed-Message"). Never holds more than one message that is not complete.
struct MessageAssembler {
  /// Size of what stands before each message, in bytes.
  static let prefixBytes = 5

  /// Why no further message of the stream can be read.
  enum Failure: Error, Equatable {
    /// The compressed flag is set, and no compression was agreed on.
    case compressed
    /// A message announces more than the maximum.
    case tooLong
  }

  private let messageBytesMax: Int
  private var gathered: [UInt8] = []

  /// - Parameter messageBytesMax: the longest message accepted, in bytes, without its prefix.
  init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
  }

  /// Bytes of a message that is not complete.
  var pendingBytes: Int { gathered.count }

  /// Takes one chunk and hands each message that it completes to `body`.
  mutating func append(
    _ chunk: UnsafeBufferPointer<UInt8>, body: ([UInt8]) -> Void
  ) throws(Failure) {
    var position = 0
    while position < chunk.count {
      let missing = try missingBytes()
      let take = min(missing, chunk.count - position)
      // SAFETY: position + take <= chunk.count, and the chunk lives during this call.
      unsafe gathered.append(contentsOf: chunk[position..<position + take])
      position += take
      guard try missingBytes() == 0 else { continue }
      body(Array(gathered[Self.prefixBytes...]))
      gathered.removeAll(keepingCapacity: gathered.capacity <= 4096)
    }
  }

  /// Bytes up to the end of the prefix, or of the message once the prefix is there.
  private func missingBytes() throws(Failure) -> Int {
    guard gathered.count >= Self.prefixBytes else { return Self.prefixBytes - gathered.count }
    guard gathered[0] == 0 else { throw .compressed }
    let length = gathered[1..<5].reduce(0) { $0 << 8 | Int($1) }
    guard length <= messageBytesMax else { throw .tooLong }
    return Self.prefixBytes + length - gathered.count
  }

  /// A message with its prefix, as it goes into DATA.
  ///
  /// - Precondition: the message is shorter than 4 GiB.
  static func framed(_ message: [UInt8]) -> [UInt8] {
    let length = UInt32(message.count)
    var bytes: [UInt8] = [0]
    bytes.reserveCapacity(prefixBytes + message.count)
    for shift in stride(from: UInt32(24), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: length >> shift))
    }
    return bytes + message
  }
}
