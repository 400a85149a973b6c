internal import Primitives

/// Reads the messages that come from workers.
///
/// Source: Protocol Buffers encoding specification; proto/upstream.proto. Unknown fields, and known
/// ones with another wire type, are skipped; the last of several values counts. Everything is
/// bounds-checked, and nothing is copied.
public enum ContractReader {
  /// An `OutputStreamRequest`, as ranges of the message's own bytes.
  @safe
  public struct Output {
    public enum Target: UInt8, BitwiseCopyable, Sendable { case none, session, broadcast }

    public var target = Target.none
    /// The text of `client_uuid`, whatever its length; empty unless the target is a session.
    public var uuid = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// A value of `Broadcast`, possibly one that the contract does not name.
    public var broadcast: UInt64 = 0
    public var payload = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// Reads an `OutputStreamRequest`; nil when it is malformed.
  @inline(__always)
  public static func output(_ message: UnsafeRawBufferPointer) -> Output? {
    unsafe usualOutput(message) ?? anyOutput(message)
  }

  /// Reads an answer to one session as the runtimes write it.
  ///
  /// It has nothing but time, UUID and payload, in the order of their numbers:
  ///
  /// ```
  /// 0a 18 <24 bytes of time> 12 24 <36 bytes of UUID> 22 <length, 1 or 2 bytes> <payload>
  /// ```
  ///
  /// Nearly all messages look like this, and at fixed places there is no tag to go through: that
  /// saves a seventh of the instructions for an echo (988 to 846, benchmarks/README.md).
  ///
  /// - Returns: nil for whatever looks otherwise, well-formed or not.
  @inline(__always)
  private static func usualOutput(_ message: UnsafeRawBufferPointer) -> Output? {
    let uuidStart = 2 + TimestampText.byteCount + 2
    let payloadTagStart = uuidStart + SessionUUID.byteCount
    guard message.count >= payloadTagStart + 2,
      unsafe message.loadUnaligned(as: UInt16.self) == UInt16(bigEndian: 0x0a18),
      unsafe message.loadUnaligned(fromByteOffset: uuidStart - 2, as: UInt16.self)
        == UInt16(bigEndian: 0x1224),
      unsafe message[payloadTagStart] == 4 << 3 | 2
    else { return nil }
    var length = unsafe Int(message[payloadTagStart + 1])
    var payloadStart = payloadTagStart + 2
    if length >= 0x80 {
      guard message.count > payloadStart, unsafe message[payloadStart] < 0x80 else { return nil }
      length = unsafe length & 0x7f | Int(message[payloadStart]) << 7
      payloadStart += 1
    }
    guard payloadStart + length == message.count else { return nil }
    var output = Output()
    output.target = .session
    unsafe output.uuid = unsafe UnsafeRawBufferPointer(
      rebasing: message[uuidStart..<payloadTagStart])
    unsafe output.payload = unsafe UnsafeRawBufferPointer(rebasing: message[payloadStart...])
    return output
  }

  /// Reads an `OutputStreamRequest` field by field, in whatever order; nil when it is malformed.
  static func anyOutput(_ message: UnsafeRawBufferPointer) -> Output? {
    var fields = unsafe FieldReader(message)
    var output = Output()
    while !fields.isAtEnd {
      guard let tag = fields.varint() else { return nil }
      switch tag {
      case 2 << 3 | 2:
        guard let text = unsafe fields.lengthDelimited() else { return nil }
        unsafe output.uuid = unsafe text
        output.target = .session
      case 3 << 3:
        guard let value = fields.varint() else { return nil }
        output.broadcast = value
        output.target = .broadcast
      case 4 << 3 | 2:
        guard let bytes = unsafe fields.lengthDelimited() else { return nil }
        unsafe output.payload = unsafe bytes
      default:
        guard fields.value(tag: tag) != nil else { return nil }
      }
    }
    return output
  }

  /// A `ReadyResult`.
  public struct Ready: Equatable, Sendable {
    public var isReady = false
    public var sessionEvents = false
  }

