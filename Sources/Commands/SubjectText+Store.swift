internal import Auth
internal import Primitives
internal import Store

extension SubjectText {
  /// Whom a command's operand means.
  ///
  /// A name that reads as an address and is an account's too has to be spelt out. So has a name
  /// that no account has, unless `mayBeUnknown`: it is more often a slip than one of the accounts
  /// that only tickets and workers know.
  static func subject(
    _ text: String, in database: Database, mayBeUnknown: Bool = false
  ) throws -> Subject {
    switch try parse(text) {
    case .explicit(let subject): return subject
    case .address(let prefix):
      if let name = AccountName(text), try database.account(name) != nil {
        throw CommandFailure(
          "\(quoted(text)) is an address, and an account is called so too: say "
            + "\(shellWord("address:" + text)) or \(shellWord("account:" + text))",
          .wrongCommandLine)
      }
      return .addresses(prefix)
    case .name(let name):
      if mayBeUnknown { return .account(name) }
      if try database.account(name) != nil { return .account(name) }
      throw CommandFailure(
        "there is no account \(quoted(name.text)), and it is no address; say "
          + "\(shellWord("account:" + name.text)) if you mean it", .wrongCommandLine)
    }
  }

  /// - Throws: ``CommandFailure`` for so large a network that a slip would shut the world out.
  static func requireYes(_ call: Call, toBan subject: Subject) throws(CommandFailure) {
    guard !call.has(.yes), isWide(subject) else { return }
    throw CommandFailure(
      "\(describe(subject)) is a large part of all addresses; say --yes if you mean it",
      .wrongCommandLine)
  }

  /// Wider than /8 of IPv4, or than /16 of IPv6.
  static func isWide(_ subject: Subject) -> Bool {
    guard case .addresses(let prefix) = subject else { return false }
    return prefix.isIPv4 ? prefix.bitCount < 96 + 8 : prefix.bitCount < 16
  }
}
