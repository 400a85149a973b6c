internal import CNgHttp2

// The nghttp2 side of a server connection: its session, callbacks and header lists.
//
// SAFETY, for the whole file: the callbacks run inside nghttp2_session_mem_recv and mem_send, which
// only ServerConnection calls; it holds the StreamTable that user data points to, and deletes the
// session before it lets go of the table. Buffers from nghttp2 are used during the callback alone.

/// Makes a session whose callbacks write into `streams`, with the preface queued.
func makeServerSession(_ streams: StreamTable) throws(ServerConnectionError) -> OpaquePointer {
  var callbacks: OpaquePointer?
  try unsafe check(nghttp2_session_callbacks_new(&callbacks))
  defer { unsafe nghttp2_session_callbacks_del(callbacks) }
  unsafe setCallbacks(callbacks)
  var option: OpaquePointer?
  try unsafe check(nghttp2_option_new(&option))
  defer { unsafe nghttp2_option_del(option) }
  unsafe nghttp2_option_set_no_auto_window_update(option, 1)
  // Closed streams are kept only for a priority tree that nobody asks for.
  unsafe nghttp2_option_set_no_closed_streams(option, 1)

  var session: OpaquePointer?
  let userData = unsafe Unmanaged.passUnretained(streams).toOpaque()
  try unsafe check(nghttp2_session_server_new2(&session, callbacks, userData, option))
  guard let session = unsafe session else { throw ServerConnectionError(code: -1) }
  do throws(ServerConnectionError) {
    try unsafe submitPreface(session, streams.limits)
  } catch {
    unsafe nghttp2_session_del(session)
    throw error
  }
  return unsafe session
}

private func submitPreface(
  _ session: OpaquePointer, _ limits: ServerConnection.Limits
) throws(ServerConnectionError) {
  let settings = [
    nghttp2_settings_entry(
      settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
      value: UInt32(limits.streams)),
    nghttp2_settings_entry(
      settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
      value: UInt32(limits.windowBytes)),
    nghttp2_settings_entry(
      settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: 8192),
  ]
  try unsafe check(nghttp2_submit_settings(session, 0, settings, settings.count))
  try unsafe check(
    nghttp2_session_set_local_window_size(session, 0, 0, Int32(limits.windowBytes)))
}

private func setCallbacks(_ callbacks: OpaquePointer?) {
  unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, data in
    guard let frame = unsafe frame, let streams = unsafe table(data) else { return -1 }
    if unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
      unsafe streams.begin(frame.pointee.hd.stream_id)
    }
    return 0
  }
  unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
    _, frame, name, nameCount, value, valueCount, _, data in
    guard let frame = unsafe frame, let streams = unsafe table(data) else { return -1 }
    let name = unsafe String(
      decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
    let value = unsafe String(
      decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self)
    unsafe headerReceived(streams, frame.pointee.hd.stream_id, name, value)
    return 0
  }
  unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, data in
    guard let session = unsafe session, let frame = unsafe frame, let streams = unsafe table(data)
    else { return -1 }
    return unsafe frameReceived(session, frame.pointee.hd, streams)
  }
  unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
    session, _, stream, bytes, count, data in
    guard let session = unsafe session, let streams = unsafe table(data) else { return -1 }
    let chunk = unsafe UnsafeBufferPointer(start: bytes, count: count)
    return unsafe dataReceived(session, stream, chunk, streams)
  }
  unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { session, frame, _ in
    guard let session = unsafe session, let frame = unsafe frame else { return -1 }
    return unsafe frameSent(session, frame.pointee.hd)
  }
  unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
    session, stream, _, data in
    guard let session = unsafe session, let streams = unsafe table(data) else { return -1 }
    return unsafe consumeConnection(session, streams.closed(stream))
  }
}

private func table(_ userData: UnsafeMutableRawPointer?) -> StreamTable? {
  guard let userData = unsafe userData else { return nil }
  return unsafe Unmanaged<StreamTable>.fromOpaque(userData).takeUnretainedValue()
}

/// A callback may only say "go on" or "the session is lost".
private func callbackResult(_ code: Int32) -> Int32 {
  code == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
}

private func headerReceived(
  _ streams: StreamTable, _ stream: Int32, _ name: String, _ value: String
) {
  switch name {
  case ":method": streams.setHead(\.method, value, of: stream)
  case ":path": streams.setHead(\.path, value, of: stream)
  case "content-type": streams.setHead(\.contentType, value, of: stream)
  default: break
  }
}

