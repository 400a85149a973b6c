import Foundation
import Testing

@testable import Primitives

@Suite struct TimestampTextTests {
  /// The last millisecond of the year 9999.
  private static let last: UInt64 = 253_402_300_799_999

  private func text(_ stamp: TimestampText) -> String {
    withUnsafeTemporaryAllocation(byteCount: TimestampText.byteCount, alignment: 1) { buffer in
      stamp.write(to: buffer.baseAddress!)
      return String(decoding: buffer, as: UTF8.self)
    }
  }

  /// The same text from the C library's calendar.
  private func expected(_ milliseconds: UInt64) -> String {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ value: some BinaryInteger, _ digits: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: digits - text.count) + text
    }
    return padded(parts.tm_year + 1900, 4) + "-" + padded(parts.tm_mon + 1, 2) + "-"
      + padded(parts.tm_mday, 2) + "T" + padded(parts.tm_hour, 2) + ":"
      + padded(parts.tm_min, 2) + ":" + padded(parts.tm_sec, 2) + "."
      + padded(milliseconds % 1000, 3) + "Z"
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"),
    (1, "1970-01-01T00:00:00.001Z"),
    (951_782_399_999, "2000-02-28T23:59:59.999Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
    (1_769_903_999_123, "2026-01-31T23:59:59.123Z"),
    (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
    (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
  ])
  func knownInstants(_ milliseconds: UInt64, _ known: String) {
    #expect(text(TimestampText(unixMilliseconds: milliseconds)) == known)
    #expect(expected(milliseconds) == known)
  }

  /// Goal: the second before and after each midnight of 31 December, 28 February and 29 February.
  @Test func boundariesOfEveryYear() {
    var stamp = TimestampText(unixMilliseconds: 0)
    var day = 0
    while true {
      let midnight = UInt64(day) * 86_400_000
      guard midnight <= Self.last else { break }
      let date = civilDate(daysSince1970: day)
      if date.day == 1, date.month == 1 || date.month == 3 {
        for offset: UInt64 in 0...2 where midnight + offset > 0 {
          let milliseconds = midnight + offset - 1
          stamp.set(unixMilliseconds: milliseconds)
          guard text(stamp) == expected(milliseconds) else {
            Issue.record("\(text(stamp)), not \(expected(milliseconds))")
            return
          }
        }
      }
      day += 1
    }
  }

  @Test func randomInstants() {
    var random = SeededRandom(seed: 1970)
    var stamp = TimestampText(unixMilliseconds: 0)
    for _ in 0..<20_000 {
      let milliseconds = UInt64.random(in: 0...Self.last, using: &random)
      stamp.set(unixMilliseconds: milliseconds)
      guard text(stamp) == expected(milliseconds) else {
        Issue.record("\(text(stamp)), not \(expected(milliseconds))")
        return
      }
    }
  }

  /// Goal: what is kept from one text to the next is never stale.
  ///
  /// Method: small steps forward and back, within a second and over its end.
  @Test func smallSteps() {
    var random = SeededRandom(seed: 24)
    var milliseconds: UInt64 = 1_798_761_590_000
    var stamp = TimestampText(unixMilliseconds: milliseconds)
    for _ in 0..<20_000 {
      let longest = [1, 20, 1000, 90_000].randomElement(using: &random)!
      let step = Int.random(in: -longest / 2...longest, using: &random)
      milliseconds = UInt64(Int(milliseconds) + step)
      stamp.set(unixMilliseconds: milliseconds)
      guard text(stamp) == expected(milliseconds) else {
        Issue.record("\(text(stamp)), not \(expected(milliseconds))")
        return
      }
    }
  }
}
