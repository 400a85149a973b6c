import Testing

@testable import Primitives

@Suite struct SessionUUIDTests {
  private let text = "01234567-89ab-4cde-8f01-23456789abcd"
  private let bytes: [16 of UInt8] = [
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4c, 0xde, 0x8f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
  ]

  @Test func bytesBecomeLowerCaseText() {
    #expect(SessionUUID(bytes: bytes).description == text)
    #expect(
      SessionUUID(bytes: .init(repeating: 0xff)).description
        == "ffffffff-ffff-ffff-ffff-ffffffffffff")
    #expect(
      SessionUUID(bytes: .init(repeating: 0)).description
        == "00000000-0000-0000-0000-000000000000")
  }

  @Test func everyByteValueIsFormatted() {
    for value in UInt8.min...UInt8.max {
      let expected = (value < 16 ? "0" : "") + String(value, radix: 16)
      let formatted = SessionUUID(bytes: .init(repeating: value)).description
      #expect(formatted.filter { $0 != "-" } == String(repeating: expected, count: 16))
    }
  }

  @Test func textIsTakenInEitherCase() throws {
    let uuid = try #require(SessionUUID(text: text))
    #expect(uuid == SessionUUID(bytes: bytes))
    #expect(uuid == SessionUUID(text: text.uppercased()))
    #expect(uuid.hashValue == SessionUUID(bytes: bytes).hashValue)
    #expect(uuid.description == text)
  }

  @Test func otherTextIsRefused() {
    for wrong in [
      "", "-", "0123456789ab4cde8f0123456789abcd",
      "01234567-89ab-4cde-8f01-23456789abc", "01234567-89ab-4cde-8f01-23456789abcde",
      "01234567-89ab-4cde-8f01-23456789abcg", "01234567-89ab-4cde-8f01-23456789abc ",
      "{1234567-89ab-4cde-8f01-23456789abc}", "0123456-789ab-4cde-8f01-23456789abcd",
      "01234567089ab-4cde-8f01-23456789abcd", "-1234567-89ab-4cde-8f01-23456789abcd",
      "01234567-89ab-4cde-8f01-23456789ab\u{e9}", "@1234567-89ab-4cde-8f01-23456789abcd",
      "01234567-89ab-4cde-8f01-23456789abc\u{0}", "`1234567-89ab-4cde-8f01-23456789abcd",
    ] {
      #expect(SessionUUID(text: wrong) == nil, "\(wrong)")
    }
  }

  @Test func anyChangedCharacterMakesAnother() throws {
    let uuid = try #require(SessionUUID(text: text))
    for index in text.indices where text[index] != "-" {
      var changed = text
      changed.replaceSubrange(index...index, with: text[index] == "0" ? "1" : "0")
      let other = try #require(SessionUUID(text: changed))
      #expect(other != uuid, "\(changed)")
    }
  }

  /// Goal: text goes in and out at any address, and nothing beyond its 36 bytes is touched.
  @Test func textIsCopiedUnaligned() {
    let uuid = SessionUUID(bytes: bytes)
    for offset in 0..<8 {
      var buffer = [UInt8](repeating: 0xee, count: 60)
      buffer.withUnsafeMutableBytes { uuid.write(to: $0.baseAddress! + offset) }
      #expect(Array(buffer[offset..<(offset + 36)]) == Array(text.utf8))
      #expect(buffer.count { $0 == 0xee } == 60 - 36)
      let copy = buffer.withUnsafeBytes {
        SessionUUID(copying: UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + 36)]))
      }
      #expect(copy == uuid)
    }
  }

  @Test func leadingWordIsTheFirstEightDigits() throws {
    #expect(SessionUUID(bytes: bytes).leadingWord == 0x0123_4567)
    let uuid = try #require(SessionUUID(text: "FEDCBA98-0000-4000-8000-000000000000"))
    #expect(uuid.leadingWord == 0xfedc_ba98)
  }

  @Test func noneIsNobody() {
    #expect(SessionUUID.none == .none)
    #expect(SessionUUID.none != SessionUUID(bytes: .init(repeating: 0)))
    #expect(SessionUUID(text: SessionUUID.none.description) == nil)
  }

  /// Eight characters are read at once; here one by one.
  @Test func wordsAreReadLikeDigits() {
    var random = SeededRandom(seed: 11)
    let digits = Array("0123456789abcdef".utf8)
    for _ in 0..<20_000 {
      let text = (0..<8).map { _ in digits[Int(random.next() % 16)] }
      let expected = text.reduce(UInt32(0)) { $0 << 4 | UInt32(digits.firstIndex(of: $1)!) }
      let word = text.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      #expect(SessionUUID.word(word) == expected, "\(text)")
    }
  }
}
