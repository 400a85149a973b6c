internal import Primitives

/// Something on its way to one end of a connection.
struct Arrival {
  enum Kind {
    /// The first packet of a connection, to whoever accepts.
    case attempt
    /// The answer to it.
    case established
    case refused
    /// So many bytes more.
    case bytes(Int)
    case end
    case reset
    /// The other side has read: there is room to write again.
    case room
  }

  var connection: Int
  var end: End
  var kind: Kind
  /// In the order in which all were sent; 0 before.
  var number: UInt64 = 0
}

/// What bytes travel on between a host and the gateways.
struct Path {
  /// One way, at the least.
  var latency: Interval
  /// Up to so much more.
  var jitter: Interval
  /// Nothing gets through to that end, and nobody is told.
  var isDarkToGateway = false
  var isDarkToPeer = false
  /// What waits for the path to be lit again.
  var waiting: [Arrival] = []

  func isDark(to end: End) -> Bool { end == .gateway ? isDarkToGateway : isDarkToPeer }
}

/// TCP between hosts: delays, bounded buffers, ends, resets and darkness, but no lost or swapped
/// bytes.
///
/// What is written arrives after the path's delay in the order in which it was written. Who reads
/// is told by ``Simulation/arrived(_:)``.
final class Network {
  private(set) var connections: [Connection] = []
  /// Those of them that one end has at least, and few others; oldest first.
  private(set) var live: [Connection] = []
  /// More are looked through for those that are over.
  private var liveMax = 64
  private(set) var paths: [Path] = []
  private var random: SeededRandom
  private var lastNumber: UInt64 = 0
  /// Arrivals that the simulation is to put into its queue, with their times.
  var scheduled: [(at: Instant, arrival: Arrival)] = []
  var now = Instant(nanoseconds: 0)

  private let trace: Trace

  init(seed: UInt64, trace: Trace = Trace()) {
    random = SeededRandom(seed: seed, "network")
    self.trace = trace
  }

  // MARK: Paths

  func addPath(latency: Interval, jitter: Interval) -> Int {
    paths.append(Path(latency: latency, jitter: jitter))
    return paths.count - 1
  }

  func setDelay(ofPath path: Int, latency: Interval, jitter: Interval) {
    paths[path].latency = latency
    paths[path].jitter = jitter
  }

  func darken(path: Int) { for end in [End.gateway, .peer] { darken(path: path, to: end) } }

  /// Nothing arrives at that end any more.
  func darken(path: Int, to end: End) { setDark(path, end, true) }

  func light(path: Int) { for end in [End.gateway, .peer] { light(path: path, to: end) } }

  /// What waited arrives soon, in its order.
  func light(path: Int, to end: End) {
    guard paths[path].isDark(to: end) else { return }
    setDark(path, end, false)
    // What was on its way when it got dark comes before what was sent later.
    let waiting = paths[path].waiting.filter { $0.end == end }.sorted { $0.number < $1.number }
    paths[path].waiting.removeAll { $0.end == end }
    for arrival in waiting { send(arrival) }
  }

  private func setDark(_ path: Int, _ end: End, _ isDark: Bool) {
    switch end {
    case .gateway: paths[path].isDarkToGateway = isDark
    case .peer: paths[path].isDarkToPeer = isDark
    }
  }

  // MARK: Connections

  /// The peer of a client's connection opens it; the gateway is told by an attempt.
  func open(
    from client: Int, address: SocketAddress, to gateway: Int, port: UInt16, path: Int
  ) -> Connection {
    let connection = make(gateway, .client(client), address, port, path)
    send(Arrival(connection: connection.number, end: .gateway, kind: .attempt))
    return connection
  }

  /// A gateway opens a connection to a worker.
  func open(from gateway: Int, to worker: Int, address: SocketAddress, path: Int) -> Connection {
    let connection = make(gateway, .worker(worker), address, address.port, path)
    send(Arrival(connection: connection.number, end: .peer, kind: .attempt))
    return connection
  }

  private func make(
    _ gateway: Int, _ peer: Peer, _ address: SocketAddress, _ port: UInt16, _ path: Int
  ) -> Connection {
    let connection = Connection(
      number: connections.count, gateway: gateway, peer: peer, address: address, port: port,
      path: path)
    connections.append(connection)
    live.append(connection)
    if live.count > liveMax { forgetOver() }
    note("open", connection, end: peer.isClient ? .peer : .gateway)
    return connection
  }

  private func forgetOver() {
    for connection in live where connection.isOver { connection.forget() }
    live.removeAll(where: \.isOver)
    liveMax = max(64, 2 * live.count)
  }

  /// Whoever was asked takes the connection.
  func accept(_ connection: Connection, by end: End) {
    connection.phase = .established
    note("accept", connection, end: end)
    send(Arrival(connection: connection.number, end: end.other, kind: .established))
  }

  func refuse(_ connection: Connection, by end: End) {
    connection.phase = .refused
    note("refuse", connection, end: end)
    send(Arrival(connection: connection.number, end: end.other, kind: .refused))
  }

  // MARK: System calls

