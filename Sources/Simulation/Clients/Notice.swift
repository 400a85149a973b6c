internal import Auth
internal import Gateway

/// What the gateway itself says to clients, told from workers' answers by its length.
///
/// ```
/// length of the rest (2, big endian) | "!" or "?" | reason | its complement
/// ```
enum Notice: Equatable {
  /// A refusal, and why.
  case closed(CloseReason)
  /// The gateway speaks first.
  case greeting

  static let byteCount = 5

  var bytes: [UInt8] {
    switch self {
    case .closed(let reason): [0, 3, UInt8(ascii: "!"), reason.rawValue, ~reason.rawValue]
    case .greeting: [0, 3, UInt8(ascii: "?"), 0, 0xff]
    }
  }

  /// - Returns: nil when the bytes are no notice.
  init?(_ bytes: ArraySlice<UInt8>) {
    if bytes.elementsEqual(Notice.greeting.bytes) {
      self = .greeting
    } else if let reason = bytes.dropFirst(3).first.flatMap({ CloseReason(rawValue: $0) }),
      bytes.elementsEqual(Notice.closed(reason).bytes)
    {
      self = .closed(reason)
    } else {
      return nil
    }
  }

  var template: ReplyTemplate { ReplyTemplate(bytes: bytes) }
}
