internal import Auth
internal import Primitives

/// A claim that a client makes, and what must become of it.
struct Credential: Equatable {
  enum Kind: CaseIterable { case password, token, ticket, worker }

  /// What the packet names; nil when it names none.
  var account: String?
  var kind: Kind
  var secret: [UInt8]
  var expected: ExpectedLogin
}

/// Accounts and their secrets, as the games' clients know them.
struct CredentialBook {
  /// Whose tickets are taken; nil as long as nobody signs any.
  static var tickets: TicketConfiguration? { nil }

  /// The kinds that there are secrets for.
  static var kinds: [Credential.Kind] {
    tickets == nil ? [.password, .token, .worker] : Credential.Kind.allCases
  }

  var accountCount = 1000

  /// - Parameters:
  ///   - index: which account; any number from 0.
  ///   - isRight: otherwise the secret is another's, or none's.
  func credential(_ kind: Credential.Kind, index: Int, isRight: Bool) -> Credential {
    let number = index % accountCount
    let name = "player-\(number)"
    switch kind {
    case .password:
      return Credential(
        account: name, kind: kind,
        secret: Array("password of player \(number)\(isRight ? "" : "?")".utf8),
        expected: isRight ? .accepted(account: name) : .refused)
    case .token, .ticket:
      return Credential(
        account: isRight ? nil : "someone else", kind: kind,
        secret: Array("ght_token-of-player-\(number)".utf8),
        expected: isRight ? .accepted(account: name) : .refused)
    case .worker:
      // Workers refuse names that end with an odd digit.
      let asked = "player-\(2 * number + (isRight ? 0 : 1))"
      return Credential(
        account: asked, kind: kind, secret: Array("open".utf8),
        expected: isRight ? .accepted(account: asked) : .refused)
    }
  }
}
