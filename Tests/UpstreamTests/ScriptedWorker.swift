import CNgHttp2

/// A gRPC server on nghttp2's server side that does what a test tells it, right or wrong.
final class ScriptedWorker {
  struct Options {
    /// The window that each stream begins with, in bytes; nil is HTTP/2's own default.
    var windowBytes: UInt32?
    /// Calls at a time.
    var callsMax: UInt32 = 100
    var answersPings = true
  }

  /// What a client asked.
  struct Call: Equatable {
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var hasEnded = false
    var closedWith: UInt32?

    var method: String { fields[":path"]?.split(separator: "/").last.map(String.init) ?? "" }
    var messages: [[UInt8]] { Wire.messages(body) }
  }

  private final class State {
    var calls: [Int32: Call] = [:]
    var waiting: [Int32: [UInt8]] = [:]
    /// The trailers with which a stream ends; none is an end without trailers.
    var endings: [Int32: [(String, String)]] = [:]
    var begun: Set<Int32> = []
    var pings = 0
  }

  private let state = State()
  private var session: OpaquePointer?

  init(_ options: Options = Options()) {
    var callbacks: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    defer { nghttp2_session_callbacks_del(callbacks) }
    Self.setCallbacks(callbacks)
    var option: OpaquePointer?
    nghttp2_option_new(&option)
    defer { nghttp2_option_del(option) }
    nghttp2_option_set_no_auto_ping_ack(option, options.answersPings ? 0 : 1)
    // What a test wants to be wrong is not to be put right.
    nghttp2_option_set_no_http_messaging(option, 1)
    if options.windowBytes != nil { nghttp2_option_set_no_auto_window_update(option, 1) }
    nghttp2_session_server_new2(
      &session, callbacks, Unmanaged.passUnretained(state).toOpaque(), option)
    var settings = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
        value: options.callsMax)
    ]
    if let windowBytes = options.windowBytes {
      settings.append(
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: windowBytes))
    }
    nghttp2_submit_settings(session, 0, settings, settings.count)
  }

  deinit { nghttp2_session_del(session) }

  private static func state(_ data: UnsafeMutableRawPointer?) -> State {
    Unmanaged<State>.fromOpaque(data!).takeUnretainedValue()
  }

  private static func setCallbacks(_ callbacks: OpaquePointer?) {
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, frame, name, nameCount, value, valueCount, _, data in
      let name = String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
      let value = UnsafeBufferPointer(start: value, count: valueCount)
      ScriptedWorker.state(data).calls[frame!.pointee.hd.stream_id, default: Call()].fields[name] =
        String(decoding: value, as: UTF8.self)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, stream, bytes, count, data in
      ScriptedWorker.state(data).calls[stream]?.body += UnsafeBufferPointer(
        start: bytes, count: count)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
      let head = frame!.pointee.hd
      let state = ScriptedWorker.state(data)
      if head.type == UInt8(NGHTTP2_PING.rawValue) { state.pings += 1 }
      if head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
        head.type == UInt8(NGHTTP2_DATA.rawValue) || head.type == UInt8(NGHTTP2_HEADERS.rawValue)
      {
        state.calls[head.stream_id]?.hasEnded = true
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, data in
      ScriptedWorker.state(data).calls[stream]?.closedWith = code
      return 0
    }
  }

  // MARK: What came

  var pings: Int { state.pings }
  func call(_ stream: Int32) -> Call { state.calls[stream] ?? Call() }

  /// The streams of a method's calls, oldest first.
  func streams(of method: String) -> [Int32] {
    state.calls.filter { $0.value.method == method }.keys.sorted()
  }

  /// The newest call of a method.
  func last(_ method: String) -> Int32? { streams(of: method).last }

  // MARK: What goes

  /// Begins an answer.
  func begin(_ stream: Int32, status: String = "200", contentType: String = "application/grpc") {
    state.begun.insert(stream)
    respond(stream, [(":status", status), ("content-type", contentType)], hasBody: true)
  }

  /// An answer of header fields alone.
  func respond(_ stream: Int32, _ fields: [(String, String)]) {
    respond(stream, fields, hasBody: false)
  }

  private func respond(_ stream: Int32, _ fields: [(String, String)], hasBody: Bool) {
    var provider = nghttp2_data_provider()
    provider.read_callback = { session, stream, buffer, count, flags, _, data in
      ScriptedWorker.fetch(
        session, stream, UnsafeMutableRawBufferPointer(start: buffer, count: count), flags!, data)
    }
    withNames(fields) { names in
      if hasBody {
        nghttp2_submit_response(session, stream, names.baseAddress, names.count, &provider)
      } else {
        nghttp2_submit_response(session, stream, names.baseAddress, names.count, nil)
      }
    }
  }

  private static func fetch(
    _ session: OpaquePointer?, _ stream: Int32, _ buffer: UnsafeMutableRawBufferPointer,
    _ flags: UnsafeMutablePointer<UInt32>, _ data: UnsafeMutableRawPointer?
  ) -> Int {
    let state = ScriptedWorker.state(data)
    let waiting = state.waiting[stream] ?? []
    let count = min(waiting.count, buffer.count)
    buffer.copyBytes(from: waiting.prefix(count))
    state.waiting[stream] = Array(waiting.dropFirst(count))
    if count == waiting.count, let trailers = state.endings[stream] {
      flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if !trailers.isEmpty {
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        withNames(trailers) {
          nghttp2_submit_trailer(session, stream, $0.baseAddress, $0.count)
        }
      }
      return count
    }
    return count == 0 ? Int(NGHTTP2_ERR_DEFERRED.rawValue) : count
  }

  /// Sends bytes as they are, without a prefix.
  func sendRaw(_ bytes: [UInt8], on stream: Int32) {
    if !state.begun.contains(stream) { begin(stream) }
    state.waiting[stream, default: []] += bytes
    nghttp2_session_resume_data(session, stream)
  }

  func send(_ message: [UInt8], on stream: Int32) { sendRaw(Wire.framed(message), on: stream) }

  /// Ends a call with trailers, or with a response of trailers only.
  func finish(_ stream: Int32, status: String = "0", message: String? = nil) {
    var trailers = [("grpc-status", status)]
    if let message { trailers.append(("grpc-message", message)) }
    guard state.begun.contains(stream) else {
      respond(stream, [(":status", "200"), ("content-type", "application/grpc")] + trailers)
      return
    }
    state.endings[stream] = trailers
    nghttp2_session_resume_data(session, stream)
  }

  /// Ends a call's answer without the trailers that gRPC demands.
  func endWithoutTrailers(_ stream: Int32) {
    if !state.begun.contains(stream) { begin(stream) }
    state.endings[stream] = []
    nghttp2_session_resume_data(session, stream)
  }

  func reset(_ stream: Int32, code: UInt32) {
    nghttp2_submit_rst_stream(session, 0, stream, code)
  }

  func goAway(code: UInt32) {
    nghttp2_submit_goaway(
      session, 0, nghttp2_session_get_last_proc_stream_id(session), code, nil, 0)
  }

  /// Gives a stream and the connection this much more window.
  func giveWindow(_ byteCount: Int32, to stream: Int32) {
    nghttp2_submit_window_update(session, 0, stream, byteCount)
    nghttp2_submit_window_update(session, 0, 0, byteCount)
  }

  func takeOutput() -> [UInt8] {
    var output: [UInt8] = []
    var chunk: UnsafePointer<UInt8>?
    while case let length = nghttp2_session_mem_send(session, &chunk), length > 0 {
      output += UnsafeBufferPointer(start: chunk, count: length)
    }
    return output
  }

  /// Takes the gateway's bytes; false when they are not HTTP/2.
  func receive(_ bytes: [UInt8]) -> Bool {
    nghttp2_session_mem_recv(session, bytes, bytes.count) == bytes.count
  }
}

private func withNames(
  _ fields: [(String, String)], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void
) {
  var text = fields.flatMap { Array($0.0.utf8) + Array($0.1.utf8) }
  text.withUnsafeMutableBufferPointer { bytes in
    var at = bytes.baseAddress!
    let names = fields.map { name, value in
      let end = at + name.utf8.count
      defer { at = end + value.utf8.count }
      return nghttp2_nv(
        name: at, value: end, namelen: name.utf8.count, valuelen: value.utf8.count, flags: 0)
    }
    names.withUnsafeBufferPointer(body)
  }
}
