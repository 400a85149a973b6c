import Framing
import Testing

@Suite struct DelimiterOptionTests {
  private func step(
    _ bytes: [UInt8], _ delimiters: [[UInt8]], keeps: Bool = false, minimum: Int? = nil
  ) throws -> PacketCutter.Step {
    try Framer.delimiter(
      try DelimiterFramer(
        delimiters: delimiters, keepsDelimiter: keeps, packetBytesMin: minimum)
    ).step(bytes)
  }

  @Test func theLongestOfTheDelimitersThatEndThereIsDropped() throws {
    let endings: [[UInt8]] = [[0x0A], [0x0D, 0x0A], [0x0D, 0x0D, 0x0A]]
    for endings in [endings, endings.reversed()] {
      #expect(try step([7, 0x0A], endings) == .packet(byteCount: 2, dropped: 1))
      #expect(try step([7, 0x0D, 0x0A], endings) == .packet(byteCount: 3, dropped: 2))
      #expect(try step([7, 0x0D, 0x0D, 0x0A], endings) == .packet(byteCount: 4, dropped: 3))
      #expect(try step([0x0D, 0x0A], endings) == .packet(byteCount: 2, dropped: 2))
    }
    let long: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    #expect(try step([0] + long, [long]) == .packet(byteCount: 9, dropped: 8))
    #expect(try step(long, [[8], long]) == .packet(byteCount: 8, dropped: 8))
  }

  @Test func whatIsKeptIsHandedOn() throws {
    #expect(try step([7, 0x0A], [[0x0A]], keeps: true) == .packet(byteCount: 2, dropped: 0))
  }

  @Test func theMinimumCountsTheDelimiter() throws {
    #expect(try step([1, 1, 0x0A], [[0x0A]], minimum: 3) == .packet(byteCount: 3, dropped: 1))
    #expect(
      try step([1, 0x0A, 1, 1, 0x0A], [[0x0A]], minimum: 3)
        == .violation(.packetTooShort(announced: 2, minimum: 3)))
  }
}
