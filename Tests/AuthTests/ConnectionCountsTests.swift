import Primitives
import Testing

@testable import Auth

@Suite struct ConnectionCountsTests {
  private func key(_ number: Int) -> AddressPrefix {
    AddressPrefix(
      SocketAddress(
        ipv4: 10, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255), port: 0)
    )
  }

  @Test func countsAreExact() {
    var random = SeededRandom(seed: 31)
    var counts = ConnectionCounts()
    var open: [AddressPrefix] = []
    var model: [AddressPrefix: Int] = [:]
    for _ in 0..<20_000 {
      let key = key(Int.random(in: 0..<300, using: &random))
      if !open.isEmpty, Int.random(in: 0..<100, using: &random) < 48 {
        let index = Int.random(in: 0..<open.count, using: &random)
        open.swapAt(index, open.count - 1)
        let closed = open.removeLast()
        counts.close(closed)
        model[closed]! -= 1
      } else {
        open.append(key)
        model[key, default: 0] += 1
        #expect(counts.open(key) == model[key])
      }
      #expect(counts.count(key) == model[key, default: 0])
    }
    #expect(counts.keyCount == model.values.count { $0 > 0 })
  }

  @Test func memoryOfACrowdIsGivenBack() {
    var counts = ConnectionCounts()
    for number in 0..<50_000 { counts.open(key(number)) }
    #expect(counts.capacity >= 50_000)
    for number in 1..<50_000 { counts.close(key(number)) }
    #expect(counts.keyCount == 1)
    #expect(counts.count(key(0)) == 1)
    #expect(counts.capacity < 2048)
  }
}
