internal import CNgHttp2

/// The C functions through which nghttp2 talks to an ``HTTP2State``.
///
/// They only note what happened: no decision is taken while nghttp2 is on the stack.
enum HTTP2Callbacks {
  static func install(in callbacks: OpaquePointer?) {
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, userData in
      unsafe HTTP2Callbacks.state(userData).pointee.fields = HTTP2Fields()
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
      _, _, stream, bytes, length, userData in
      unsafe HTTP2Callbacks.state(userData).pointee.add(
        .data(stream: stream, bytes: UnsafeRawBufferPointer(start: bytes, count: length)))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
      _, stream, errorCode, userData in
      unsafe HTTP2Callbacks.state(userData).pointee.add(
        .streamClosed(stream: stream, errorCode: errorCode))
      return 0
    }
    unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) {
      _, _, header, length, _, userData in
      unsafe HTTP2Callbacks.state(userData).pointee.framed(header: header!, byteCount: length)
      // Pausing here hands the frame to the caller of nghttp2_session_mem_send, one at a time.
      return Int32(NGHTTP2_ERR_PAUSE.rawValue)
    }
    unsafe nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
      _, _, _, connectionWindow, streamWindow, frameBytesMax, _ in
      Int(min(Int64(min(connectionWindow, streamWindow)), Int64(min(frameBytesMax, 1 << 20))))
    }
  }

  /// nghttp2's own words for what a peer did wrong.
  static func installErrorText(in callbacks: OpaquePointer?) {
    unsafe nghttp2_session_callbacks_set_error_callback2(callbacks) {
      _, _, text, length, userData in
      unsafe HTTP2Callbacks.state(userData).pointee.setErrorText(
        UnsafeRawBufferPointer(start: text, count: length))
      return 0
    }
  }

  static func state(_ userData: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<HTTP2State> {
    // SAFETY: set once, in HTTP2Connection.init, to a state that outlives the session.
    unsafe userData!.assumingMemoryBound(to: HTTP2State.self)
  }

  /// Says what a call still has to send.
  static let readCallData:
    @convention(c) (
      OpaquePointer?, Int32, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<UInt32>?,
      UnsafeMutablePointer<nghttp2_data_source>?, UnsafeMutableRawPointer?
    ) -> Int = { _, stream, out, length, flags, _, userData in
      let state = unsafe HTTP2Callbacks.state(userData)
      let streams = unsafe state.pointee.streams
      if stream == streams[HTTP2Connection.Call.packets.rawValue] {
        return unsafe HTTP2Callbacks.packetBytes(state, length, flags!)
      }
      let isUnary =
        stream != streams[HTTP2Connection.Call.ready.rawValue]
        && stream != streams[HTTP2Connection.Call.live.rawValue]
      if isUnary { return unsafe HTTP2Callbacks.requestBytes(state, stream, out, length, flags!) }
      guard length >= 5 else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
      // A google.protobuf.Empty has no bytes: only the gRPC prefix is sent.
      if stream == streams[HTTP2Connection.Call.live.rawValue] {
        guard unsafe state.pointee.beatsDue > 0 else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        unsafe state.pointee.beatsDue -= 1
      } else {
        unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      }
      unsafe out!.update(repeating: 0, count: 5)
      return 5
    }

  private static func packetBytes(
    _ state: UnsafeMutablePointer<HTTP2State>, _ length: Int, _ flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let waiting = unsafe state.pointee.packetBytesWaiting
    let isEnd = unsafe state.pointee.packetsEnd && waiting <= length
    if isEnd { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
    guard waiting > 0 else { return isEnd ? 0 : Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    return min(waiting, length)
  }

  private static func requestBytes(
    _ state: UnsafeMutablePointer<HTTP2State>, _ stream: Int32,
    _ out: UnsafeMutablePointer<UInt8>?, _ length: Int, _ flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let room = unsafe UnsafeMutableRawBufferPointer(start: out, count: length)
    // One that is no longer there was cancelled: its reset is under way.
    guard let piece = unsafe state.pointee.nextOfRequest(on: stream, into: room) else {
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    if piece.isLast { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
    return piece.byteCount
  }

  private static let onHeader:
    @convention(c) (
      OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafePointer<UInt8>?, Int,
      UnsafePointer<UInt8>?, Int, UInt8, UnsafeMutableRawPointer?
    ) -> Int32 = { _, _, name, nameLength, value, valueLength, _, userData in
      let state = unsafe HTTP2Callbacks.state(userData)
      let value = unsafe UnsafeBufferPointer(start: value, count: valueLength)
      switch unsafe String(
        decoding: UnsafeBufferPointer(start: name, count: nameLength), as: UTF8.self)
      {
      case ":status":
        unsafe state.pointee.fields.httpStatus = unsafe HTTP2Callbacks.number(value) ?? -1
      case "grpc-status":
        unsafe state.pointee.fields.grpcStatus = unsafe HTTP2Callbacks.number(value) ?? -1
      case "grpc-message": unsafe state.pointee.setStatusMessage(value)
      case "content-type":
        unsafe state.pointee.fields.isGRPC = unsafe HTTP2Callbacks.isGRPC(value)
      default: break
      }
      return 0
    }

  private static let onFrame:
    @convention(c) (
      OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafeMutableRawPointer?
    ) -> Int32 = { _, frame, userData in
      let state = unsafe HTTP2Callbacks.state(userData)
      let head = unsafe frame!.pointee.hd
      let type = nghttp2_frame_type(rawValue: UInt32(head.type))
      let isAcknowledgement = head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
      if type == NGHTTP2_SETTINGS, !isAcknowledgement { unsafe state.pointee.add(.settings) }
      if type == NGHTTP2_PING, isAcknowledgement { unsafe state.pointee.add(.pingAcknowledged) }
      if type == NGHTTP2_GOAWAY {
        unsafe state.pointee.add(.goAway(errorCode: frame!.pointee.goaway.error_code))
      }
      guard type == NGHTTP2_HEADERS || type == NGHTTP2_DATA else { return 0 }
      if type == NGHTTP2_HEADERS {
        unsafe state.pointee.add(.headers(stream: head.stream_id, state.pointee.fields))
      }
      if head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
        unsafe state.pointee.add(.endOfStream(stream: head.stream_id))
      }
      return 0
    }

  /// `application/grpc`, alone or with a format or parameters behind it.
  ///
  /// grpc-web, whose name begins alike, is another protocol.
  private static func isGRPC(_ contentType: UnsafeBufferPointer<UInt8>) -> Bool {
    let name = "application/grpc".utf8
    guard unsafe contentType.starts(with: name) else { return false }
    guard contentType.count > name.count else { return true }
    let next = unsafe contentType[name.count]
    return next == UInt8(ascii: "+") || next == UInt8(ascii: ";") || next == UInt8(ascii: " ")
  }

  /// A short decimal number, or nil.
  private static func number(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard (1...9).contains(text.count) else { return nil }
    var value: Int32 = 0
    for index in 0..<text.count {
      let byte = unsafe text[index]
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int32(byte - UInt8(ascii: "0"))
    }
    return value
  }
}
