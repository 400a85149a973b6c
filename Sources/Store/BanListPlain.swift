internal import Auth
internal import Primitives

/// The list formats without columns' names.
enum BanListPlain {
  /// A line of ``BanListFormat/plain``.
  static func entries(_ line: String, line number: Int) throws(BanListProblem) -> [BanListEntry] {
    let text = BanListText.trimmed(line)
    // A name may have any of the characters that begin a remark.
    if text.hasPrefix("account:") { return [BanListEntry(try subject(text, line: number))] }
    let end = text.firstIndex { $0 == "#" || $0 == ";" } ?? text.endIndex
    let word = BanListText.trimmed(text[..<end])
    guard !word.isEmpty else { return [] }
    let remark = BanListText.trimmed(text[end...].dropFirst())
    return try subjects(word, line: number).map { subject in
      var entry = BanListEntry(subject)
      entry.internalReason = BanListPlain.reason(remark)
      return entry
    }
  }

  /// A line of ``BanListFormat/p2p``; the name may hold colons.
  static func p2p(_ line: String, line number: Int) throws(BanListProblem) -> [BanListEntry] {
    let text = BanListText.trimmed(line)
    if text.isEmpty || text.hasPrefix("#") { return [] }
    guard let colon = text.lastIndex(of: ":") else {
      throw BanListProblem(number, "no colon between a name and a range")
    }
    return try ranged(
      text[text.index(after: colon)...], name: String(text[..<colon]), line: number)
  }

  /// A line of ``BanListFormat/dat``.
  static func dat(_ line: String, line number: Int) throws(BanListProblem) -> [BanListEntry] {
    let text = BanListText.trimmed(line)
    if text.isEmpty || text.hasPrefix("#") { return [] }
    let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
    if parts.count > 1 {
      let levelText = BanListText.trimmed(parts[1])
      guard let level = Int(levelText), (0...255).contains(level) else {
        throw BanListProblem(
          number, "\(BanListText.shown(levelText)) is not a level from 0 to 255")
      }
      if level > 127 { return [] }
    }
    let name = parts.count > 2 ? BanListText.trimmed(parts[2]) : ""
    return try ranged(parts[0], name: name, line: number)
  }

  private static func ranged(
    _ text: Substring, name: String, line: Int
  ) throws(BanListProblem) -> [BanListEntry] {
    guard let range = BanListText.range(text) else {
      throw BanListProblem(
        line, "\(BanListText.shown(text)) is not a range such as 192.0.2.1-192.0.2.255")
    }
    return AddressCover.prefixes(range).map { prefix in
      var entry = BanListEntry(.addresses(prefix))
      entry.internalReason = reason(name)
      return entry
    }
  }

  /// A subject, or those that cover a range.
  static func subjects(_ text: String, line: Int) throws(BanListProblem) -> [Subject] {
    if !text.hasPrefix("account:"), text.contains("-"), let range = BanListText.range(text) {
      return AddressCover.prefixes(range).map { .addresses($0) }
    }
    return [try subject(text, line: line)]
  }

  /// An address or network, or `account:` and a name.
  static func subject(_ text: String, line: Int) throws(BanListProblem) -> Subject {
    if text.hasPrefix("account:") {
      guard let name = AccountName(String(text.dropFirst(8))) else {
        throw BanListProblem(line, "\(BanListText.shown(text)) is not an account name")
      }
      return .account(name)
    }
    let address = text.hasPrefix("address:") ? String(text.dropFirst(8)) : text
    if let prefix = AddressPrefix(text: address) { return .addresses(prefix) }
    if let cleared = AddressPrefix(text: address, clearingHostBits: true) {
      throw BanListProblem(
        line,
        "\(BanListText.shown(address)) has bits set behind its prefix: the network is \(cleared)")
    }
    throw BanListProblem(
      line, "\(BanListText.shown(text)) is not an address, a network or account:NAME")
  }

  /// The longest reason that a list may bring, in bytes; longer ones are cut.
  static let reasonBytesMax = 500

  /// A remark of a foreign list, cut to its bound and without control characters.
  static func reason(_ text: String) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
      guard scalar.value >= 0x20, !(0x7f...0x9f).contains(scalar.value) else { continue }
      count += UTF8.width(scalar)
      guard count <= reasonBytesMax else { break }
      result.unicodeScalars.append(scalar)
    }
    return result
  }
}
