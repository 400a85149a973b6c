/// The text forms of addresses, read without a resolver and without allocating.
///
/// IPv4 is four decimal numbers; leading zeros are refused, as some read them as octal (RFC 6943
/// section 3.1.1). IPv6 is any form of RFC 4291 section 2.2, without a zone.
public enum AddressText {
  /// No address is longer: six groups, and an IPv4 address in full.
  static let byteCountMax = 45

  /// The sixteen bytes of a dotted IPv4 address, mapped as in ``SocketAddress``.
  public static func ipv4(_ text: Span<UInt8>) -> [16 of UInt8]? {
    var bytes = SocketAddress(ipv4: 0, 0, 0, 0, port: 0).bytes
    guard text.count <= byteCountMax, readIPv4(text, from: 0, into: &bytes, at: 12) else {
      return nil
    }
    return bytes
  }

  /// The sixteen bytes of an IPv6 address.
  public static func ipv6(_ text: Span<UInt8>) -> [16 of UInt8]? {
    guard (2...byteCountMax).contains(text.count) else { return nil }
    var groups = Groups()
    var index = 0
    if text[0] == colon {
      guard text[1] == colon else { return nil }
      groups.gap = 0
      index = 2
    }
    while index < text.count {
      guard let next = groups.read(text, at: index) else { return nil }
      index = next
    }
    return groups.finish()
  }

  private static let colon = UInt8(ascii: ":")
  private static let dot = UInt8(ascii: ".")

  /// Reads the four numbers that make up the rest of the text.
  private static func readIPv4(
    _ text: Span<UInt8>, from start: Int, into bytes: inout [16 of UInt8], at place: Int
  ) -> Bool {
    var index = start
    for part in 0..<4 {
      if part > 0 {
        guard index < text.count, text[index] == dot else { return false }
        index += 1
      }
      guard let number = readDecimal(text, from: &index), number <= 255 else { return false }
      bytes[place + part] = UInt8(number)
    }
    return index == text.count
  }

  /// One to three digits, without a zero in front.
  static func readDecimal(_ text: Span<UInt8>, from index: inout Int) -> Int? {
    let start = index
    var number = 0
    while index < text.count, index < start + 3, let digit = hexDigit(text[index]), digit < 10 {
      number = number * 10 + Int(digit)
      index += 1
    }
    let isCanonical = index == start + 1 || (index > start && text[start] != UInt8(ascii: "0"))
    return isCanonical ? number : nil
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The bytes of an IPv6 address as far as it has been read.
  private struct Groups {
    var bytes: [16 of UInt8] = .init(repeating: 0)
    var count = 0
    /// Where `::` stood.
    var gap: Int?

    /// Reads a group and the colon behind it.
    ///
    /// - Returns: where the next group begins; nil when this is not one.
    mutating func read(_ text: Span<UInt8>, at start: Int) -> Int? {
      guard count < 16 else { return nil }
      var index = start
      var group: UInt16 = 0
      while index < text.count, index < start + 4, let digit = hexDigit(text[index]) {
        group = group << 4 | UInt16(digit)
        index += 1
      }
      if index < text.count, text[index] == dot {
        guard count <= 12, readIPv4(text, from: start, into: &bytes, at: count) else { return nil }
        count += 4
        return text.count
      }
      guard index > start else { return nil }
      bytes[count] = UInt8(group >> 8)
      bytes[count + 1] = UInt8(truncatingIfNeeded: group)
      count += 2
      if index == text.count { return index }
      // A colon alone ends nothing.
      guard text[index] == colon, index + 1 < text.count else { return nil }
      guard text[index + 1] == colon else { return index + 1 }
      guard gap == nil else { return nil }
      gap = count
      return index + 2
    }

    /// The whole address; nil when it has too few groups, or too many for its `::`.
    func finish() -> [16 of UInt8]? {
      guard let gap else { return count == 16 ? bytes : nil }
      guard count <= 14 else { return nil }
      var whole: [16 of UInt8] = .init(repeating: 0)
      for index in 0..<gap { whole[index] = bytes[index] }
      for index in gap..<count { whole[16 - count + index] = bytes[index] }
      return whole
    }
  }
}
