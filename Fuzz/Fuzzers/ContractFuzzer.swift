@testable import Upstream

/// Goal: no worker's message is read beyond its end or given a meaning beyond its bounds, and
/// messages are found in a stream whatever pieces it comes in.
enum ContractFuzzer {
  static func run(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { message in
      if let output = ContractReader.output(message) {
        for part in [output.uuid, output.payload] where !part.isEmpty {
          let start = part.baseAddress! - message.baseAddress!
          check(start >= 0 && start + part.count <= message.count, "outside of the message")
        }
        check(
          output.target == .session || output.uuid.isEmpty || output.target == .broadcast, "target")
      }
      let isLive = ContractReader.live(message)
      check((ContractReader.ready(message)?.isReady ?? isLive) == isLive, "field 2 is one field")
    }
    checkAuthenticated(bytes)
    checkStream(bytes)
  }

  private static func authenticated(_ bytes: [UInt8]) -> AuthenticateOutcome? {
    bytes.withUnsafeBytes { ContractReader.authenticated($0) }
  }

  private static func checkAuthenticated(_ bytes: [UInt8]) {
    guard let outcome = authenticated(bytes) else { return }
    switch outcome {
    case .allowed(_, let attributes):
      check(Set(attributes.map { Array($0.name.utf8) }).count == attributes.count, "a name twice")
    case .refused(let reason):
      check(reason.utf8.count <= 200, "a reason of \(reason.utf8.count) bytes")
    case .failed: check(false, "a reader does not know failures")
    }
    // Protobuf merges what is written one behind the other, and skips what it does not know.
    check(authenticated(bytes + bytes) == outcome, "twice the same is something else")
    let unknown: [UInt8] = [0xf8, 0x01, 0x07, 0xfb, 0x01, 0x08, 0x01, 0xfc, 0x01]
    check(authenticated(bytes + unknown) == outcome, "unknown fields count")
    check(authenticated(unknown + bytes) == outcome, "unknown fields count")
  }

  private static func checkStream(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let maximum = input.number(0...255)
    let sizes = input.bytes(4).map { Int($0) }
    let stream = input.remaining()
    let whole = messages(stream, [], maximum)
    check(messages(stream, sizes, maximum) == whole, "pieces give other messages")
    check(messages(stream, [1], maximum) == whole, "single bytes give other messages")
    let lengths = whole.messages.reduce(0) { $0 + $1.count + 5 }
    check(lengths <= stream.count, "more messages than bytes")
    check(whole.messages.allSatisfy { $0.count <= maximum }, "a message beyond the bound")
  }

  private struct Cut: Equatable {
    var messages: [[UInt8]] = []
    var refusal = ""
  }

  private static func messages(_ stream: [UInt8], _ sizes: [Int], _ maximum: Int) -> Cut {
    var reader = GRPCMessageReader()
    var cut = Cut()
    for piece in pieces(of: stream, sizes: sizes) where cut.refusal.isEmpty {
      piece.withUnsafeBytes { piece in
        var chunk = piece
        reading: while true {
          switch reader.next(&chunk, messageBytesMax: maximum) {
          case .message(let message, inPlace: _): cut.messages.append(Array(message))
          case .needMore:
            check(chunk.isEmpty, "bytes are left over")
            break reading
          case .compressed:
            cut.refusal = "compressed"
            break reading
          case .tooLarge(let byteCount):
            check(byteCount > maximum, "\(byteCount) bytes are not too many")
            cut.refusal = "too large: \(byteCount)"
            break reading
          }
        }
      }
    }
    return cut
  }
}
