/// How a call ended, in the numbers of gRPC ("Status codes and their use in gRPC").
public enum GRPCStatus: Int, Sendable {
  case ok = 0
  case invalidArgument = 3
  case resourceExhausted = 8
  case unimplemented = 12
  case internalError = 13
  case unavailable = 14
}

/// One call: what came, and what waits to be sent.
struct ServerStream {
  /// The parts of a request's head that decide whether it is a gRPC call.
  struct Head {
    var method = ""
    var path = ""
    var contentType = ""

    /// True for a content type this server can read: protobuf, which is also the default.
    var isGRPC: Bool {
      let base = contentType.prefix { $0 != ";" }.lowercased()
      return base == "application/grpc" || base == "application/grpc+proto"
    }
  }

  enum Reply: Equatable {
    /// Nothing was sent yet.
    case notStarted
    /// The response's head is out, messages may follow.
    case open
    /// Trailers follow after what waits.
    case finishing(status: GRPCStatus, message: String)
    /// Everything is with nghttp2; the stream closes by itself.
    case finished
  }

  var head = Head()
  /// True once the request's head was complete and the call was announced.
  var isAnnounced = false
  /// True once nothing of the request is of interest any more; its DATA is thrown away.
  var ignoresInput = false
  var assembler: MessageAssembler
  var reply = Reply.notStarted
  /// True while nghttp2 was told to wait for ``ServerConnection/send(_:on:)``.
  var isDeferred = false

  private var outgoing: [UInt8] = []
  private var outgoingStart = 0

  init(messageBytesMax: Int) {
    assembler = MessageAssembler(messageBytesMax: messageBytesMax)
  }

  /// Bytes that nghttp2 has not fetched.
  var waitingBytes: Int { outgoing.count - outgoingStart }

  mutating func enqueue(_ bytes: [UInt8]) {
    outgoing += bytes
  }

  /// Moves up to `buffer.count` waiting bytes into `buffer`; returns how many.
  mutating func dequeue(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, waitingBytes)
    // SAFETY: copyBytes checks that the buffer holds the slice.
    unsafe buffer.copyBytes(from: outgoing[outgoingStart..<outgoingStart + count])
    outgoingStart += count
    if outgoingStart == outgoing.count {
      outgoing.removeAll(keepingCapacity: outgoing.count <= 65_536)
      outgoingStart = 0
    } else if outgoingStart >= 1 << 20 {
      // Moved up once a megabyte, so that a queue which never gets empty does not grow for ever.
      outgoing.removeFirst(outgoingStart)
      outgoingStart = 0
    }
    return count
  }
}
