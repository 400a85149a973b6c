/// Cuts the bytes of one client into lines, wherever TCP cut them.
struct LineGatherer {
  /// The longest line, in bytes without its LF; what a line has beyond is thrown away.
  static let lineBytesMax = 1024

  private var gathered: [UInt8] = []

  /// Takes a chunk; returns the lines that it completes, fit to be shown: see ``clean(_:)``.
  mutating func append(_ chunk: [UInt8]) -> [String] {
    var lines: [String] = []
    for byte in chunk {
      if byte == UInt8(ascii: "\n") {
        lines.append(Self.clean(gathered))
        gathered.removeAll(keepingCapacity: true)
      } else if gathered.count < Self.lineBytesMax {
        gathered.append(byte)
      }
    }
    return lines
  }

  /// Makes text that cannot harm a terminal: invalid UTF-8 becomes U+FFFD, tabs become spaces,
  /// other control characters, line separators and direction overrides go, as do spaces around it.
  static func clean(_ line: [UInt8]) -> String {
    var text = String.UnicodeScalarView()
    for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
      if scalar == "\t" {
        text.append(" ")
      } else if isShown(scalar) {
        text.append(scalar)
      }
    }
    let first = text.firstIndex { $0 != " " } ?? text.endIndex
    let last = text.lastIndex { $0 != " " }.map(text.index(after:)) ?? text.endIndex
    return String(text[first..<last])
  }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0: false
    case 0x2028...0x202e, 0x2066...0x2069: false
    default: true
    }
  }
}
