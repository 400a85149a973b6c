internal import Auth
internal import Gateway
internal import Primitives

/// Whether what a gateway gives as the reason for an end can be true.
extension Oracle {
  // MARK: Verdicts

  /// What a verdict on a right claim must not say.
  func problem(of verdict: LoginVerdict, _ record: VisitRecord) -> Finding? {
    guard case .accepted(let name) = record.visit.login, case .refused(let refusal) = verdict
    else { return nil }
    let isTrue =
      switch refusal {
      case .revoked, .accountDisabled: didHappen(.ban)
      // It can come late.
      case .expired: record.acceptedAt + .seconds(60) <= now
      // Simulated workers say so; those that lie to anybody.
      case .refusedByWorker: didHappen(.lie)
      case .unknownAccount, .wrongSecret, .malformed, .badSignature, .wrongAudience, .notYetValid,
        .alreadyUsed:
        false
      }
    if isTrue { return nil }
    return Finding(.reasons, "the right claim of \(name) is refused as \(refusal.rawValue)")
  }

  // MARK: Refusals

  /// A client was turned away, at the door or by its login.
  func judgeRefusal(_ event: SessionRefusedEvent, _ account: GatewayAccount) {
    guard
      let record = visits.last(where: {
        // Clients behind one address may come to two listeners by the same port.
        $0.address == event.client && $0.gateway == account.gateway.number
          && $0.listener.name == event.listener
      })
    else { return broken(.crossing, "\(event.client) was refused, which nobody has") }
    let claimed = event.account.flatMap { AccountName($0) }
    broken(problem(of: event.reason, record, account, claimed: claimed), record)
  }

  // MARK: Reasons

  /// What of a reason can't be true.
  ///
  /// - Parameter claimed: whom it said to be, of one that was not let in.
  func problem(
    of reason: CloseReason, _ record: VisitRecord, _ account: GatewayAccount,
    claimed: AccountName? = nil
  ) -> Finding? {
    guard !canBe(reason, record, account, claimed) else { return nil }
    return Finding(.reasons, "\(reason.name) without a cause")
  }

  private func canBe(
    _ reason: CloseReason, _ record: VisitRecord, _ account: GatewayAccount,
    _ claimed: AccountName?
  ) -> Bool {
    let limits = record.listener.limits
    switch reason {
    case .clientClosed: return record.gatewaySawEnd
    case .clientReset: return record.isOpen || record.wasBroken
    case .idleTimeout: return record.lastReadAt + record.listener.idleTimeout <= now
    // Bytes and times together make it one, and a burst of answers may be more than anybody can
    // read: the audit judges the queues.
    case .slowClient: return true
    case .framingViolation: return record.packets.violatedAt != nil
    // What comes before the login may be too much for it.
    case .loginInvalid:
      return record.packets.violatedAt != nil || record.game.login?.prelude ?? 0 > 0
    case .answered: return record.packets.violatedAt != nil && !record.isIn
    case .rateLimited:
      return limits.packets != nil || limits.bytes != nil || limits.packetBytesMax != nil
    case .connectionLimit:
      return limits.connectionsPerAddress != nil || limits.connectionsPerPrefix != nil
        || limits.concurrentPerAddress != nil || limits.concurrentPerPrefix != nil
    case .noWorker:
      // Also workers that are just being connected for the first time.
      return record.acceptedAt + record.listener.workerWait <= now
    case .workerViolation:
      return record.game.framesAnswers && (didHappen(.lie) || record.wasSentNonsense)
    case .packetRefused: return didHappen(.lie)
    case .overCapacity:
      return account.open.count + account.closed.count + account.endedAway.count
        >= account.gateway.configuration.limits.sessionsMax
    case .shutdown: return account.gateway.hasBegunShutdown
    case .closedByOperator: return didHappen(.kick) || didHappen(.kickAddress)
    case .listenerRemoved: return didHappen(.closeListener)
    case .banned: return canBeBanned(record, claimed)
    case .loginTimeout, .loginRefused, .accountDisabled, .duplicateLogin, .replaced,
      .storeUnavailable, .loginEvicted, .authUnavailable:
      return canBe(loginReason: reason, record, account, claimed)
    }
  }

