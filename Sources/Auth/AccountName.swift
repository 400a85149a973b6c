/// An account's name, compared as most old games do: ASCII letters match in either case.
public struct AccountName: Hashable, Sendable, CustomStringConvertible {
  /// The longest name, in bytes of UTF-8.
  public static let byteCountMax = 64

  /// As it was written.
  public let text: String

  /// With ASCII letters in lower case: what is compared, and what the store's index is on.
  public var key: String {
    text.utf8.contains { folded($0) != $0 }
      ? String(decoding: text.utf8.lazy.map(folded), as: UTF8.self) : text
  }

  /// - Returns: nil unless `text` has 1 to 64 bytes of UTF-8, no control characters, and no space
  ///   at
  ///   either end.
  public init?(_ text: String) {
    let utf8 = text.utf8.span
    guard (1...Self.byteCountMax).contains(utf8.count), utf8[0] != 0x20,
      utf8[utf8.count - 1] != 0x20, !hasControls(utf8)
    else { return nil }
    self.text = text
  }

  /// Whether `other`, written in letters of either case, is this name.
  public func matches(_ other: String) -> Bool {
    let (a, b) = (text.utf8.span, other.utf8.span)
    guard a.count == b.count else { return false }
    for index in a.indices where folded(a[index]) != folded(b[index]) { return false }
    return true
  }

  /// By bytes, as the store does: Unicode has several ways to write some letters, and a name that
  /// one of the two took for another's would be a way around a ban.
  public static func == (a: AccountName, b: AccountName) -> Bool { a.matches(b.text) }

  public func hash(into hasher: inout Hasher) { forEachWord { hasher.combine($0) } }

  public var description: String { text }

  /// Tells `body` the bytes of ``key``, eight at a time, the first in the lowest bits.
  ///
  /// The last word has fewer than eight, and the number of them all in its top byte: different keys
  /// give different words.
  func forEachWord(_ body: (UInt64) -> Void) {
    let utf8 = text.utf8.span
    var word: UInt64 = 0
    for index in utf8.indices {
      word |= UInt64(folded(utf8[index])) &<< (UInt64(truncatingIfNeeded: index) % 8 * 8)
      if index % 8 == 7 {
        body(word)
        word = 0
      }
    }
    body(UInt64(truncatingIfNeeded: utf8.count) << 56 | word)
  }
}

/// An ASCII capital in lower case; other bytes as they are.
@inline(__always)
private func folded(_ byte: UInt8) -> UInt8 {
  (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
}

/// Whether text in UTF-8 has control characters (Unicode's C0 and C1, and DEL), which would spoil
/// logs and terminals.
func hasControls(_ utf8: Span<UInt8>) -> Bool {
  var previous: UInt8 = 0
  for index in utf8.indices {
    let byte = utf8[index]
    // U+0080 to U+009F are C2 80 to C2 9F.
    if byte < 0x20 || byte == 0x7f || previous == 0xc2 && byte < 0xa0 { return true }
    previous = byte
  }
  return false
}
