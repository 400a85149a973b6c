/// Telnet's commands, which clients send before, between and inside lines (RFC 854, RFC 855).
enum TelnetCommands {
  private static let interpretAsCommand: UInt8 = 255
  private static let subnegotiation: UInt8 = 250
  private static let subnegotiationEnd: UInt8 = 240
  /// WILL, WONT, DO and DONT, which an option follows.
  private static let negotiations: ClosedRange<UInt8> = 251...254

  /// The data alone: without commands, and with a doubled 255 as one.
  ///
  /// A command that is cut off by the end is left out.
  static func stripped(from bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(interpretAsCommand) else { return bytes }
    var data: [UInt8] = []
    var at = 0
    while at < bytes.count {
      guard bytes[at] == interpretAsCommand else {
        data.append(bytes[at])
        at += 1
        continue
      }
      guard at + 1 < bytes.count else { break }
      switch bytes[at + 1] {
      case interpretAsCommand:
        data.append(interpretAsCommand)
        at += 2
      case negotiations: at += 3
      case subnegotiation: at = subnegotiationEnd(in: bytes, from: at + 2)
      default: at += 2
      }
    }
    return data
  }

  private static func subnegotiationEnd(in bytes: [UInt8], from start: Int) -> Int {
    var at = start
    while at + 1 < bytes.count {
      if bytes[at] == interpretAsCommand {
        if bytes[at + 1] == subnegotiationEnd { return at + 2 }
        at += 2
      } else {
        at += 1
      }
    }
    return bytes.count
  }
}
