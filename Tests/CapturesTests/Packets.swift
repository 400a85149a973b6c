import Primitives

@testable import Captures

/// Packets byte by byte, independent of what the writer makes.
enum Packets {
  static func tcp(
    from: UInt16 = 50_000, to: UInt16 = 7171, sequence: UInt32 = 1, flags: UInt8 = 0x10,
    options: Int = 0, _ payload: [UInt8] = []
  ) -> [UInt8] {
    bytes(from) + bytes(to) + bytes(sequence) + bytes(UInt32(77))
      + [UInt8(5 + options) << 4, flags, 0xff, 0xff, 0, 0, 0, 0]
      + [UInt8](repeating: 1, count: options * 4) + payload
  }

  static func ipv4(
    _ payload: [UInt8], protocolNumber: UInt8 = 6, fragment: UInt16 = 0x4000, total: Int? = nil
  ) -> [UInt8] {
    [0x45, 0] + bytes(UInt16(total ?? 20 + payload.count)) + [0, 1] + bytes(fragment)
      + [64, protocolNumber, 0, 0, 192, 0, 2, 7, 198, 51, 100, 1] + payload
  }

  /// - Parameter headers: each with its number, behind the fixed header.
  static func ipv6(_ payload: [UInt8], headers: [(UInt8, [UInt8])] = []) -> [UInt8] {
    var chain = headers
    for index in chain.indices {
      chain[index].1[0] = index + 1 < chain.count ? chain[index + 1].0 : 6
    }
    let extensions = chain.flatMap(\.1)
    return [0x60, 0, 0, 0] + bytes(UInt16(extensions.count + payload.count))
      + [chain.first?.0 ?? 6, 64] + address(7) + address(1) + extensions + payload
  }

  static func address(_ last: UInt8) -> [UInt8] {
    [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
  }

  static func ethernet(_ packet: [UInt8], type: UInt16, tags: [UInt16] = []) -> [UInt8] {
    [UInt8](repeating: 2, count: 12) + tags.flatMap { bytes($0) + [0, 5] } + bytes(type) + packet
  }

  static func bytes(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

  static func bytes(_ value: UInt32) -> [UInt8] {
    bytes(UInt16(value >> 16)) + bytes(UInt16(value & 0xffff))
  }
}

/// The packets of a .pcap file in nanoseconds and little-endian form, read in the plainest way.
func records(of file: [UInt8]) -> [(time: UInt64, packet: [UInt8])] {
  func word(_ at: Int) -> UInt64 {
    (0..<4).reduce(0) { $0 | UInt64(file[at + $1]) << (8 * UInt64($1)) }
  }
  var found: [(UInt64, [UInt8])] = []
  var place = 24
  while place < file.count {
    let count = Int(word(place + 8))
    let packet = Array(file[place + 16..<place + 16 + count])
    found.append((word(place) * 1_000_000_000 + word(place + 4), packet))
    place += 16 + count
  }
  return found
}
