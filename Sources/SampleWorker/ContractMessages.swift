/// What the gateway sends on the packet stream: a packet, or news of a session.
///
/// Source: proto/upstream.proto, `InputStreamRequest`.
public struct InputStreamRequest: Equatable, Sendable {
  public enum Event: Equatable, Sendable {
    case opened(SessionOpened)
    /// The number of a `CloseReason`; unknown ones are kept as they came.
    case closed(reason: UInt64)
    case authenticated(SessionAuthenticated)
  }

  /// RFC 3339, UTC; not checked.
  public var time = ""
  /// Not checked for being a UUID.
  public var clientUUID = ""
  public var payload: [UInt8] = []
  /// Nil for a packet.
  public var event: Event?

  public init() {}

  /// Reads one message; unknown fields are skipped.
  public init(decoding bytes: [UInt8]) throws(ContractError) {
    var reader = ProtobufReader(bytes)
    while let tag = try reader.nextTag() {
      switch (tag.field, tag.type) {
      case (1, .bytes): time = try reader.text()
      case (2, .bytes): clientUUID = try reader.text()
      case (3, .bytes): payload = try reader.payload()
      case (16, .bytes):
        var opened = SessionOpened()
        if case .opened(let before) = event { opened = before }
        try opened.merge(reader.message())
        event = .opened(opened)
      case (17, .bytes):
        var reason: UInt64 = 0
        if case .closed(let before) = event { reason = before }
        event = .closed(reason: try Self.closeReason(reader.message(), default: reason))
      case (18, .bytes):
        var session = SessionAuthenticated()
        if case .authenticated(let before) = event { session = before }
        try session.merge(reader.message())
        event = .authenticated(session)
      case (_, _): try reader.skip(tag)
      }
    }
  }

  private static func closeReason(
    _ message: ProtobufReader, default reason: UInt64
  ) throws(ContractError) -> UInt64 {
    var reader = message
    var reason = reason
    while let tag = try reader.nextTag() {
      switch (tag.field, tag.type) {
      case (1, .varint): reason = try reader.varint()
      case (_, _): try reader.skip(tag)
      }
    }
    return reason
  }
}

/// A session was given to this worker.
///
/// Source: proto/upstream.proto.
public struct SessionOpened: Equatable, Sendable {
  public var account = ""
  public var clientAddress = ""
  public var listener = ""
  public var framer = ""
  public var attributes: [String: String] = [:]
  public var resumed = false
  public var nextSequence: UInt64 = 0
  public var unauthenticated = false

  public init() {}

  /// Takes over the fields of one encoded message; what it does not name stays as it is.
  mutating func merge(_ message: ProtobufReader) throws(ContractError) {
    var reader = message
    while let tag = try reader.nextTag() {
      switch (tag.field, tag.type) {
      case (1, .bytes): account = try reader.text()
      case (2, .bytes): clientAddress = try reader.text()
      case (3, .bytes): listener = try reader.text()
      case (4, .bytes): framer = try reader.text()
      case (5, .bytes): try attributes.merge(reader.message())
      case (6, .varint): resumed = try reader.varint() != 0
      case (7, .varint): nextSequence = try reader.varint()
      case (8, .varint): unauthenticated = try reader.varint() != 0
      case (_, _): try reader.skip(tag)
      }
    }
  }
}

/// A session that was opened as unauthenticated was let in.
///
/// Source: proto/upstream.proto.
public struct SessionAuthenticated: Equatable, Sendable {
  public var account = ""
  public var attributes: [String: String] = [:]

  public init() {}

  /// Takes over the fields of one encoded message; what it does not name stays as it is.
  mutating func merge(_ message: ProtobufReader) throws(ContractError) {
    var reader = message
    while let tag = try reader.nextTag() {
      switch (tag.field, tag.type) {
      case (1, .bytes): account = try reader.text()
      case (2, .bytes): try attributes.merge(reader.message())
      case (_, _): try reader.skip(tag)
      }
    }
  }
}

extension [String: String] {
  /// Takes over one entry of a `map<string, string>`.
  fileprivate mutating func merge(_ entry: ProtobufReader) throws(ContractError) {
    var reader = entry
    var key = ""
    var value = ""
    while let tag = try reader.nextTag() {
      switch (tag.field, tag.type) {
      case (1, .bytes): key = try reader.text()
      case (2, .bytes): value = try reader.text()
      case (_, _): try reader.skip(tag)
      }
    }
    self[key] = value
  }
}

/// Bytes for one client.
///
/// Source: proto/upstream.proto. The contract also knows broadcasts; this worker answers everybody
/// by name, so that a speaker does not hear itself.
public struct OutputStreamRequest: Equatable, Sendable {
  public var clientUUID: String
  public var payload: [UInt8]

  public init(clientUUID: String, payload: [UInt8]) {
    self.clientUUID = clientUUID
    self.payload = payload
  }

  /// The message as it goes on the wire, without the gRPC prefix; `time` is left empty.
  public var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.field(2, message: Array(clientUUID.utf8))
    writer.field(4, bytes: payload)
    return writer.bytes
  }
}

/// The answer to `ready`.
///
/// Source: proto/upstream.proto.
public struct ReadyResult: Equatable, Sendable {
  /// What a worker may ask for; raw values are the contract's numbers, all below 128.
  public enum Feature: UInt8, Sendable {
    case sessionEvents = 1
  }

  /// RFC 3339, UTC, milliseconds.
  public var time: String
  public var ready: Bool
  public var features: [Feature]

  public init(time: String, ready: Bool, features: [Feature]) {
    self.time = time
    self.ready = ready
    self.features = features
  }

  /// The message as it goes on the wire, without the gRPC prefix; features are packed.
  public var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.field(1, text: time)
    writer.field(2, varint: ready ? 1 : 0)
    writer.field(16, bytes: features.map(\.rawValue))
    return writer.bytes
  }
}

/// One answer on `live`.
///
/// Source: proto/upstream.proto.
public struct LiveResult: Equatable, Sendable {
  /// RFC 3339, UTC, milliseconds.
  public var time: String
  public var live: Bool

  public init(time: String, live: Bool) {
    self.time = time
    self.live = live
  }

  /// The message as it goes on the wire, without the gRPC prefix.
  public var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.field(1, text: time)
    writer.field(2, varint: live ? 1 : 0)
    return writer.bytes
  }
}
