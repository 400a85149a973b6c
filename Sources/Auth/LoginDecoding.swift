/// Character sets of old games, to UTF-8; what is not of the set is refused, never replaced.
enum LoginDecoding {
  static func ascii(_ bytes: [UInt8]) throws(LoginFault) -> [UInt8] {
    guard bytes.allSatisfy({ $0 < 0x80 }) else { throw .badCharacters }
    return bytes
  }

  static func checkUTF8(_ bytes: ArraySlice<UInt8>) throws(LoginFault) {
    guard bytes.allSatisfy({ $0 < 0x80 }) || String(validating: bytes, as: UTF8.self) != nil else {
      throw .badCharacters
    }
  }

  static func latin1(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { Array(Unicode.Scalar($0).utf8) }
  }

  /// Unicode scalars of the bytes 80 to 9F, 0 for those that stand for nothing.
  private static let cp1252Scalars: [UInt16] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
    0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
  ]

  static func cp1252(_ bytes: [UInt8]) throws(LoginFault) -> [UInt8] {
    var units: [UInt16] = []
    for byte in bytes {
      let unit = (0x80...0x9f).contains(byte) ? cp1252Scalars[Int(byte) - 0x80] : UInt16(byte)
      guard unit != 0 || byte == 0 else { throw .badCharacters }
      units.append(unit)
    }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }

  /// The byte of CP1252 for a scalar; nil when it has none.
  static func cp1252Byte(_ scalar: Unicode.Scalar) -> UInt8? {
    if scalar.value < 0x80 || (0xa0...0xff).contains(scalar.value) { return UInt8(scalar.value) }
    return cp1252Scalars.firstIndex { $0 != 0 && UInt32($0) == scalar.value }
      .map { UInt8($0 + 0x80) }
  }

  static func utf16le(_ bytes: [UInt8]) throws(LoginFault) -> [UInt8] {
    guard bytes.count.isMultiple(of: 2) else { throw .badCharacters }
    let units = stride(from: 0, to: bytes.count, by: 2).map {
      UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
    }
    guard let text = String(validating: units, as: UTF16.self) else { throw .badCharacters }
    return Array(text.utf8)
  }

  static func hex(_ digits: [UInt8]) throws(LoginFault) -> [UInt8] {
    guard digits.count.isMultiple(of: 2) else { throw .badCharacters }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else {
        throw .badCharacters
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// Either alphabet, padded to a multiple of four or not at all (RFC 4648 sections 4 and 5).
  ///
  /// Bits that no byte uses must be zero, so that a value is written in one way only.
  static func base64(_ text: [UInt8]) throws(LoginFault) -> [UInt8] {
    let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    let digits = text.dropLast(padding)
    guard digits.count % 4 != 1, padding == 0 || text.count % 4 == 0 && padding <= 2 else {
      throw .badCharacters
    }
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for digit in digits {
      guard let value = base64Value(digit) else { throw .badCharacters }
      bits = bits << 6 | UInt32(value)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        bits &= 1 << bitCount - 1
      }
    }
    guard bits == 0 else { throw .badCharacters }
    return bytes
  }

  private static func base64Value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
