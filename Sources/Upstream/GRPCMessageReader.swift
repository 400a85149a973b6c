internal import Primitives

/// Cuts gRPC messages out of the DATA of one stream, wherever that was cut itself.
///
/// Source: gRPC over HTTP/2, "Length-Prefixed-Message".
struct GRPCMessageReader: ~Copyable {
  @safe
  enum Step {
    /// A whole message. `inPlace`: it lies in the chunk; otherwise in this reader's own memory, and
    /// is valid until the next call.
    case message(UnsafeRawBufferPointer, inPlace: Bool)
    /// The chunk is used up.
    case needMore
    /// The message is compressed, and no compression was agreed upon.
    case compressed
    case tooLarge(byteCount: Int)
  }

  private static let prefixByteCount = 5
  private var gathered = ByteQueue()
  private var handedOut = false

  /// True between two messages.
  var isBetweenMessages: Bool { gathered.isEmpty || handedOut }

  /// Takes bytes from the front of `chunk` up to the end of one message.
  mutating func next(_ chunk: inout UnsafeRawBufferPointer, messageBytesMax: Int) -> Step {
    if handedOut {
      handedOut = false
      gathered.removeFirst(gathered.count)
      gathered.shrink(to: 64 << 10)
    }
    if gathered.isEmpty, chunk.count >= Self.prefixByteCount {
      if let refusal = unsafe refusal(of: chunk, messageBytesMax) { return refusal }
      let total = unsafe Self.prefixByteCount + Self.length(of: chunk)
      if chunk.count >= total {
        let message = unsafe UnsafeRawBufferPointer(rebasing: chunk[Self.prefixByteCount..<total])
        unsafe chunk = unsafe UnsafeRawBufferPointer(rebasing: chunk[total...])
        return unsafe .message(message, inPlace: true)
      }
    }
    return unsafe gather(&chunk, messageBytesMax)
  }

  private mutating func gather(
    _ chunk: inout UnsafeRawBufferPointer, _ messageBytesMax: Int
  ) -> Step {
    unsafe take(&chunk, upTo: Self.prefixByteCount)
    guard gathered.count >= Self.prefixByteCount else { return .needMore }
    if let refusal = unsafe refusal(of: gathered.readable, messageBytesMax) {
      return refusal
    }
    let total = unsafe Self.prefixByteCount + Self.length(of: gathered.readable)
    unsafe take(&chunk, upTo: total)
    guard gathered.count == total else { return .needMore }
    handedOut = true
    return unsafe .message(
      UnsafeRawBufferPointer(rebasing: gathered.readable[Self.prefixByteCount...]), inPlace: false)
  }

  private mutating func take(_ chunk: inout UnsafeRawBufferPointer, upTo total: Int) {
    let byteCount = min(max(total - gathered.count, 0), chunk.count)
    unsafe gathered.append(UnsafeRawBufferPointer(rebasing: chunk[..<byteCount]))
    unsafe chunk = unsafe UnsafeRawBufferPointer(rebasing: chunk[byteCount...])
  }

  private func refusal(of prefix: UnsafeRawBufferPointer, _ messageBytesMax: Int) -> Step? {
    guard unsafe prefix[0] == 0 else { return .compressed }
    let length = unsafe Self.length(of: prefix)
    return length <= messageBytesMax ? nil : .tooLarge(byteCount: length)
  }

  private static func length(of prefix: UnsafeRawBufferPointer) -> Int {
    unsafe Int(UInt32(bigEndian: prefix.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
  }
}
