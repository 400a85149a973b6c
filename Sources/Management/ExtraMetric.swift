/// A metric that is not a shard's, with one sample and no label: the database's, for one.
public struct ExtraMetric: Sendable {
  public enum Kind: Sendable { case counter, gauge }

  /// As Prometheus has it: `gatehouse_…`, with `_total` behind a counter's.
  public var name: String
  public var kind: Kind
  /// One sentence.
  public var help: String
  public var value: UInt64

  public init(name: String, kind: Kind, help: String, value: UInt64) {
    self.name = name
    self.kind = kind
    self.help = help
    self.value = value
  }
}
