import Framing
import Testing

@Suite struct RawFramerTests {
  @Test func whatIsThereIsOnePacket() throws {
    for byteCount in [1, 2, 3, 1_460, 65_536, 1 << 20] {
      let step = try Framer.raw.step([UInt8](repeating: 0, count: byteCount))
      #expect(step == .packet(byteCount: byteCount))
    }
  }

  @Test func eachReadIsOnePacketAndNothingIsKept() throws {
    var cutter = try StreamCutter(.raw)
    cutter.read([1])
    cutter.read([2, 3])
    cutter.read([])
    cutter.read([4, 5, 6])
    #expect(cutter.packets == [[1], [2, 3], [4, 5, 6]])
    #expect(cutter.tail.isEmpty)
    #expect(cutter.violation == nil)
  }
}
