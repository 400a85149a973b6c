public import Primitives

/// What the owner of a link has to do after an event.
public enum LinkAction: Sendable {
  case none
  /// Turn the host name into addresses; answer with ``Link/resolved(_:now:)`` or
  /// ``Link/resolveFailed(_:now:)``.
  case resolve
  /// Connect; answer with ``Link/connected(now:)`` or
  /// ``Link/connectFailed(_:now:)``.
  case connect(SocketAddress)
  /// The worker said that it is ready: give it sessions.
  case becameReady
  /// The worker said that it is not ready; it will be asked again.
  case notReady(retryIn: Interval)
  /// The worker announced that it will go: give it no more sessions and call
  /// ``Link/drain(_:now:timeout:)``.
  case drainRequested
  /// Close the socket and give the sessions to others.
  case ended(LinkEnd)
}

/// How a link ended.
public struct LinkEnd: Equatable, Sendable {
  public var reason: LinkEndReason
  /// The peer's or the system's own word for it; may be empty.
  public var detail: String
  /// When the next attempt begins; nil when there will be none.
  public var retryIn: Interval?

  /// The worker itself ended the packet stream while its connection was in order.
  public internal(set) var isVerdict = false
}

/// What lies next in the bytes of a worker.
public enum LinkDelivery {
  case nothing
  /// A message; `inPlace`: its bytes lie in what was given to ``Link/receive(_:)``, otherwise they
  /// are valid until the next delivery.
  case output(ContractReader.Output, inPlace: Bool)
  case action(LinkAction)
}
