/// What a listener's clients send before they are let in.
public struct LoginDescription: Equatable, Sendable {
  public init() {}
}
