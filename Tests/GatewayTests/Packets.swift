import Framing
import Primitives

/// Packets of ``Framer/short``: two bytes of length, big endian, and as many bytes of body.
enum Packets {
  static func make(_ body: [UInt8]) -> [UInt8] {
    [UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
  }

  /// Mostly short, sometimes of some thousand bytes, rarely empty.
  static func random(using random: inout SeededRandom) -> [UInt8] {
    let most = UInt8.random(in: 0..<8, using: &random) == 0 ? 5000 : 40
    let byteCount = Int.random(in: 0...most, using: &random)
    return make((0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) })
  }

  /// The whole packets at the front of `bytes`, and what is left.
  static func split(_ bytes: [UInt8]) -> (bodies: [[UInt8]], rest: [UInt8]) {
    var bodies: [[UInt8]] = []
    var at = 0
    while at + 2 <= bytes.count {
      let end = at + 2 + (Int(bytes[at]) << 8 | Int(bytes[at + 1]))
      guard end <= bytes.count else { break }
      bodies.append(Array(bytes[at + 2..<end]))
      at = end
    }
    return (bodies, Array(bytes[at...]))
  }
}

extension Framer {
  static let short = lengthPrefix(bytesMax: 65_537)

  /// - Parameter bytesMax: the longest packet, header included.
  static func lengthPrefix(width: Int = 2, bytesMax: Int) -> Framer {
    do {
      return .lengthPrefix(
        try LengthPrefixFramer(lengthWidth: width, packetBytesMax: bytesMax))
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
