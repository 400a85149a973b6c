import Primitives

@testable import Upstream

let anyUUID = "01234567-89ab-4cde-8f01-23456789abcd"
let anyTime = "2026-01-31T23:59:59.123Z"
let anyTimeMilliseconds: UInt64 = 1_769_903_999_123

func uuid(_ number: UInt64) -> String {
  let digits = String(number, radix: 16)
  return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
}

/// The `InputStreamRequest` of a packet, without gRPC's prefix.
func inputMessage(_ payload: [UInt8], uuid: String = anyUUID) -> [UInt8] {
  Wire.text(1, anyTime) + Wire.text(2, uuid) + Wire.bytes(3, payload)
}

func randomBytes(_ count: Int, using random: inout SeededRandom) -> [UInt8] {
  (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }
}

/// All bytes of a queue that was filled by `fill`.
func written(_ fill: (inout ByteQueue) -> Void) -> [UInt8] {
  var queue = ByteQueue()
  fill(&queue)
  return Array(queue.readable)
}
