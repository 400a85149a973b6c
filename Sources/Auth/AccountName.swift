/// An account's name, compared as most old games do: ASCII letters match in either case.
public struct AccountName: Hashable, Sendable, CustomStringConvertible {
  /// The longest name, in bytes of UTF-8.
  public static let byteCountMax = 64

  /// As it was written.
  public let text: String
  /// With ASCII letters in lower case: what is compared, and what the store's index is on.
  public let key: String

  /// - Returns: nil unless `text` has 1 to 64 bytes of UTF-8, no control characters, and no space
  ///   at
  ///   either end.
  public init?(_ text: String) {
    let utf8 = Array(text.utf8)
    guard !utf8.isEmpty, utf8.count <= Self.byteCountMax, utf8.first != 0x20, utf8.last != 0x20,
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    else { return nil }
    self.text = text
    let folded = utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    key = String(decoding: folded, as: UTF8.self)
  }

  /// By bytes, as the store does: Unicode has several ways to write some letters, and a name that
  /// one of the two took for another's would be a way around a ban.
  public static func == (a: AccountName, b: AccountName) -> Bool {
    a.key.utf8.elementsEqual(b.key.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    for byte in key.utf8 { hasher.combine(byte) }
  }

  public var description: String { text }
}
