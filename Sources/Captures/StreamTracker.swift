internal import Primitives

/// Finds the connections in a capture's segments, and puts the bytes of each in order.
///
/// A value without a file: segments go in, events come out. The client of a connection is who sent
/// the first SYN; where none was captured, who does not have the server's port; and where that is
/// not known either, who has the higher port.
public struct StreamTracker {
  /// Bounds on what is kept in memory, whatever a capture holds.
  public struct Limits: Sendable {
    /// Connections that are followed at a time; others are counted and left out.
    public var streamsMax = 65_536
    /// What of a direction may wait for missing bytes in front of it, in bytes.
    public var waitingBytesMax = 1 << 20
    /// The same for all together.
    public var waitingBytesTotalMax = 64 << 20

    public init() {}
  }

  private struct Pair: Hashable {
    var source: SocketAddress
    var destination: SocketAddress
  }

  private struct Connection {
    var number: Int
    var client: SocketAddress
    var isOver = false
    /// The number of the client's SYN, once that was captured.
    var firstSequence: UInt32?
    var fromClient = DirectionAssembler()
    var fromServer = DirectionAssembler()
  }

  private let limits: Limits
  private let serverPort: UInt16?
  private var connections: [Pair: Connection] = [:]
  /// Connections that are over, in the order of their ends; some may have been forgotten since.
  private var over: [(pair: Pair, number: Int)] = []
  /// Those in front of this one were forgotten.
  private var overNext = 0
  private var waitingBytes = 0
  private var opened = 0
  /// Segments of connections for which there was no room.
  public private(set) var segmentsWithoutRoom: UInt64 = 0
  /// Segments without the server's port.
  public private(set) var segmentsOfOthers: UInt64 = 0

  /// - Parameter serverPort: connections to other ports are left out; nil takes all.
  public init(serverPort: UInt16? = nil, limits: Limits = Limits()) {
    self.serverPort = serverPort
    self.limits = limits
  }

  /// Takes the next segment of a capture; appends what it leads to.
  public mutating func take(_ segment: TCPSegment, into events: inout [CaptureEvent]) {
    if let serverPort, segment.source.port != serverPort, segment.destination.port != serverPort {
      segmentsOfOthers += 1
      return
    }
    let forward = Pair(source: segment.source, destination: segment.destination)
    let backward = Pair(source: segment.destination, destination: segment.source)
    var key: Pair? =
      connections[forward] != nil ? forward : connections[backward] != nil ? backward : nil
    if let found = key, begins(segment, anew: connections[found]!) {
      end(found, into: &events)
      connections[found] = nil
      key = nil
    }
    guard let key = key ?? open(segment, forward, &events) else { return }
    // What comes late to a connection that is over has come before.
    guard !connections[key]!.isOver else { return }
    take(segment, of: key, into: &events)
  }

  /// The capture has ended: all connections that are left end with it.
  public mutating func finish(into events: inout [CaptureEvent]) {
    // In the order of their numbers: a dictionary's own differs from run to run.
    let left = connections.filter { !$0.value.isOver }
      .sorted { $0.value.number < $1.value.number }
    for (key, _) in left { end(key, into: &events) }
    connections = [:]
    over = []
    overNext = 0
  }

  /// A new connection between the ports of an older one.
  private func begins(_ segment: TCPSegment, anew connection: Connection) -> Bool {
    guard segment.flags.contains(.synchronize), !segment.flags.contains(.acknowledge) else {
      return false
    }
    if connection.isOver { return true }
    guard let first = connection.firstSequence else {
      // The next connection's, unless it comes late and stands in front of what came before.
      return connection.client != segment.source
        || !connection.fromClient.canBegin(behind: segment.sequence)
    }
    return first != segment.sequence
  }

