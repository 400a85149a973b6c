/// UTC time as the 24 bytes of `2026-01-31T23:59:59.123Z` (RFC 3339 section 5.6).
///
/// Every packet carries it, so it is kept as text and only the part that changed is written anew.
@frozen
public struct TimestampText: BitwiseCopyable, Sendable {
  @usableFromInline var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
  @usableFromInline var milliseconds: UInt64 = .max

  /// The length of the text, in bytes.
  public static let byteCount = 24

  /// Milliseconds since 1970-01-01T00:00:00Z.
  @inlinable public var unixMilliseconds: UInt64 { milliseconds }

  /// Whole seconds since 1970-01-01T00:00:00Z.
  @inlinable public var unixSeconds: Int64 { Int64(milliseconds / 1000) }

  public init(unixMilliseconds: UInt64) { set(unixMilliseconds: unixMilliseconds) }

  /// - Parameter unixMilliseconds: since 1970-01-01T00:00:00Z; years up to 9999.
  @inlinable public mutating func set(unixMilliseconds: UInt64) {
    if unixMilliseconds != milliseconds { format(unixMilliseconds) }
  }

  /// Writes the 24 bytes of text to `out`.
  @inlinable public func write(to out: UnsafeMutableRawPointer) {
    // SAFETY: the caller made room for 24 bytes.
    unsafe out.storeBytes(of: words.0, toByteOffset: 0, as: UInt64.self)
    unsafe out.storeBytes(of: words.1, toByteOffset: 8, as: UInt64.self)
    unsafe out.storeBytes(of: words.2, toByteOffset: 16, as: UInt64.self)
  }

  @usableFromInline mutating func format(_ unixMilliseconds: UInt64) {
    let sameSecond = milliseconds != .max && milliseconds / 1000 == unixMilliseconds / 1000
    milliseconds = unixMilliseconds
    unsafe withUnsafeMutableBytes(of: &words) { text in
      if !sameSecond { unsafe Self.formatSeconds(unixMilliseconds / 1000, into: text) }
      unsafe put(unixMilliseconds % 1000, digits: 3, at: 20, in: text)
    }
  }

  private static func formatSeconds(_ seconds: UInt64, into text: UnsafeMutableRawBufferPointer) {
    let (year, month, day) = civilDate(daysSince1970: Int(seconds / 86_400))
    unsafe put(UInt64(year), digits: 4, at: 0, in: text)
    unsafe put(UInt64(month), digits: 2, at: 5, in: text)
    unsafe put(UInt64(day), digits: 2, at: 8, in: text)
    unsafe put(seconds / 3600 % 24, digits: 2, at: 11, in: text)
    unsafe put(seconds / 60 % 60, digits: 2, at: 14, in: text)
    unsafe put(seconds % 60, digits: 2, at: 17, in: text)
    unsafe text[4] = UInt8(ascii: "-")
    unsafe text[7] = UInt8(ascii: "-")
    unsafe text[10] = UInt8(ascii: "T")
    unsafe text[13] = UInt8(ascii: ":")
    unsafe text[16] = UInt8(ascii: ":")
    unsafe text[19] = UInt8(ascii: ".")
    unsafe text[23] = UInt8(ascii: "Z")
  }
}

/// Days since 1970 to a date of the Gregorian calendar.
///
/// The year is taken to begin in March, so that a leap day is its last; 400 years have 146,097
/// days.
func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = days + 719_468
  let era = shifted / 146_097
  let dayOfEra = shifted % 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func put(
  _ value: UInt64, digits: Int, at offset: Int, in text: UnsafeMutableRawBufferPointer
) {
  var rest = value
  for place in (offset..<offset + digits).reversed() {
    unsafe text[place] = UInt8(ascii: "0") + UInt8(rest % 10)
    rest /= 10
  }
}
