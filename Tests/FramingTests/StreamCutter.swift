import Framing

/// Cuts a stream the way a session does: keeps what forms no whole packet yet, and asks the framer
/// again only when as many bytes are there as it asked for.
struct StreamCutter {
  private let compiled: CompiledFramer
  private var state = FramerState()
  private(set) var packets: [[UInt8]] = []
  /// What is wrong with the stream; nothing is cut after it.
  private(set) var violation: FramingViolation?
  /// Bytes that form no whole packet yet.
  private(set) var tail: [UInt8] = []
  /// The framer is not asked before ``tail`` has this many bytes.
  private var wantedByteCount = 1
  /// How many bytes of each packet are not handed on.
  private(set) var dropped: [Int] = []
  /// What came when nothing was to be cut any more, where that is told from packets.
  private(set) var raw: [UInt8] = []
  private let tellsRaw: Bool
  /// The client is let in once so many packets were cut.
  private let letInAfter: Int?

  /// Each question is put twice, as by a session whose worker can't take a packet at once.
  private let asksTwice: Bool

  /// Takes each read of a raw stream for a packet.
  init(_ framer: Framer, asksTwice: Bool = false) throws {
    compiled = try CompiledFramer(framer)
    tellsRaw = false
    letInAfter = nil
    self.asksTwice = asksTwice
  }

  init(_ compiled: CompiledFramer, letInAfter: Int?, asksTwice: Bool = false) {
    self.compiled = compiled
    self.letInAfter = letInAfter
    self.asksTwice = asksTwice
    tellsRaw = true
    if letInAfter == 0 { authenticate() }
  }

  /// The client is let in.
  mutating func authenticate() {
    compiled.cutter.authenticated(&state)
    wantedByteCount = 1
  }

  /// Takes what one read brought.
  mutating func read(_ bytes: some Collection<UInt8>) {
    tail += bytes
    var cut = 0
    while violation == nil, tail.count - cut >= wantedByteCount {
      let front = Array(tail[cut...])
      let step = withExtendedLifetime(compiled) {
        if asksTwice { _ = front.withUnsafeBytes { compiled.cutter.step($0, &state) } }
        return front.withUnsafeBytes { compiled.cutter.step($0, &state) }
      }
      switch step {
      case .packet(let byteCount, let dropped):
        precondition((1...(tail.count - cut)).contains(byteCount))
        precondition((0...byteCount).contains(dropped))
        let packet = tail[cut..<(cut + byteCount)]
        if tellsRaw && compiled.cutter.isRaw(state) {
          raw += packet
        } else {
          self.dropped.append(dropped)
          packets.append(Array(packet))
        }
        compiled.cutter.took(&state)
        cut += byteCount
        wantedByteCount = 1
        if packets.count == letInAfter && raw.isEmpty { authenticate() }
      case .needMore(let totalBytes):
        // Would spin for ever otherwise.
        precondition(totalBytes > tail.count - cut)
        wantedByteCount = totalBytes
      case .needAnyMore:
        wantedByteCount = tail.count - cut + 1
      case .violation(let found):
        violation = found
      }
    }
    tail.removeFirst(cut)
  }
}
