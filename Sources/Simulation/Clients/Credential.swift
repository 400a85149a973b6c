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

/// The claims that clients can make on a prepared store.
struct CredentialBook {
  let contents: StoreContents

  /// - Parameters:
  ///   - index: which account, of as many as one likes: those that are not there are strangers.
  ///   - isRight: otherwise something is wrong with the secret, or with the name beside it.
  ///   - serial: makes each ticket another.
  ///   - now: Unix seconds.
  func credential(
    _ kind: Credential.Kind, index: Int, isRight: Bool, serial: UInt64, now: Int64,
    _ random: inout SeededRandom
  ) -> Credential {
    let flaw = random.pick(TicketFlaw.allCases)
    if kind == .worker { return Self.askingWorker(index, isRight: isRight) }
    guard contents.accountCount > 0 else {
      return Credential(contents.credential(index % contents.credentialCount), kind)
    }
    let account = index % contents.accountCount
    switch kind {
    case .password: return Credential(contents.credential(4 * account + (isRight ? 0 : 1)), kind)
    case .token: return Credential(contents.credential(4 * account + (isRight ? 2 : 3)), kind)
    case .worker, .ticket:
      return ticket(account, flaw: isRight ? nil : flaw, serial: serial, now: now)
    }
  }

  /// Simulated workers refuse names that end with an odd digit.
  private static func askingWorker(_ index: Int, isRight: Bool) -> Credential {
    let name = "player-\(2 * index + (isRight ? 0 : 1))"
    return Credential(
      account: name, kind: .worker, secret: Array("open".utf8),
      expected: isRight ? .accepted(account: name) : .refused)
  }

  private func ticket(
    _ index: Int, flaw: TicketFlaw?, serial: UInt64, now: Int64
  ) -> Credential {
    let account = contents.account(index)
    let (secret, refusal) = StoreContents.ticket(
      of: account, number: serial, now: now, flaw: flaw)
    let expected: ExpectedLogin =
      switch contents.trait(ofAccount: index) {
      case _ where refusal != nil: .refused
      case .ordinary, .outdatedPassword, .noPassword: .accepted(account: account.text)
      case .disabled: .refused
      // Operators may change their minds on these, and time does.
      case .banned, .banEnded, .banEndsSoon: .undecided
      }
    return Credential(account: nil, kind: .ticket, secret: secret, expected: expected)
  }
}

extension Credential {
  init(_ claim: StoreCredential, _ kind: Kind) {
    let expected: ExpectedLogin =
      switch claim.expected {
      case .accepted(let account): .accepted(account: account.text)
      case .acceptedOnce, .banned: .undecided
      case .refused: .refused
      }
    self.init(account: claim.account, kind: kind, secret: claim.secret, expected: expected)
  }
}