  /// Reads a `ReadyResult`; nil when it is malformed.
  public static func ready(_ message: UnsafeRawBufferPointer) -> Ready? {
    var fields = unsafe FieldReader(message)
    var ready = Ready()
    while let field = fields.next() {
      switch (field.number, field.value) {
      case (2, .varint(let value)): ready.isReady = value != 0
      case (16, .varint(let feature)): ready.note(feature: feature)
      case (16, .bytes(let packed)):
        var values = unsafe FieldReader(packed)
        while let feature = values.nextPacked() { ready.note(feature: feature) }
        if values.malformed { return nil }
      default: break
      }
    }
    return fields.malformed ? nil : ready
  }

  /// Reads a `LiveResult`'s `live`; nil when it is malformed.
  public static func live(_ message: UnsafeRawBufferPointer) -> Bool? {
    var fields = unsafe FieldReader(message)
    var isLive = false
    while let field = fields.next() {
      if field.number == 2, case .varint(let value) = field.value {
        isLive = value != 0
      }
    }
    return fields.malformed ? nil : isLive
  }

  /// Reads an `AuthenticateResult`; nil when it is malformed, as a text is that is not UTF-8.
  static func authenticated(_ message: UnsafeRawBufferPointer) -> AuthenticateOutcome? {
    var fields = unsafe FieldReader(message)
    var isAllowed = false
    var account = ""
    var reason = ""
    var attributes: [(name: String, value: String)] = []
    while let field = fields.next() {
      switch (field.number, field.value) {
      case (1, .varint(let value)): isAllowed = value != 0
      case (2, .bytes(let bytes)):
        guard let text = unsafe text(bytes) else { return nil }
        account = text
      case (3, .bytes(let bytes)):
        guard let text = unsafe text(bytes) else { return nil }
        reason = text
      case (4, .bytes(let bytes)):
        guard let entry = unsafe entry(bytes) else { return nil }
        attributes.append(entry)
      default: break
      }
    }
    guard !fields.malformed else { return nil }
    guard isAllowed else {
      return .refused(reason: clipped(reason, bytesMax: 200))
    }
    return .allowed(account: account, attributes: lastOfEachName(attributes))
  }

  /// As many whole characters from the front as have at most `bytesMax` bytes of UTF-8.
  private static func clipped(_ text: String, bytesMax: Int) -> String {
    let bytes = Array(text.utf8.prefix(bytesMax + 1))
    guard bytes.count > bytesMax else { return text }
    var end = bytesMax
    while bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  /// An entry of a `map<string, string>`; what is missing in it is empty.
  private static func entry(_ message: UnsafeRawBufferPointer) -> (name: String, value: String)? {
    var fields = unsafe FieldReader(message)
    var entry = (name: "", value: "")
    while let field = fields.next() {
      guard field.number == 1 || field.number == 2, case .bytes(let bytes) = field.value else {
        continue
      }
      guard let text = unsafe text(bytes) else { return nil }
      if field.number == 1 { entry.name = text } else { entry.value = text }
    }
    return fields.malformed ? nil : entry
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    unsafe String(validating: bytes, as: UTF8.self)
  }

  /// A map has each name once, and the last of several values counts.
  private static func lastOfEachName(
    _ entries: [(name: String, value: String)]
  ) -> [(name: String, value: String)] {
    var places: [String: Int] = [:]
    var kept: [(name: String, value: String)] = []
    for entry in entries {
      if let place = places[entry.name] {
        kept[place].value = entry.value
      } else {
        places[entry.name] = kept.count
        kept.append(entry)
      }
    }
    return kept
  }
}

extension ContractReader.Ready {
  /// `Feature` of proto/upstream.proto; an enum is an int32 on the wire, so high bits do not count.
  fileprivate mutating func note(feature: UInt64) {
    if UInt32(truncatingIfNeeded: feature) == 1 { sessionEvents = true }
  }
}

/// Walks the fields of one Protobuf message.
@safe
private struct FieldReader {
  @safe
  enum Value {
    case varint(UInt64)
    case bytes(UnsafeRawBufferPointer)
    /// A value of a kind that no field of the contract has.
    case other
  }

