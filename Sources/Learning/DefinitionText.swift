internal import Framing

/// A framer as the tables of a definition, in TOML; see docs/framer-format.md.
///
/// Settings that have their defaults are left out.
struct DefinitionText {
  private(set) var lines: [String] = []

  /// - Parameter table: the table's name: `client_to_server`, or one below `framer`.
  init(_ framer: Framer, table: String) {
    lines.append("[\(table)]")
    for (key, value) in Self.settings(framer) { lines.append("\(key) = \(value)") }
    switch framer {
    case .switch(let framer):
      for choice in framer.cases {
        lines.append("[[\(table).case]]")
        let matches = choice.matches.map { Self.text($0.bytes) }
        lines.append(
          "match = " + (matches.count == 1 ? matches[0] : "[\(matches.joined(separator: ", "))]"))
        if choice.offset != 0 { lines.append("offset = \(choice.offset)") }
        lines.append("framer = \(Self.inline(choice.framer))")
      }
    case .sequence(let framer):
      for step in framer.steps {
        lines.append("[[\(table).step]]")
        switch step.until {
        case .packets(let count): lines.append("packets = \(count)")
        case .authenticated: lines.append("until = \"authenticated\"")
        }
        lines.append("framer = \(Self.inline(step.framer))")
      }
      lines.append("[[\(table).step]]")
      lines.append("framer = \(Self.inline(framer.last))")
    case .raw, .lengthPrefix, .delimiter, .fixed, .table, .plugin: break
    }
  }

  private static func inline(_ framer: Framer) -> String {
    if framer == .raw { return "\"raw\"" }
    var parts = settings(framer).map { "\($0) = \($1)" }
    if case .switch(let framer) = framer {
      let cases = framer.cases.map { choice in
        let matches = choice.matches.map { text($0.bytes) }.joined(separator: ", ")
        return "{ match = [\(matches)], framer = \(inline(choice.framer)) }"
      }
      parts.append("case = [\(cases.joined(separator: ", "))]")
    }
    return "{ \(parts.joined(separator: ", ")) }"
  }

  private static func settings(_ framer: Framer) -> [(String, String)] {
    var settings = [("kind", "\"\(framer.kind)\"")]
    switch framer {
    case .raw, .plugin, .sequence: break
    case .lengthPrefix(let framer): settings += lengthSettings(framer)
    case .delimiter(let framer):
      let texts = framer.delimiters.map(text)
      settings.append(
        ("delimiter", texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"))
      if framer.isTelnet { settings.append(("telnet", "true")) }
      if framer.bounds.maximum != 4096 { settings.append(("max", "\(framer.bounds.maximum)")) }
    case .fixed(let framer):
      settings.append(("size", "\(framer.size)"))
      if let leading = framer.leading { settings.append(("leading", text(leading.bytes))) }
    case .table(let framer):
      let sizes = framer.entries.compactMap { entry -> String? in
        guard case .fixed(let size) = entry.length else { return nil }
        return "0x\(hexadecimal(UInt8(truncatingIfNeeded: entry.opcode))) = \(size)"
      }
      settings.append(("sizes", "{ \(sizes.joined(separator: ", ")) }"))
      settings.append(("max", "\(framer.packetBytesMax)"))
    case .switch(let framer): if framer.each == .stream { settings.append(("each", "\"stream\"")) }
    }
    return settings
  }

  private static func lengthSettings(_ framer: LengthPrefixFramer) -> [(String, String)] {
    var settings: [(String, String)] = []
    if framer.encoding != .binary {
      settings.append(("encoding", "\"\(framer.encoding.rawValue)\""))
    }
    settings.append(("offset", "\(framer.lengthOffset)"))
    if framer.encoding != .prefix { settings.append(("width", "\(framer.lengthWidth)")) }
    if framer.encoding == .binary && framer.lengthWidth > 1 {
      settings.append(("endian", "\"\(framer.endianness.rawValue)\""))
    }
    if let terminator = framer.terminator { settings.append(("terminator", text([terminator]))) }
    if let mask = framer.mask { settings.append(("mask", "0x\(String(mask, radix: 16))")) }
    if let second = framer.second { settings.append(("xor_offset", "\(second.offset)")) }
    if framer.multiplier != 1 { settings.append(("multiplier", "\(framer.multiplier)")) }
    settings.append(("counts", "\"\(framer.counts.rawValue)\""))
    if framer.adjustment != 0 { settings.append(("adjustment", "\(framer.adjustment)")) }
    if let leading = framer.leading { settings.append(("leading", text(leading.bytes))) }
    if framer.bounds.minimum > framer.headerByteCount {
      settings.append(("min", "\(framer.bounds.minimum)"))
    }
    settings.append(("max", "\(framer.bounds.maximum)"))
    return settings
  }

  /// Bytes as a definition writes them: a literal string with escapes, or hexadecimal digits.
  static func text(_ bytes: [UInt8]) -> String {
    var text = ""
    for byte in bytes {
      switch byte {
      case 0x0a: text += "\\n"
      case 0x0d: text += "\\r"
      case 0x09: text += "\\t"
      case 0x00: text += "\\0"
      case 0x5c: text += "\\\\"
      case 0x20...0x26, 0x28...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
      default: return "{ hex = \"\(bytes.map(hexadecimal).joined(separator: " "))\" }"
      }
    }
    return "'\(text)'"
  }

  static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return byte < 16 ? "0" + digits : digits
  }
}
