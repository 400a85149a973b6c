internal import CNgHttp2
internal import Primitives

/// The client side of one HTTP/2 connection with gRPC calls on it, without a socket.
///
/// Bytes from the worker go in by ``receive(_:)`` and turn into ``HTTP2Event``s; bytes for the
/// worker come out of ``frame(_:)``, which lays DATA frames over the packet queue without copying
/// it. All HTTP/2 is nghttp2's. Sources: RFC 9113; gRPC over HTTP/2.
@safe
struct HTTP2Connection: ~Copyable {
  /// What is sent in one HEADERS frame to begin a call.
  enum Call: Int, CaseIterable {
    case packets, ready, live

    var path: StaticString {
      switch self {
      case .packets: "/upstream.grpc.service.UpstreamPeerService/bidirectionalStreaming"
      case .ready: "/upstream.grpc.service.UpstreamPeerService/ready"
      case .live: "/upstream.grpc.service.UpstreamPeerService/live"
      }
    }
  }

  /// Receive window of the connection and of each stream, in bytes: beyond 1 MiB the size does not
  /// show in measurements, and all of it may have to be kept when clients are slow.
  private static var windowBytes: Int32 {
    Fault.forgetFlowControlCredit.isOn ? 64 << 10 : 4 << 20
  }
  private static let frameBytesMax: UInt32 = 1 << 20

  private let session: OpaquePointer
  /// At a fixed address, because nghttp2 keeps it as its callbacks' user data.
  private let state: UnsafeMutablePointer<HTTP2State>

  /// - Throws: ``HTTP2Error`` when nghttp2 can't allocate.
  init() throws(HTTP2Error) {
    var callbacks: OpaquePointer?
    unsafe try check(nghttp2_session_callbacks_new(&callbacks))
    defer { unsafe nghttp2_session_callbacks_del(callbacks) }
    var option: OpaquePointer?
    if Fault.forgetFlowControlCredit.isOn {
      unsafe try check(nghttp2_option_new(&option))
      unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    }
    defer { unsafe nghttp2_option_del(option) }
    unsafe HTTP2Callbacks.install(in: callbacks)
    unsafe HTTP2Callbacks.installErrorText(in: callbacks)
    let state = UnsafeMutablePointer<HTTP2State>.allocate(capacity: 1)
    unsafe state.initialize(to: HTTP2State())
    var session: OpaquePointer?
    do {
      unsafe try check(nghttp2_session_client_new2(&session, callbacks, state, option))
      unsafe try Self.announceSettings(session)
    } catch {
      unsafe nghttp2_session_del(session)
      unsafe state.deinitialize(count: 1)
      unsafe state.deallocate()
      throw error
    }
    unsafe self.session = unsafe session!
    unsafe self.state = unsafe state
  }