  private var at: UnsafeRawPointer
  private let end: UnsafeRawPointer
  private(set) var malformed = false

  @inline(__always)
  init(_ message: UnsafeRawBufferPointer) {
    // Of an empty message nothing is read, wherever it lies.
    unsafe at = unsafe message.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    unsafe end = unsafe at + message.count
  }

  var isAtEnd: Bool { @inline(__always) get { unsafe at == end } }
  private var restCount: Int { @inline(__always) get { unsafe end - at } }

  /// The next field, or nil at the end and when the message is malformed.
  mutating func next() -> (number: UInt32, value: Value)? {
    guard !isAtEnd else { return nil }
    guard let tag = varint(), let value = value(tag: tag) else {
      malformed = true
      return nil
    }
    return (UInt32(tag >> 3), value)
  }

  /// What follows a tag; nil when that is malformed, or is itself.
  mutating func value(tag: UInt64) -> Value? {
    guard tag <= UInt64(UInt32.max), tag >> 3 != 0 else { return nil }
    return value(wireType: UInt8(tag & 7), number: tag >> 3, depth: 0)
  }

  /// The next element of a packed repeated varint field.
  mutating func nextPacked() -> UInt64? {
    guard !isAtEnd else { return nil }
    guard let value = varint() else {
      malformed = true
      return nil
    }
    return value
  }

  private mutating func value(wireType: UInt8, number: UInt64, depth: Int) -> Value? {
    switch wireType {
    case 0: return varint().map { .varint($0) }
    case 1: return unsafe take(8) == nil ? nil : .other
    case 2: return unsafe lengthDelimited().map { unsafe .bytes($0) }
    case 3: return skipGroup(number: number, depth: depth + 1) ? .other : nil
    case 5: return unsafe take(4) == nil ? nil : .other
    default: return nil
    }
  }

  /// Skips to the end tag of a group, as the official runtimes do with unknown ones.
  private mutating func skipGroup(number: UInt64, depth: Int) -> Bool {
    guard depth <= 100 else { return false }
    while let tag = varint() {
      if tag & 7 == 4 { return tag >> 3 == number }
      guard tag <= UInt64(UInt32.max), tag >> 3 != 0,
        value(wireType: UInt8(tag & 7), number: tag >> 3, depth: depth) != nil
      else { return false }
    }
    return false
  }

  /// A length and as many bytes.
  @inline(__always)
  mutating func lengthDelimited() -> UnsafeRawBufferPointer? {
    guard let length = varint(), length <= UInt64(restCount) else { return nil }
    return unsafe take(Int(length))
  }

  @inline(__always)
  private mutating func take(_ byteCount: Int) -> UnsafeRawBufferPointer? {
    guard byteCount <= restCount else { return nil }
    // SAFETY: `byteCount` bytes lie before `end`.
    defer { unsafe at += byteCount }
    return unsafe UnsafeRawBufferPointer(start: at, count: byteCount)
  }

  /// A base-128 varint of at most ten bytes; bits beyond the 64th are dropped.
  @inline(__always)
  mutating func varint() -> UInt64? {
    guard !isAtEnd else { return nil }
    // SAFETY: `at` lies before `end`.
    let first = unsafe at.load(as: UInt8.self)
    guard first >= 0x80 else {
      unsafe at += 1
      return UInt64(first)
    }
    return longVarint()
  }

  private mutating func longVarint() -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<min(10, restCount) {
      // SAFETY: `index` is below the count of what is left.
      let byte = unsafe at.load(fromByteOffset: index, as: UInt8.self)
      value |= UInt64(byte & 0x7f) << UInt64(index * 7)
      if byte < 0x80 {
        unsafe at += index + 1
        return value
      }
    }
    return nil
  }
}
