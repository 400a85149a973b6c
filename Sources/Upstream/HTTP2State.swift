internal import Primitives

/// What happened on a connection, in the order in which it arrived.
@safe
enum HTTP2Event {
  /// The worker's SETTINGS: it speaks HTTP/2.
  case settings
  /// Bytes of a stream; they lie in what was given to `receive`.
  case data(stream: Int32, bytes: UnsafeRawBufferPointer)
  /// A block of header fields: a response, or trailers.
  case headers(stream: Int32, HTTP2Fields)
  /// The worker ended its direction of a stream.
  case endOfStream(stream: Int32)
  /// The stream is gone; 0 is no error (RFC 9113 section 7).
  case streamClosed(stream: Int32, errorCode: UInt32)
  case pingAcknowledged
  case goAway(errorCode: UInt32)
}

/// The header fields that gRPC gives a meaning to.
struct HTTP2Fields {
  /// `:status`; 0 in trailers.
  var httpStatus: Int32 = 0
  /// `grpc-status`; nil when it is missing, -1 when it is not a number.
  var grpcStatus: Int32?
  /// `grpc-message`, shortened; for people.
  var statusMessage = ""
  var isGRPC = false
}

/// What nghttp2's callbacks write, and what they read.
struct HTTP2State {
  private var events: [HTTP2Event] = []
  private var nextEvent = 0
  /// The header block that is arriving.
  var fields = HTTP2Fields()
  private(set) var errorText = ""

  /// Stream ids, indexed by `HTTP2Connection.Call`; 0 before the call began.
  var streams: [3 of Int32] = [0, 0, 0]
  /// Bytes of the packet queue that may be framed.
  var packetBytesWaiting = 0
  var packetsEnd = false
  /// nghttp2 may have something to send; it is not asked otherwise.
  var hasFrames = true
  /// Empties to be sent on the `live` call.
  var beatsDue = 0

  /// What unary calls have to send; a short list, for a link has at most 256 of them.
  private var requests: [Request] = []

  var requestCount: Int { requests.count }

  private struct Request {
    let stream: Int32
    let message: [UInt8]
    /// Bytes that are in frames.
    var framedBytes = 0
  }

  private var framedData = FramedData()

  mutating func add(_ event: HTTP2Event) { events.append(event) }

  mutating func takeEvent() -> HTTP2Event? {
    guard nextEvent < events.count else {
      if nextEvent > 0 { events.removeAll(keepingCapacity: true) }
      nextEvent = 0
      return nil
    }
    defer { nextEvent += 1 }
    return events[nextEvent]
  }

  /// The stream and error code of the oldest event, if that is the end of a stream.
  mutating func takeStreamClosed() -> (stream: Int32, errorCode: UInt32)? {
    guard nextEvent < events.count,
      case .streamClosed(let stream, let errorCode) = events[nextEvent]
    else { return nil }
    nextEvent += 1
    return (stream, errorCode)
  }

  mutating func setStatusMessage(_ bytes: UnsafeBufferPointer<UInt8>) {
    fields.statusMessage = unsafe String(decoding: bytes.prefix(200), as: UTF8.self)
  }

  mutating func setErrorText(_ bytes: UnsafeRawBufferPointer) {
    errorText = unsafe String(decoding: bytes.prefix(200), as: UTF8.self)
  }

  mutating func addRequest(_ message: [UInt8], on stream: Int32) {
    requests.append(Request(stream: stream, message: message))
  }

  mutating func dropRequest(on stream: Int32) { requests.removeAll { $0.stream == stream } }

  /// Copies what comes next of a unary call's message to `out`.
  ///
  /// - Returns: how much that was, and whether it was the last; nil for any other call.
  mutating func nextOfRequest(
    on stream: Int32, into out: UnsafeMutableRawBufferPointer
  ) -> (byteCount: Int, isLast: Bool)? {
    guard let index = requests.firstIndex(where: { $0.stream == stream }) else { return nil }
    let request = requests[index]
    let byteCount = min(out.count, request.message.count - request.framedBytes)
    let end = request.framedBytes + byteCount
    unsafe out.copyBytes(from: request.message[request.framedBytes..<end])
    if end == request.message.count {
      requests.remove(at: index)
      return (byteCount, true)
    }
    requests[index].framedBytes = end
    return (byteCount, false)
  }

  mutating func framed(header: UnsafePointer<UInt8>, byteCount: Int) {
    framedData = unsafe FramedData(header: header, byteCount: byteCount)
    packetBytesWaiting -= byteCount
  }

  mutating func takeFramedData() -> FramedData {
    defer { framedData = FramedData() }
    return framedData
  }
}

/// A DATA frame whose payload stays in the packet queue.
struct FramedData: BitwiseCopyable {
  private var header: (UInt64, UInt8) = (0, 0)
  private(set) var byteCount = 0

  init() {}

  /// - Parameter header: the nine bytes of RFC 9113 section 4.1.
  init(header bytes: UnsafePointer<UInt8>, byteCount: Int) {
    unsafe withUnsafeMutableBytes(of: &header) {
      unsafe $0.baseAddress!.copyMemory(from: bytes, byteCount: 9)
    }
    self.byteCount = byteCount
  }

  func withHeader(_ body: (UnsafeRawBufferPointer) -> Void) {
    unsafe withUnsafeBytes(of: header) { unsafe body(UnsafeRawBufferPointer(rebasing: $0[0..<9])) }
  }
}