  /// Takes as many bytes as there is room for.
  ///
  /// - Returns: how many; -1 when the connection is broken.
  func write(_ bytes: some Collection<UInt8>, on connection: Connection, from end: End) -> Int {
    precondition(!connection.hasClosed(end))
    if connection.phase == .reset || connection.phase == .refused { return -1 }
    let count = min(bytes.count, connection[into: end.other].room)
    guard count > 0, !connection[into: end.other].isEnded else { return 0 }
    connection[into: end.other].bytes.append(contentsOf: bytes.prefix(count))
    let digest = ByteDigest.of(connection[into: end.other].bytes.suffix(count))
    trace.mix(connection.number, count, Int(truncatingIfNeeded: digest))
    send(Arrival(connection: connection.number, end: end.other, kind: .bytes(count)))
    return count
  }

  func room(on connection: Connection, from end: End) -> Int { connection[into: end.other].room }

  /// Arrived bytes, `bytesMax` at most; empty when there are none.
  func read(_ connection: Connection, at end: End, bytesMax: Int) -> ArraySlice<UInt8> {
    let wasFull = connection[into: end].room == 0
    let taken = connection[into: end].take(min(bytesMax, connection[into: end].arrivedByteCount))
    if wasFull, !taken.isEmpty, !connection.hasClosed(end.other) {
      send(Arrival(connection: connection.number, end: end.other, kind: .room))
    }
    return taken
  }

  /// Ends one's direction: the other side reads what was written, then the end.
  func shutdown(_ connection: Connection, from end: End) {
    guard !connection[into: end.other].isEnded, connection.phase == .established else { return }
    connection[into: end.other].isEnded = true
    note("end", connection, end: end)
    send(Arrival(connection: connection.number, end: end.other, kind: .end))
  }

  /// Closes one's descriptor as close(2) does: with unread bytes the connection is reset.
  func close(_ connection: Connection, from end: End) {
    guard !connection.hasClosed(end) else { return }
    let hasUnread = connection[into: end].arrivedByteCount > 0
    note("close", connection, end: end)
    markClosed(connection, end)
    if connection.phase == .connecting {
      connection.phase = .reset
      send(Arrival(connection: connection.number, end: end.other, kind: .reset))
    } else if hasUnread {
      breakOff(connection, from: end)
    } else {
      shutdown(connection, from: end)
    }
  }

  /// Closes one's descriptor and throws away what has not been delivered.
  func abort(_ connection: Connection, from end: End) {
    guard !connection.hasClosed(end) else { return }
    note("abort", connection, end: end)
    markClosed(connection, end)
    breakOff(connection, from: end)
  }

  /// A reset comes to both ends from between them.
  func cut(_ connection: Connection) {
    guard connection.phase == .established else { return }
    note("cut", connection, end: .peer)
    for end in [End.gateway, .peer] where !connection.hasClosed(end) {
      forgetInFlight(connection, to: end)
      send(Arrival(connection: connection.number, end: end, kind: .reset))
    }
  }

  private func note(_ what: StaticString, _ connection: Connection, end: End) {
    let number = connection.peer.number
    trace.note(what, connection.number, end == .gateway ? connection.gateway : -1, number)
  }

  private func markClosed(_ connection: Connection, _ end: End) {
    switch end {
    case .gateway: connection.gatewayClosed = true
    case .peer: connection.peerClosed = true
    }
  }

  private func breakOff(_ connection: Connection, from end: End) {
    guard !connection.hasClosed(end.other) else { return }
    forgetInFlight(connection, to: end.other)
    send(Arrival(connection: connection.number, end: end.other, kind: .reset))
  }

  /// A reset overtakes what it cuts off.
  private func forgetInFlight(_ connection: Connection, to end: End) {
    let lost = connection[into: end].unreadByteCount - connection[into: end].arrivedByteCount
    guard lost > 0 else { return }
    connection[into: end].forgotten += connection[into: end].bytes.suffix(lost)
    connection[into: end].bytes.removeLast(lost)
    connection[into: end].isEnded = true
    connection[into: end].isCut = true
  }

  // MARK: Travel

  private func send(_ sent: Arrival) {
    var arrival = sent
    if arrival.number == 0 {
      lastNumber += 1
      arrival.number = lastNumber
    }
    let connection = connections[arrival.connection]
    let path = paths[connection.path]
    if path.isDark(to: arrival.end) { return paths[connection.path].waiting.append(arrival) }
    let delay = random.draw(path.latency...path.latency + path.jitter)
    let at = max(now + delay, connection[into: arrival.end].lastArrival)
    connection[into: arrival.end].lastArrival = at
    scheduled.append((at, arrival))
  }

  /// Applies what reaches an end; false when there is nobody to be told.
  func apply(_ arrival: Arrival) -> Bool {
    let connection = connections[arrival.connection]
    if paths[connection.path].isDark(to: arrival.end) {
      paths[connection.path].waiting.append(arrival)
      return false
    }
    let end = arrival.end
    switch arrival.kind {
    case .attempt, .established, .refused, .room: return !connection.hasClosed(end)
    case .bytes(let count):
      // Cut off meanwhile.
      let inFlight = connection[into: end].unreadByteCount - connection[into: end].arrivedByteCount
      guard inFlight >= count else { return false }
      connection[into: end].arrivedByteCount += count
      guard connection.hasClosed(end) else { return true }
      // To a closed descriptor: it answers with a reset.
      breakOff(connection, from: end)
      return false
    case .end:
      guard !connection[into: end].isCut else { return false }
      connection[into: end].endArrived = true
      return !connection.hasClosed(end)
    case .reset:
      connection.phase = .reset
      return !connection.hasClosed(end)
    }
  }
}

extension Interval {
  static func + (a: Interval, b: Interval) -> Interval {
    let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
    return Interval(nanoseconds: overflow ? .max : sum)
  }
}
