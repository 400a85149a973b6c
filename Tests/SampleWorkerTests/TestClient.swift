import CNgHttp2

@testable import SampleWorker

/// A gRPC client on nghttp2's own client side, without a socket.
final class TestClient {
  struct Response: Equatable {
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var isClosed = false

    var status: String? { fields["grpc-status"] }

    /// The messages of the body, without their prefixes.
    var messages: [[UInt8]] {
      var messages: [[UInt8]] = []
      var rest = body[...]
      while rest.count >= 5 {
        let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
        messages.append(Array(rest.dropFirst(5).prefix(length)))
        rest = rest.dropFirst(5 + length)
      }
      return messages
    }
  }

  /// What the callbacks see.
  final class State {
    var responses: [Int32: Response] = [:]
    var outgoing: [Int32: [UInt8]] = [:]
    var ended: Set<Int32> = []
    /// While false, received DATA gives the server no new window.
    var consumes = true
  }

  let state = State()
  private var session: OpaquePointer?

  init() {
    var callbacks: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    defer { nghttp2_session_callbacks_del(callbacks) }
    Self.setCallbacks(callbacks)
    var option: OpaquePointer?
    nghttp2_option_new(&option)
    defer { nghttp2_option_del(option) }
    nghttp2_option_set_no_auto_window_update(option, 1)
    nghttp2_session_client_new2(
      &session, callbacks, Unmanaged.passUnretained(state).toOpaque(), option)
    nghttp2_submit_settings(session, 0, nil, 0)
  }

  deinit { nghttp2_session_del(session) }

  private static func setCallbacks(_ callbacks: OpaquePointer?) {
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, frame, name, nameCount, value, valueCount, _, data in
      let name = String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
      let value = UnsafeBufferPointer(start: value, count: valueCount)
      TestClient.state(data).responses[frame!.pointee.hd.stream_id]?.fields[name] = String(
        decoding: value, as: UTF8.self)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      session, _, stream, bytes, count, data in
      let state = TestClient.state(data)
      state.responses[stream]?.body += UnsafeBufferPointer(start: bytes, count: count)
      if state.consumes { nghttp2_session_consume(session, stream, count) }
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, _, data in
      TestClient.state(data).responses[stream]?.isClosed = true
      return 0
    }
  }

  static func state(_ data: UnsafeMutableRawPointer?) -> State {
    Unmanaged<State>.fromOpaque(data!).takeUnretainedValue()
  }

  /// Starts a call of the contract's service.
  func call(
    _ method: String, contentType: String = "application/grpc", verb: String = "POST"
  ) -> Int32 {
    let path = "/upstream.grpc.service.UpstreamPeerService/" + method
    let fields = [
      (":method", verb), (":scheme", "http"), (":authority", "test"), (":path", path),
      ("content-type", contentType), ("te", "trailers"),
    ]
    var list: [nghttp2_nv] = []
    var owned: [UnsafeMutableBufferPointer<UInt8>] = []
    defer { for buffer in owned { buffer.deallocate() } }
    for (name, value) in fields {
      let pair = [name, value].map { text in
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
        _ = buffer.initialize(from: text.utf8)
        return buffer
      }
      owned += pair
      list.append(
        nghttp2_nv(
          name: pair[0].baseAddress, value: pair[1].baseAddress, namelen: pair[0].count,
          valuelen: pair[1].count, flags: 0))
    }
    var provider = nghttp2_data_provider()
    provider.read_callback = { _, stream, buffer, count, flags, _, data in
      TestClient.fetch(
        stream, UnsafeMutableRawBufferPointer(start: buffer, count: count), flags!, data)
    }
    let stream = nghttp2_submit_request(session, nil, list, list.count, &provider, nil)
    state.responses[stream] = Response()
    return stream
  }

  private static func fetch(
    _ stream: Int32, _ buffer: UnsafeMutableRawBufferPointer,
    _ flags: UnsafeMutablePointer<UInt32>, _ data: UnsafeMutableRawPointer?
  ) -> Int {
    let state = TestClient.state(data)
    let waiting = state.outgoing[stream] ?? []
    let count = min(waiting.count, buffer.count)
    buffer.copyBytes(from: waiting.prefix(count))
    state.outgoing[stream] = Array(waiting.dropFirst(count))
    if count == waiting.count, state.ended.contains(stream) {
      flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      return count
    }
    return count == 0 ? Int(NGHTTP2_ERR_DEFERRED.rawValue) : count
  }

  /// Sends bytes as they are, without a prefix.
  func sendRaw(_ bytes: [UInt8], on stream: Int32) {
    state.outgoing[stream, default: []] += bytes
    nghttp2_session_resume_data(session, stream)
  }

  func send(_ message: [UInt8], on stream: Int32) {
    sendRaw(MessageAssembler.framed(message), on: stream)
  }

  func end(_ stream: Int32) {
    state.ended.insert(stream)
    nghttp2_session_resume_data(session, stream)
  }

  func reset(_ stream: Int32) {
    nghttp2_submit_rst_stream(session, 0, stream, NGHTTP2_CANCEL.rawValue)
  }

  /// Gives back window that was held while `consumes` was false.
  func consume(_ stream: Int32, _ count: Int) {
    nghttp2_session_consume(session, stream, count)
  }

  func response(_ stream: Int32) -> Response { state.responses[stream] ?? Response() }

  func takeOutput() -> [UInt8] {
    var output: [UInt8] = []
    var chunk: UnsafePointer<UInt8>?
    while case let length = nghttp2_session_mem_send(session, &chunk), length > 0 {
      output += UnsafeBufferPointer(start: chunk, count: length)
    }
    return output
  }

  func receive(_ bytes: [UInt8]) -> Bool {
    nghttp2_session_mem_recv(session, bytes, bytes.count) == bytes.count
  }

  /// Goes on until neither side has anything to say; `chunk` is how many bytes go at a time.
  func talk(to worker: ChatWorker, _ id: ChatWorker.ConnectionID, chunk: Int = 65_536) throws {
    while true {
      let out = takeOutput()
      var start = 0
      while start < out.count {
        try worker.receive(Array(out[start..<min(start + chunk, out.count)]), on: id)
        start += chunk
      }
      let back = try worker.takeOutput(of: id)
      guard receive(back) else { throw ServerConnectionError(code: -1) }
      if out.isEmpty && back.isEmpty { return }
    }
  }
}