  private mutating func open(
    _ segment: TCPSegment, _ pair: Pair, _ events: inout [CaptureEvent]
  ) -> Pair? {
    let synchronizes = segment.flags.contains(.synchronize)
    // An end alone, or an acknowledgement, has nothing to say of a connection that is not known.
    guard synchronizes || !segment.payload.isEmpty, !segment.flags.contains(.reset) else {
      return nil
    }
    guard connections.count < limits.streamsMax || forgetOldest() else {
      segmentsWithoutRoom += 1
      return nil
    }
    let client = isFromClient(segment) ? segment.source : segment.destination
    let server = isFromClient(segment) ? segment.destination : segment.source
    opened += 1
    connections[pair] = Connection(number: opened, client: client)
    events.append(
      .opened(
        CapturedStream(
          number: opened, client: client, server: server, startedAt: segment.time,
          isFromStart: synchronizes)))
    return pair
  }

  /// Forgets the connection that has been over for longest; false when none is over.
  private mutating func forgetOldest() -> Bool {
    while overNext < over.count {
      let (pair, number) = over[overNext]
      overNext += 1
      guard connections[pair]?.number == number else { continue }
      connections[pair] = nil
      return true
    }
    return false
  }

  private func isFromClient(_ segment: TCPSegment) -> Bool {
    if segment.flags.contains(.synchronize) { return !segment.flags.contains(.acknowledge) }
    if let serverPort, segment.source.port != segment.destination.port {
      return segment.destination.port == serverPort
    }
    return segment.source.port >= segment.destination.port
  }

  private mutating func take(
    _ segment: TCPSegment, of key: Pair, into events: inout [CaptureEvent]
  ) {
    let isFromClient = connections[key]!.client == segment.source
    let side: WritableKeyPath<Connection, DirectionAssembler> =
      isFromClient ? \.fromClient : \.fromServer
    var sequence = segment.sequence
    if segment.flags.contains(.synchronize) {
      connections[key]![keyPath: side].synchronize(sequence)
      if isFromClient {
        connections[key]!.firstSequence = sequence
      } else if segment.flags.contains(.acknowledge), !connections[key]!.fromClient.isStarted {
        // The answer to a SYN names that SYN's number.
        connections[key]!.fromClient.synchronize(segment.acknowledgement &- 1)
      }
      sequence = sequence &+ 1
    }
    let before = connections[key]![keyPath: side].waitingBytes
    let chunks = connections[key]![keyPath: side].take(
      sequence, segment.payload, time: segment.time, ends: segment.flags.contains(.finish),
      waitingBytesMax: limits.waitingBytesMax)
    waitingBytes += connections[key]![keyPath: side].waitingBytes - before
    if waitingBytes > limits.waitingBytesTotalMax {
      waitingBytes -= connections[key]![keyPath: side].waitingBytes
      connections[key]![keyPath: side].cut()
    }
    let number = connections[key]!.number
    for chunk in chunks {
      events.append(
        .bytes(
          stream: number, isFromClient ? .clientToServer : .serverToClient, chunk.bytes,
          time: chunk.time))
    }
    let isOver =
      connections[key]!.fromClient.isEnded && connections[key]!.fromServer.isEnded
      || segment.flags.contains(.reset)
    if isOver { end(key, into: &events) }
  }

  private mutating func end(_ key: Pair, into events: inout [CaptureEvent]) {
    guard var connection = connections[key], !connection.isOver else { return }
    waitingBytes -= connection.fromClient.waitingBytes + connection.fromServer.waitingBytes
    connection.isOver = true
    connection.fromClient.finish()
    connection.fromServer.finish()
    connections[key] = connection
    over.append((key, connection.number))
    if over.count / 2 > limits.streamsMax {
      // At most as many stay as are followed, so this comes once in so many ends.
      over = over[overNext...].filter { connections[$0.pair]?.number == $0.number }
      overNext = 0
    }
    events.append(
      .ended(
        stream: connection.number, client: connection.fromClient.summary,
        server: connection.fromServer.summary))
  }
}

extension DirectionAssembler {
  fileprivate var summary: CapturedDirectionEnd {
    // Of a direction without bytes nothing is missing.
    CapturedDirectionEnd(
      isFromStart: isFromStart || handedOn == 0, isCut: isCut, isEnded: isEnded)
  }
}
