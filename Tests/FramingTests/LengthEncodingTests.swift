import Framing
import Testing

/// Goal: each way of writing a length is read as its description says, from bytes written by hand.
@Suite struct LengthEncodingTests {
  private func steps(
    _ framer: LengthPrefixFramer, _ table: [([UInt8], PacketCutter.Step)]
  ) throws {
    for (bytes, step) in table {
      #expect(try Framer.lengthPrefix(framer).step(bytes) == step, "\(bytes.prefix(12))")
    }
  }

  private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Source: the examples of DWARF 5, section 7.6: 2, 127, 128, 129, 12857.
  @Test func leb128() throws {
    let framer = try LengthPrefixFramer(encoding: .leb128, lengthWidth: 3)
    try steps(
      framer,
      [
        ([0], .packet(byteCount: 1)), ([2, 9, 9], .packet(byteCount: 3)),
        ([127], .needMore(totalBytes: 128)), ([0x80], .needMore(totalBytes: 2)),
        ([0x80, 1], .needMore(totalBytes: 130)), ([0x81, 1], .needMore(totalBytes: 131)),
        ([0xB9, 0x64], .needMore(totalBytes: 12_859)),
        ([0xFF, 0xFF, 0x01], .needMore(totalBytes: 32_767 + 3)),
        ([0x80, 0x80, 0x00], .packet(byteCount: 3)),
        ([0x80, 0x80, 0x80], .violation(.malformedLength(offset: 0))),
        (
          [0xFF, 0xFF, 0x7F],
          .violation(.packetTooLong(announced: 2_097_154, maximum: 65_536))
        ),
      ])
  }

  @Test func canonicalLEB128RefusesWhatIsLongerThanNeeded() throws {
    let framer = try LengthPrefixFramer(
      encoding: .leb128, lengthOffset: 1, lengthWidth: 5, isCanonical: true)
    try steps(
      framer,
      [
        ([7, 0], .packet(byteCount: 2)), ([7, 0x80, 1], .needMore(totalBytes: 131)),
        ([7, 0x80, 0], .violation(.malformedLength(offset: 1))),
        ([7, 0x81, 0x80, 0], .violation(.malformedLength(offset: 1))),
        ([7, 0x80, 0x80, 0x80, 0x80, 0x80], .violation(.malformedLength(offset: 1))),
        ([7, 0x80, 0x80, 0x80, 0x80], .needMore(totalBytes: 6)),
      ])
  }

  /// As Perfect World writes its numbers.
  @Test func prefix() throws {
    let framer = try LengthPrefixFramer(
      encoding: .prefix, lengthOffset: 1, packetBytesMax: 64 << 20)
    try steps(
      framer,
      [
        ([9], .needMore(totalBytes: 2)), ([9, 0], .packet(byteCount: 2)),
        ([9, 0x7F], .needMore(totalBytes: 129)),
        ([9, 0x80], .needMore(totalBytes: 3)), ([9, 0x80, 1, 7], .packet(byteCount: 4)),
        ([9, 0xBF, 0xFF], .needMore(totalBytes: 16_386)),
        ([9, 0xC0, 0, 0], .needMore(totalBytes: 5)),
        ([9, 0xC0, 0, 0, 1, 7], .packet(byteCount: 6)),
        ([9, 0xC1, 0, 0, 0], .needMore(totalBytes: (1 << 24) + 5)),
        ([9, 0xE0, 0, 0, 0], .needMore(totalBytes: 6)),
        ([9, 0xE0, 0, 0, 0, 1, 7], .packet(byteCount: 7)),
        ([9, 0xFF, 0, 0, 0, 1, 7], .packet(byteCount: 7)),
        (
          [9, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF],
          .violation(.packetTooLong(announced: (1 << 32) + 5, maximum: 64 << 20))
        ),
      ])
  }

