internal import Primitives

/// The order in which control bytes and packet bytes go to one worker's socket.
struct OutgoingSegments: ~Copyable {
  private struct Segment: BitwiseCopyable {
    var byteCount: Int
    var isPackets: Bool
  }

  private var control = ByteQueue()
  private var segments: [Segment] = []
  private var first = 0

  var isEmpty: Bool { first == segments.count }

  mutating func appendControl(_ bytes: UnsafeRawBufferPointer) {
    unsafe control.append(bytes)
    append(bytes.count, isPackets: false)
  }

  mutating func appendPackets(_ byteCount: Int) { append(byteCount, isPackets: true) }

  private mutating func append(_ byteCount: Int, isPackets: Bool) {
    if first < segments.count, segments[segments.count - 1].isPackets == isPackets {
      segments[segments.count - 1].byteCount += byteCount
    } else {
      segments.append(Segment(byteCount: byteCount, isPackets: isPackets))
    }
  }

  /// Fills `slices` from its front and returns how many were filled.
  func fill(_ slices: UnsafeMutableBufferPointer<IOSlice>, packets: borrowing PacketQueue) -> Int {
    var controlAt = unsafe control.readable.baseAddress
    var packetsAt = unsafe packets.unwritten.baseAddress
    var filled = 0
    for segment in segments[first...] {
      guard filled < slices.count else { break }
      if segment.isPackets {
        unsafe slices[filled] = unsafe IOSlice(base: packetsAt, count: segment.byteCount)
        unsafe packetsAt = unsafe packetsAt.map { unsafe $0 + segment.byteCount }
      } else {
        unsafe slices[filled] = unsafe IOSlice(base: controlAt, count: segment.byteCount)
        unsafe controlAt = unsafe controlAt.map { unsafe $0 + segment.byteCount }
      }
      filled += 1
    }
    return filled
  }

  /// Forgets `byteCount` bytes, which the socket took.
  mutating func wrote(_ byteCount: Int, packets: inout PacketQueue) {
    var rest = byteCount
    while rest > 0 {
      let taken = min(rest, segments[first].byteCount)
      if segments[first].isPackets { packets.wrote(taken) } else { control.removeFirst(taken) }
      segments[first].byteCount -= taken
      rest -= taken
      if segments[first].byteCount == 0 { first += 1 }
    }
    guard first == segments.count else { return }
    segments.removeAll(keepingCapacity: true)
    first = 0
    control.shrink(to: 64 << 10)
  }
}
