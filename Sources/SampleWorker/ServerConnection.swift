internal import CNgHttp2

/// The server's side of one gRPC connection, without a socket: bytes in, bytes and events out.
///
/// The driver feeds what it reads with ``receive(_:)``, asks ``nextEvent()`` until it says nil,
/// answers with ``send(_:on:)`` and ``finish(_:status:message:)``, and writes what
/// ``takeOutput(bytesMax:)`` returns. After output was taken, events may be there again.
///
/// Memory is bounded: a message that was not fetched by ``nextEvent()`` gives its sender no new
/// HTTP/2 window, and while more than ``Limits/waitingBytes`` wait to be sent, no event is handed
/// out. The bytes of the connection itself may be read all the time (and have to be: the peer's
/// window updates are among them).
///
/// Not thread-safe.
@safe
public final class ServerConnection {
  /// What one connection may hold.
  public struct Limits: Sendable {
    /// The longest message accepted, in bytes; 1 byte to 64 MiB.
    public var messageBytes = 1024 * 1024
    /// Calls at a time.
    public let streams = 64
    /// Bytes waiting to be sent above which no event is handed out.
    public var waitingBytes = 4 * 1024 * 1024
    /// Bytes waiting to be sent above which ``ServerConnection/send(_:on:)`` refuses.
    public var waitingBytesMax = 16 * 1024 * 1024

    public init() {}

    /// The window of each stream and of the connection, in bytes.
    ///
    /// Four of the longest messages: updates of the window are held back until half of it was used,
    /// and a whole message must fit in the rest.
    var windowBytes: Int { 4 * max(messageBytes, 65_536) }

    /// Events waiting to be fetched; messages alone, of five bytes or more, cannot be so many.
    ///
    /// A peer that gets further, by opening and resetting calls, loses the connection.
    var events: Int { windowBytes / 4 }
  }

  public enum Event: Equatable, Sendable {
    /// A gRPC call arrived.
    case opened(stream: Int32, path: String)
    /// One whole message, without its prefix.
    case message(stream: Int32, bytes: [UInt8])
    /// The client has sent all of its messages.
    case ended(stream: Int32)
    /// The call is over, in whichever way; nothing follows for it.
    case closed(stream: Int32)

    /// The call that it happened to.
    var stream: Int32 {
      switch self {
      case .opened(let stream, _), .message(let stream, _), .ended(let stream),
        .closed(let stream):
        stream
      }
    }
  }

  let streams: StreamTable
  private let session: OpaquePointer

  /// - Throws: ``ServerConnectionError`` when nghttp2 has no memory.
  /// - Precondition: `limits` are in their ranges.
  public init(limits: Limits = Limits()) throws(ServerConnectionError) {
    precondition((1...64 << 20).contains(limits.messageBytes))
    streams = StreamTable(limits: limits)
    unsafe session = try unsafe makeServerSession(streams)
  }

  deinit {
    unsafe nghttp2_session_del(session)
  }

