public import Framing

/// A framer that fits recorded streams, and what speaks for and against it.
public struct FramerProposal: Sendable {
  /// How far a proposal can be relied on.
  public enum Confidence: String, Sendable {
    /// Chance can be ruled out, and nothing else fits nearly as well.
    case strong
    /// Likely; more recordings would make it surer.
    case fair
    /// A guess.
    case thin
  }

  public let framer: Framer
  /// By how many bits the streams' description gets shorter with the framer's help.
  public let bits: Int
  public internal(set) var confidence: Confidence
  /// What speaks for it, one sentence part each.
  public let reasons: [String]
  /// What speaks against it, or is not settled, and which recording would settle it.
  public internal(set) var doubts: [String]
  /// Other framers that cut these streams at the same places, in words.
  public let alternatives: [String]
  /// Lines of a definition that may be added, but that the streams alone don't warrant; with the
  /// reason.
  public let options: [String]
  /// Where each packet's opcode probably stands, from its start; nil when that can't be told.
  public let opcodeOffset: Int?
  public let packets: Int
  public let shortestPacket: Int
  public let longestPacket: Int
  /// Where the packets end, of each stream, in bytes from its start; what is raw is one packet.
  public let packetEnds: [[Int]]

  /// The framer on one line: its kind, and what it was told.
  public var summary: String { framer.description }

  /// The definition of the framer as a table, in TOML.
  ///
  /// - Parameter table: the table's name, such as `client_to_server`.
  public func definition(table: String) -> String {
    DefinitionText(framer, table: table).lines.joined(separator: "\n") + "\n"
  }
}

/// What was learnt from streams of one direction.
public struct LearningReport: Sendable {
  /// The best first; empty when nothing fits better than raw.
  public let proposals: [FramerProposal]
  /// What is to be known about the streams as a whole, one sentence each.
  public let notes: [String]
  /// How many streams, and bytes of them, were looked at.
  public let streams: Int
  public let bytes: Int
  /// From which byte on the streams look enciphered or compressed; nil when they don't.
  public let opaqueFrom: Int?
}
