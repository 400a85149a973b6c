import Framing

/// What became of a stream that a framer was shown.
struct FramerCut: Equatable {
  var packets: [[UInt8]] = []
  var dropped: [Int] = []
  var violation: String?
  var tail: [UInt8] = []
  /// What went by once nothing was cut any more.
  var raw: [UInt8] = []

  /// Cuts as a session does: the framer is asked again once there is what it asked for.
  ///
  /// Whatever the bytes, an answer has to be within bounds, and bring the stream on.
  ///
  /// - Parameters:
  ///   - sizes: of the pieces in which it comes, round and round.
  ///   - letInAfter: the client is let in once so many packets were cut.
  init(_ stream: [UInt8], _ compiled: CompiledFramer, sizes: [Int], letInAfter: Int?) {
    var state = FramerState()
    // A switch looks as far as its matches stand, whatever its packets' maximum.
    let asked = max(compiled.framer.packetBytesMax ?? .max, 16)
    var (front, end, wanted) = (0, 0, 1)
    if letInAfter == 0 { compiled.cutter.authenticated(&state) }
    for piece in pieces(of: stream, sizes: sizes) {
      end += piece.count
      while violation == nil, end - front >= wanted {
        let step = stream.withUnsafeBytes {
          compiled.cutter.step(UnsafeRawBufferPointer(rebasing: $0[front..<end]), &state)
        }
        wanted = 1
        switch step {
        case .packet(let byteCount, let dropped):
          check((1...(end - front)).contains(byteCount), "a packet of \(byteCount) bytes")
          check((0...byteCount).contains(dropped), "\(dropped) of \(byteCount) are dropped")
          take(stream[front..<(front + byteCount)], dropped, compiled, &state)
          front += byteCount
          if raw.isEmpty && packets.count == letInAfter { compiled.cutter.authenticated(&state) }
        case .needMore(let totalBytes):
          check(totalBytes > end - front, "asks for what is there")
          check(totalBytes <= asked, "asks for more than the maximum")
          wanted = totalBytes
        case .needAnyMore:
          check(end - front < asked, "the maximum is there, and it asks for more")
          wanted = end - front + 1
        case .violation(let found): violation = found.name
        }
      }
    }
    compiled.cutter.ended(&state)
    tail = Array(stream[front...])
  }

  private mutating func take(
    _ packet: ArraySlice<UInt8>, _ dropped: Int, _ compiled: CompiledFramer,
    _ state: inout FramerState
  ) {
    if compiled.cutter.isRaw(state) {
      raw += packet
    } else {
      let isBounded =
        compiled.framer.hasRawPackets
        || packet.count <= compiled.framer.packetBytesMax ?? .max
      check(isBounded, "longer than the maximum")
      packets.append(Array(packet))
      self.dropped.append(dropped)
    }
    compiled.cutter.took(&state)
  }

  init() {}
}

extension Framer {
  /// Whether a switch takes what a read brings for one packet, and then looks again: what is cut
  /// depends on the reads.
  var hasRawPackets: Bool {
    switch self {
    case .raw, .lengthPrefix, .delimiter, .fixed, .table, .plugin: return false
    case .switch(let framer):
      let all = framer.cases.map(\.framer) + (framer.otherwise.map { [$0] } ?? [])
      return all.contains { $0.hasRawPackets || framer.each == .packet && $0 == .raw }
    case .sequence(let framer):
      return framer.last.hasRawPackets || framer.steps.contains { $0.framer.hasRawPackets }
    }
  }
}
