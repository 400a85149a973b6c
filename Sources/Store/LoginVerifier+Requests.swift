internal import Auth
internal import Primitives

// Who may come in.
extension LoginVerifier {
  /// Requests that are decided on together.
  private static let requestsMax = 256

  /// A request that the database is asked about; its secret is gone.
  private struct Claim {
    enum Secret {
      case token(hash: [UInt8])
      case ticket(Ticket, TicketConfiguration)
    }

    var session: SessionID
    /// As the packet names it.
    var account: String?
    var attributes: [Credentials.Attribute]
    var secret: Secret

    init(_ request: LoginRequest, _ secret: Secret) {
      session = request.session
      account = request.credentials.account
      attributes = request.credentials.attributes
      self.secret = secret
    }

    /// - Returns: whether the packet names the secret's account, or none: the game would believe
    ///   the packet.
    func isFor(_ account: AccountName) -> Bool {
      guard let name = self.account else { return true }
      return account.matches(name)
    }

    func accepted(_ account: AccountName) -> LoginVerdict {
      .accepted(account, attributes: attributes)
    }

    /// What the packet's sender is told when that became of the token.
    func verdict(_ use: TokenUse) -> LoginVerdict {
      switch use {
      case .accepted(let account): accepted(account)
      case .unknown, .otherAccount: .refused(.wrongSecret)
      case .expired: .refused(.expired)
      case .revoked: .refused(.revoked)
      case .alreadyUsed: .refused(.alreadyUsed)
      case .accountDisabled: .refused(.accountDisabled)
      }
    }
  }

  /// What was found out of a group, to be told at once.
  private typealias Answers = [(SessionID, LoginVerdict)]

  func verify(_ requests: inout [LoginRequest]) {
    for start in stride(from: 0, to: requests.count, by: Self.requestsMax) {
      verify(&requests, start..<min(start + Self.requestsMax, requests.count))
    }
  }

  /// Takes the secrets out of a group's requests, so that no copy of them outlives their use.
  private func verify(_ requests: inout [LoginRequest], _ group: Range<Int>) {
    let now = clock.unixSeconds()
    var answers: Answers = []
    var jobs: [HashPool.Job] = []
    var claims: [Claim] = []
    answers.reserveCapacity(group.count)
    claims.reserveCapacity(group.count)
    for index in group {
      switch requests[index].kind {
      case .password:
        jobs.append(.init(request: requests[index], question: .nobody))
        requests[index].credentials.secret = []
      case .token:
        let hash = TokenSecret.hash(of: requests[index].credentials.secret)
        SecretBytes.wipe(&requests[index].credentials.secret)
        claims.append(Claim(requests[index], .token(hash: hash)))
      case .ticket(let configuration):
        let finding = TicketVerifier.check(
          requests[index].credentials.secret, configuration, now: now)
        SecretBytes.wipe(&requests[index].credentials.secret)
        switch finding {
        case .refused(let refusal): answers.append((requests[index].session, .refused(refusal)))
        case .good(let ticket):
          let claim = Claim(requests[index], .ticket(ticket, configuration))
          if claim.isFor(ticket.account) {
            claims.append(claim)
          } else {
            answers.append((requests[index].session, .refused(.wrongSecret)))
          }
        }
      }
    }
    let once = settleLasting(claims, now: now, &answers)
    shared.answer(answers)
    lookUp(jobs)
    // Others need not wait for whoever holds up a transaction.
    settle(once, now: now)
  }

  /// Decides on tokens that may be used again, without a write.
  ///
  /// - Returns: what has to be decided in a transaction: tickets, and tokens that are good once.
  private func settleLasting(
    _ claims: [Claim], now: Int64, _ answers: inout Answers
  ) -> [Claim] {
    guard !claims.isEmpty else { return [] }
    var once: [Claim] = []
    var found: Answers = []
    found.reserveCapacity(claims.count)
    do throws(StoreError) {
      try performReading { database throws(StoreError) in
        try tokens.validate(database, opening: connection.openCount)
        for claim in claims {
          guard case .token(let hash) = claim.secret else {
            once.append(claim)
            continue
          }
          switch try tokens.find(hash, in: database) {
          case nil: found.append((claim.session, .refused(.wrongSecret)))
          case .once?: once.append(claim)
          case .lasting(let token)?:
            if let verdict = verdict(on: token, hash, claim, now: now) {
              found.append((claim.session, verdict))
            } else {
              once.append(claim)
            }
          }
        }
      }
      answers += found
    } catch {
      answers += claims.map { ($0.session, .unavailable(error.description)) }
      return []
    }
    return once
  }

  /// - Returns: nil when the use has to be written at once.
  private func verdict(
    on token: TokenTerms, _ hash: [UInt8], _ claim: Claim, now: Int64
  ) -> LoginVerdict? {
    if let objection = token.objection(now: now, isFor: claim.isFor) {
      return claim.verdict(objection)
    }
    guard tokens.noteUse(of: hash, now: now) else { return nil }
    return claim.accepted(token.account)
  }

  /// Decides on what lets in once in one transaction; answers count when it is committed.
  private func settle(_ claims: [Claim], now: Int64) {
    guard !claims.isEmpty else { return }
    var found: Answers = []
    found.reserveCapacity(claims.count)
    do throws(StoreError) {
      try performWriting(waiting: isLocked ? Self.momentForOthers : nil) {
        database throws(StoreError) in
        try database.inTransaction { () throws(StoreError) in
          // As many go as are added at most, and some more, so that none pile up.
          try database.forgetNonces(Int64(claims.count) + 16, now: now)
          for claim in claims {
            found.append((claim.session, try verdict(on: claim, database, now: now)))
          }
        }
      }
      shared.answer(found)
    } catch {
      shared.answer(claims.map { ($0.session, .unavailable(error.description)) })
    }
  }

  private func verdict(
    on claim: Claim, _ database: Database, now: Int64
  ) throws(StoreError) -> LoginVerdict {
    switch claim.secret {
    case .token(let hash):
      return claim.verdict(try database.useToken(hash: hash, now: now, isFor: claim.isFor))
    case .ticket(let ticket, let configuration):
      // A ticket is good for as long after its expiry as clocks may differ; so is its nonce.
      let use = try database.useTicket(
        nonce: ticket.nonce, account: ticket.account, issuedAt: ticket.issuedAt,
        expiresAt: ticket.expiresAt + TicketVerifier.clockSkewSeconds,
        isSingleUse: configuration.singleUse)
      return switch use {
      case .accepted: claim.accepted(ticket.account)
      case .alreadyUsed: .refused(.alreadyUsed)
      case .revoked: .refused(.revoked)
      case .accountDisabled: .refused(.accountDisabled)
      }
    }
  }

  /// Hands passwords over to the pool with what they are compared to.
  private func lookUp(_ jobs: consuming [HashPool.Job]) {
    guard !jobs.isEmpty else { return }
    do throws(StoreError) {
      try performReading { database throws(StoreError) in
        for index in jobs.indices {
          let name = jobs[index].request.credentials.account.flatMap { AccountName($0) }
          guard let name, let found = try database.passwordRecord(of: name) else { continue }
          jobs[index].question = .account(found.account, found.record)
        }
      }
      pool.add(jobs)
    } catch {
      for index in jobs.indices {
        SecretBytes.wipe(&jobs[index].request.credentials.secret)
      }
      shared.answer(jobs.map { ($0.request.session, .unavailable(error.description)) })
    }
  }
}
