import Framing
import Testing

/// Goal: a packet that is not taken yet, because no worker can take it, is found again as it was.
@Suite struct AskedAgainTests {
  private func framers() throws -> [Framer] {
    let lines = try DelimiterFramer(delimiters: [[0x0a]], packetBytesMax: 64)
    let telnet = try DelimiterFramer(delimiters: [[0x0a]], isTelnet: true, packetBytesMax: 64)
    let prelude = try SequenceFramer.Step(framer: .fixed(FixedFramer(size: 2)), until: .packets(1))
    return [
      .delimiter(lines), .delimiter(telnet),
      .sequence(try SequenceFramer(steps: [prelude], last: .delimiter(telnet))),
    ]
  }

  @Test func theAnswerIsTheSame() throws {
    let streams: [[UInt8]] = [
      Array("abc\ndef\n".utf8), [0xff, 0xfb, 1, 0x61, 0x0a, 0xff, 0xff, 0x0a],
      [0x61, 0xff, 0xfa, 1, 0x0a, 0xff, 0xf0, 0x62, 0x0a, 0xff, 0xf9, 0x0a],
    ]
    for framer in try framers() {
      for stream in streams {
        for place in 1...stream.count {
          var once = try StreamCutter(framer)
          once.read(stream)
          var again = try StreamCutter(framer, asksTwice: true)
          again.read(stream[..<place])
          again.read(stream[place...])
          #expect(again.packets == once.packets, "\(framer), \(stream), cut at \(place)")
          #expect(again.tail == once.tail, "\(framer), \(stream), cut at \(place)")
        }
      }
    }
  }
}
