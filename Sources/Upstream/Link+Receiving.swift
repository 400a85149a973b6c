public import Primitives

/// What a worker sends: answers of calls, and messages for clients.
extension Link {
  /// Takes bytes from the worker's socket; then call ``nextDelivery(now:)`` until there is none.
  ///
  /// `bytes` must stay where they are until then.
  public mutating func receive(
    _ bytes: UnsafeRawBufferPointer, now: Instant
  ) -> LinkAction {
    guard http != nil else { return .none }
    do {
      unsafe try http!.receive(bytes)
      return .none
    } catch {
      return connectionLost(.protocolError, error.description, now: now)
    }
  }

  public mutating func nextDelivery(now: Instant) -> LinkDelivery {
    while http != nil {
      if unsafe chunk.count > 0 {
        if let delivery = nextMessage(now: now) { return delivery }
      }
      guard let event = http!.nextEvent() else { return .nothing }
      let action = handle(event, now: now)
      if case .none = action { continue }
      return .action(action)
    }
    return .nothing
  }

  private mutating func nextMessage(now: Instant) -> LinkDelivery? {
    switch unsafe messageReader.next(&chunk, messageBytesMax: messageBytesMax) {
    case .needMore: return nil
    case .message(let message, let inPlace):
      guard let output = unsafe ContractReader.output(message) else {
        return .action(end(.malformedMessage, now: now))
      }
      messagesReceived += 1
      return .output(output, inPlace: inPlace)
    case .compressed:
      return .action(end(.compressedMessage, now: now))
    case .tooLarge(let byteCount):
      return .action(
        end(
          .messageTooLarge, "\(byteCount) bytes, \(messageBytesMax) allowed", now: now))
    }
  }

  private mutating func handle(
    _ event: HTTP2Event, now: Instant
  ) -> LinkAction {
    switch event {
    case .settings: return settingsReceived(now: now)
    case .data(let stream, let bytes):
      if stream == calls.packets {
        unsafe chunk = unsafe bytes
        return .none
      }
      if unsafe answerArrived(bytes, on: stream) { return .none }
      return unsafe smallMessage(on: stream, bytes, now: now)
    case .headers(let stream, let fields):
      if answerFieldsArrived(fields, on: stream) { return .none }
      return headers(fields, on: stream, now: now)
    case .endOfStream(let stream):
      return streamEnded(stream, .streamEnded, "no trailers", now: now)
    case .streamClosed(let stream, let errorCode):
      // PROTOCOL_ERROR, INTERNAL_ERROR, FRAME_SIZE_ERROR, ENHANCE_YOUR_CALM; not CANCEL or
      // REFUSED_STREAM, which come on going away.
      return streamEnded(
        stream, .streamReset, "HTTP/2 error \(errorCode)",
        isVerdict: [1, 2, 6, 11].contains(errorCode), now: now)
    case .pingAcknowledged:
      heartbeat?.pingAnswered()
      return .none
    case .goAway(let errorCode):
      if errorCode == 0, phase == .active { return .drainRequested }
      if phase == .draining { return .none }
      return end(.goAway, "HTTP/2 error \(errorCode)", now: now)
    }
  }

  private mutating func settingsReceived(now: Instant) -> LinkAction {
    guard phase == .handshaking else { return .none }
    phase = .asking
    phaseDeadline = now + configuration.readyTimeout
    return .none
  }

  /// A message of the `ready` or the `live` call.
  private mutating func smallMessage(
    on stream: Int32, _ bytes: UnsafeRawBufferPointer, now: Instant
  ) -> LinkAction {
    guard stream == calls.ready || stream == calls.live else { return .none }
    var rest = unsafe bytes
    while true {
      switch unsafe smallReader.next(&rest, messageBytesMax: 64 << 10) {
      case .needMore: return .none
      case .compressed: return end(.compressedMessage, now: now)
      case .tooLarge: return end(.messageTooLarge, now: now)
      case .message(let message, _):
        if stream == calls.ready {
          guard let answer = unsafe ContractReader.ready(message) else {
            return end(.malformedMessage, "ready", now: now)
          }
          readyAnswer = answer
        } else {
          guard let isLive = unsafe ContractReader.live(message) else {
            return end(.malformedMessage, "live", now: now)
          }
          guard isLive else { return end(.notLive, now: now) }
          calls.liveWasAnswered = true
          heartbeat?.answered()
        }
      }
    }
  }

