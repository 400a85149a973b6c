internal import Primitives

/// What a descriptor waits for, and what an event says of it; as in epoll(7).
struct Readiness: OptionSet {
  let rawValue: UInt8
  static let readable = Readiness(rawValue: 1)
  static let writable = Readiness(rawValue: 2)
  /// The connection broke; reported unasked.
  static let broken = Readiness(rawValue: 4)
}

/// One thing of which a turn is told: as it was at the turn's start, whatever the turn does to it.
enum ReadyEvent {
  case client(SessionID, Readiness)
  case link(Int, serial: Int, Readiness)
  case listener(Int)
  case mailbox
  case signal
  /// A socket whose session is over.
  case lingering(Connection)
}
