public import Primitives

/// A number with a unit, as `500ms` or `64KiB`: digits, then a unit without a space.
private func quantity(_ text: String, units: [(name: String, factor: UInt64)]) -> UInt64? {
  let digits = text.prefix { ("0"..."9").contains($0) }
  guard !digits.isEmpty, let count = UInt64(digits) else { return nil }
  let name = text.dropFirst(digits.count)
  guard let unit = units.first(where: { $0.name == name }) else { return nil }
  let (product, overflow) = count.multipliedReportingOverflow(by: unit.factor)
  return overflow ? .max : product
}

extension Interval {
  private static let units: [(name: String, factor: UInt64)] = [
    ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
  ]

  /// Takes `500ms`, `10s`, `5m`, `1h` or `7d`; saturates; nil for all else.
  init?(configured text: String) {
    guard let nanoseconds = quantity(text, units: Self.units) else { return nil }
    self.init(nanoseconds: nanoseconds)
  }

  /// The shortest text that ``init(configured:)`` takes for the same length, to a millisecond.
  public var configured: String {
    guard nanoseconds > 0 else { return "0s" }
    for (name, factor) in Self.units.reversed() where nanoseconds % factor == 0 {
      return "\(nanoseconds / factor)\(name)"
    }
    return "\(milliseconds)ms"
  }
}

/// Amounts of bytes as text.
public enum ByteCountText {
  private static let units: [(name: String, factor: UInt64)] = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000),
    ("MB", 1_000_000), ("KB", 1_000), ("B", 1), ("", 1),
  ]

  /// Takes `64KiB` (of 1,024), `64KB` (of 1,000) and their like; saturates; nil for all else.
  public static func parse(_ text: String) -> Int? {
    quantity(text, units: units).map { Int(clamping: $0) }
  }

  /// With the largest binary unit that leaves a whole number.
  public static func describe(_ count: Int) -> String {
    for unit in units.prefix(3) where count > 0 && count % Int(unit.factor) == 0 {
      return "\(count / Int(unit.factor))\(unit.name)"
    }
    return "\(count)B"
  }
}
