/// Bytes that a client is sent from the configuration, with places for what is known only then.
public struct ReplyTemplate: Equatable, Sendable {
  public init() {}
}
