internal import Gateway

/// How much happened, for the report.
package struct OracleSummary: Equatable, Sendable {
  package var visits = 0
  package var sessions = 0
  /// Turned away at the door.
  package var refused = 0
  package var packetsSent = 0
  package var packetsHandled = 0
  package var packetsLost = 0
  package var events = 0
  package var answersSent = 0
  package var answersReceived = 0
  package var broadcasts = 0
  package var refusalsTold = 0
  /// Read from clients, without what was turned away.
  package var bytesIn: UInt64 = 0
  /// Of answers that clients have read.
  package var bytesOut: UInt64 = 0
  /// Packet streams between a gateway and a worker.
  package var streams = 0
  package var bans = 0
  /// Sessions that have gone from one shard to another.
  package var moves = 0
  /// Sessions that had been let in, by `CloseReason`.
  package var closed = [UInt64](repeating: 0, count: 256)

  package init() {}

  /// Grows whenever a packet or an answer has come through.
  var moved: Int { packetsHandled + answersReceived }

  /// All of it in one line.
  package var text: String { lines.map { "\($0.name) \($0.count)" }.joined(separator: ", ") }

  /// Names and counts, those of zero left out, in a fixed order.
  package var lines: [(name: String, count: UInt64)] {
    let counts: [(String, UInt64)] = [
      ("visits", UInt64(visits)), ("sessions", UInt64(sessions)), ("refused", UInt64(refused)),
      ("packets sent", UInt64(packetsSent)), ("packets handled", UInt64(packetsHandled)),
      ("packets lost with workers", UInt64(packetsLost)), ("session events", UInt64(events)),
      ("answers sent", UInt64(answersSent)), ("answers received", UInt64(answersReceived)),
      ("broadcasts", UInt64(broadcasts)), ("refusals told", UInt64(refusalsTold)),
      ("bytes in", bytesIn), ("bytes out", bytesOut), ("worker streams", UInt64(streams)),
      ("bans", UInt64(bans)), ("moves", UInt64(moves)),
    ]
    let reasons = CloseReason.allCases.map { ("closed " + $0.name, closed[Int($0.rawValue)]) }
    return (counts + reasons).filter { $0.1 > 0 }
  }
}
