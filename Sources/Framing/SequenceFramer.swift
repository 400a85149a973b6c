/// A stream that is cut by one framer first, then by another.
public struct SequenceFramer: Equatable, Sendable {
  /// When a step is over.
  public enum Until: Equatable, Sendable {
    /// After so many packets, 1 to 255.
    case packets(Int)
    /// When the client has been let in, at the next packet; at once where nobody is asked who they
    /// are.
    case authenticated
  }

  /// What comes before the last framer.
  public struct Step: Equatable, Sendable {
    public static let packets = 1...255

    public let framer: Framer
    public let until: Until

    public init(framer: Framer, until: Until) throws(FramerDefinitionError) {
      if case .packets(let count) = until {
        try Self.packets.check(count, "packets")
        if framer == .raw {
          throw FramerDefinitionError(
            key: "packets", expected: "a framer that knows what a packet is, and not raw")
        }
      }
      self.framer = framer
      self.until = until
    }
  }

  public static let stepsMax = 15

  public let steps: [Step]
  /// What goes on for ever.
  public let last: Framer

  /// - Parameter steps: 1 to 15.
  public init(steps: [Step], last: Framer) throws(FramerDefinitionError) {
    guard (1...Self.stepsMax).contains(steps.count) else {
      throw FramerDefinitionError(key: "step", expected: "2 to \(Self.stepsMax + 1)")
    }
    self.steps = steps
    self.last = last
  }
}
