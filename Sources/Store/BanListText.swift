internal import Primitives

/// Small texts that several list formats share.
enum BanListText {
  /// Without spaces and tabs at either end.
  static func trimmed(_ text: some StringProtocol) -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    var rest = text[...].drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return String(rest)
  }

  /// What a message shows of a file's own text.
  static func shown(_ text: some StringProtocol) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(64) {
      let isPlain = scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value)
      result.unicodeScalars.append(isPlain ? scalar : "?")
    }
    return "\"\(result)\(text.unicodeScalars.count > 64 ? "…" : "")\""
  }

  /// An IPv4 address as lists write it: numbers may be padded with zeros, which are not octal.
  static func ipv4(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(number)
    }
    return value
  }

  /// `A-B`, with or without spaces, where neither is lower than the one before.
  static func ipv4Range(_ text: some StringProtocol) -> ClosedRange<UInt32>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = ipv4(trimmed(parts[0])),
      let last = ipv4(trimmed(parts[1])), first <= last
    else { return nil }
    return first...last
  }

  /// `A-B` of either family, as addresses of the mapped form.
  static func range(_ text: some StringProtocol) -> ClosedRange<UInt128>? {
    if let range = ipv4Range(text) {
      return AddressCover.mapped(range.lowerBound)...AddressCover.mapped(range.upperBound)
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = AddressPrefix(text: trimmed(parts[0])),
      let last = AddressPrefix(text: trimmed(parts[1])), first.bitCount == 128,
      last.bitCount == 128, first.isIPv4 == last.isIPv4
    else { return nil }
    let (low, high) = (AddressCover.value(of: first), AddressCover.value(of: last))
    return low <= high ? low...high : nil
  }

  /// Unix seconds out of digits, or of `2026-01-31T23:59:59Z` (RFC 3339, UTC only).
  static func moment(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    let isDigit: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
    if (1...12).contains(bytes.count), bytes.allSatisfy(isDigit) { return Int64(text) }
    guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
    let form = Array("0000-00-00T00:00:00".utf8)
    for (byte, expected) in zip(bytes, form) {
      guard expected == UInt8(ascii: "0") ? isDigit(byte) : byte == expected else { return nil }
    }
    // A fraction of a second is passed over.
    let rest = bytes[19..<bytes.count - 1]
    guard
      rest.isEmpty
        || rest.first == UInt8(ascii: ".") && rest.count > 1 && rest.count <= 10
          && rest.dropFirst().allSatisfy(isDigit)
    else { return nil }
    func number(_ range: Range<Int>) -> Int64 {
      bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
    guard year >= 1970, (1...12).contains(month), day >= 1, day <= daysIn(month, of: year),
      hour <= 23, minute <= 59, second <= 60
    else { return nil }
    let days = daysSince1970(year: year, month: month, day: day)
    return days * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return switch month {
    case 2: isLeap ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The year is taken to begin in March, so that a leap day is its last.
  private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let monthFromMarch = (month + 9) % 12
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }
}
