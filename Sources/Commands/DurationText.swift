/// Lengths of time as people write them: `30s`, `15m`, `12h`, `7d`, `4w`, `1d12h`.
enum DurationText {
  private static let units: [(letter: Character, seconds: Int64)] = [
    ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
  ]
  /// The longest, in seconds: a hundred years.
  static let secondsMax: Int64 = 100 * 366 * 86_400

  /// - Returns: seconds, at least 1; nil for all else. Units go from large to small, each once.
  static func parse(_ text: String) -> Int64? {
    var rest = text[...]
    var total: Int64 = 0
    var unitsLeft = units[...]
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { ("0"..."9").contains($0) }
      rest = rest.dropFirst(digits.count)
      guard (1...12).contains(digits.count), let count = Int64(digits), let letter = rest.first,
        let unit = unitsLeft.firstIndex(where: { $0.letter == letter })
      else { return nil }
      // Twelve digits of weeks stay within 63 bits.
      total += count * units[unit].seconds
      guard total <= secondsMax else { return nil }
      unitsLeft = units[(unit + 1)...]
      rest = rest.dropFirst()
    }
    return total > 0 ? total : nil
  }

  /// The two largest units: `3d 4h`, `59s`.
  static func describe(_ seconds: Int64) -> String {
    guard seconds > 0 else { return "0s" }
    var rest = seconds
    var parts: [String] = []
    for (letter, size) in units where letter != "w" {
      if rest >= size {
        parts.append("\(rest / size)\(letter)")
        rest %= size
      } else if !parts.isEmpty {
        break
      }
      if parts.count == 2 { break }
    }
    return parts.joined(separator: " ")
  }
}
