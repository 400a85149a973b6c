import Framing
import Testing

/// Goal: lines with telnet's commands among them, by hand from RFC 854 and RFC 855.
@Suite struct TelnetTests {
  /// As RFC 854 and RFC 855 name them.
  private enum Byte {
    static let iac: UInt8 = 255
    static let will: UInt8 = 251
    static let doIt: UInt8 = 253
    static let sb: UInt8 = 250
    static let se: UInt8 = 240
    static let goAhead: UInt8 = 249
    static let nop: UInt8 = 241
    static let terminalType: UInt8 = 24
  }

  private func framer(
    _ delimiters: [[UInt8]] = [[0x0A]], keeps: Bool = true, maximum: Int = 40
  ) throws -> Framer {
    .delimiter(
      try DelimiterFramer(
        delimiters: delimiters, keepsDelimiter: keeps, isTelnet: true, packetBytesMax: maximum))
  }

  /// The packets, in whatever pieces the stream comes.
  private func packets(
    _ stream: [UInt8], _ framer: Framer
  ) throws -> (packets: [[UInt8]], dropped: [Int], tail: [UInt8]) {
    var whole = try StreamCutter(framer)
    whole.read(stream)
    for place in stream.indices {
      var cutter = try StreamCutter(framer)
      cutter.read(stream[..<place])
      cutter.read(stream[place...])
      #expect(cutter.packets == whole.packets, "cut at \(place)")
      #expect(cutter.dropped == whole.dropped, "cut at \(place)")
    }
    var single = try StreamCutter(framer)
    for byte in stream { single.read([byte]) }
    #expect(single.packets == whole.packets)
    return (whole.packets, whole.dropped, whole.tail)
  }

  @Test func commandsAtTheFrontArePacketsOfTheirOwn() throws {
    let commands: [[UInt8]] = [
      [Byte.iac, Byte.will, Byte.terminalType], [Byte.iac, Byte.doIt, 10],
      [Byte.iac, Byte.nop], [Byte.iac, Byte.goAhead],
      [Byte.iac, Byte.sb, Byte.terminalType, 0, 0x0A, 0x61, Byte.iac, Byte.se],
    ]
    let line: [UInt8] = [0x61, 0x0A]
    let found = try packets(commands.flatMap { $0 } + line, framer())
    #expect(found.packets == commands + [line])
    #expect(found.tail.isEmpty)
  }

  @Test func commandsInsideALineArePartsOfIt() throws {
    let line: [UInt8] =
      [0x61, Byte.iac, Byte.doIt, 0x0A, 0x62]
      + [Byte.iac, Byte.sb, 1, 0x0A, Byte.iac, Byte.iac, 0x0A, Byte.iac, Byte.se, 0x63, 0x0A]
    #expect(try packets(line + [0x64], framer()).packets == [line])
  }

  @Test func aDoubledByteIsText() throws {
    let line: [UInt8] = [Byte.iac, Byte.iac, 0x61, 0x0A]
    #expect(try packets(line, framer()).packets == [line])
    // What stands behind it is text, even if it has a command's number.
    let other: [UInt8] = [0x61, Byte.iac, Byte.iac, Byte.sb, 0x0A]
    #expect(try packets(other, framer()).packets == [other])
  }

  @Test func inASubnegotiationADoubledByteEndsNothing() throws {
    let sub: [UInt8] = [
      Byte.iac, Byte.sb, 1, Byte.iac, Byte.iac, Byte.se, 7, Byte.iac, Byte.se,
    ]
    #expect(try packets(sub + [0x0A], framer()).packets == [sub, [0x0A]])
  }

  /// Goal: a delimiter is one only where nothing stands inside it.
  @Test func noDelimiterReachesOverACommand() throws {
    let framer = try framer([[0x0D, 0x0A]])
    let line: [UInt8] = [0x61, 0x0D, Byte.iac, Byte.nop, 0x0A, 0x62, 0x0D, 0x0A]
    #expect(try packets(line, framer).packets == [line])
    let doubled: [UInt8] = [0x0D, Byte.iac, Byte.iac, 0x0A, 0x0D, 0x0A]
    #expect(try packets(doubled, framer).packets == [doubled])
  }

  @Test func noByteOfACommandIsDroppedWithADelimiter() throws {
    let framer = try framer([[0x0A], [Byte.nop, 0x0A]], keeps: false)
    let found = try packets(
      [0x61, Byte.iac, Byte.nop, 0x0A, 0x62, Byte.nop, 0x0A], framer)
    #expect(found.packets.map(\.count) == [4, 3])
    #expect(found.dropped == [1, 2])
  }

  @Test func commandsAreHandedOnWhole() throws {
    let framer = try framer(keeps: false)
    let found = try packets([Byte.iac, Byte.nop, 0x61, 0x0A, 0x0A], framer)
    #expect(found.packets.map(\.count) == [2, 2, 1])
    #expect(found.dropped == [0, 1, 1])
  }

  @Test func anEndlessSubnegotiationIsAViolation() throws {
    let framer = try framer(maximum: 10)
    let sub = [Byte.iac, Byte.sb] + [UInt8](repeating: 0x0A, count: 7)
    #expect(try framer.step(sub) == .needAnyMore)
    #expect(try framer.step(sub + [1]) == .violation(.noDelimiter(maximum: 10)))
    #expect(
      try framer.step(sub[..<8] + [Byte.iac, Byte.se]) == .packet(byteCount: 10))
    #expect(
      try framer.step(sub + [Byte.iac, Byte.se]) == .violation(.noDelimiter(maximum: 10)))
  }

  @Test func halfACommandIsNoPacket() throws {
    for bytes in [
      [Byte.iac], [Byte.iac, Byte.will], [Byte.iac, Byte.sb], [Byte.iac, Byte.sb, 1, Byte.iac],
    ] {
      #expect(try framer().step(bytes) == .needAnyMore)
    }
  }
}
