/// What an import took over.
public struct StoreImport: Equatable, Sendable {
  public struct Kind: Equatable, Sendable {
    /// As it stands in the lines.
    public var name: String
    /// New rows.
    public var added: Int
  }

  /// In the order in which the kinds came first.
  public var kinds: [Kind] = []
  /// Lines that told what the store has already.
  public var skipped = 0

  mutating func count(_ name: String, isNew: Bool) {
    guard isNew else {
      skipped += 1
      return
    }
    // Rows of one kind follow each other.
    if let index = kinds.lastIndex(where: { $0.name == name }) {
      kinds[index].added += 1
    } else {
      kinds.append(Kind(name: name, added: 1))
    }
  }
}

/// The form of exported lines; docs/store.md lists it.
enum Transfer {
  static let headerKind = "gatehouse-store"
  static let endKind = "end"
  static let version: Int64 = 1
  /// The longest line, in bytes.
  static let lineByteCountMax = 1 << 20
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// - Returns: nil unless `text` is an even number of hexadecimal digits.
func bytes(ofHexadecimal text: String) -> [UInt8]? {
  let digits = Array(text.utf8)
  guard digits.count.isMultiple(of: 2) else { return nil }
  var bytes: [UInt8] = []
  for index in stride(from: 0, to: digits.count, by: 2) {
    guard let high = value(ofDigit: digits[index]), let low = value(ofDigit: digits[index + 1])
    else { return nil }
    bytes.append(high << 4 | low)
  }
  return bytes
}

private func value(ofDigit digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}
