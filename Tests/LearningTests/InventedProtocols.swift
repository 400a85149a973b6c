import Learning
import Primitives

/// Streams of protocols that nobody speaks, and where their packets end.
struct InventedProtocol: CustomTestStringConvertible, Sendable {
  var name: String
  /// Bytes in front of the first packet.
  var prelude: [UInt8] = []
  /// One packet.
  var packet: @Sendable (inout SeededRandom, _ index: Int) -> [UInt8]

  var testDescription: String { name }

  func streams(
    seed: UInt64, count: Int = 5, packets: ClosedRange<Int> = 5...25
  ) -> (streams: [LearningStream], ends: [[Int]]) {
    var random = SeededRandom(seed: seed)
    var streams: [LearningStream] = []
    var all: [[Int]] = []
    for _ in 0..<count {
      var bytes = prelude
      var ends = prelude.isEmpty ? [] : [prelude.count]
      for index in 0..<Int.random(in: packets, using: &random) {
        bytes += packet(&random, index)
        ends.append(bytes.count)
      }
      streams.append(LearningStream(bytes: bytes))
      all.append(ends)
    }
    return (streams, all)
  }
}

import Testing

/// A body as binary protocols have them: small numbers, many zeros.
func binary(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
  (0..<count).map { _ in
    Bool.random(using: &random)
      ? 0 : UInt8.random(in: 0...(Bool.random(using: &random) ? 9 : 255), using: &random)
  }
}

