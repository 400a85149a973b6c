internal import Primitives

/// One thing that happened in a simulation.
struct TraceRecord {
  enum Kind {
    case step(
      StaticString, _ a: Int, _ b: Int, _ c: Int, byteCount: Int, bytesDigest: UInt64)
    case log(LogNote, gateway: Int)
  }

  var at: Instant
  var kind: Kind

  /// For a person: seconds since `start`, what happened, and its numbers.
  func line(from start: Instant) -> String {
    let time = ElapsedTime.text(at.since(start))
    switch kind {
    case .step(let what, let a, let b, let c, let byteCount, let digest):
      let bytes = byteCount == 0 ? "" : " \(byteCount) bytes #\(hexadecimal(digest))"
      return "\(time) \(what) \(a) \(b) \(c)\(bytes)"
    case .log(let note, let gateway):
      return "\(time) gateway \(gateway): \(note.text)"
    }
  }
}

/// Sixteen digits.
func hexadecimal(_ number: UInt64) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

enum ElapsedTime {
  /// Seconds with six decimals, aligned up to ten thousand of them.
  static func text(_ interval: Interval) -> String {
    let seconds = padded(interval.nanoseconds / 1_000_000_000, 4, with: " ")
    return "\(seconds).\(padded(interval.nanoseconds / 1000 % 1_000_000, 6, with: "0"))"
  }

  private static func padded(_ number: UInt64, _ width: Int, with filler: Character) -> String {
    let digits = String(number)
    return String(repeating: filler, count: max(0, width - digits.count)) + digits
  }
}
