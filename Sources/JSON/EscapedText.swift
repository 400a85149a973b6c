/// Appends `text` as it stands between the quotes of a JSON string (RFC 8259 section 7).
///
/// Log lines in text form are quoted in the same way. Beside what JSON asks for, every control,
/// formatting and line-separating character is escaped, so that nothing a client or worker sent
/// can move a terminal's cursor or look like a line of its own.
/// - Parameter limitBytes: what of the text, in bytes of UTF-8, is kept; "…" stands for the rest.
public func appendEscaped(_ text: String, limitBytes: Int = .max, to out: inout [UInt8]) {
  var kept = 0
  for scalar in text.unicodeScalars {
    kept += UTF8.width(scalar)
    guard kept <= limitBytes else {
      out.append(contentsOf: "…".utf8)
      return
    }
    appendEscaped(scalar, to: &out)
  }
}

private func appendEscaped(_ scalar: Unicode.Scalar, to out: inout [UInt8]) {
  switch scalar {
  case "\"": out.append(contentsOf: #"\""#.utf8)
  case "\\": out.append(contentsOf: #"\\"#.utf8)
  case "\n": out.append(contentsOf: #"\n"#.utf8)
  case "\r": out.append(contentsOf: #"\r"#.utf8)
  case "\t": out.append(contentsOf: #"\t"#.utf8)
  case " "..."~": out.append(UInt8(scalar.value))
  default:
    guard isInvisible(scalar) else {
      out.append(contentsOf: UTF8.encode(scalar)!)
      return
    }
    for unit in UTF16.encode(scalar)! {
      let digits = String(unit, radix: 16)
      out.append(contentsOf: #"\u"#.utf8)
      out.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count))
      out.append(contentsOf: digits.utf8)
    }
  }
}

private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator: true
  default: false
  }
}
