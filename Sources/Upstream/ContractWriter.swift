public import Primitives

/// Writes the messages that go to workers: gRPC prefix and Protobuf body in one.
///
/// Sources: gRPC over HTTP/2, "Length-Prefixed-Message"; Protocol Buffers encoding specification;
/// proto/upstream.proto. Fields are written in the order of their numbers, as the official runtimes
/// do, and the first 69 bytes of each message have the same layout:
///
/// ```
/// 0 flag | 1 length (4, BE) | 5 tag 1, 24 | 7 time (24) | 31 tag 2, 36 | 33 uuid (36) | 69 …
/// ```
@frozen
public enum ContractWriter {
  /// A message's prefix: compressed flag and length, in bytes.
  public static let prefixByteCount = 5
  @usableFromInline static let uuidOffset = 33
  @usableFromInline static let headByteCount = 69
  @usableFromInline static let payloadTag: UInt8 = 3 << 3 | 2

  /// The bytes a packet's message has beyond its payload, at most.
  public static let packetOverheadBytesMax = headByteCount + 1 + 5

  /// Appends an `InputStreamRequest` that carries a packet.
  @inlinable
  public static func appendPacket(
    _ payload: UnsafeRawBufferPointer, of uuid: SessionUUID, time: TimestampText,
    to queue: inout ByteQueue
  ) {
    let out = unsafe queue.reserve(packetOverheadBytesMax + payload.count)
    unsafe out.storeBytes(of: payloadTag, toByteOffset: headByteCount, as: UInt8.self)
    let body = unsafe writeVarint(UInt64(payload.count), to: out, at: headByteCount + 1)
    if let source = payload.baseAddress {
      unsafe (out + body).copyMemory(from: source, byteCount: payload.count)
    }
    let total = body + payload.count
    unsafe writeHead(messageBytes: total - prefixByteCount, uuid: uuid, time: time, to: out)
    queue.commit(total)
  }

  /// Appends an `InputStreamRequest` whose event is `opened`.
  public static func appendOpened(
    _ opened: SessionOpened, of uuid: SessionUUID, time: TimestampText, to queue: inout ByteQueue
  ) {
    var body: [UInt8] = []
    appendText(opened.account, field: 1, to: &body)
    appendText(opened.clientAddress, field: 2, to: &body)
    appendText(opened.listener, field: 3, to: &body)
    appendText(opened.framer, field: 4, to: &body)
    if opened.resumed { appendInteger(1, field: 6, to: &body) }
    appendInteger(opened.nextSequence, field: 7, to: &body)
    appendEvent(body, field: 16, of: uuid, time: time, to: &queue)
  }

  /// Appends an `InputStreamRequest` whose event is `closed`.
  ///
  /// - Parameter reason: a value of `CloseReason` in proto/upstream.proto.
  public static func appendClosed(
    reason: UInt8, of uuid: SessionUUID, time: TimestampText, to queue: inout ByteQueue
  ) {
    var body: [UInt8] = []
    appendInteger(UInt64(reason), field: 1, to: &body)
    appendEvent(body, field: 17, of: uuid, time: time, to: &queue)
  }

  /// The session of a message written by this type.
  ///
  /// - Precondition: `message` begins with the message's prefix and holds all of it.
  @inlinable public static func uuid(of message: UnsafeRawBufferPointer) -> SessionUUID {
    unsafe SessionUUID(
      copying: UnsafeRawBufferPointer(
        rebasing: message[uuidOffset..<uuidOffset + SessionUUID.byteCount]))
  }

  /// True when a message written by this type carries a packet, false when it carries an event.
  @inlinable public static func isPacket(_ message: UnsafeRawBufferPointer) -> Bool {
    unsafe message[headByteCount] == payloadTag
  }

  /// Bytes of the message at the front of `bytes`, prefix included.
  @inlinable public static func messageByteCount(at bytes: UnsafeRawBufferPointer) -> Int {
    let length = unsafe bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
    return prefixByteCount + Int(UInt32(bigEndian: length))
  }

  @inlinable
  static func writeHead(
    messageBytes: Int, uuid: SessionUUID, time: TimestampText, to out: UnsafeMutableRawPointer
  ) {
    let length = UInt32(truncatingIfNeeded: messageBytes).bigEndian
    unsafe out.storeBytes(of: 0, toByteOffset: 0, as: UInt8.self)
    unsafe out.storeBytes(of: length, toByteOffset: 1, as: UInt32.self)
    unsafe out.storeBytes(of: 1 << 3 | 2, toByteOffset: 5, as: UInt8.self)
    unsafe out.storeBytes(of: 24, toByteOffset: 6, as: UInt8.self)
    unsafe time.write(to: out + 7)
    unsafe out.storeBytes(of: 2 << 3 | 2, toByteOffset: 31, as: UInt8.self)
    unsafe out.storeBytes(of: 36, toByteOffset: 32, as: UInt8.self)
    unsafe uuid.write(to: out + uuidOffset)
  }

  /// Writes a base-128 varint at `offset` and returns the offset behind it.
  @inlinable
  static func writeVarint(_ value: UInt64, to out: UnsafeMutableRawPointer, at offset: Int) -> Int {
    var rest = value
    var at = offset
    while rest >= 0x80 {
      unsafe out.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: at, as: UInt8.self)
      rest >>= 7
      at += 1
    }
    unsafe out.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: at, as: UInt8.self)
    return at + 1
  }

  private static func appendEvent(
    _ body: [UInt8], field: UInt64, of uuid: SessionUUID, time: TimestampText,
    to queue: inout ByteQueue
  ) {
    let out = unsafe queue.reserve(headByteCount + 2 + 5 + body.count)
    var at = unsafe writeVarint(field << 3 | 2, to: out, at: headByteCount)
    at = unsafe writeVarint(UInt64(body.count), to: out, at: at)
    unsafe body.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      unsafe (out + at).copyMemory(from: base, byteCount: source.count)
    }
    at += body.count
    unsafe writeHead(messageBytes: at - prefixByteCount, uuid: uuid, time: time, to: out)
    queue.commit(at)
  }

  private static func appendText(_ text: String, field: UInt64, to body: inout [UInt8]) {
    guard !text.isEmpty else { return }
    appendVarint(field << 3 | 2, to: &body)
    appendVarint(UInt64(text.utf8.count), to: &body)
    body.append(contentsOf: text.utf8)
  }

  private static func appendInteger(_ value: UInt64, field: UInt64, to body: inout [UInt8]) {
    guard value != 0 else { return }
    appendVarint(field << 3 | 0, to: &body)
    appendVarint(value, to: &body)
  }

  private static func appendVarint(_ value: UInt64, to body: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      body.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    body.append(UInt8(truncatingIfNeeded: rest))
  }
}

/// What a worker is told of a session that is given to it.
public struct SessionOpened: Equatable, Sendable {
  public var account: String = ""
  public var clientAddress: String
  public var listener: String
  public var framer: String
  /// The session was with another worker before.
  public var resumed: Bool
  /// The number of the session's next packet, counted from 1.
  public var nextSequence: UInt64

  public init(
    clientAddress: String, listener: String, framer: String, resumed: Bool, nextSequence: UInt64
  ) {
    self.clientAddress = clientAddress
    self.listener = listener
    self.framer = framer
    self.resumed = resumed
    self.nextSequence = nextSequence
  }
}
