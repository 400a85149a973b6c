public import Primitives

/// What goes to a worker: packets and events, queued, framed and written.
extension Link {
  /// Encoded bytes that wait for the socket.
  public var queuedBytes: Int { packets.unwrittenBytes }

  /// Sessions may be given to it, and less than so many bytes wait for the socket.
  public func takesPackets(queuedBytesMax: Int) -> Bool {
    phase == .active && packets.unwrittenBytes < queuedBytesMax
  }

  /// Queues a packet of a session.
  @inline(__always)
  public mutating func sendPacket(
    _ payload: UnsafeRawBufferPointer, of uuid: SessionUUID, time: TimestampText
  ) {
    unsafe ContractWriter.appendPacket(payload, of: uuid, time: time, to: &packets.bytes)
    packetsSent += 1
  }

  /// Queues a message that was encoded for another link.
  public mutating func sendEncoded(_ message: UnsafeRawBufferPointer) {
    unsafe packets.bytes.append(message)
    packetsSent += 1
  }

  public mutating func sendOpened(
    _ opened: SessionOpened, of uuid: SessionUUID, time: TimestampText
  ) {
    ContractWriter.appendOpened(opened, of: uuid, time: time, to: &packets.bytes)
  }

  /// Tells the worker that a session announced as unauthenticated was let in.
  public mutating func sendAuthenticated(
    account: String, attributes: [(name: String, value: String)], of uuid: SessionUUID,
    time: TimestampText
  ) {
    ContractWriter.appendAuthenticated(
      account: account, attributes: attributes, of: uuid, time: time, to: &packets.bytes)
  }

  /// - Parameter reason: a value of `CloseReason` in proto/upstream.proto.
  public mutating func sendClosed(reason: UInt8, of uuid: SessionUUID, time: TimestampText) {
    ContractWriter.appendClosed(reason: reason, of: uuid, time: time, to: &packets.bytes)
  }

  /// Frames what waits and says where it lies; 0 slices when there is nothing to write.
  ///
  /// Follow with ``wrote(_:)``, and call again until there is nothing or the socket takes no more.
  public mutating func prepareWrite(
    _ slices: UnsafeMutableBufferPointer<IOSlice>, now: Instant
  ) -> (count: Int, action: LinkAction) {
    guard http != nil else { return (0, .none) }
    if segments.isEmpty {
      do {
        try http!.frame(&packets, into: &segments, byteCountMax: 4 << 20)
      } catch {
        return (0, connectionLost(.protocolError, error.description, now: now))
      }
    }
    guard segments.isEmpty else { return unsafe (segments.fill(slices, packets: packets), .none) }
    if case .ended(let ended) = resetStreams(now: now) { return (0, .ended(ended)) }
    guard http?.isFinished == true else { return (0, .none) }
    let reason: LinkEndReason = phase == .handshaking ? .notHTTP2 : .protocolError
    return (0, connectionLost(reason, http?.errorText ?? "", now: now))
  }

  /// The socket took `byteCount` bytes.
  public mutating func wrote(_ byteCount: Int) { segments.wrote(byteCount, packets: &packets) }

  /// The messages that the worker can't have got whole, prefixes included, oldest first.
  ///
  /// - Precondition: the link has ended.
  public mutating func takeUnsent() -> [UInt8] {
    precondition(http == nil)
    let unsent = packets.takeUnwrittenMessages()
    segments = OutgoingSegments()
    return unsent
  }
}