  private func canBe(
    loginReason reason: CloseReason, _ record: VisitRecord, _ account: GatewayAccount,
    _ claimed: AccountName?
  ) -> Bool {
    guard let authentication = record.listener.authentication else { return false }
    var asksWorker = false
    if case .worker = authentication.kind { asksWorker = true }
    // All but one are of those who were not let in.
    guard record.isIn == (reason == .replaced) else { return false }
    switch reason {
    case .loginTimeout: return record.acceptedAt + authentication.deadline <= now
    case .loginRefused:
      if asksWorker, case .accepted = record.visit.login { return didHappen(.lie) }
      guard !asksWorker else { return true }
      guard case .refused(let refusal)? = record.verdict else { return false }
      return refusal != .accountDisabled
    case .accountDisabled: return record.verdict == .refused(.accountDisabled)
    case .duplicateLogin:
      return authentication.duplicateLogin == .reject
        && isElsewhere(provenAccount(of: record) ?? claimed, record, account)
    case .replaced: return isReplaced(record)
    case .storeUnavailable:
      guard case .unavailable? = record.verdict else { return false }
      return !asksWorker
    case .loginEvicted:
      let waiting = account.open.count { !$0.isIn } + account.closed.count
      return waiting >= account.gateway.configuration.access.logins.pendingMax
    case .authUnavailable:
      return asksWorker && (workersWereDisturbed || scenario.asksInVain)
    default: return true
    }
  }

  /// Whose a session is, by its verdict.
  private func provenAccount(of record: VisitRecord) -> AccountName? {
    if case .accepted(let name, _)? = record.verdict { return name }
    return record.accountName
  }

  /// Somebody else is, or was in this turn, in as the same account.
  private func isElsewhere(
    _ name: AccountName?, _ record: VisitRecord, _ account: GatewayAccount
  ) -> Bool {
    guard let name else { return false }
    func isOther(_ other: VisitRecord) -> Bool {
      other !== record && other.isIn && other.accountName == name
    }
    return [account.open, account.closed, account.endedAway].contains {
      $0.contains(where: isOther)
    }
  }

  /// Somebody was let in as the same account behind it, where that ends others.
  private func isReplaced(_ record: VisitRecord) -> Bool {
    visits.contains {
      $0 !== record && $0.isIn && $0.accountName == record.accountName
        && $0.account === record.account && $0.acceptedAt <= now
        && $0.listener.authentication?.duplicateLogin == .replace
    }
  }

  private func canBeBanned(_ record: VisitRecord, _ claimed: AccountName?) -> Bool {
    if scenario.fixtureKind == 3 { return true }
    switch record.visit.login {
    // The database may have had a ban of them from the start.
    case .refused, .undecided: return true
    case .none, .accepted: break
    }
    if bans.wasBanned(record.address, provenAccount(of: record) ?? claimed) { return true }
    // Of many bans at a time some have no line.
    return (gateways + formerGateways).contains {
      $0.gateway.metrics().access.temporaryBans > $0.bansLogged
    }
  }

  // MARK: What has happened

  private func didHappen(_ kind: DeedKind) -> Bool { simulation.deeds.counts[kind.order] > 0 }

  /// Something was done at some time that may take workers away from sessions.
  private var workersWereDisturbed: Bool {
    DeedKind.allCases.contains { kind in
      switch kind {
      case .resetClient, .darkenClient, .slowClient, .kick, .kickAddress, .closeListener,
        .drainListener, .record, .ask, .ban, .shortage:
        false
      default: didHappen(kind)
      }
    }
  }
}

extension Scenario {
  /// Workers do not answer all that they are asked of logins.
  fileprivate var asksInVain: Bool {
    workersAuthenticateErrorPermille > 0 || workersAuthenticateSilentPermille > 0
      || workersAuthenticateLatePermille > 0
  }
}
