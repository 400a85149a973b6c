import Framing

/// Cuts a stream the way a session does: keeps what forms no whole packet yet, and asks the framer
/// again only when as many bytes are there as it asked for.
struct StreamCutter {
  let framer: Framer
  private(set) var packets: [[UInt8]] = []
  /// What is wrong with the stream; nothing is cut after it.
  private(set) var violation: FramingViolation?
  /// Bytes that form no whole packet yet.
  private(set) var tail: [UInt8] = []
  /// The framer is not asked before ``tail`` has this many bytes.
  private var wantedByteCount = 1
  /// The front of ``tail`` that the framer has seen and wanted more behind.
  private var scanned = 0

  init(_ framer: Framer) { self.framer = framer }

  /// Takes what one read brought.
  mutating func read(_ bytes: some Collection<UInt8>) {
    tail += bytes
    var cut = 0
    while violation == nil, tail.count - cut >= wantedByteCount {
      let scanned = scanned
      self.scanned = 0
      switch Array(tail[cut...]).withUnsafeBytes({ framer.step($0, scanned: scanned) }) {
      case .packet(let byteCount):
        packets.append(Array(tail[cut..<(cut + byteCount)]))
        cut += byteCount
        wantedByteCount = 1
      case .needMore(let totalBytes):
        // Would spin for ever otherwise.
        precondition(totalBytes > tail.count - cut)
        wantedByteCount = totalBytes
      case .needAnyMore:
        self.scanned = tail.count - cut
        wantedByteCount = tail.count - cut + 1
      case .violation(let found):
        violation = found
      }
    }
    tail.removeFirst(cut)
  }
}
