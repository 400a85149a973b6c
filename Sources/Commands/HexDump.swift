/// Bytes as people look at them: offset, hexadecimal, text.
enum HexDump {
  private static let rowBytes = 16
  private static let digits = Array("0123456789ABCDEF")

  /// `0A FF`.
  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: " ")
  }

  /// `0aff`.
  static func plainHex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined().lowercased()
  }

  /// Printable ASCII, and dots for all else.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(
      decoding: bytes.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
  }

  /// Rows of sixteen bytes, each ended by a line break.
  ///
  /// - Parameters:
  ///   - offset: of the first byte, for the left column.
  ///   - bytesMax: what is shown; how many more there are is said.
  static func rows(
    _ bytes: [UInt8], offset: Int, bytesMax: Int, indent: String, _ style: TerminalStyle
  ) -> String {
    var text = ""
    var start = 0
    let shown = min(bytes.count, bytesMax)
    while start < shown {
      let row = bytes[start..<min(start + rowBytes, shown)]
      let hex = hex(row)
      let padding = String(repeating: " ", count: rowBytes * 3 - 1 - hex.utf8.count)
      text += indent + style.dim(padded("\(offset + start)")) + "  \(hex)\(padding)  "
      text += Self.text(row) + "\n"
      start += rowBytes
    }
    if shown < bytes.count {
      text += indent + style.dim("… \(bytes.count - shown) more bytes") + "\n"
    }
    return text
  }

  private static func padded(_ number: String) -> String {
    String(repeating: " ", count: max(0, 8 - number.utf8.count)) + number
  }
}

/// Colours, where there is a terminal that shows them.
struct TerminalStyle {
  private let isOn: Bool

  /// None for a pipe, a simple terminal, and whoever has set NO_COLOR (https://no-color.org).
  init(_ surroundings: Surroundings) {
    let isUnwanted = surroundings.variable("NO_COLOR").map { !$0.isEmpty } ?? false
    isOn = surroundings.isTerminal() && !isUnwanted && surroundings.variable("TERM") != "dumb"
  }

  func dim(_ text: String) -> String { styled(text, 2) }
  func bold(_ text: String) -> String { styled(text, 1) }
  func red(_ text: String) -> String { styled(text, 31) }
  func green(_ text: String) -> String { styled(text, 32) }

  /// ECMA-48 section 8.3.117.
  private func styled(_ text: String, _ code: Int) -> String {
    isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
