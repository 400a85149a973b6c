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

  /// True when the host is a name, not an address.
  var isNamed: Bool { Self.ipv4Bytes(host[...]) == nil && Self.ipv6Bytes(host[...]) == nil }

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
  /// The four bytes of a dotted IPv4 address.
  private static func ipv4Bytes(_ text: Substring) -> [UInt8]? {
    guard let bytes = AddressText.ipv4(text.utf8.span) else { return nil }
    return (12..<16).map { bytes[$0] }
  }

  /// The sixteen bytes of an IPv6 address; a zone (RFC 4007) is passed over.
  private static func ipv6Bytes(_ text: Substring) -> [UInt8]? {
    var address = text
    if let percent = text.firstIndex(of: "%") {
      let zone = text[percent...].dropFirst()
      guard (1...15).contains(zone.utf8.count),
        zone.utf8.allSatisfy({ isNameByte($0) || $0 == UInt8(ascii: ".") })
      else { return nil }
      address = text[..<percent]
    }
    guard let bytes = AddressText.ipv6(address.utf8.span) else { return nil }
    return (0..<16).map { bytes[$0] }
  }
}
