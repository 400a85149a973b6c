import Gateway
import Primitives

/// A game program and its socket, seen from both ends.
struct VirtualClient {
  /// The session while the gateway's end of the socket is open.
  var id: SessionID?
  /// The shard that has the socket.
  var shard = 0
  var uuid = ""
  let listener: Int

  /// Sent, and not read by the gateway.
  var pending: [UInt8] = []
  var pendingStart = 0
  /// It has ended its direction.
  var hasEnded = false
  var gatewaySawEnd = false
  var isReset = false

  /// What it got, in the order in which it came.
  var received: [UInt8] = []
  /// The writes it got: as many bytes as one system call took.
  var writes: [Int] = []
  /// Bytes that its socket takes before it is full.
  var room = Int.max
  /// When it last got something.
  var receivedAt = Instant(nanoseconds: 0)

  /// What the gateway waits for.
  var isRead = true
  var awaitsWritable = false

  /// Set when the gateway closed the socket.
  var closeReason: CloseReason?
  var wasAborted = false
  var closedAt = Instant(nanoseconds: 0)

  var isOpen: Bool { id != nil }
  var unreadBytes: Int { pending.count - pendingStart }

  init(listener: Int) { self.listener = listener }

  mutating func takePending(_ byteCount: Int) -> ArraySlice<UInt8> {
    let taken = pending[pendingStart..<pendingStart + byteCount]
    pendingStart += byteCount
    if pendingStart == pending.count {
      pending.removeAll(keepingCapacity: true)
      pendingStart = 0
    }
    return taken
  }
}
