package import Auth
internal import Store

/// What is in a ``StoreFixture``, so that clients know which logins are right.
package struct StoreContents: Equatable, Sendable {
  /// Their names are `player-0`, `player-1` and so on.
  package let accountCount: Int
  /// Whether everything that can end has ended.
  package let isExpired: Bool
  /// Bans of ``manyBan(_:)``.
  package let manyBansCount: Int

  /// What is special about an account, by its number.
  package enum Trait: Equatable, Sendable {
    case ordinary
    case disabled
    /// Has a ban without an end.
    case banned
    /// Had a ban, which has ended.
    case banEnded
    /// Has a ban that ends at ``StoreContents/soon``.
    case banEndsSoon
    /// Its password's record is to be made anew at the next login.
    case outdatedPassword
    /// May come with tokens and tickets alone.
    case noPassword
  }

  /// What is special about an account's only token, by its number.
  package enum TokenTrait: CaseIterable, Equatable, Sendable {
    case lasting, endingInAnHour, expired, revoked, singleUse, none
  }

  /// A minute after the moment that the fixture is prepared for, in Unix seconds.
  package static let soon = StoreFixture.unixSeconds + 60

  package func trait(ofAccount index: Int) -> Trait {
    switch index % 16 {
    case 3: .disabled
    case 5: isExpired ? .banEnded : .banned
    case 6: .banEnded
    case 9: isExpired ? .banEnded : .banEndsSoon
    case 11: .outdatedPassword
    case 13: .noPassword
    default: .ordinary
    }
  }

  package func tokenTrait(ofAccount index: Int) -> TokenTrait {
    let trait = TokenTrait.allCases[index / 16 % TokenTrait.allCases.count]
    return isExpired && (trait == .lasting || trait == .endingInAnHour) ? .expired : trait
  }

  /// Whether an account's trait is ``Trait/disabled``.
  func disables(_ name: AccountName) -> Bool {
    (0..<accountCount).contains { trait(ofAccount: $0) == .disabled && account($0) == name }
  }

  /// - Precondition: the number is in `0..<accountCount`.
  package func account(_ index: Int) -> AccountName {
    precondition((0..<accountCount).contains(index))
    return AccountName("player-\(index)")!
  }

  package func password(ofAccount index: Int) -> String { "password of player \(index)" }

  package func tokenSecret(ofAccount index: Int) -> String { "ght_token-of-player-\(index)" }
}

/// A claim that a client may make, and what becomes of it.
package struct StoreCredential: Equatable, Sendable {
  package enum Kind: Equatable, Sendable { case password, token }

  package enum Outcome: Equatable, Sendable {
    /// The store lets this account in.
    case accepted(AccountName)
    /// The store lets it in once, whoever comes first.
    case acceptedOnce(AccountName)
    /// The store would let it in, and the gateway does not before `until`, in Unix seconds; nil is
    /// for ever.
    case banned(AccountName, until: Int64?)
    case refused(LoginRefusal)
  }

  /// The account that the packet names; nil when it names none.
  package var account: String?
  package var kind: Kind
  package var secret: [UInt8]
  /// As long as no operator has changed anything, nobody has used a single-use token, and the hour
  /// has not passed in which some tokens end.
  package var expected: Outcome

  /// Whether the store accepts it.
  package var isRight: Bool {
    if case .refused = expected { false } else { true }
  }
}

extension StoreContents {
  /// Claims that each account has: its password, a wrong one, its token, its token under another's
  /// name.
  private static let claimsPerAccount = 4
  /// Claims of names that are no accounts.
  private static let strangerCount = 16

  package var credentialCount: Int {
    accountCount * Self.claimsPerAccount + Self.strangerCount
  }

  /// - Precondition: the number is in `0..<credentialCount`.
  package func credential(_ index: Int) -> StoreCredential {
    precondition((0..<credentialCount).contains(index))
    let account = index / Self.claimsPerAccount
    guard account < accountCount else {
      return StoreCredential(
        account: "stranger-\(index)", kind: .password, secret: Array("a guess".utf8),
        expected: .refused(.unknownAccount))
    }
    return switch index % Self.claimsPerAccount {
    case 0: password(of: account, isRight: true)
    case 1: password(of: account, isRight: false)
    case 2: token(of: account, isNamedRight: true)
    default: token(of: account, isNamedRight: false)
    }
  }

  private func password(of index: Int, isRight: Bool) -> StoreCredential {
    let expected: StoreCredential.Outcome =
      if trait(ofAccount: index) == .noPassword {
        .refused(.unknownAccount)
      } else if !isRight {
        .refused(.wrongSecret)
      } else {
        welcome(index, once: false)
      }
    let secret = password(ofAccount: index) + (isRight ? "" : "?")
    return StoreCredential(
      account: account(index).text, kind: .password, secret: Array(secret.utf8),
      expected: expected)
  }

  private func token(of index: Int, isNamedRight: Bool) -> StoreCredential {
    let trait = tokenTrait(ofAccount: index)
    let expected: StoreCredential.Outcome =
      switch trait {
      case .none: .refused(.wrongSecret)
      case .expired: .refused(.expired)
      case .revoked: .refused(.revoked)
      case .lasting, .endingInAnHour, .singleUse:
        isNamedRight ? welcome(index, once: trait == .singleUse) : .refused(.wrongSecret)
      }
    return StoreCredential(
      account: isNamedRight ? nil : "someone else", kind: .token,
      secret: Array(tokenSecret(ofAccount: index).utf8), expected: expected)
  }

  /// What becomes of a secret that is right.
  private func welcome(_ index: Int, once: Bool) -> StoreCredential.Outcome {
    let name = account(index)
    return switch trait(ofAccount: index) {
    case .disabled: .refused(.accountDisabled)
    case .banned: .banned(name, until: nil)
    case .banEndsSoon: .banned(name, until: Self.soon)
    case .ordinary, .banEnded, .outdatedPassword, .noPassword:
      once ? .acceptedOnce(name) : .accepted(name)
    }
  }
}
