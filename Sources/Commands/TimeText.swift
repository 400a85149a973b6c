internal import Primitives

/// Moments as text.
enum TimeText {
  /// `2026-01-31T23:59:59Z` (RFC 3339 section 5.6).
  static func describe(_ unixSeconds: Int64) -> String {
    // Years up to 9999; what a broken clock or file has is shown as a bound.
    let bounded = UInt64(min(max(0, unixSeconds), 253_402_300_799))
    let text = TimestampText(unixMilliseconds: bounded * 1000)
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: TimestampText.byteCount) {
      buffer, count in
      // SAFETY: the buffer has the 24 bytes that are written.
      unsafe text.write(to: UnsafeMutableRawPointer(buffer.baseAddress!))
      count = TimestampText.byteCount
    }
    return String(decoding: bytes.prefix(19), as: UTF8.self) + "Z"
  }

  /// `never`, or the moment; for a person.
  static func describe(_ unixSeconds: Int64?, orNone none: String) -> String {
    unixSeconds.map { describe($0) } ?? none
  }

  /// When something ends, with how long that is from `now`.
  static func end(_ until: Int64?, now: Int64) -> String {
    guard let until else { return "for ever" }
    guard until > now else { return "until \(describe(until)), over" }
    return "until \(describe(until)), \(DurationText.describe(until - now)) from now"
  }
}
