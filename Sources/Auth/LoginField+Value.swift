extension LoginField {
  /// What the field's bytes mean: text in UTF-8, or a secret's bytes.
  ///
  /// - Parameter raw: the field's own bytes, without the XOR key.
  func value(of raw: ArraySlice<UInt8>) throws(LoginFault) -> [UInt8] {
    let limit = target == .secret ? Self.secretBytesMax : Self.textBytesMax
    let value: [UInt8]
    switch form {
    case .integer(let integer, let rendering):
      let number = integer.value(in: raw) ?? 0
      let digits = String(number, radix: rendering == .hex ? 16 : 10)
      let padding = rendering == .hex ? max(0, 2 * integer.width - digits.count) : 0
      value = Array(repeating: UInt8(ascii: "0"), count: padding) + digits.utf8
    case .bytes:
      value = target == .secret || charset != nil ? try decoded(raw) : hexDigits(of: Array(raw))
    case .fixed(_, let padding):
      value = try decoded(unpadded(raw, padding))
    case .zeroTerminated, .lengthPrefixed, .varintPrefixed, .word, .line, .pair, .split, .rest:
      value = try decoded(raw)
    }
    guard value.count <= min(limit, bytesMax) else { throw .fieldTooLong }
    return value
  }

  private func unpadded(_ raw: ArraySlice<UInt8>, _ padding: Padding) -> ArraySlice<UInt8> {
    let isWide = charset == .utf16le
    let unit = isWide ? 2 : 1
    /// The value of the unit at `index`; an odd byte at the end is no padding.
    func unitValue(_ index: Int) -> Int {
      guard isWide else { return Int(raw[index]) }
      return index + 1 < raw.endIndex ? Int(raw[index]) | Int(raw[index + 1]) << 8 : 1
    }
    switch padding {
    case .zero:
      let end = stride(from: raw.startIndex, to: raw.endIndex, by: unit)
        .first { unitValue($0) == 0 }
      return raw[..<(end ?? raw.endIndex)]
    case .space:
      var end = raw.endIndex
      while end >= raw.startIndex + unit, [0, 0x20].contains(unitValue(end - unit)) { end -= unit }
      return raw[..<end]
    }
  }

  /// Decodes, then strips and folds; hex and base64 are stripped before they are decoded.
  private func decoded(_ raw: ArraySlice<UInt8>) throws(LoginFault) -> [UInt8] {
    var bytes: [UInt8]
    switch charset {
    case nil where target == .secret: bytes = Array(stripped(raw))
    case nil, .utf8:
      try LoginDecoding.checkUTF8(raw)
      bytes = Array(stripped(raw))
    case .hex: bytes = try LoginDecoding.hex(Array(stripped(raw)))
    case .base64: bytes = try LoginDecoding.base64(Array(stripped(raw)))
    case .ascii: bytes = Array(stripped(try LoginDecoding.ascii(Array(raw))[...]))
    case .latin1: bytes = Array(stripped(LoginDecoding.latin1(Array(raw))[...]))
    case .cp1252: bytes = Array(stripped(try LoginDecoding.cp1252(Array(raw))[...]))
    case .utf16le: bytes = Array(stripped(try LoginDecoding.utf16le(Array(raw))[...]))
    }
    switch folding {
    case .lower: bytes = bytes.map(foldedASCII)
    case .upper: bytes = bytes.map { (0x61...0x7a).contains($0) ? $0 & ~0x20 : $0 }
    case nil: break
    }
    return bytes
  }

  private func stripped(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    if !prefixToStrip.isEmpty, bytes.starts(with: prefixToStrip.utf8) {
      bytes = bytes.dropFirst(prefixToStrip.utf8.count)
    }
    let suffix = suffixToStrip.utf8
    if !suffix.isEmpty, bytes.suffix(suffix.count).elementsEqual(suffix) {
      bytes = bytes.dropLast(suffix.count)
    }
    return bytes
  }
}

/// Lower-case hex digits.
func hexDigits(of bytes: [UInt8]) -> [UInt8] {
  let digits = Array("0123456789abcdef".utf8)
  return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
}

/// The value of a hex digit.
func hexValue(_ digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}
