package import SampleWorker

/// What a worker is asked by `authenticate`: as much of it as its answer depends on.
///
/// Source: proto/upstream.proto, `AuthenticateRequest`.
package struct AuthenticateQuestion: Equatable {
  package var uuid = ""
  package var account = ""

  package init() {}

  package init(decoding bytes: [UInt8]) throws(ContractError) {
    var reader = ProtobufReader(bytes)
    while let tag = try reader.nextTag() {
      switch (tag.field, tag.type) {
      case (2, .bytes): uuid = try reader.text()
      case (5, .bytes): account = try reader.text()
      case (_, _): try reader.skip(tag)
      }
    }
  }
}

/// Messages of the contract as a worker writes them, without the gRPC prefix.
///
/// Source: proto/upstream.proto.
package enum WorkerMessages {
  /// An `OutputStreamRequest` for one session.
  ///
  /// - Parameter uuid: whatever bytes are to stand for the session's UUID.
  package static func output(to uuid: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.field(2, message: uuid)
    writer.field(4, bytes: payload)
    return writer.bytes
  }

  /// An `OutputStreamRequest` for many.
  ///
  /// - Parameter audience: a value of `Broadcast`.
  package static func output(toAll audience: UInt8, _ payload: [UInt8]) -> [UInt8] {
    // A member of a oneof is written even when it is zero.
    [3 << 3, audience] + output(toNobody: payload)
  }

  /// An `OutputStreamRequest` without a target.
  package static func output(toNobody payload: [UInt8]) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.field(4, bytes: payload)
    return writer.bytes
  }

  /// An `AuthenticateResult`.
  package static func authenticateResult(allowed: Bool, reason: String = "") -> [UInt8] {
    var writer = ProtobufWriter()
    writer.field(1, varint: allowed ? 1 : 0)
    writer.field(3, text: reason)
    return writer.bytes
  }
}
