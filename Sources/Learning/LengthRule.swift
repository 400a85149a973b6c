/// A guess at how packets say how long they are.
struct LengthRule: Equatable {
  enum Encoding: Equatable {
    case binary(width: Int, isLittle: Bool)
    /// Seven bits a byte, low ones first; the high bit says that another byte follows.
    case leb128
    /// 1, 2, 4 or 5 bytes, told apart by the leading bits 0, 10, 110 and 111.
    case prefix
    /// Printable digits of six bits, 64 above their values.
    case base64(width: Int)
    /// ASCII digits, so many or up to a terminator.
    case decimal(width: Int, terminator: UInt8?)
  }

  var offset = 0
  var encoding: Encoding
  /// Which bits of a binary field are the length; shifted down to the lowest.
  var mask: UInt64?
  /// Where a second field stands whose value is XORed with the first.
  var xorOffset: Int?
  var multiplier = 1
  /// What is added to a length that counts the bytes behind the header.
  var adjustment: Int

  /// What the front of a packet says.
  struct Reading {
    var value = 0
    /// The whole packet's bytes; only meaningful when positive.
    var total = 0
    var headerEnd = 0
  }

  enum Outcome {
    case length
    /// The stream ends inside the header.
    case cut
    case malformed
  }

  /// The header's bytes where they are the same for all packets.
  var fixedHeader: Int? {
    switch encoding {
    case .binary(let width, _): max(offset, xorOffset ?? 0) + width
    case .base64(let width): offset + width
    case .decimal(let width, nil): offset + width
    case .decimal, .leb128, .prefix: nil
    }
  }

  /// Reads the header at `start` of the bytes in front of `end`.
  func read(
    _ bytes: [UInt8], at start: Int, end: Int, into reading: inout Reading
  ) -> Outcome {
    let outcome: Outcome
    let field = start + offset
    switch encoding {
    case .binary(let width, let isLittle):
      guard start + max(offset, xorOffset ?? 0) + width <= end else { return .cut }
      var value = integer(bytes, field, width, isLittle)
      if let xorOffset { value ^= integer(bytes, start + xorOffset, width, isLittle) }
      if let mask { value = (value & mask) >> UInt64(mask.trailingZeroBitCount) }
      guard value < 1 << 32 else { return .malformed }
      reading.value = Int(value)
      reading.headerEnd = start + max(offset, xorOffset ?? 0) + width
      outcome = .length
    case .leb128: outcome = readLEB128(bytes, field, end, &reading)
    case .prefix: outcome = readPrefix(bytes, field, end, &reading)
    case .base64(let width): outcome = readBase64(bytes, field, width, end, &reading)
    case .decimal(let width, let terminator):
      outcome = readDecimal(bytes, field, width, terminator, end, &reading)
    }
    guard outcome == .length else { return outcome }
    reading.total = reading.headerEnd - start + reading.value * multiplier + adjustment
    return .length
  }

  private func integer(_ bytes: [UInt8], _ place: Int, _ width: Int, _ isLittle: Bool) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<width {
      value = value << 8 | UInt64(bytes[place + (isLittle ? width - 1 - index : index)])
    }
    return value
  }

  private func readLEB128(
    _ bytes: [UInt8], _ field: Int, _ end: Int, _ reading: inout Reading
  ) -> Outcome {
    var value = 0
    for index in 0..<5 {
      guard field + index < end else { return .cut }
      let byte = Int(bytes[field + index])
      value |= (byte & 0x7f) << (7 * index)
      guard byte < 0x80 else { continue }
      reading.value = value
      reading.headerEnd = field + index + 1
      // A last byte of zero is an overlong form, which programs don't write.
      return index > 0 && byte == 0 ? .malformed : .length
    }
    return .malformed
  }

  private func readPrefix(
    _ bytes: [UInt8], _ field: Int, _ end: Int, _ reading: inout Reading
  ) -> Outcome {
    guard field < end else { return .cut }
    let lead = bytes[field]
    let (width, bits) =
      lead < 0x80 ? (1, 7) : lead < 0xc0 ? (2, 14) : lead < 0xe0 ? (4, 29) : (5, 32)
    guard field + width <= end else { return .cut }
    let place = width == 5 ? field + 1 : field
    let value = integer(bytes, place, width == 5 ? 4 : width, false)
    reading.value = Int(value & (1 << UInt64(bits) - 1))
    reading.headerEnd = field + width
    return .length
  }

  private func readBase64(
    _ bytes: [UInt8], _ field: Int, _ width: Int, _ end: Int, _ reading: inout Reading
  ) -> Outcome {
    var value = 0
    for index in 0..<width {
      guard field + index < end else { return .cut }
      let digit = Int(bytes[field + index]) - 64
      guard (0..<64).contains(digit) else { return .malformed }
      value = value << 6 | digit
    }
    reading.value = value
    reading.headerEnd = field + width
    return .length
  }

  private func readDecimal(
    _ bytes: [UInt8], _ field: Int, _ width: Int, _ terminator: UInt8?, _ end: Int,
    _ reading: inout Reading
  ) -> Outcome {
    var value = 0
    for index in 0...width {
      if terminator == nil && index == width {
        reading.headerEnd = field + width
        break
      }
      guard field + index < end else { return .cut }
      let byte = bytes[field + index]
      if byte == terminator && index > 0 {
        reading.headerEnd = field + index + 1
        break
      }
      guard (0x30...0x39).contains(byte), index < width else { return .malformed }
      value = value * 10 + Int(byte - 0x30)
    }
    reading.value = value
    return .length
  }
}
