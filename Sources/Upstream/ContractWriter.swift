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
    body.append(text: opened.account, field: 1)
    body.append(text: opened.clientAddress, field: 2)
    body.append(text: opened.listener, field: 3)
    body.append(text: opened.framer, field: 4)
    body.append(map: opened.attributes, field: 5)
    body.append(integer: opened.resumed ? 1 : 0, field: 6)
    body.append(integer: opened.nextSequence, field: 7)
    body.append(integer: opened.unauthenticated ? 1 : 0, field: 8)
    appendEvent(body, field: 16, of: uuid, time: time, to: &queue)
  }

  /// Appends an `InputStreamRequest` whose event is `closed`.
  ///
  /// - Parameter reason: a value of `CloseReason` in proto/upstream.proto.
  public static func appendClosed(
    reason: UInt8, of uuid: SessionUUID, time: TimestampText, to queue: inout ByteQueue
  ) {
    var body: [UInt8] = []
    body.append(integer: UInt64(reason), field: 1)
    appendEvent(body, field: 17, of: uuid, time: time, to: &queue)
  }

  /// Appends an `InputStreamRequest` whose event is `authenticated`.
  public static func appendAuthenticated(
    account: String, attributes: [(name: String, value: String)], of uuid: SessionUUID,
    time: TimestampText, to queue: inout ByteQueue
  ) {
    var body: [UInt8] = []
    body.append(text: account, field: 1)
    body.append(map: attributes, field: 2)
    appendEvent(body, field: 18, of: uuid, time: time, to: &queue)
  }

  /// An `AuthenticateRequest`, gRPC prefix included: the one message of an `authenticate` call.
  public static func authenticate(_ request: AuthenticateRequest) -> [UInt8] {
    var body: [UInt8] = []
    let time = unsafe [UInt8](unsafeUninitializedCapacity: 24) { text, count in
      unsafe request.time.write(to: text.baseAddress!)
      count = 24
    }
    body.append(bytes: time, field: 1)
    body.append(text: request.uuid.description, field: 2)
    body.append(text: request.clientAddress, field: 3)
    body.append(text: request.listener, field: 4)
    body.append(text: request.account, field: 5)
    body.append(bytes: request.secret, field: 6)
    body.append(map: request.attributes, field: 7)
    for packet in request.packets { body.appendDelimited(packet, field: 8) }
    let length = UInt32(truncatingIfNeeded: body.count)
    let prefix = [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
    return prefix + body
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
}

/// What a worker is told of a session that is given to it.
public struct SessionOpened: Sendable {
  /// Empty when nobody was let in by name.
  public var account: String = ""
  public var clientAddress: String
  public var listener: String
  public var framer: String
  /// What is known of the account beyond its name; names are unique.
  public var attributes: [(name: String, value: String)] = []
  /// The session was with another worker before.
  public var resumed: Bool
  /// The number of the session's next packet, counted from 1.
  public var nextSequence: UInt64
  /// Its packets are forwarded although the client has not been let in yet.
  public var unauthenticated = false

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
