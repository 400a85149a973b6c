/// An IPv4 or IPv6 address with a port, without any system type.
@frozen
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// Network byte order; an IPv4 address is kept IPv4-mapped (RFC 4291 section 2.5.5.2).
  public var bytes: [16 of UInt8]
  public var port: UInt16
  /// The interface index of a link-local IPv6 address; 0 when there is none.
  public var scope: UInt32

  public init(ipv6 bytes: [16 of UInt8], port: UInt16, scope: UInt32 = 0) {
    self.bytes = bytes
    self.port = port
    self.scope = scope
  }

  public init(ipv4 a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) {
    self.init(ipv6: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d], port: port)
  }

  /// True for an address in ::ffff:0:0/96.
  public var isIPv4: Bool {
    for index in 0..<10 where bytes[index] != 0 { return false }
    return bytes[10] == 0xff && bytes[11] == 0xff
  }

  public static func == (a: SocketAddress, b: SocketAddress) -> Bool {
    for index in 0..<16 where a.bytes[index] != b.bytes[index] { return false }
    return a.port == b.port && a.scope == b.scope
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<16 { hasher.combine(bytes[index]) }
    hasher.combine(port)
    hasher.combine(scope)
  }

  /// `192.0.2.7:50112` or `[2001:db8::7]:50112` (RFC 5952).
  public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

  /// The address alone: `192.0.2.7` or `2001:db8::7`, in the canonical form of RFC 5952 section 4.
  public var host: String {
    if isIPv4 { return "\(bytes[12]).\(bytes[13]).\(bytes[14]).\(bytes[15])" }
    let groups = (0..<8).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
    let run = longestZeroRun(groups)
    var text = ""
    var index = 0
    while index < 8 {
      if let run, index == run.lowerBound {
        text += "::"
        index = run.upperBound
        continue
      }
      if !text.isEmpty && !text.hasSuffix(":") { text += ":" }
      text += String(groups[index], radix: 16)
      index += 1
    }
    return text
  }

  private func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
    var best: Range<Int>?
    var start = 0
    while start < 8 {
      var end = start
      while end < 8 && groups[end] == 0 { end += 1 }
      if end - start >= 2 && end - start > (best?.count ?? 0) { best = start..<end }
      start = max(end, start + 1)
    }
    return best
  }
}