private func frameReceived(
  _ session: OpaquePointer, _ frame: nghttp2_frame_hd, _ streams: StreamTable
) -> Int32 {
  let isHeaders = UInt32(frame.type) == NGHTTP2_HEADERS.rawValue
  guard isHeaders || UInt32(frame.type) == NGHTTP2_DATA.rawValue else { return 0 }
  if isHeaders, case .refuse(let status) = streams.headReceived(frame.stream_id) {
    let head = [(":status", status)]
    return callbackResult(unsafe submitResponse(session, frame.stream_id, head, hasBody: false))
  }
  guard UInt32(frame.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 else { return 0 }
  if !streams.inputEnded(frame.stream_id) {
    unsafe streams.finish(
      frame.stream_id, status: .internalError, message: "half a message", session: session)
  }
  return 0
}

private func dataReceived(
  _ session: OpaquePointer, _ stream: Int32, _ chunk: UnsafeBufferPointer<UInt8>,
  _ streams: StreamTable
) -> Int32 {
  switch unsafe streams.dataReceived(stream, chunk) {
  case .took(let creditBytes):
    return callbackResult(unsafe nghttp2_session_consume(session, stream, creditBytes))
  case .failed(let status, let message, let creditBytes):
    unsafe streams.finish(stream, status: status, message: message, session: session)
    return callbackResult(unsafe nghttp2_session_consume(session, stream, creditBytes))
  }
}

private func consumeConnection(_ session: OpaquePointer, _ byteCount: Int) -> Int32 {
  guard byteCount > 0 else { return 0 }
  return callbackResult(unsafe nghttp2_session_consume_connection(session, byteCount))
}

/// Closes the client's half of a call that was answered before the client had said everything.
///
/// Without it, the stream would stay for as long as the client likes (RFC 9113 section 8.1).
private func frameSent(_ session: OpaquePointer, _ frame: nghttp2_frame_hd) -> Int32 {
  guard UInt32(frame.type) == NGHTTP2_HEADERS.rawValue,
    UInt32(frame.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0,
    unsafe nghttp2_session_get_stream_remote_close(session, frame.stream_id) == 0
  else { return 0 }
  return callbackResult(
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), frame.stream_id, NGHTTP2_NO_ERROR.rawValue))
}

/// What each gRPC response begins with.
let responseHead = [
  (":status", "200"), ("content-type", "application/grpc"), ("grpc-accept-encoding", "identity"),
]

extension StreamTable {
  /// Ends a call with a status; see ``ServerConnection/finish(_:status:message:)``.
  func finish(_ id: Int32, status: GRPCStatus, message: String, session: OpaquePointer) {
    switch reply(of: id) {
    case .notStarted:
      // "Trailers-Only": the only thing said is the status.
      setReply(.finished, of: id)
      // Fails only for want of memory, or for a stream that is gone.
      _ = unsafe submitResponse(
        session, id, responseHead + statusFields(status, message), hasBody: false)
    case .open:
      setReply(.finishing(status: status, message: message), of: id)
      // Where there is nothing left to send, nobody else would ask for the trailers.
      if clearDeferred(id) { _ = unsafe nghttp2_session_resume_data(session, id) }
    case .finishing, .finished, nil: break
    }
  }
}

private func statusFields(_ status: GRPCStatus, _ message: String) -> [(String, String)] {
  let code = ("grpc-status", "\(status.rawValue)")
  return message.isEmpty ? [code] : [code, ("grpc-message", percentEncoded(message))]
}

/// Text as `grpc-message` wants it: printable ASCII stays, every other byte becomes `%XX`.
func percentEncoded(_ text: String) -> String {
  text.utf8.reduce(into: "") { encoded, byte in
    if (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "%") {
      encoded.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      let hex = String(byte, radix: 16, uppercase: true)
      encoded += hex.utf8.count == 1 ? "%0\(hex)" : "%\(hex)"
    }
  }
}

/// Hands a response's head to nghttp2; a body, if there is one, is fetched from the stream table.
func submitResponse(
  _ session: OpaquePointer, _ stream: Int32, _ head: [(String, String)], hasBody: Bool
) -> Int32 {
  unsafe withFields(head) { fields, count in
    guard hasBody else {
      return unsafe nghttp2_submit_response(session, stream, fields, count, nil)
    }
    var provider = unsafe nghttp2_data_provider()
    unsafe provider.read_callback = { session, stream, buffer, count, flags, _, data in
      guard let session = unsafe session, let flags = unsafe flags,
        let streams = unsafe table(data)
      else { return ssize_t(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
      let target = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: count)
      return unsafe fetchBody(session, stream, target, flags, streams)
    }
    return unsafe nghttp2_submit_response(session, stream, fields, count, &provider)
  }
}

private func fetchBody(
  _ session: OpaquePointer, _ stream: Int32, _ buffer: UnsafeMutableRawBufferPointer,
  _ flags: UnsafeMutablePointer<UInt32>, _ streams: StreamTable
) -> ssize_t {
  guard let count = unsafe streams.dequeue(stream, into: buffer) else {
    return ssize_t(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
  }
  guard streams.isDrained(stream) else { return count }
  if case .finishing(let status, let message) = streams.reply(of: stream) {
    streams.setReply(.finished, of: stream)
    unsafe flags.pointee |=
      NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
    _ = unsafe withFields(statusFields(status, message)) { fields, fieldCount in
      unsafe nghttp2_submit_trailer(session, stream, fields, fieldCount)
    }
    return count
  }
  guard count == 0 else { return count }
  streams.setDeferred(stream)
  return ssize_t(NGHTTP2_ERR_DEFERRED.rawValue)
}

/// Lends a header list to nghttp2, which copies it.
private func withFields(
  _ fields: [(String, String)], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Int32
) -> Int32 {
  var text: [UInt8] = []
  for (name, value) in fields { text += Array(name.utf8) + Array(value.utf8) }
  return unsafe text.withUnsafeMutableBufferPointer { buffer in
    guard var next = buffer.baseAddress else { return body(nil, 0) }
    var list: [nghttp2_nv] = unsafe []
    for (name, value) in fields {
      let (nameBytes, valueBytes) = (name.utf8.count, value.utf8.count)
      unsafe list.append(
        nghttp2_nv(
          name: next, value: next + nameBytes, namelen: nameBytes, valuelen: valueBytes,
          flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
      unsafe next += nameBytes + valueBytes
    }
    return unsafe body(list, list.count)
  }
}
