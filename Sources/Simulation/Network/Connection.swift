internal import Primitives

/// Whose end of a connection.
enum End: UInt8 {
  case gateway
  /// A client or a worker.
  case peer

  var other: End { self == .gateway ? .peer : .gateway }
}

/// Who is at the far end.
enum Peer: Equatable {
  case client(Int)
  case worker(Int)

  var number: Int {
    switch self {
    case .client(let number), .worker(let number): number
    }
  }

  var isClient: Bool {
    switch self {
    case .client: true
    case .worker: false
    }
  }
}

/// One direction of a connection: what was written and is not read yet.
struct Flow {
  /// Unread bytes, of which the first ``arrivedByteCount`` have arrived.
  var bytes: [UInt8] = []
  /// Where the unread bytes begin.
  var start = 0
  var arrivedByteCount = 0
  /// More is not taken from the writer: both kernels' buffers.
  var bytesMax = 256 << 10
  /// The writer has ended the direction.
  var isEnded = false
  /// The reader has been told, or can be.
  var endArrived = false
  /// What a reset took while it was under way.
  var forgotten: [UInt8] = []
  /// A reset took something: nothing that was sent behind it arrives, the end least of all, and the
  /// writer, who may not know yet, finds no room.
  var isCut = false
  /// Nothing written later arrives sooner.
  var lastArrival = Instant(nanoseconds: 0)

  var unreadByteCount: Int { bytes.count - start }
  var room: Int { isCut ? 0 : max(0, bytesMax - unreadByteCount) }
  /// All that was written and never read, in its order.
  var unread: [UInt8] { Array(bytes[start...]) + forgotten }

  mutating func take(_ byteCount: Int) -> ArraySlice<UInt8> {
    precondition(byteCount <= arrivedByteCount)
    let taken = bytes[start..<start + byteCount]
    start += byteCount
    arrivedByteCount -= byteCount
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: true)
      start = 0
    } else if start > 1 << 20 {
      bytes.removeFirst(start)
      start = 0
    }
    return taken
  }
}

/// A TCP connection between a gateway and a client or a worker, as both kernels have it.
final class Connection {
  enum Phase {
    /// Its first packet is on the way.
    case connecting
    /// It waits in the listener's queue, or has been accepted.
    case established
    case refused
    /// Broken: what had arrived can still be read, then comes the error.
    case reset
  }

  /// Counts all connections of a simulation from 0.
  let number: Int
  let gateway: Int
  let peer: Peer
  /// The client's, or the worker's.
  let address: SocketAddress
  /// The listener's port, or the worker's.
  let port: UInt16
  /// What its bytes travel on.
  let path: Int
  /// The shard whose loop has its descriptor, or had it last.
  var gatewayShard = 0
  /// The slot of its session, or its link's number, while that has its descriptor.
  var gatewayPlace = -1
  var phase = Phase.connecting
  var toGateway = Flow()
  var toPeer = Flow()
  /// The gateway has closed its descriptor, or does not have one yet.
  var gatewayClosed = false
  var peerClosed = false

  init(
    number: Int, gateway: Int, peer: Peer, address: SocketAddress, port: UInt16, path: Int
  ) {
    self.number = number
    self.gateway = gateway
    self.peer = peer
    self.address = address
    self.port = port
    self.path = path
  }

  /// Both descriptors are closed: nothing of it is left.
  var isOver: Bool { gatewayClosed && peerClosed }

  subscript(into end: End) -> Flow {
    get { end == .gateway ? toGateway : toPeer }
    _modify {
      switch end {
      case .gateway: yield &toGateway
      case .peer: yield &toPeer
      }
    }
  }

  /// Gives up what nobody will read any more.
  func forget() {
    for end in [End.gateway, .peer] {
      self[into: end].bytes = []
      self[into: end].forgotten = []
      (self[into: end].start, self[into: end].arrivedByteCount) = (0, 0)
    }
  }

  func hasClosed(_ end: End) -> Bool { end == .gateway ? gatewayClosed : peerClosed }
}
