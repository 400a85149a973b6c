internal import Framing
internal import Primitives

/// How the stream of a game's client is made up: packets of one shape, or a few of one shape and
/// then those of another.
struct PacketForm: Equatable {
  /// When the first shape's time is over.
  enum Handover: CaseIterable {
    /// After ``PacketForm/firstCount`` packets.
    case packets
    /// When the client is let in, in a sequence of framers.
    case authenticated
    /// The same, by the listener's framer for logins.
    case loginFramer
  }

  /// What packets look like but the first ones.
  let shape: PacketShape
  /// What the first ``firstCount`` packets look like, if not the same.
  let first: PacketShape?
  let firstCount: Int
  let handover: Handover

  init(_ shape: PacketShape) {
    self.shape = shape
    first = nil
    firstCount = 0
    handover = .packets
  }

  /// - Precondition: `first` is not raw, and `count` is 1 to 255.
  init(_ first: PacketShape, _ count: Int, _ handover: Handover, then shape: PacketShape) {
    precondition(first != .raw && (1...255).contains(count))
    self.shape = shape
    self.first = first
    firstCount = count
    self.handover = handover
  }

  /// After its first packets the stream has none.
  var isRaw: Bool { shape == .raw }

  /// What the packet with that number looks like.
  func shape(ofPacket number: Int) -> PacketShape { number < firstCount ? first! : shape }

  /// The sizes that packets can have once the first ones have gone.
  var byteCounts: ClosedRange<Int> { shape.byteCounts }

  /// The packet as the client sends it.
  ///
  /// - Parameter byteCount: on the wire; the nearest size that is possible is taken.
  /// - Precondition: the stream has a packet of that number.
  func packet(visit: Int, number: Int, byteCount: Int) -> [UInt8] {
    shape(ofPacket: number).packet(visit: visit, number: number, byteCount: byteCount)
  }

  /// The packet by which the client says who it is.
  func login(visit: Int, number: Int, _ credential: Credential) -> [UInt8] {
    LoginPacket(visit: visit, number: number, credential).bytes(shape(ofPacket: number))
  }

  /// Reads what a worker got of the stream's packets.
  ///
  /// - Returns: nil when a byte of it is not as it was sent, or when it is no packet.
  func read(_ payload: [UInt8]) -> (visit: Int, number: Int)? {
    if let stamp = first?.read(payload[...]), stamp.number < UInt32(firstCount) {
      return (Int(stamp.visit), Int(stamp.number))
    }
    guard let stamp = shape.read(payload[...]), stamp.number >= UInt32(firstCount) else {
      return nil
    }
    return (Int(stamp.visit), Int(stamp.number))
  }

  /// A part of a raw stream; offset 0 is behind the first packets.
  func rawBytes(visit: Int, from offset: Int, count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var place = offset
    while bytes.count < count {
      var random = SeededRandom(
        seed: UInt64(visit) << 40 ^ UInt64(place / 8) &* 0x9e37_79b9_7f4a_7c15)
      var word = random.next() >> UInt64(8 * (place % 8))
      repeat {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
        place += 1
      } while place % 8 != 0 && bytes.count < count
    }
    return bytes
  }

  // MARK: Framers

  /// What cuts the stream, on a listener that has ``loginFramer`` too.
  var framer: Framer {
    guard let first else { return shape.framer }
    switch handover {
    case .packets: return sequence(first, until: .packets(firstCount))
    case .authenticated: return sequence(first, until: .authenticated)
    case .loginFramer: return shape.framer
    }
  }

  /// What cuts the stream until the client is let in, if that is another.
  var loginFramer: Framer? { handover == .loginFramer ? first?.framer : nil }

  private func sequence(_ first: PacketShape, until: SequenceFramer.Until) -> Framer {
    do throws(FramerDefinitionError) {
      return .sequence(
        try SequenceFramer(
          steps: [SequenceFramer.Step(framer: first.framer, until: until)], last: shape.framer))
    } catch {
      preconditionFailure("\(self): \(error.key) must be \(error.expected)")
    }
  }
}
