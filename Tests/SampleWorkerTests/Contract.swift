@testable import SampleWorker

// The gateway's side of the contract, which the worker itself does not need.

extension InputStreamRequest {
  init(_ uuid: String, _ payload: String) {
    self.init()
    clientUUID = uuid
    self.payload = Array(payload.utf8)
  }

  init(_ uuid: String, _ event: Event) {
    self.init()
    clientUUID = uuid
    self.event = event
  }

  var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.field(1, text: time)
    writer.field(2, text: clientUUID)
    writer.field(3, bytes: payload)
    switch event {
    case .opened(let opened): writer.field(16, message: opened.encoded)
    case .closed(let reason):
      var closed = ProtobufWriter()
      closed.field(1, varint: reason)
      writer.field(17, message: closed.bytes)
    case .authenticated(let session): writer.field(18, message: session.encoded)
    case nil: break
    }
    return writer.bytes
  }
}

extension SessionOpened {
  var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.field(1, text: account)
    writer.field(2, text: clientAddress)
    writer.field(3, text: listener)
    writer.field(4, text: framer)
    writer.field(5, map: attributes)
    writer.field(6, varint: resumed ? 1 : 0)
    writer.field(7, varint: nextSequence)
    writer.field(8, varint: unauthenticated ? 1 : 0)
    return writer.bytes
  }
}

extension SessionAuthenticated {
  var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.field(1, text: account)
    writer.field(2, map: attributes)
    return writer.bytes
  }
}

extension ProtobufWriter {
  fileprivate mutating func field(_ number: UInt32, map: [String: String]) {
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      var entry = ProtobufWriter()
      entry.field(1, text: key)
      entry.field(2, text: value)
      field(number, message: entry.bytes)
    }
  }
}

extension OutputStreamRequest {
  init(decoding bytes: [UInt8]) throws {
    self.init(clientUUID: "", payload: [])
    var reader = ProtobufReader(bytes)
    while let tag = try reader.nextTag() {
      switch tag.field {
      case 2: clientUUID = try reader.text()
      case 4: payload = try reader.payload()
      default: try reader.skip(tag)
      }
    }
  }

  var text: String { "\(clientUUID) \(String(decoding: payload, as: UTF8.self))" }
}

extension ChatRoom.Delivery {
  var text: String { "\(recipient) \(String(decoding: bytes, as: UTF8.self))" }
}

/// SplitMix64: the same bytes for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Changes, cuts out or puts in up to eight bytes.
  mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...8, using: &self) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &self)
      switch Int.random(in: 0..<3, using: &self) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
      case 1: bytes.remove(at: index)
      default: bytes.insert(UInt8.random(in: 0...255, using: &self), at: index)
      }
    }
    return bytes
  }
}
