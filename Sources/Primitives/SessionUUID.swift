/// A version-4 UUID as its 36 characters of lower-case text (RFC 9562 section 4).
///
/// Kept as text because every packet carries it as text.
@frozen
public struct SessionUUID: Hashable, BitwiseCopyable, Sendable, CustomStringConvertible {
  @usableFromInline var words: (UInt64, UInt64, UInt64, UInt64)
  @usableFromInline var tail: UInt32

  /// The length of the text, in bytes.
  public static let byteCount = 36

  /// Not a UUID; equal to none that was given out.
  @inlinable public static var none: SessionUUID { SessionUUID() }

  @inlinable init() {
    words = (0, 0, 0, 0)
    tail = 0
  }

  /// Formats 16 bytes as they are; the caller has set version and variant.
  public init(bytes: [16 of UInt8]) {
    self.init()
    unsafe withUnsafeMutableBytes { text in
      var at = 0
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 {
          unsafe text[at] = UInt8(ascii: "-")
          at += 1
        }
        unsafe text[at] = hexDigit(bytes[index] >> 4)
        unsafe text[at + 1] = hexDigit(bytes[index] & 15)
        at += 2
      }
    }
  }

  /// Takes the text of a UUID, in either case.
  ///
  /// - Returns: nil when it is not 36 characters of hexadecimal digits and dashes in their places.
  public init?(text: String) {
    self.init()
    let utf8 = Array(text.utf8)
    guard utf8.count == Self.byteCount else { return nil }
    let wellFormed = unsafe withUnsafeMutableBytes { out in
      for (index, byte) in utf8.enumerated() {
        let isDash = index == 8 || index == 13 || index == 18 || index == 23
        let lower = byte | 0x20
        switch byte {
        case UInt8(ascii: "-") where isDash: unsafe out[index] = byte
        case UInt8(ascii: "0")...UInt8(ascii: "9") where !isDash: unsafe out[index] = byte
        case _ where !isDash && lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f"):
          unsafe out[index] = lower
        default: return false
        }
      }
      return true
    }
    guard wellFormed else { return nil }
  }

  /// Copies 36 bytes of text without looking at them.
  ///
  /// - Precondition: `text` has 36 bytes.
  @inlinable public init(copying text: UnsafeRawBufferPointer) {
    precondition(text.count == Self.byteCount)
    // SAFETY: 36 readable bytes by the precondition; every bit pattern is a valid integer.
    unsafe words = (
      text.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
      text.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      text.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
      text.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    )
    tail = unsafe text.loadUnaligned(fromByteOffset: 32, as: UInt32.self)
  }

  /// Writes the 36 bytes of text to `out`.
  @inlinable public func write(to out: UnsafeMutableRawPointer) {
    // SAFETY: the caller made room for 36 bytes.
    unsafe out.storeBytes(of: words.0, toByteOffset: 0, as: UInt64.self)
    unsafe out.storeBytes(of: words.1, toByteOffset: 8, as: UInt64.self)
    unsafe out.storeBytes(of: words.2, toByteOffset: 16, as: UInt64.self)
    unsafe out.storeBytes(of: words.3, toByteOffset: 24, as: UInt64.self)
    unsafe out.storeBytes(of: tail, toByteOffset: 32, as: UInt32.self)
  }

  @inlinable public static func == (a: SessionUUID, b: SessionUUID) -> Bool {
    a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2
      && a.words.3 == b.words.3 && a.tail == b.tail
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
    hasher.combine(tail)
  }

  public var description: String {
    var copy = self
    return unsafe copy.withUnsafeMutableBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// The first eight digits as an integer; anything where they are no digits.
  @inlinable public var leadingWord: UInt32 { Self.word(words.0) }

  /// The last eight digits as an integer; anything where they are no digits.
  @inlinable public var trailingWord: UInt32 { Self.word(words.3 >> 32 | UInt64(tail) << 32) }

  /// Reads eight digits at once, in the bytes of one word.
  @inlinable static func word(_ text: UInt64) -> UInt32 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    // Letters are the characters from 0x40 on, and the first of them is 0x61.
    let digits = (text & (ones &* 0x0f)) &+ (text >> 6 & ones) &* 9
    var value = digits.byteSwapped
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff
    return UInt32(truncatingIfNeeded: value | value >> 16)
  }

  private mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) -> Result
  ) -> Result {
    unsafe Swift.withUnsafeMutableBytes(of: &self) {
      unsafe body(UnsafeMutableRawBufferPointer(rebasing: $0[0..<Self.byteCount]))
    }
  }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
}