  private mutating func headers(
    _ fields: HTTP2Fields, on stream: Int32, now: Instant
  ) -> LinkAction {
    guard stream == calls.packets || stream == calls.ready || stream == calls.live else {
      return .none
    }
    if fields.httpStatus != 0 {
      if (100..<200).contains(fields.httpStatus) { return .none }
      guard fields.httpStatus == 200 else {
        return end(.httpStatus, "\(fields.httpStatus)", now: now)
      }
      guard fields.isGRPC else { return end(.notGRPC, now: now) }
    }
    guard let status = fields.grpcStatus else { return .none }
    return callEnded(stream, status: status, fields.statusMessage, now: now)
  }

  /// A call's `grpc-status` arrived.
  private mutating func callEnded(
    _ stream: Int32, status: Int32, _ message: String, now: Instant
  ) -> LinkAction {
    let unimplemented: Int32 = 12
    let detail = message.isEmpty ? "\(status)" : "\(status) \(message)"
    if stream == calls.ready {
      calls.ready = 0
      http?.forget(stream)
      guard phase == .asking || phase == .handshaking else {
        readyAnswer = nil
        heartbeat?.answered()
        return .none
      }
      if status == 0 { return readyAnswered(now: now) }
      guard status == unimplemented else {
        return end(.grpcStatus, "ready: \(detail)", now: now)
      }
      readyAnswer = ContractReader.Ready(isReady: true)
      return readyAnswered(now: now)
    }
    if stream == calls.live {
      calls.live = 0
      http?.forget(stream)
      if status == unimplemented {
        liveSupported = false
        heartbeat?.answered()
        return .none
      }
      // A worker that answers and returns is asked again with the next beat.
      let isGood = status == 0 && calls.liveWasAnswered
      return isGood || phase == .draining ? .none : end(.liveEnded, detail, now: now)
    }
    calls.packets = 0
    if phase == .draining { return endDraining(message, now: now) }
    // INVALID_ARGUMENT, RESOURCE_EXHAUSTED, OUT_OF_RANGE, INTERNAL: what runtimes say of a message
    // they do not take. Others, above all UNAVAILABLE and CANCELLED, are said on going away.
    let isVerdict = [3, 8, 11, 13].contains(status)
    return status == 0
      ? end(.streamEnded, now: now) : end(.grpcStatus, detail, isVerdict: isVerdict, now: now)
  }

  /// Handles the streams that nghttp2 has reset by itself, for what the worker sent on them.
  ///
  /// That shows when the reset is framed, and nothing more may come from the worker.
  mutating func resetStreams(now: Instant) -> LinkAction {
    // What was read before comes first.
    guard unsafe chunk.isEmpty else { return .none }
    while let (stream, errorCode) = http?.nextStreamClosed() {
      let action = streamEnded(
        stream, .streamReset, "HTTP/2 error \(errorCode)", now: now)
      if case .none = action { continue }
      return action
    }
    return .none
  }

  /// A stream ended without the trailers that gRPC demands.
  private mutating func streamEnded(
    _ stream: Int32, _ reason: LinkEndReason, _ detail: String, isVerdict: Bool = false,
    now: Instant
  ) -> LinkAction {
    if answerEnded(on: stream, detail) { return .none }
    guard stream == calls.packets || stream == calls.ready || stream == calls.live else {
      return .none
    }
    if phase == .draining {
      if stream == calls.packets { return endDraining(now: now) }
      calls.live = 0
      return .none
    }
    return end(
      reason, detail, isVerdict: stream == calls.packets && isVerdict, now: now)
  }

  private mutating func readyAnswered(now: Instant) -> LinkAction {
    guard let answer = readyAnswer else {
      return end(.malformedMessage, "ready: no answer", now: now)
    }
    readyAnswer = nil
    guard answer.isReady else {
      let pause = readyBackoff.next(using: &random)
      phase = .notReady
      phaseDeadline = now + pause
      return .notReady(retryIn: pause)
    }
    wantsSessionEvents = answer.sessionEvents
    if case .ended(let ended) = begin(.packets, now: now) {
      return .ended(ended)
    }
    if wasActive { reconnects += 1 }
    wasActive = true
    readyBackoff.reset()
    phase = .active
    activeSince = now
    heartbeat = Heartbeat(aliveTimeout: configuration.aliveTimeout, now: now)
    phaseDeadline = now
    return .becameReady
  }
}