  deinit {
    unsafe nghttp2_session_del(session)
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  private static func announceSettings(_ session: OpaquePointer?) throws(HTTP2Error) {
    var settings = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
        value: UInt32(windowBytes)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_FRAME_SIZE.rawValue), value: frameBytesMax),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
    ]
    unsafe try check(
      nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), &settings, settings.count)
    )
    unsafe try check(
      nghttp2_session_set_local_window_size(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, windowBytes))
  }

  /// True when the connection is over: write what is left, then close the socket.
  var isFinished: Bool {
    unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// nghttp2 has something to send and would not be asked for it: a mistake of ours, by which a
  /// connection stands still.
  var forgetsFrames: Bool {
    unsafe !state.pointee.hasFrames && nghttp2_session_want_write(session) != 0
  }

  /// nghttp2's words for what the worker did wrong; empty when it did nothing wrong.
  var errorText: String { unsafe state.pointee.errorText }

  /// Unary calls whose message is not framed to its end.
  var requestsWaiting: Int { unsafe state.pointee.requestCount }

  /// Begins a call and returns its stream.
  func begin(_ call: Call, authority: String) throws(HTTP2Error) -> Int32 {
    let stream = try submit(path: "\(call.path)", authority: authority, more: [])
    unsafe state.pointee.streams[call.rawValue] = stream
    return stream
  }

  /// Begins a call that asks one thing, and returns its stream.
  ///
  /// - Parameters:
  ///   - message: all that is sent, gRPC prefix included.
  ///   - timeout: told to the worker; who waits has to end the call himself.
  func beginUnary(
    path: String, authority: String, message: [UInt8], timeout: Interval
  ) throws(HTTP2Error) -> Int32 {
    // At most eight digits (gRPC over HTTP/2, "Timeout").
    let milliseconds = min(max(timeout.milliseconds, 1), 99_999_999)
    let stream = try submit(
      path: path, authority: authority, more: [("grpc-timeout", "\(milliseconds)m")])
    unsafe state.pointee.addRequest(message, on: stream)
    return stream
  }

  private func submit(
    path: String, authority: String, more: [(String, String)]
  ) throws(HTTP2Error) -> Int32 {
    var stream: Int32 = 0
    let source = unsafe nghttp2_data_source(fd: 0)
    var provider = unsafe nghttp2_data_provider(
      source: source, read_callback: HTTP2Callbacks.readCallData)
    let fields = [
      (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
      ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "gatehouse"),
    ]
    unsafe withHeaders(fields + more) { fields in
      stream = unsafe nghttp2_submit_request(
        session, nil, fields.baseAddress, fields.count, &provider, nil)
    }
    try check(stream)
    if !Fault.forgetFrames.isOn { unsafe state.pointee.hasFrames = true }
    return stream
  }

  /// How many calls the worker allows at a time.
  var callsMax: Int {
    unsafe Int(
      nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }

  /// Ends a unary call whose answer is not awaited any more, whether it was sent or not.
  func cancel(_ stream: Int32) {
    unsafe state.pointee.dropRequest(on: stream)
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, NGHTTP2_CANCEL.rawValue)
    unsafe state.pointee.hasFrames = true
  }

  /// Ends what is still open of a unary call that has been answered, or was ended by the worker.
  func closeAnswered(_ stream: Int32) {
    unsafe state.pointee.dropRequest(on: stream)
    let isOpen =
      unsafe nghttp2_session_get_stream_local_close(session, stream) == 0
      || nghttp2_session_get_stream_remote_close(session, stream) == 0
    if isOpen { cancel(stream) }
  }

  /// Ends our direction of a call that the worker has answered to the end.
  ///
  /// Until then the call counts against those the worker allows at a time (RFC 9113 section 5.1.2).
  func forget(_ stream: Int32) {
    guard unsafe nghttp2_session_get_stream_local_close(session, stream) == 0 else { return }
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, NGHTTP2_NO_ERROR.rawValue)
    unsafe state.pointee.hasFrames = true
  }

  /// Ends our direction of the packet stream once everything queued has been framed.
  func endPackets() {
    unsafe state.pointee.packetsEnd = true
    resume(.packets)
  }

  /// Queues one `google.protobuf.Empty` on the `live` call.
  func sendBeat() {
    unsafe state.pointee.beatsDue += 1
    resume(.live)
  }

  func sendPing() {
    unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    unsafe state.pointee.hasFrames = true
  }

  /// Tells the worker that nothing more will come, ahead of closing the connection.
  func goAway() {
    unsafe nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR.rawValue)
    unsafe state.pointee.hasFrames = true
  }

  private func resume(_ call: Call) {
    let stream = unsafe state.pointee.streams[call.rawValue]
    // An error means that the stream is gone, which comes as an event of its own.
    if stream > 0 { unsafe nghttp2_session_resume_data(session, stream) }
    unsafe state.pointee.hasFrames = true
  }

  /// Takes bytes read from the worker's socket; their meaning waits in ``nextEvent()``.
  ///
  /// `bytes` must stay where they are until all events were taken.
  ///
  /// - Throws: ``HTTP2Error`` when the connection can't go on.
  func receive(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
    let taken = unsafe nghttp2_session_mem_recv(
      session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    // It may have to acknowledge, or give credit.
    if unsafe nghttp2_session_want_write(session) != 0 { unsafe state.pointee.hasFrames = true }
    try check(Int32(truncatingIfNeeded: min(taken, 0)))
  }

  /// The oldest event that has not been taken.
  func nextEvent() -> HTTP2Event? { unsafe state.pointee.takeEvent() }

  /// The oldest event, if it is the end of a stream: framing can bring one about.
  func nextStreamClosed() -> (stream: Int32, errorCode: UInt32)? {
    unsafe state.pointee.takeStreamClosed()
  }

  /// Turns what waits into frames, as segments of the control bytes and of the packet queue.
  ///
  /// - Parameter byteCountMax: about how many bytes to frame before returning.
  /// - Throws: ``HTTP2Error`` when the connection can't go on.
  func frame(
    _ packets: inout PacketQueue, into segments: inout OutgoingSegments, byteCountMax: Int
  ) throws(HTTP2Error) {
    unsafe state.pointee.packetBytesWaiting = packets.unframedBytes
    if packets.unframedBytes > 0 { resume(.packets) }
    guard unsafe state.pointee.hasFrames else { return }
    var framed = 0
    while framed < byteCountMax {
      var chunk: UnsafePointer<UInt8>?
      let length = unsafe nghttp2_session_mem_send(session, &chunk)
      try check(Int32(truncatingIfNeeded: min(length, 0)))
      // One call yields control bytes, or one DATA frame over the queue, or nothing.
      let data = unsafe state.pointee.takeFramedData()
      guard length > 0 || data.byteCount > 0 else {
        unsafe state.pointee.hasFrames = false
        return
      }
      if length > 0 {
        unsafe segments.appendControl(UnsafeRawBufferPointer(start: chunk, count: length))
      } else {
        unsafe data.withHeader { unsafe segments.appendControl($0) }
        segments.appendPackets(data.byteCount)
        packets.framed(data.byteCount)
      }
      framed += data.byteCount + length
    }
  }
}

/// nghttp2's complaint about a call, a peer or the memory.
struct HTTP2Error: Error {
  let code: Int32

  var description: String {
    unsafe nghttp2_strerror(code).map { unsafe String(cString: $0) } ?? "nghttp2 error \(code)"
  }
}

func check(_ code: Int32) throws(HTTP2Error) {
  if code < 0 { throw HTTP2Error(code: code) }
}

private func withHeaders(
  _ headers: [(String, String)], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void
) {
  var text: [UInt8] = []
  for (name, value) in headers {
    text.append(contentsOf: name.utf8)
    text.append(contentsOf: value.utf8)
  }
  unsafe text.withUnsafeMutableBufferPointer { bytes in
    var at = bytes.baseAddress!
    var fields: [nghttp2_nv] = unsafe []
    for (name, value) in headers {
      let nameEnd = unsafe at + name.utf8.count
      unsafe fields.append(
        nghttp2_nv(
          name: at, value: nameEnd, namelen: name.utf8.count, valuelen: value.utf8.count,
          flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
      unsafe at = unsafe nameEnd + value.utf8.count
    }
    unsafe fields.withUnsafeBufferPointer { unsafe body($0) }
  }
}