  /// As Habbo's Shockwave clients write theirs: "@@B" is 2, "@A@" is 64, "A@@" is 4,096.
  @Test func base64() throws {
    let framer = try LengthPrefixFramer(encoding: .base64, lengthWidth: 3)
    try steps(
      framer,
      [
        (text("@@BCD"), .packet(byteCount: 5)), (text("@A@"), .needMore(totalBytes: 67)),
        (text("A@@"), .needMore(totalBytes: 4_099)), (text("@"), .needMore(totalBytes: 2)),
        (text("@@"), .needMore(totalBytes: 3)),
        (text("@?"), .violation(.malformedLength(offset: 1))),
        ([0x40, 0x40, 0x7F], .needMore(totalBytes: 66)),
        ([0x40, 0x40, 0x80], .violation(.malformedLength(offset: 2))),
        (text("<"), .violation(.malformedLength(offset: 0))),
      ])
  }

  @Test func decimalsOfAFixedWidth() throws {
    let framer = try LengthPrefixFramer(encoding: .decimal, lengthOffset: 1, lengthWidth: 4)
    try steps(
      framer,
      [
        (text("x0003abc"), .packet(byteCount: 8)), (text("x0000"), .packet(byteCount: 5)),
        (text("x9999"), .needMore(totalBytes: 10_004)), (text("x"), .needMore(totalBytes: 2)),
        (text("x000"), .needMore(totalBytes: 5)),
        (text("x0 "), .violation(.malformedLength(offset: 2))),
        (text("x:"), .violation(.malformedLength(offset: 1))),
        (text("x/"), .violation(.malformedLength(offset: 1))),
      ])
  }

  @Test func decimalsBeforeATerminator() throws {
    let framer = try LengthPrefixFramer(
      encoding: .decimal, lengthWidth: 3, terminator: UInt8(ascii: ":"))
    try steps(
      framer,
      [
        (text("3:abc"), .packet(byteCount: 5)), (text("003:abc"), .packet(byteCount: 7)),
        (text("0:"), .packet(byteCount: 2)), (text("999:"), .needMore(totalBytes: 1_003)),
        (text("99"), .needMore(totalBytes: 3)), (text("999"), .needMore(totalBytes: 4)),
        (text("9999"), .violation(.malformedLength(offset: 3))),
        (text(":"), .violation(.malformedLength(offset: 0))),
        (text("1;"), .violation(.malformedLength(offset: 1))),
      ])
  }

  @Test func theLargestNumbersAreNotTooMuch() throws {
    let decimal = try LengthPrefixFramer(encoding: .decimal, lengthWidth: 10)
    try steps(
      decimal,
      [
        (
          text("9999999999"),
          .violation(.packetTooLong(announced: 10_000_000_009, maximum: 65_536))
        )
      ])
    let scaled = try LengthPrefixFramer(lengthWidth: 8, multiplier: 65_536, adjustment: 65_536)
    try steps(
      scaled,
      [
        (
          [UInt8](repeating: 255, count: 8),
          .violation(.packetTooLong(announced: .max, maximum: 65_536))
        ),
        (
          [0, 0, 255, 255, 255, 255, 255, 255],
          .violation(
            .packetTooLong(announced: .max, maximum: 65_536))
        ),
      ])
  }

  @Test func widthsBelongToTheirEncoding() {
    let table: [(LengthPrefixFramer.Encoding, [Int], [Int])] = [
      (.binary, [1, 2, 3, 4, 8], [0, 5, 6, 7, 9]), (.leb128, [1, 5], [0, 6]),
      (.base64, [1, 5], [0, 6]), (.decimal, [1, 10], [0, 11]), (.prefix, [1, 10], []),
    ]
    for (encoding, usable, unusable) in table {
      for width in usable {
        #expect(throws: Never.self, "\(encoding) \(width)") {
          _ = try LengthPrefixFramer(encoding: encoding, lengthWidth: width)
        }
      }
      for width in unusable {
        #expect(throws: FramerDefinitionError.self, "\(encoding) \(width)") {
          _ = try LengthPrefixFramer(encoding: encoding, lengthWidth: width)
        }
      }
    }
  }
}
