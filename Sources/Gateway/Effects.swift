public import Auth
public import Primitives

/// Names a link's place in its shard.
public typealias LinkIndex = UInt32

/// What a driver has to do to the outside world.
public enum IOEffect: BitwiseCopyable, Sendable {
  /// Call ``Shard/gather(_:into:now:effects:)`` and write what it says.
  case writeClient(SessionID)
  /// Call ``Shard/clientWritable(_:now:effects:)`` when the socket takes bytes again; or no longer.
  case awaitWritable(SessionID, Bool)
  case readClient(SessionID, Bool)
  case closeClient(SessionID, ClosingManner)
  /// Answer with ``Shard/linkResolved(_:_:now:effects:)`` or
  /// ``Shard/linkResolveFailed(_:_:now:effects:)``.
  case resolve(LinkIndex)
  /// Answer with ``Shard/linkConnected(_:now:effects:)`` or
  /// ``Shard/linkConnectFailed(_:_:now:effects:)``.
  case connect(LinkIndex, SocketAddress)
  /// Call ``Shard/prepareLinkWrite(_:into:now:effects:)`` until there is nothing to write.
  case writeLink(LinkIndex)
  case readLink(LinkIndex, Bool)
  case closeLink(LinkIndex)
  /// Close the socket of this listener; its number may then come again.
  case stopListening(Int)
  /// Close the listening sockets for good.
  case stopAccepting
  /// Shutdown is complete; the driver may end.
  case finished
}

/// How a client's socket is closed.
public enum ClosingManner: BitwiseCopyable, Sendable {
  /// The client has ended its direction, and all it sent was read.
  case plain
  /// End our direction, then read and forget until the client ends its own, for a second at most:
  /// a socket closed with unread bytes is reset, and what was written last is lost.
  case lingering
  /// Throw away what the system has not delivered.
  case abort
}

/// What one event led to; reused, so that a turn allocates nothing.
///
/// A driver performs everything in here, in order, before it gives the shard the next event.
public struct Effects: ~Copyable {
  public var io = ReusableList<IOEffect>()
  public var log: [LogEvent] = []
  /// Claims to be verified; answer each with ``Shard/verdict(_:for:now:effects:)``.
  public var claims: [LoginRequest] = []
  /// What the store is to keep.
  public var records: [StoreRecord] = []
  /// Answers to commands, with the token that came with each.
  public var replies: [(token: UInt64, reply: Reply)] = []
  /// What other shards are to be told, in order; performed behind ``io``.
  public var messages: [(shard: Int, message: ShardMessage)] = []

  public init() {}

  @inlinable public var isEmpty: Bool { io.isEmpty && !isMoreThanIO }

  /// Most events lead to nothing but ``io``.
  @inlinable public var isMoreThanIO: Bool {
    !log.isEmpty || !claims.isEmpty || !records.isEmpty || !replies.isEmpty || !messages.isEmpty
  }

  mutating func tell(_ shard: Int, _ message: ShardMessage) { messages.append((shard, message)) }

  public mutating func removeAll() {
    io.removeAll()
    guard isMoreThanIO else { return }
    Self.empty(&log)
    Self.empty(&claims)
    Self.empty(&records)
    Self.empty(&replies)
    Self.empty(&messages)
  }

  /// Lists keep the room of an ordinary turn, and not that of one in which thousands have left.
  private static func empty<Element>(_ list: inout [Element]) {
    if !list.isEmpty { list.removeAll(keepingCapacity: list.count <= 256) }
  }
}
