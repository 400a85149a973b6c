/// Frames written by hand, for what nghttp2 would never send.
///
/// Source: RFC 9113 section 4.1; header blocks RFC 7541 section 6.
enum HTTP2Frames {
  enum Kind: UInt8 {
    case data = 0
    case headers = 1
    case resetStream = 3
    case settings = 4
    case pushPromise = 5
    case ping = 6
    case goAway = 7
    case windowUpdate = 8
    case continuation = 9
  }

  static let endStream: UInt8 = 1
  static let endHeaders: UInt8 = 4

  /// - Precondition: the payload is shorter than 16 MiB.
  static func frame(
    _ kind: Kind, flags: UInt8 = 0, stream: Int32, _ payload: [UInt8]
  ) -> [UInt8] {
    let head = number(UInt32(payload.count)).dropFirst() + [kind.rawValue, flags]
    return head + number(UInt32(stream)) + payload
  }

  static func number(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { (shift: UInt32) in UInt8(truncatingIfNeeded: value >> shift) }
  }

  /// A header block of literals without indexing, so that no side's table changes.
  ///
  /// - Precondition: names and values are shorter than 127 bytes.
  static func block(_ fields: [(String, String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in fields {
      bytes += [0, UInt8(name.utf8.count)]
      bytes += name.utf8
      bytes.append(UInt8(value.utf8.count))
      bytes += value.utf8
    }
    return bytes
  }
}
