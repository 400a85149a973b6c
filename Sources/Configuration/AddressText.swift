internal import Primitives

/// A host and a port out of a configuration file, checked as far as that goes without a resolver.
struct HostPort: Equatable {
  /// A host name, an IPv4 address, or an IPv6 address without brackets.
  var host: String
  var port: UInt16

  /// What is wrong with a text.
  struct Failure: Error {
    let message: String
    var suggestion: String?
  }

  /// Takes `192.0.2.7:7999`, `[::1]:7999` or `host.example:7999`.
  static func parse(_ text: String) -> Result<HostPort, Failure> {
    let hostText: Substring
    let portText: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), text[end...].hasPrefix("]:") else {
        return .failure(Failure(message: "no \"]:\" ends the IPv6 address"))
      }
      hostText = text[text.index(after: text.startIndex)..<end]
      portText = text[end...].dropFirst(2)
      guard ipv6Bytes(hostText) != nil else {
        return .failure(Failure(message: "\"\(shown(String(hostText)))\" is not an IPv6 address"))
      }
    } else {
      guard let colon = text.lastIndex(of: ":") else {
        return .failure(Failure(message: "\"\(shown(text))\" has no port"))
      }
      hostText = text[..<colon]
      portText = text[text.index(after: colon)...]
      if hostText.contains(":") {
        return .failure(bracketsMissing(text, host: hostText, port: portText))
      }
      if let message = hostFailure(hostText) { return .failure(Failure(message: message)) }
    }
    guard let port = port(portText) else {
      return .failure(Failure(message: "\"\(shown(String(portText)))\" is not a port (1 to 65535)"))
    }
    return .success(HostPort(host: String(hostText), port: port))
  }

  /// What is wrong with a host that stands alone, without brackets; nil when nothing is.
  static func hostFailure(_ host: Substring) -> String? {
    if host.isEmpty { return "the host is empty (0.0.0.0 means every IPv4 address)" }
    if host.contains(":") {
      return ipv6Bytes(host) == nil ? "\"\(shown(String(host)))\" is not an IPv6 address" : nil
    }
    if host.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }) {
      return ipv4Bytes(host) == nil ? "\"\(shown(String(host)))\" is not an IPv4 address" : nil
    }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    let isName =
      host.utf8.count <= 253
      && labels.allSatisfy { (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(isNameByte) }
    return isName ? nil : "\"\(shown(String(host)))\" is not a host name"
  }

  /// `host:port`, with brackets around an IPv6 address.
  var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The same for every spelling of one address.
  var canonicalHost: String {
    if let bytes = Self.ipv4Bytes(host[...]) {
      return SocketAddress(ipv4: bytes[0], bytes[1], bytes[2], bytes[3], port: 0).host
    }
    if let bytes = Self.ipv6Bytes(host[...]) {
      let zone = host.firstIndex(of: "%").map { String(host[$0...]) } ?? ""
      return SocketAddress(ipv6: .init { bytes[$0] }, port: 0).host + zone
    }
    return host.lowercased()
  }

  /// True when both can't be listened on at a time.
  func collides(with other: HostPort) -> Bool {
    guard port == other.port else { return false }
    let (a, b) = (canonicalHost, other.canonicalHost)
    if a == b { return true }
    let bothIPv6 = a.contains(":") && b.contains(":")
    let bothIPv4 = Self.ipv4Bytes(a[...]) != nil && Self.ipv4Bytes(b[...]) != nil
    return bothIPv6 && (a == "::" || b == "::") || bothIPv4 && (a == "0.0.0.0" || b == "0.0.0.0")
  }

  /// True for what only programs on the same machine reach.
  var isLoopback: Bool {
    let host = canonicalHost
    return host == "::1" || host == "localhost" || Self.ipv4Bytes(host[...])?[0] == 127
  }

  private static func bracketsMissing(
    _ text: String, host: Substring, port: Substring
  ) -> Failure {
    let isAddress = ipv6Bytes(host) != nil && Self.port(port) != nil
    return Failure(
      message: "\"\(shown(text))\" has an IPv6 address without brackets",
      suggestion: isAddress ? "[\(host)]:\(port)" : nil)
  }

  private static func port(_ text: Substring) -> UInt16? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(isDigit) else { return nil }
    guard let port = UInt16(text), port > 0 else { return nil }
    return port
  }
}

private func isDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// Letters, digits, hyphens (RFC 1123 section 2.1) and the underscores that containers' names have.
private func isNameByte(_ byte: UInt8) -> Bool {
  let lower = byte | 0x20
  return isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower)
    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
}

extension HostPort {
  /// The four bytes of a dotted IPv4 address; leading zeros are refused, as some read them as
  /// octal.
  private static func ipv4Bytes(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy(isDigit),
        part == "0" || !part.hasPrefix("0"), let byte = UInt8(part)
      else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// The sixteen bytes of an IPv6 address (RFC 4291 section 2.2); a zone (RFC 4007) is passed over.
  private static func ipv6Bytes(_ text: Substring) -> [UInt8]? {
    var address = text
    if let percent = text.firstIndex(of: "%") {
      let zone = text[percent...].dropFirst()
      guard (1...15).contains(zone.utf8.count),
        zone.utf8.allSatisfy({ isNameByte($0) || $0 == UInt8(ascii: ".") })
      else { return nil }
      address = text[..<percent]
    }
    guard address.utf8.count <= 45 else { return nil }
    guard let gap = doubleColon(in: address) else {
      guard let bytes = groups(address), bytes.count == 16 else { return nil }
      return bytes
    }
    guard let front = groups(address[..<gap.lowerBound], isFront: true),
      let back = groups(address[gap.upperBound...]), front.count + back.count <= 14
    else { return nil }
    return front + Array(repeating: 0, count: 16 - front.count - back.count) + back
  }

  private static func doubleColon(in text: Substring) -> Range<Substring.Index>? {
    var index = text.startIndex
    while index < text.endIndex {
      if text[index...].hasPrefix("::") {
        return index..<text.index(index, offsetBy: 2)
      }
      index = text.index(after: index)
    }
    return nil
  }

  /// Groups of up to four hexadecimal digits; the last may be an IPv4 address, but not in front of
  /// a double colon.
  private static func groups(_ text: Substring, isFront: Bool = false) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, !isFront, let ipv4 = ipv4Bytes(part) {
        bytes += ipv4
        continue
      }
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit),
        let group = UInt16(part, radix: 16)
      else { return nil }
      bytes += [UInt8(group >> 8), UInt8(truncatingIfNeeded: group)]
    }
    return bytes
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }
}