func noise(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
  (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}

func words(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
  let all = ["the", "quick", "brown", "fox", "attack", "buy", "guild", "north", "10", "hello"]
  var text: [UInt8] = []
  while text.count < count { text += Array((all.randomElement(using: &random)! + " ").utf8) }
  return Array(text.prefix(count))
}

private func length(_ random: inout SeededRandom) -> Int {
  [
    1, 2, 4, 8, 12, Int.random(in: 3...60, using: &random),
    Int.random(in: 20...400, using: &random),
  ]
  .randomElement(using: &random)!
}

private func opcode(_ random: inout SeededRandom) -> UInt8 {
  [1, 2, 3, 5, 5, 9, 33].randomElement(using: &random)!
}

private func big(_ value: Int, _ width: Int) -> [UInt8] {
  (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private func leb128(_ value: Int) -> [UInt8] {
  value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + leb128(value >> 7)
}

/// Opcode and body behind a length of `width` bytes that counts them and `more`.
private func prefixed(
  _ name: String, _ width: Int, isLittle: Bool = false, more: Int = 0, prelude: [UInt8] = [],
  body: @escaping @Sendable (Int, inout SeededRandom) -> [UInt8] = { binary($0, &$1) }
) -> InventedProtocol {
  InventedProtocol(name: name, prelude: prelude) { random, _ in
    let count = width == 1 ? length(&random) % 200 : length(&random)
    let rest = [opcode(&random)] + body(count, &random)
    let field = big(rest.count + more, width)
    return (isLittle ? field.reversed() : field) + rest
  }
}

let lengthProtocols: [InventedProtocol] = [
  prefixed("2 bytes, little, rest", 2, isLittle: true),
  prefixed("2 bytes, big, packet", 2, more: 2),
  prefixed("4 bytes, big, text behind", 4) { words($0, &$1) },
  prefixed("4 bytes, little, noise behind", 4, isLittle: true) { noise($0, &$1) },
  prefixed("1 byte, rest", 1),
  prefixed("greeting, then 2 bytes", 2, prelude: Array("GAME\r\n\r\n".utf8)),
  InventedProtocol(name: "opcode, then 2 bytes, odd count") { random, _ in
    let body = binary(length(&random), &random)
    return [opcode(&random)] + big(body.count + 1, 2).reversed() + body
  },
  InventedProtocol(name: "constants around") { random, _ in
    let body = [opcode(&random)] + binary(length(&random), &random)
    return [0xAA, 0x55] + big(body.count, 2).reversed() + body + [0x55, 0xAA]
  },
  InventedProtocol(name: "LEB128") { random, _ in
    let body = [opcode(&random)] + binary(2 * length(&random), &random)
    return leb128(body.count) + body
  },
  InventedProtocol(name: "base-64 digits") { random, _ in
    let body = [64, 64 + opcode(&random) % 8] + words(length(&random), &random)
    return [12, 6, 0].map { UInt8(64 + (body.count >> $0 & 63)) } + body
  },
  InventedProtocol(name: "decimal, terminated") { random, _ in
    let body = words(length(&random), &random)
    return Array("\(body.count):".utf8) + body + Array(",".utf8)
  },
  InventedProtocol(name: "XOR of two fields, noise behind") { random, _ in
    let body = noise(2 + length(&random), &random)
    let key = noise(2, &random)
    let field = big(body.count, 2).reversed()
    return key + zip(key, field).map { $0 ^ $1 } + body
  },
  InventedProtocol(name: "top bit is a flag") { random, _ in
    let body = binary(length(&random), &random)
    let flag = Bool.random(using: &random) ? 0x8000 : 0
    return big(body.count | flag, 2).reversed() + [opcode(&random), 0x50] + body
  },
  InventedProtocol(name: "units of 4 bytes") { random, _ in
    let units = Int.random(in: 0...40, using: &random)
    return [opcode(&random), UInt8(units)] + binary(4 * units + 2, &random)
  },
  InventedProtocol(name: "first byte chooses") { random, index in
    let body = [opcode(&random)] + binary(length(&random), &random)
    if body.count < 200 && index % 5 != 1 {
      return [index % 3 == 0 ? 0xC3 : 0xC1, UInt8(body.count + 2)] + body
    }
    return [0xC2] + big(body.count + 3, 2) + body
  },
  InventedProtocol(name: "12 bytes each") { random, index in
    [opcode(&random), 0, 7] + big(index, 4).reversed() + binary(5, &random)
  },
]

let textProtocols: [InventedProtocol] = [
  InventedProtocol(name: "LF") { random, _ in words(length(&random) / 4 + 1, &random) + [10] },
  InventedProtocol(name: "CR LF") { random, _ in words(length(&random) / 4 + 1, &random) + [13, 10]
  },
  InventedProtocol(name: "NUL, lines inside") { random, index in
    Array("<m id='\(index)'>".utf8) + words(length(&random) / 4, &random)
      + (index % 2 == 0 ? [10] : []) + Array("</m>".utf8) + [0]
  },
  InventedProtocol(name: "LF NUL") { random, _ in words(length(&random) / 4 + 1, &random) + [10, 0]
  },
  InventedProtocol(name: "FF") { random, _ in words(length(&random) / 4 + 1, &random) + [255] },
  InventedProtocol(name: "a word ends") { random, _ in
    Array("\\cmd\\".utf8) + words(length(&random) / 4 + 1, &random) + Array("\\final\\".utf8)
  },
  InventedProtocol(name: "NUL, dashes, NUL") { random, _ in
    Array("{\"a\": \"".utf8) + words(length(&random) / 4 + 1, &random) + Array("\"}".utf8)
      + [0, 45, 45, 45, 0]
  },
  InventedProtocol(name: "telnet") { random, index in
    guard index > 3 else {
      return [[255, 251, 24], [255, 253, 31], [255, 250, 31, 0, 80, 10, 255, 240]][index % 3]
    }
    return words(length(&random) / 8 + 1, &random) + [13, 10]
  },
]

/// Each opcode has a size of its own, and nothing says so.
let tableProtocol = InventedProtocol(name: "table") { random, index in
  let sizes: [UInt8: Int] = [0x80: 62, 0x73: 2, 0x34: 10, 0x12: 7]
  let opcode = index == 0 ? 0x80 : sizes.keys.sorted().randomElement(using: &random)!
  let name = words(Int.random(in: 1...6, using: &random), &random)
  let body = noise(1, &random) + (sizes[opcode]! > 8 ? name : [])
  return [opcode] + (body + Array(repeating: 0, count: 64)).prefix(sizes[opcode]! - 1)
}
