internal import Primitives

extension ReplyTemplate {
  /// The most bytes of UTF-8 that are taken of one value; with ``fieldsMax`` and
  /// ``literalBytesMax`` this bounds a reply, as no format makes more than six bytes of one.
  private static let valueBytesMax = 500

  /// The bytes to send; at most 65,536 and always the same for the same values.
  ///
  /// A value that is too long for the integer in front of it, or that makes the reply too long for
  /// one that counts it, is cut between two characters. Characters that a format doesn't have
  /// become question marks.
  public func render(_ values: ReplyValues) -> [UInt8] {
    var limit = Self.valueBytesMax
    while true {
      let (bytes, isExact) = render(values, valueBytesMax: limit)
      if isExact || limit == 0 { return bytes }
      limit /= 2
    }
  }

  /// Whether every integer that counts bytes can hold its count, with all values empty.
  var fitsItsCounts: Bool {
    render(ReplyValues(now: 0), valueBytesMax: 0).isExact
  }

  /// - Returns: the reply, and whether all its counts fit their integers.
  private func render(
    _ values: ReplyValues, valueBytesMax: Int
  ) -> (bytes: [UInt8], isExact: Bool) {
    let parts = pieces.map { piece -> [UInt8] in
      switch piece {
      case .literal(let bytes): bytes
      case .text(let field, let format, let ending):
        ending.applied(to: format, of: clipped(values.text(of: field), valueBytesMax))
      case .integer(let field, let number): number.bytes(of: values.integer(of: field)).bytes
      case .count: []
      }
    }
    return addingCounts(to: parts)
  }

  /// Fills in the counts from the last piece to the first, as a count's own width may depend on
  /// what follows it.
  ///
  /// A count of the whole reply depends on all of it and is right only in the next round.
  private func addingCounts(to parts: [[UInt8]]) -> (bytes: [UInt8], isExact: Bool) {
    var parts = parts
    var isExact = true
    // Widths only grow from round to round, and those of varints only a few times.
    for _ in 0..<6 {
      let before = parts
      isExact = true
      var whole = parts.reduce(0) { $0 + $1.count }
      var rest = 0
      for (index, piece) in pieces.enumerated().reversed() {
        if case .count(let counted, let number, let divisor, let adjustment) = piece {
          let byteCount = counted == .length ? whole : rest
          let (bytes, fits) = number.bytes(of: Int64(byteCount / divisor + adjustment))
          whole += bytes.count - parts[index].count
          parts[index] = bytes
          isExact = isExact && fits
        }
        rest += parts[index].count
      }
      if parts == before { break }
    }
    return (Array(parts.joined()), isExact)
  }
}

/// The longest beginning of at most `bytesMax` bytes of UTF-8 that ends between two scalars.
private func clipped(_ text: String, _ bytesMax: Int) -> String {
  guard text.utf8.count > bytesMax else { return text }
  var clipped = String.UnicodeScalarView()
  var byteCount = 0
  for scalar in text.unicodeScalars {
    byteCount += UTF8.width(scalar)
    if byteCount > bytesMax { break }
    clipped.append(scalar)
  }
  return String(clipped)
}

extension ReplyTemplate.Ending {
  fileprivate func applied(to format: ReplyTemplate.TextFormat, of text: String) -> [UInt8] {
    switch self {
    case .none: return format.bytes(of: text)
    case .zero:
      let ending: [UInt8] = format.isWide ? [0, 0] : [0]
      // A zero inside would end the text early for the client.
      return format.bytes(of: String(text.unicodeScalars.filter { $0.value != 0 })) + ending
    case .prefix(let number):
      let bytes = format.bytes(of: text, atMost: number.valueMax)
      return number.bytes(of: Int64(bytes.count)).bytes + bytes
    case .padded(let width):
      let bytes = format.bytes(of: text, atMost: width)
      return bytes + Array(repeating: 0, count: width - bytes.count)
    }
  }
}

extension ReplyTemplate.TextFormat {
  fileprivate var isWide: Bool { self == .utf16le || self == .utf16be }

  /// Leaves out as many characters at the end as don't fit.
  fileprivate func bytes(of text: String, atMost bytesMax: Int) -> [UInt8] {
    // No format makes less than a byte of a character.
    var text = text.unicodeScalars.prefix(bytesMax)
    var bytes = bytes(of: String(text))
    while bytes.count > bytesMax {
      // A character takes six bytes at most: this leaves out too few rather than too many.
      text.removeLast(max(1, (bytes.count - bytesMax) / 6))
      bytes = self.bytes(of: String(text))
    }
    return bytes
  }

  fileprivate func bytes(of text: String) -> [UInt8] {
    let question = UInt8(ascii: "?")
    switch self {
    case .utf8: return Array(text.utf8)
    case .latin1:
      return text.unicodeScalars.map { UInt8(exactly: $0.value) ?? question }
    case .cp1252:
      return text.unicodeScalars.map { LoginDecoding.cp1252Byte($0) ?? question }
    case .utf16le:
      return text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    case .utf16be:
      return text.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    case .json:
      return text.utf8.flatMap { byte -> [UInt8] in
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
        case ..<0x20: Array("\\u00".utf8) + hexDigits(of: [byte])
        default: [byte]
        }
      }
    }
  }
}

extension ReplyTemplate.Number {
  /// The largest value that can be written.
  var valueMax: Int {
    switch self {
    case .varint: Int(Int32.max)
    case .fixed(let integer, let isSigned):
      integer.width == 8 ? .max : 1 << (8 * integer.width - (isSigned ? 1 : 0)) - 1
    }
  }

  /// - Returns: the bytes of the nearest value that fits, and whether that is `value`.
  fileprivate func bytes(of value: Int64) -> (bytes: [UInt8], isExact: Bool) {
    var valueMin: Int64 = 0
    if case .fixed(_, isSigned: true) = self { valueMin = -Int64(valueMax) - 1 }
    let nearest = min(max(value, valueMin), Int64(valueMax))
    return (bytes(ofFitting: nearest), nearest == value)
  }

  private func bytes(ofFitting value: Int64) -> [UInt8] {
    var rest = UInt64(bitPattern: value)
    var bytes: [UInt8] = []
    switch self {
    case .fixed(let integer, _):
      for _ in 0..<integer.width {
        bytes.append(UInt8(truncatingIfNeeded: rest))
        rest >>= 8
      }
      return integer.endianness == .little ? bytes : bytes.reversed()
    case .varint:
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      return bytes + [UInt8(rest)]
    }
  }
}
