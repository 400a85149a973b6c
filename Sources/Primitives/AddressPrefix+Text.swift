extension AddressPrefix: CustomStringConvertible {
  /// Takes `192.0.2.7`, `192.0.2.0/24`, `2001:db8::7` and `2001:db8::/32`; `::ffff:192.0.2.7` is
  /// the IPv4 address in it.
  ///
  /// Without a length it is one address. Zone ids (RFC 4007 section 11) name an interface of one
  /// machine and are refused.
  ///
  /// - Parameter clearingHostBits: Whether bits behind the prefix are cleared. Otherwise they make
  ///   the text wrong, so that who means 192.0.2.7 does not ban a network by a typing error.
  /// - Returns: nil when the text is anything else.
  public init?(text: String, clearingHostBits: Bool = false) {
    self.init(text: text.utf8.span, clearingHostBits: clearingHostBits)
  }

  /// The same out of a file, without a copy of the text.
  public init?(text: Span<UInt8>, clearingHostBits: Bool = false) {
    // An address, a slash and three digits.
    guard text.count <= AddressText.byteCountMax + 4 else { return nil }
    var addressEnd = text.count
    var isIPv6 = false
    for index in 0..<text.count {
      if text[index] == UInt8(ascii: ":") { isIPv6 = true }
      if text[index] == UInt8(ascii: "/") {
        addressEnd = index
        break
      }
    }
    let address = text.extracting(0..<addressEnd)
    guard let bytes = isIPv6 ? AddressText.ipv6(address) : AddressText.ipv4(address) else {
      return nil
    }
    var bitCount = 128
    if addressEnd < text.count {
      var index = addressEnd + 1
      guard let length = AddressText.readDecimal(text, from: &index), index == text.count,
        length <= (isIPv6 ? 128 : 32)
      else { return nil }
      bitCount = isIPv6 ? length : 96 + length
    }
    let whole = AddressPrefix(bytes, bitCount: 128)
    self.init(bytes, bitCount: UInt8(bitCount))
    guard clearingHostBits || (high == whole.high && low == whole.low) else { return nil }
  }

  /// `192.0.2.0/24` or `2001:db8::/32`, with addresses in the canonical form of RFC 5952 section 4;
  /// one address has no length behind it.
  public var description: String {
    let host = SocketAddress(ipv6: bytes, port: 0).host
    if bitCount == 128 { return host }
    return isIPv4 ? "\(host)/\(bitCount - 96)" : "\(host)/\(bitCount)"
  }
}
