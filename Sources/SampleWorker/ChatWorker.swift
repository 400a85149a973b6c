/// The service of proto/upstream.proto with a chat room behind it, for any number of gateways.
///
/// Has no socket and no clock: a driver opens connections, feeds bytes and fetches bytes. Output
/// may appear on any connection after bytes came on one. Not thread-safe.
public final class ChatWorker {
  /// A connection of this worker; not used again after it was closed.
  public struct ConnectionID: Hashable, Comparable, Sendable {
    let number: Int

    public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
  }

  /// What goes into the `time` of replies: RFC 3339, UTC, milliseconds.
  ///
  /// The driver sets it.
  public var time = ""
  /// Messages that were not sent because their gateway reads too slowly.
  public private(set) var deliveriesDropped = 0
  /// Messages that were not understood; their stream was ended.
  public private(set) var messagesRefused = 0

  private struct StreamID: Hashable {
    var connection: ConnectionID
    var stream: Int32
  }

  private enum Call {
    case ready(messages: Int)
    case live
    case packets
  }

  private let limits: ServerConnection.Limits
  private var connections: [ConnectionID: ServerConnection] = [:]
  private var connectionsMade = 0
  private var calls: [StreamID: Call] = [:]
  private var room = ChatRoom()
  /// The packet stream that each session is on.
  private var routes: [String: StreamID] = [:]

  public init(limits: ServerConnection.Limits = .init()) {
    self.limits = limits
  }

  /// Sessions in the chat room.
  public var sessionCount: Int { room.count }

  /// A gateway connected.
  public func connect() throws(ServerConnectionError) -> ConnectionID {
    let connection = try ServerConnection(limits: limits)
    connectionsMade += 1
    let id = ConnectionID(number: connectionsMade)
    connections[id] = connection
    return id
  }

  /// Bytes came from a gateway.
  ///
  /// - Throws: ``ServerConnectionError``; take the output, then ``disconnect(_:)``.
  public func receive(_ bytes: [UInt8], on id: ConnectionID) throws(ServerConnectionError) {
    guard let connection = connections[id] else { return }
    try connection.receive(bytes)
    handleEvents(of: connection, id)
  }

  /// Takes bytes for a gateway; empty when there are none.
  ///
  /// - Throws: ``ServerConnectionError``; ``disconnect(_:)`` then.
  public func takeOutput(
    of id: ConnectionID, bytesMax: Int = 65_536
  ) throws(ServerConnectionError) -> [UInt8] {
    guard let connection = connections[id] else { return [] }
    let output = try connection.takeOutput(bytesMax: bytesMax)
    // What went may have ended a congestion, and then messages wait that no read announces.
    handleEvents(of: connection, id)
    return output
  }

  /// True when more waits for a gateway than it should; see ``ServerConnection/isCongested``.
  public func isCongested(_ id: ConnectionID) -> Bool { connections[id]?.isCongested ?? false }

  /// True when a connection is to be closed once its output is written.
  public func isFinished(_ id: ConnectionID) -> Bool { connections[id]?.isFinished ?? true }

  /// Ends all calls of all connections with UNAVAILABLE.
  public func shutDown() {
    for connection in connections.values { connection.shutDown() }
  }

  /// A gateway's connection is gone; its sessions leave the room.
  public func disconnect(_ id: ConnectionID) {
    connections[id] = nil
    calls = calls.filter { $0.key.connection != id }
    forgetSessions { $0.connection == id }
  }

  // MARK: Events

  private func handleEvents(of connection: ServerConnection, _ id: ConnectionID) {
    while let event = connection.nextEvent() {
      switch event {
      case .opened(let stream, let path):
        opened(path, StreamID(connection: id, stream: stream), connection)
      case .message(let stream, let bytes):
        messageReceived(bytes, StreamID(connection: id, stream: stream), connection)
      case .ended(let stream): ended(StreamID(connection: id, stream: stream), connection)
      case .closed(let stream): forget(StreamID(connection: id, stream: stream))
      }
    }
  }

  private func opened(_ path: String, _ id: StreamID, _ connection: ServerConnection) {
    switch path {
    case "/upstream.grpc.service.UpstreamPeerService/ready": calls[id] = .ready(messages: 0)
    case "/upstream.grpc.service.UpstreamPeerService/live": calls[id] = .live
    case "/upstream.grpc.service.UpstreamPeerService/bidirectionalStreaming":
      calls[id] = .packets
    default:
      connection.finish(id.stream, status: .unimplemented, message: "no such method")
    }
  }

  private func messageReceived(_ bytes: [UInt8], _ id: StreamID, _ connection: ServerConnection) {
    switch calls[id] {
    // The messages of the first two are Empty, whose unknown fields are none of our business.
    case .ready(let messages): calls[id] = .ready(messages: messages + 1)
    case .live: connection.send(LiveResult(time: time, live: true).encoded, on: id.stream)
    case .packets: requestReceived(bytes, id, connection)
    case nil: break
    }
  }

  private func requestReceived(_ bytes: [UInt8], _ id: StreamID, _ connection: ServerConnection) {
    do throws(ContractError) {
      let request = try InputStreamRequest(decoding: bytes)
      for delivery in handle(request, id) {
        // One that the full room turned away has no route, and is answered where it asked.
        let isAsker = delivery.recipient == request.clientUUID
        deliver(delivery, to: routes[delivery.recipient] ?? (isAsker ? id : nil))
      }
    } catch {
      messagesRefused += 1
      connection.finish(id.stream, status: .invalidArgument, message: "not a request: \(error)")
      forget(id)
    }
  }

  private func handle(_ request: InputStreamRequest, _ id: StreamID) -> [ChatRoom.Delivery] {
    let uuid = request.clientUUID
    if case .closed = request.event {
      // A late word of a session that moved to another gateway's stream counts for nothing.
      guard routes[uuid] == id else { return [] }
      routes[uuid] = nil
      return room.closed(uuid)
    }
    if routes.count < ChatRoom.sessionsMax || routes[uuid] != nil { routes[uuid] = id }
    switch request.event {
    case .opened(let session): return room.opened(uuid, resumed: session.resumed)
    // Names are what people call themselves here, account or not.
    case .authenticated: return []
    case .closed, nil: return room.received(request.payload, from: uuid)
    }
  }

  private func deliver(_ delivery: ChatRoom.Delivery, to route: StreamID?) {
    let request = OutputStreamRequest(clientUUID: delivery.recipient, payload: delivery.bytes)
    guard let route, let connection = connections[route.connection],
      connection.send(request.encoded, on: route.stream)
    else {
      deliveriesDropped += 1
      return
    }
  }

  private func ended(_ id: StreamID, _ connection: ServerConnection) {
    switch calls[id] {
    case .ready(messages: 1):
      let result = ReadyResult(time: time, ready: true, features: [.sessionEvents])
      connection.send(result.encoded, on: id.stream)
      connection.finish(id.stream, status: .ok)
    case .ready:
      connection.finish(id.stream, status: .internalError, message: "one message is expected")
    case .live, .packets: connection.finish(id.stream, status: .ok)
    case nil: break
    }
    forget(id)
  }

  private func forget(_ id: StreamID) {
    guard let call = calls.removeValue(forKey: id), case .packets = call else { return }
    forgetSessions { $0 == id }
  }

  /// Drops the sessions of streams that are gone: they go on with another worker, or come back as
  /// resumed ones.
  private func forgetSessions(where isGone: (StreamID) -> Bool) {
    for (uuid, id) in routes where isGone(id) {
      routes[uuid] = nil
      room.forget(uuid)
    }
  }
}
