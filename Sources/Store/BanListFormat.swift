/// How a list of bans is written in a file.
public enum BanListFormat: String, CaseIterable, Sendable {
  /// An address, network, range or `account:NAME` a line; what comes after `#` or `;` is a remark,
  /// as in the lists of FireHOL and Spamhaus DROP.
  case plain
  /// Comma-separated values (RFC 4180) with a line of column names first.
  case csv
  /// An object a line, or an array with an object a line.
  case json
  /// `name:192.0.2.1-192.0.2.255`, the text form of PeerGuardian's lists.
  case p2p
  /// `192.0.2.1 - 192.0.2.255 , 0 , name`, the form of eMule's ipfilter.dat; levels above 127
  /// do not block.
  case dat

  /// The most likely format of a file, from its first bytes; ``plain`` when nothing tells.
  public static func detect(_ start: some Sequence<UInt8>) -> BanListFormat {
    let bytes = Array(start.prefix(65_536))
    for line in bytes.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
      let text = BanListText.trimmed(String(decoding: line, as: UTF8.self))
      if text.isEmpty || text.hasPrefix("#") || text.hasPrefix(";") { continue }
      if text.hasPrefix("{") || text.hasPrefix("[") { return .json }
      if BanListColumns.areNamed(in: text) { return .csv }
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      if parts.count >= 2, BanListText.range(parts[0]) != nil { return .dat }
      if let colon = text.lastIndex(of: ":"), !text.hasPrefix("account:"),
        BanListText.ipv4Range(text[text.index(after: colon)...]) != nil
      {
        return .p2p
      }
      return .plain
    }
    return .plain
  }
}
