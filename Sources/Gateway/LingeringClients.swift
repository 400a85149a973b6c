public import Primitives

/// Sockets of sessions that are over, read and forgotten until their clients have ended too.
///
/// A socket closed with unread bytes in it is reset, and the reset can overtake what was written
/// last: a refusal, a farewell. A driver's own state, and a value here so that every driver decides
/// alike; it names sockets by numbers of its own.
public struct LingeringClients: Sendable {
  private static let longest = Interval.seconds(1)
  /// Beyond it sockets are closed at once: they count against the process's descriptors.
  private static let countMax = 1024

  private struct Socket {
    var number: Int32
    var deadline: Instant
  }

  /// In the order of their deadlines.
  private var sockets: [Socket] = []

  public init() {}

  public var count: Int { sockets.count }
  public var nextDeadline: Instant? { sockets.first?.deadline }

  /// - Returns: false when there are too many: it is to be closed at once.
  public mutating func add(_ socket: Int32, now: Instant) -> Bool {
    guard sockets.count < Self.countMax else { return false }
    sockets.append(Socket(number: socket, deadline: now + Self.longest))
    return true
  }

  public func contains(_ socket: Int32) -> Bool { sockets.contains { $0.number == socket } }

  /// Its client has ended, or is gone; false when it was none of these.
  public mutating func remove(_ socket: Int32) -> Bool {
    guard let place = sockets.firstIndex(where: { $0.number == socket }) else { return false }
    sockets.remove(at: place)
    return true
  }

  /// Takes out those whose time is over: they are to be closed.
  public mutating func takeExpired(now: Instant) -> [Int32] {
    let expired = sockets.prefix { $0.deadline <= now }.map(\.number)
    sockets.removeFirst(expired.count)
    return expired
  }
}
