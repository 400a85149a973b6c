internal import Auth
internal import Primitives

/// Subjects as they are typed and shown.
enum SubjectText {
  /// What was typed, before it is known which accounts there are.
  enum Parsed: Equatable {
    /// Said with `address:` or `account:`.
    case explicit(Subject)
    /// Reads as an address or network; an account may be called so too.
    case address(AddressPrefix)
    /// Reads as a name only.
    case name(AccountName)
  }

  /// Takes `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`, a name, and any of them with `address:` or
  /// `account:` in front.
  static func parse(_ text: String) throws(CommandFailure) -> Parsed {
    if let rest = text.dropping(prefix: "account:") {
      return .explicit(.account(try name(rest, typed: text)))
    }
    if let rest = text.dropping(prefix: "address:") {
      return .explicit(.addresses(try address(rest)))
    }
    if let prefix = AddressPrefix(text: text) { return .address(prefix) }
    if looksLikeAddress(text) { _ = try address(text) }
    return .name(try name(text, typed: text))
  }

  /// An address or a network.
  static func address(_ text: String) throws(CommandFailure) -> AddressPrefix {
    if let prefix = AddressPrefix(text: text) { return prefix }
    if let cleared = AddressPrefix(text: text, clearingHostBits: true) {
      throw CommandFailure(
        "\(quoted(text)) has bits set behind its prefix: the network is \(cleared)",
        .wrongCommandLine)
    }
    throw CommandFailure(
      "\(quoted(text)) is not an address or network such as 192.0.2.7, 192.0.2.0/24 or "
        + "2001:db8::/32", .wrongCommandLine)
  }

  static func name(_ text: String, typed: String? = nil) throws(CommandFailure) -> AccountName {
    if let name = AccountName(text) { return name }
    throw CommandFailure(
      "\(quoted(typed ?? text)) is not an account name: 1 to \(AccountName.byteCountMax) bytes, no "
        + "control characters, no space at either end", .wrongCommandLine)
  }

  /// The spelling that is always taken, for people and files.
  static func describe(_ subject: Subject) -> String {
    switch subject {
    case .addresses(let prefix): prefix.description
    case .account(let name): "account:\(name.text)"
    }
  }

  /// True for what was surely meant as an address, so that a slip is not taken for a name.
  private static func looksLikeAddress(_ text: String) -> Bool {
    if AddressPrefix(text: text, clearingHostBits: true) != nil { return true }
    guard let first = text.utf8.first, text.contains("/") || text.contains(".") else {
      return false
    }
    return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
      && text.utf8.allSatisfy { "0123456789./".utf8.contains($0) }
  }
}

extension String {
  /// The text behind `prefix`; nil when it does not begin so.
  func dropping(prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