  /// Feeds bytes that were read from the client.
  ///
  /// A violation of HTTP/2 usually shows as ``isFinished`` after the output was written: nghttp2
  /// queues a GOAWAY with the reason.
  ///
  /// - Throws: ``ServerConnectionError``; flush what can be flushed and close the connection.
  public func receive(_ bytes: RawSpan) throws(ServerConnectionError) {
    let result = unsafe bytes.withUnsafeBytes { buffer in
      unsafe nghttp2_session_mem_recv(
        session, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
    try check(Int32(truncatingIfNeeded: result))
    guard !streams.overflowed else { throw ServerConnectionError(code: -1) }
  }

  /// Feeds bytes that were read from the client; see the other one.
  public func receive(_ bytes: [UInt8]) throws(ServerConnectionError) {
    try unsafe receive(bytes.span.bytes)
  }

  /// The oldest event that was not fetched; nil when there is none, or when the connection is
  /// congested.
  public func nextEvent() -> Event? { nextEvent(passingOver: nil) }

  /// The oldest event that is not of the call `stream`, whose messages stay where they are.
  package func nextEvent(passingOver stream: Int32?) -> Event? {
    guard !isCongested, let event = streams.popEvent(passingOver: stream) else { return nil }
    if case .message(let stream, let bytes) = event {
      let byteCount = MessageAssembler.prefixBytes + bytes.count
      // Fails only for want of memory; the next receive(_:) reports that.
      _ = unsafe nghttp2_session_consume(session, stream, byteCount)
    }
    return event
  }

  /// The oldest event of a connection that is lost: congested or not, and without new window.
  package func takeLeftEvent() -> Event? { streams.popEvent() }

  /// Bytes of messages that wait for the client's window or for ``takeOutput(bytesMax:)``.
  public var waitingBytes: Int { streams.waitingBytes }

  /// True while more waits than ``Limits/waitingBytes``.
  public var isCongested: Bool { streams.waitingBytes > streams.limits.waitingBytes }

  /// True when the connection is over: write what was taken, then close.
  public var isFinished: Bool {
    unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// Sends one message.
  ///
  /// - Returns: false when the call is over or was finished, or when ``Limits/waitingBytesMax``
  ///   would be passed; the message was not taken then.
  @discardableResult
  public func send(_ message: [UInt8], on stream: Int32) -> Bool {
    sendUnframed(MessageAssembler.framed(message), on: stream)
  }

  /// Sends bytes of a call that are a message with its prefix, or what a liar gives out as one.
  package func sendUnframed(_ framed: [UInt8], on stream: Int32) -> Bool {
    guard let reply = streams.reply(of: stream), reply == .notStarted || reply == .open,
      streams.waitingBytes + framed.count <= streams.limits.waitingBytesMax
    else { return false }
    if reply == .notStarted {
      guard unsafe submitResponse(session, stream, responseHead, hasBody: true) == 0 else {
        return false
      }
      streams.setReply(.open, of: stream)
    }
    streams.enqueue(framed, on: stream)
    resume(stream)
    return true
  }

  /// Ends a call: what waits is sent, then the trailers with the status.
  ///
  /// Does nothing for a call that is over or was finished.
  public func finish(_ stream: Int32, status: GRPCStatus, message: String = "") {
    unsafe streams.finish(stream, status: status, message: message, session: session)
  }

  /// Says goodbye: open calls end with UNAVAILABLE, new ones are refused.
  public func shutDown() {
    for stream in streams.openStreams {
      finish(stream, status: .unavailable, message: "the worker shuts down")
    }
    _ = unsafe nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue),
      nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR.rawValue, nil, 0)
  }

  /// Takes bytes to be written to the client; empty when there are none.
  ///
  /// - Parameter bytesMax: stop after this many bytes; one frame more may come.
  /// - Throws: ``ServerConnectionError``; close the connection.
  public func takeOutput(bytesMax: Int = 65_536) throws(ServerConnectionError) -> [UInt8] {
    var output: [UInt8] = []
    while output.count < bytesMax {
      var chunk: UnsafePointer<UInt8>?
      let length = unsafe nghttp2_session_mem_send(session, &chunk)
      try check(Int32(truncatingIfNeeded: length))
      guard length > 0, let start = unsafe chunk else { break }
      // SAFETY: nghttp2 keeps the chunk until the next call.
      unsafe output.append(contentsOf: UnsafeBufferPointer(start: start, count: length))
    }
    return output
  }

  private func resume(_ stream: Int32) {
    guard streams.clearDeferred(stream) else { return }
    _ = unsafe nghttp2_session_resume_data(session, stream)
  }
}

/// A call into nghttp2 failed: out of memory, or the peer does not speak HTTP/2 at all.
public struct ServerConnectionError: Error, Equatable, Sendable {
  /// An `nghttp2_error`, or -1 when a peer left too many events behind.
  public let code: Int32
}

func check(_ code: Int32) throws(ServerConnectionError) {
  guard code >= 0 else { throw ServerConnectionError(code: code) }
}
