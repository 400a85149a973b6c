internal import Framing

/// What the real cutter makes of a stream.
struct StreamCutting {
  /// Where packets end, as offsets in the stream; what is raw is a packet to its end.
  var ends: [Int] = []
  var violation: FramingViolation?
  /// The bytes behind the last packet.
  var rest = 0

  init(_ bytes: [UInt8], by framer: CompiledFramer) {
    var state = FramerState()
    var place = 0
    unsafe bytes.withUnsafeBytes { all in
      while place < all.count {
        // SAFETY: `place` is within the bytes, which live as long as this call.
        let front = unsafe UnsafeRawBufferPointer(rebasing: all[place...])
        switch unsafe framer.cutter.step(front, &state) {
        case .packet(let byteCount, _):
          framer.cutter.took(&state)
          place += byteCount
          ends.append(place)
        case .needMore, .needAnyMore: return
        case .violation(let found):
          violation = found
          return
        }
      }
    }
    framer.cutter.ended(&state)
    rest = bytes.count - place
  }
}
