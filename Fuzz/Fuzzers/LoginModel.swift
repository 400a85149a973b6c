import Auth

/// What a field's form takes from the front of a packet, written as plainly as can be.
enum LoginModel {
  enum Outcome: Equatable {
    case value([UInt8])
    case missing
    case repeated
  }

  static func outcome(_ form: LoginField.Form, _ packet: [UInt8]) -> Outcome {
    if case .pair(let key, let valueSeparator, let pairSeparator) = form {
      return pair(Array(key.utf8), valueSeparator, pairSeparator, trimmed(packet))
    }
    guard let value = value(form, packet) else { return .missing }
    return .value(value)
  }

  private static func value(_ form: LoginField.Form, _ packet: [UInt8]) -> [UInt8]? {
    switch form {
    case .fixed(let width, let padding):
      guard var bytes = prefix(width, of: packet) else { return nil }
      switch padding {
      case .zero: return Array(bytes.prefix { $0 != 0 })
      case .space:
        while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
        return bytes
      }
    case .zeroTerminated: return packet.contains(0) ? Array(packet.prefix { $0 != 0 }) : nil
    case .lengthPrefixed(let integer):
      guard let count = number(integer, packet) else { return nil }
      let rest = Array(packet.dropFirst(integer.width))
      return count > UInt64(rest.count) ? nil : Array(rest.prefix(Int(count)))
    case .varintPrefixed: return behindVarint(packet)
    case .integer(let integer, let rendering):
      guard let value = number(integer, packet) else { return nil }
      var digits = String(value, radix: rendering == .hex ? 16 : 10)
      while rendering == .hex, digits.utf8.count < integer.width * 2 { digits = "0" + digits }
      return Array(digits.utf8)
    case .bytes(let width): return prefix(width, of: packet)
    case .word(let number, let toEnd): return word(number, toEnd, line(packet))
    case .line: return line(packet)
    case .split(let number, let delimiter):
      let parts = split(trimmed(packet), delimiter)
      return parts.indices.contains(number &- 1) ? parts[number - 1] : nil
    case .rest: return packet
    case .pair: return nil
    }
  }

  private static func prefix(_ width: Int, of packet: [UInt8]) -> [UInt8]? {
    width < 0 || width > packet.count ? nil : Array(packet.prefix(width))
  }

  private static func number(_ integer: LoginInteger, _ packet: [UInt8]) -> UInt64? {
    guard let bytes = prefix(integer.width, of: packet) else { return nil }
    var value: UInt64 = 0
    for byte in integer.endianness == .big ? bytes : bytes.reversed() {
      value = value * 256 + UInt64(byte)
    }
    return value
  }

  private static func behindVarint(_ packet: [UInt8]) -> [UInt8]? {
    guard let last = packet.prefix(5).firstIndex(where: { $0 < 128 }) else { return nil }
    var count: UInt64 = 0
    for byte in packet[...last].reversed() { count = count * 128 + UInt64(byte & 127) }
    let rest = packet[(last + 1)...]
    return count > UInt64(rest.count) ? nil : Array(rest.prefix(Int(count)))
  }

  private static func line(_ packet: [UInt8]) -> [UInt8] {
    var line = Array(packet.prefix { $0 != 0x0a })
    if line.last == 0x0d { line.removeLast() }
    return line
  }

  private static func word(_ number: Int, _ toEnd: Bool, _ line: [UInt8]) -> [UInt8]? {
    var starts: [Int] = []
    for index in line.indices where line[index] != 0x20 && line[index] != 9 {
      if index == 0 || line[index - 1] == 0x20 || line[index - 1] == 9 { starts.append(index) }
    }
    guard starts.indices.contains(number &- 1) else { return nil }
    let rest = line[starts[number - 1]...]
    return toEnd ? Array(rest) : Array(rest.prefix { $0 != 0x20 && $0 != 9 })
  }

  private static func trimmed(_ packet: [UInt8]) -> [UInt8] {
    var bytes = packet
    while let last = bytes.last, last == 0 || last == 0x0a || last == 0x0d { bytes.removeLast() }
    return bytes
  }

  private static func split(_ bytes: [UInt8], _ separator: [UInt8]) -> [[UInt8]] {
    guard !separator.isEmpty else { return [bytes] }
    var parts: [[UInt8]] = [[]]
    var at = 0
    while at < bytes.count {
      if bytes[at...].starts(with: separator) {
        parts.append([])
        at += separator.count
      } else {
        parts[parts.count - 1].append(bytes[at])
        at += 1
      }
    }
    return parts
  }

  private static func pair(
    _ key: [UInt8], _ valueSeparator: [UInt8], _ pairSeparator: [UInt8], _ bytes: [UInt8]
  ) -> Outcome {
    guard !valueSeparator.isEmpty else { return .missing }
    var found: [[UInt8]] = []
    if valueSeparator == pairSeparator {
      let skips = bytes.starts(with: pairSeparator)
      let parts = split(
        Array(skips ? bytes.dropFirst(pairSeparator.count) : bytes[...]), pairSeparator)
      for index in stride(from: 0, to: parts.count - 1, by: 2) where parts[index] == key {
        found.append(parts[index + 1])
      }
    } else {
      for pair in split(bytes, pairSeparator) {
        let parts = split(pair, valueSeparator)
        guard parts.count > 1, parts[0] == key else { continue }
        found.append(Array(pair.dropFirst(key.count + valueSeparator.count)))
      }
    }
    if found.count > 1 { return .repeated }
    return found.first.map { .value($0) } ?? .missing
  }
}
