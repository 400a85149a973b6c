import Framing
import Testing

@Suite struct DelimiterFramerTests {
  private func framer(_ delimiters: [UInt8]..., maximum: Int = 4_096) throws -> Framer {
    .delimiter(try DelimiterFramer(delimiters: delimiters, packetBytesMax: maximum))
  }

  @Test func aPacketEndsWithItsDelimiter() throws {
    let lines = try framer([0x0a])
    #expect(try lines.step([1, 2, 0x0a]) == .packet(byteCount: 3))
    #expect(try lines.step([0x0a, 0x0a]) == .packet(byteCount: 1))
    #expect(try lines.step([1, 2, 0x0a, 3, 0x0a]) == .packet(byteCount: 3))
    #expect(try lines.step([1, 2, 3]) == .needAnyMore)
    let dofus = try framer([0x0a, 0x00])
    #expect(try dofus.step([1, 0x0a, 0x0a, 0x00, 1]) == .packet(byteCount: 4))
    #expect(try dofus.step([0x00, 0x0a]) == .needAnyMore)
  }

  @Test func theAlternativeThatEndsFirstWins() throws {
    let lines = try framer([0x0a], [0x0d, 0x0a], [0x00])
    #expect(try lines.step([1, 0x0d, 0x0a, 2]) == .packet(byteCount: 3))
    #expect(try lines.step([1, 0x0a, 0x0d, 0x0a]) == .packet(byteCount: 2))
    #expect(try lines.step([1, 0x00, 0x0a]) == .packet(byteCount: 2))
    #expect(try lines.step([1, 0x0d]) == .needAnyMore)
  }

  /// Goal: what stands in front of a stream is not taken for zeros.
  @Test func leadingZerosOfADelimiterMustBeThere() throws {
    let framer = try framer([0, 0, 7])
    #expect(try framer.step([7, 1]) == .needAnyMore)
    #expect(try framer.step([0, 7, 1]) == .needAnyMore)
    #expect(try framer.step([0, 0, 7, 1]) == .packet(byteCount: 3))
  }

  @Test func theMaximumIsInclusive() throws {
    let framer = try framer([0x0a], maximum: 10)
    let nine = [UInt8](repeating: 1, count: 9)
    #expect(try framer.step(nine) == .needAnyMore)
    #expect(try framer.step(nine + [0x0a, 5]) == .packet(byteCount: 10))
    #expect(try framer.step(nine + [1, 0x0a]) == .violation(.noDelimiter(maximum: 10)))
    #expect(try framer.step(nine + [1]) == .violation(.noDelimiter(maximum: 10)))
  }

  @Test func definitionsOutOfBoundsSayWhatIsWrong() {
    let table: [(delimiters: [[UInt8]], maximum: Int, key: String, expected: String)] = [
      ([], 9, "delimiter", "1 to 4"), ([[1], [2], [3], [4], [5]], 9, "delimiter", "1 to 4"),
      ([[1], []], 9, "delimiter", "1 to 8 bytes each"),
      ([[UInt8](repeating: 1, count: 9)], 9, "delimiter", "1 to 8 bytes each"),
      (
        [[0x0d], [0x0d, 0x0a]], 9, "delimiter",
        "no 0D 0A, as each packet ends at the 0D inside it"
      ),
      (
        [[1, 2, 3, 4], [2, 3]], 9, "delimiter",
        "no 01 02 03 04, as each packet ends at the 02 03 inside it"
      ),
      ([[1, 2]], 1, "max", "at least the 2 bytes of the longest delimiter, and at most 64MiB"),
      (
        [[1, 2]], (64 << 20) + 1, "max",
        "at least the 2 bytes of the longest delimiter, and at most 64MiB"
      ),
    ]
    for (delimiters, maximum, key, expected) in table {
      let error = FramerDefinitionError(key: key, expected: expected)
      #expect(throws: error, "\(delimiters)") {
        _ = try DelimiterFramer(delimiters: delimiters, packetBytesMax: maximum)
      }
    }
  }

  @Test func aDelimiterMayEndWithAnother() throws {
    let framer = try DelimiterFramer(
      delimiters: [[1, 2], [2], [9, 1, 2], [UInt8](repeating: 7, count: 8)], packetBytesMax: 8)
    #expect(framer.delimiters == [[1, 2], [2], [9, 1, 2], [UInt8](repeating: 7, count: 8)])
    #expect(framer.bounds.maximum == 8)
  }

  @Test func anOperatorSeesItsBytes() throws {
    let shown = try framer([0x0a], [0x0d, 0x0a]).description
    #expect(shown == "delimiter (ends with 0A or 0D 0A, max 4096 bytes)")
  }
}
