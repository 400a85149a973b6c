/// How one direction of a byte stream is cut into packets, as a value: what a definition says.
///
/// The packet path asks a ``PacketCutter``, which a ``CompiledFramer`` is the owner of.
public indirect enum Framer: Equatable, Sendable {
  /// Whatever one read brings is a packet.
  case raw
  case lengthPrefix(LengthPrefixFramer)
  case delimiter(DelimiterFramer)
  case fixed(FixedFramer)
  case table(TableFramer)
  case `switch`(SwitchFramer)
  case sequence(SequenceFramer)
  case plugin(PluginFramer)

  /// How deep framers may stand in one another.
  public static let depthMax = 4

  /// The longest packet that the framer lets through, in bytes; nil when reads alone bound some.
  public var packetBytesMax: Int? {
    switch self {
    case .raw: nil
    case .lengthPrefix(let framer): framer.packetBytesMax
    case .delimiter(let framer): framer.bounds.maximum
    case .fixed(let framer): framer.size
    case .table(let framer): framer.packetBytesMax
    case .switch(let framer):
      Self.longest(framer.cases.map(\.framer) + (framer.otherwise.map { [$0] } ?? []))
    case .sequence(let framer): Self.longest(framer.steps.map(\.framer) + [framer.last])
    case .plugin(let framer): framer.bounds.maximum
    }
  }

  private static func longest(_ framers: [Framer]) -> Int? {
    framers.compactMap(\.packetBytesMax).max()
  }

  /// Whether a plugin cuts some of it: a context of a plugin belongs to one thread.
  public var hasPlugin: Bool {
    switch self {
    case .raw, .lengthPrefix, .delimiter, .fixed, .table: false
    case .plugin: true
    case .switch(let framer):
      framer.cases.contains { $0.framer.hasPlugin } || framer.otherwise?.hasPlugin == true
    case .sequence(let framer):
      framer.steps.contains { $0.framer.hasPlugin } || framer.last.hasPlugin
    }
  }

  /// Whether some step ends when the client is let in.
  public var asksForAuthentication: Bool {
    switch self {
    case .raw, .lengthPrefix, .delimiter, .fixed, .table, .plugin: false
    case .switch(let framer):
      framer.cases.contains { $0.framer.asksForAuthentication }
        || framer.otherwise?.asksForAuthentication == true
    case .sequence(let framer):
      framer.steps.contains { $0.until == .authenticated || $0.framer.asksForAuthentication }
        || framer.last.asksForAuthentication
    }
  }

  /// Whether a part of what it cuts is not handed on: delimiters that are not kept.
  public var dropsBytes: Bool {
    switch self {
    case .raw, .lengthPrefix, .fixed, .table: false
    case .delimiter(let framer): !framer.keepsDelimiter
    // What it drops is known only when it runs.
    case .plugin: false
    case .switch(let framer):
      framer.cases.contains { $0.framer.dropsBytes } || framer.otherwise?.dropsBytes == true
    case .sequence(let framer):
      framer.steps.contains { $0.framer.dropsBytes } || framer.last.dropsBytes
    }
  }
}
