internal import Framing
internal import Primitives

/// Cuts one direction of one stream that comes in pieces.
///
/// Keeps no more than what is at the front and no whole packet: at most the framer's longest packet
/// and the piece behind it.
final class PacketStream {
  struct Packet {
    /// Counts from 1.
    var number: Int
    /// Of its first byte, from the stream's first.
    var offset: Int
    var bytes: [UInt8]
    /// So many bytes at its end are a delimiter that is not handed on.
    var dropped: Int
    /// It has no bounds of its own: it is what one piece had.
    var isRaw: Bool
  }

  /// Where the stream breaks the framer's rules; nothing is cut behind it.
  struct Break {
    var violation: FramingViolation
    /// Of the packet that is none.
    var offset: Int
    /// What stands there, up to ``frontBytesMax``.
    var front: [UInt8]
  }

  static let frontBytesMax = 64

  private let framer: CompiledFramer
  private var state = FramerState()
  private var waiting = ByteQueue()
  /// Bytes that were cut.
  private(set) var offset = 0
  private(set) var packets = 0
  private(set) var end: Break?

  init(_ framer: CompiledFramer) { self.framer = framer }

  deinit { framer.cutter.ended(&state) }

  /// Bytes behind the last packet.
  var leftOver: Int { waiting.count }

  /// What is behind the last packet, up to ``frontBytesMax`` bytes.
  var front: [UInt8] { unsafe Array(waiting.readable.prefix(Self.frontBytesMax)) }

  /// The client counts as let in from here on.
  func authenticate() { framer.cutter.authenticated(&state) }

  /// - Parameter found: given every packet that is whole by now; it may call ``authenticate()``.
  func take(_ bytes: ArraySlice<UInt8>, _ found: (Packet) throws -> Void) rethrows {
    guard end == nil else { return }
    unsafe bytes.withUnsafeBytes { unsafe waiting.append($0) }
    while end == nil, let packet = next() { try found(packet) }
    if waiting.isEmpty { waiting.removeAll() }
  }

  private func next() -> Packet? {
    guard !waiting.isEmpty else { return nil }
    let readable = unsafe waiting.readable
    switch unsafe framer.cutter.step(readable, &state) {
    case .needMore, .needAnyMore: return nil
    case .violation(let violation):
      end = Break(violation: violation, offset: offset, front: front)
      return nil
    case .packet(let byteCount, let dropped):
      let isRaw = framer.cutter.isRaw(state)
      let bytes = unsafe Array(readable.prefix(byteCount))
      framer.cutter.took(&state)
      waiting.removeFirst(byteCount)
      packets += 1
      defer { offset += byteCount }
      return Packet(
        number: packets, offset: offset, bytes: bytes, dropped: dropped, isRaw: isRaw)
    }
  }
}
