import Framing
import Testing

@Suite struct DelimiterFramerTests {
  private typealias DefinitionError = DelimiterFramer.DefinitionError

  private func framer(_ delimiters: [UInt8]..., maximum: Int = 4_096) throws -> Framer {
    .delimiter(try DelimiterFramer(delimiters: delimiters, packetBytesMax: maximum))
  }

  @Test func aPacketEndsWithItsDelimiter() throws {
    let lines = try framer([0x0a])
    #expect(lines.step([1, 2, 0x0a]) == .packet(byteCount: 3))
    #expect(lines.step([0x0a, 0x0a]) == .packet(byteCount: 1))
    #expect(lines.step([1, 2, 0x0a, 3, 0x0a]) == .packet(byteCount: 3))
    #expect(lines.step([1, 2, 3]) == .needAnyMore)
    let dofus = try framer([0x0a, 0x00])
    #expect(dofus.step([1, 0x0a, 0x0a, 0x00, 1]) == .packet(byteCount: 4))
    #expect(dofus.step([0x00, 0x0a]) == .needAnyMore)
  }

  @Test func theAlternativeThatEndsFirstWins() throws {
    let lines = try framer([0x0a], [0x0d, 0x0a], [0x00])
    #expect(lines.step([1, 0x0d, 0x0a, 2]) == .packet(byteCount: 3))
    #expect(lines.step([1, 0x0a, 0x0d, 0x0a]) == .packet(byteCount: 2))
    #expect(lines.step([1, 0x00, 0x0a]) == .packet(byteCount: 2))
    #expect(lines.step([1, 0x0d]) == .needAnyMore)
  }

  /// Goal: what stands in front of a stream is not taken for zeros.
  @Test func leadingZerosOfADelimiterMustBeThere() throws {
    let framer = try framer([0, 0, 7])
    #expect(framer.step([7, 1]) == .needAnyMore)
    #expect(framer.step([0, 7, 1]) == .needAnyMore)
    #expect(framer.step([0, 0, 7, 1]) == .packet(byteCount: 3))
    let front: [UInt8] = [0]
    #expect(framer.missing(behind: front, in: [7, 0, 0, 7]) == 4)
    #expect(framer.missing(behind: front, in: [0, 7]) == 2)
  }

  @Test func theMaximumIsInclusive() throws {
    let framer = try framer([0x0a], maximum: 10)
    let nine = [UInt8](repeating: 1, count: 9)
    #expect(framer.step(nine) == .needAnyMore)
    #expect(framer.step(nine + [0x0a, 5]) == .packet(byteCount: 10))
    #expect(framer.step(nine + [1, 0x0a]) == .violation(.noDelimiter(maximum: 10)))
    #expect(framer.step(nine + [1]) == .violation(.noDelimiter(maximum: 10)))
  }

  /// Goal: what was scanned is not looked at again, but for the front of a delimiter.
  @Test func whatWasScannedIsPassedOver() throws {
    let framer = try framer([0x0d, 0x0a])
    let stream: [UInt8] = [1, 0x0d, 0x0a, 1, 1, 1, 1, 1, 1, 1, 1, 0x0d, 0x0a]
    #expect(stream.withUnsafeBytes { framer.step($0, scanned: 3) } == .packet(byteCount: 13))
    #expect(stream.withUnsafeBytes { framer.step($0, scanned: 12) } == .packet(byteCount: 13))
    #expect(stream.withUnsafeBytes { framer.step($0, scanned: 13) } == .needAnyMore)
    #expect(stream.withUnsafeBytes { framer.step($0, scanned: 2) } == .packet(byteCount: 3))
  }

  @Test func definitionsOutOfBoundsSayWhatIsWrong() {
    let table: [(delimiters: [[UInt8]], maximum: Int, error: DefinitionError)] = [
      ([], 9, .countOutOfRange(0)),
      ([[1], [2], [3], [4], [5]], 9, .countOutOfRange(5)),
      ([[1], []], 9, .byteCountOutOfRange(0, at: 1)),
      ([[UInt8](repeating: 1, count: 9)], 9, .byteCountOutOfRange(9, at: 0)),
      ([[0x0d], [0x0d, 0x0a]], 9, .hidden(at: 1, by: 0)),
      ([[1, 2, 3, 4], [2, 3]], 9, .hidden(at: 0, by: 1)),
      ([[1, 2]], 1, .maximumOutOfRange(1, minimum: 2)),
      ([[1, 2]], (64 << 20) + 1, .maximumOutOfRange((64 << 20) + 1, minimum: 2)),
    ]
    for (delimiters, maximum, error) in table {
      #expect(throws: error, "\(delimiters)") {
        _ = try DelimiterFramer(delimiters: delimiters, packetBytesMax: maximum)
      }
    }
  }

  @Test func aDelimiterMayEndWithAnother() throws {
    let framer = try DelimiterFramer(
      delimiters: [[1, 2], [2], [9, 1, 2], [UInt8](repeating: 7, count: 8)], packetBytesMax: 8)
    #expect(framer.delimiters == [[1, 2], [2], [9, 1, 2], [UInt8](repeating: 7, count: 8)])
    #expect(framer.packetBytesMax == 8)
  }

  @Test func anOperatorSeesItsBytes() throws {
    let shown = try framer([0x0a], [0x0d, 0x0a]).description
    #expect(shown == "delimiter (ends with 0A or 0D 0A, max 4096 bytes)")
  }
}
