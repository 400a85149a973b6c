public import Auth
public import Primitives
internal import Upstream

/// Who a client says it is, is verified: in turn, off this thread.
extension Shard {
  /// Workers that may fail to answer before a claim is given up.
  private static let failuresMax = 3
  /// A refusal that took longer to find does not slow down all others.
  private static let refusalDelaysMax: UInt64 = 8

  /// All packets of an identity are there.
  mutating func beginClaim(
    _ index: UInt32, _ credentials: Credentials, now: Instant, effects: inout Effects
  ) {
    let place = sessions[index].login
    pending.records[place].credentials = credentials
    pauseShortly(index, .verifying)
    if let ban = banOfClaimed(index, credentials) {
      return turnAway(index, .banned, ban: ban, now: now, effects: &effects)
    }
    if kind(of: index) == .password, credentials.account.flatMap({ AccountName($0) }) == nil {
      // It takes as long as any other refusal.
      pending.records[place].verifyingSince = now
      return refused(index, .malformed, now: now, effects: &effects)
    }
    pending.records[place].phase = .waiting
    let name = knownName(credentials, of: index)
    if kind(of: index) == .ticket { pending.records[place].ticketAccount = name }
    gate.append(id(of: index), isKnown: sessions[index].isAllowed || isKnown(name))
    dispatchClaims(now: now, effects: &effects)
  }

  private func kind(of index: UInt32) -> ListenerTerms.Kind? {
    terms[Int(sessions[index].listener)].kind
  }

  private func isKnown(_ name: AccountName?) -> Bool {
    guard let name else { return false }
    let since = time.unixSeconds - Int64(configuration.access.logins.knownFor.milliseconds / 1000)
    return known.contains(name, since: since)
  }

  /// What a claim is recognised by: its account, or for a token without one the token itself, of
  /// which a keyed hash is kept.
  ///
  /// A ticket says whose it is, true or not, as others do.
  private func knownName(_ credentials: Credentials, of index: UInt32) -> AccountName? {
    if let account = credentials.account { return AccountName(account) }
    if kind(of: index) == .ticket {
      return SignedTicket.claimedAccount(in: credentials.secret)
    }
    return AccountName(
      String(decoding: credentials.secret.prefix(AccountName.byteCountMax), as: UTF8.self))
  }

  /// An account that is banned is not even verified: nobody tries passwords on it.
  private func banOfClaimed(_ index: UInt32, _ credentials: Credentials) -> BanMatch? {
    guard let name = credentials.account.flatMap({ AccountName($0) }),
      !sessions[index].isAllowed
    else { return nil }
    return ban(of: name, listener: Int(sessions[index].listener))
  }

  /// Gives claims to whoever verifies them, as many as may be verified now.
  mutating func dispatchClaims(now: Instant, effects: inout Effects) {
    while let id = gate.candidate {
      guard isWaiting(id), let index = index(of: id) else {
        gate.skip()
        continue
      }
      guard gate.take(now: now) else { return }
      dispatch(index, now: now, effects: &effects)
    }
  }

  private func isWaiting(_ id: SessionID) -> Bool {
    guard let index = atTheDoor(id),
      case .waiting = pending.records[sessions[index].login].phase
    else { return false }
    return true
  }

  /// A session that is there and was not let in yet, or nil.
  private func atTheDoor(_ id: SessionID) -> UInt32? {
    let index = Fault.verdictByPlace.isOn ? id.index : index(of: id)
    guard let index, sessions[index].phase == .login else { return nil }
    return index
  }

  private mutating func dispatch(_ index: UInt32, now: Instant, effects: inout Effects) {
    let place = sessions[index].login
    pending.records[place].phase = .verifying
    if pending.records[place].failures == 0 { pending.records[place].verifyingSince = now }
    let kind: LoginRequest.Kind
    switch listener(of: index).authentication?.kind {
    case .token?: kind = .token
    case .password?: kind = .password
    case .ticket(let configuration)?: kind = .ticket(configuration)
    case .worker(let pool, let timeout)?:
      return askWorker(index, pool: pool, timeout: timeout, now: now, effects: &effects)
    case nil: return
    }
    if !sessions[index].isAllowed {
      pending.records[place].isVerifiedByStore = true
      listeners[Int(sessions[index].listener)].claims += 1
    }
    effects.claims.append(
      LoginRequest(
        session: id(of: index), kind: kind, credentials: pending.records[place].credentials,
        client: sessions[index].client, listener: listener(of: index).name))
    // It needs them no more; what recognises the client stays.
    pending.records[place].credentials.secret = knownSecret(place)
    if Fault.forwardBeforeVerdict.isOn,
      let account = claimedAccount(index).flatMap(AccountName.init)
    {
      letIn(index, account, [], now: now, effects: &effects)
    }
  }

  /// A token is recognised when it comes again; nothing else of a secret is kept.
  private func knownSecret(_ place: UInt32) -> [UInt8] {
    let credentials = pending.records[place].credentials
    guard credentials.account == nil else { return [] }
    return Array(credentials.secret.prefix(AccountName.byteCountMax))
  }

  // MARK: Verdicts

  /// A claim was verified, or could not be.
  ///
  /// To be called once for each of ``Effects/claims``, whether its session is still there or not.
  public mutating func verdict(
    _ verdict: LoginVerdict, for id: SessionID, now: Instant, effects: inout Effects
  ) {
    if !Fault.leakVerification.isOn || atTheDoor(id) != nil { gate.finished() }
    let offender = endVerification(of: id)
    if let index = atTheDoor(id),
      case .verifying = pending.records[sessions[index].login].phase
    {
      switch verdict {
      case .accepted(let account, let attributes):
        accept(index, account, attributes, now: now, effects: &effects)
      case .refused(let refusal): refused(index, refusal, now: now, effects: &effects)
      case .unavailable(let detail):
        if Fault.failOpen.isOn, let account = claimedAccount(index).flatMap(AccountName.init) {
          accept(index, account, [], now: now, effects: &effects)
          break
        }
        access.loginsUnavailable += 1
        close(
          index, .storeUnavailable, flush: true, detail: detail, now: now, effects: &effects)
      }
    } else if case .refused(let refusal) = verdict, let offender {
      refusedBehindItsBack(offender, refusal, now: now, effects: &effects)
    }
    dispatchClaims(now: now, effects: &effects)
  }

  /// The store is done with a claim.
  ///
  /// - Returns: whose it was, when its client has left.
  private mutating func endVerification(of id: SessionID) -> Offender? {
    let listener: Int
    var offender: Offender?
    if let index = atTheDoor(id), pending.records[sessions[index].login].isVerifiedByStore {
      pending.records[sessions[index].login].isVerifiedByStore = false
      listener = Int(sessions[index].listener)
    } else if let left = verifications.removeValue(forKey: id) {
      offender = left
      listener = left.listener
    } else {
      return nil
    }
    listeners[listener].claims -= 1
    noteIfForsaken(listener)
    return offender
  }

  private mutating func accept(
    _ index: UInt32, _ account: AccountName, _ attributes: [Credentials.Attribute], now: Instant,
    effects: inout Effects
  ) {
    let credentials = pending.records[sessions[index].login].credentials
    let isAllowed =
      sessions[index].isAllowed
      || allows(account, listener: Int(sessions[index].listener))
    let listenerIndex = Int(sessions[index].listener)
    // Its address may have been banned since it came.
    if !isAllowed, !Fault.ignoreBanDuringLogin.isOn,
      let ban = ban(of: sessions[index].client, listener: listenerIndex)
        ?? ban(of: account, listener: listenerIndex)
    {
      return turnAway(index, .banned, ban: ban, now: now, effects: &effects)
    }
    switch listener(of: index).authentication?.duplicateLogin {
    // Looked for where it matters alone: where any number may be in, there may be thousands.
    case .reject? where identities.sessions(of: account).contains { isAnother($0) }:
      return turnAway(index, .duplicateLogin, now: now, effects: &effects)
    case .replace?:
      for other in identities.sessions(of: account) where isAnother(other) {
        close(other, .replaced, flush: true, now: now, effects: &effects)
      }
    case .reject?, .allow?, nil: break
    }
    if isAllowed { sessions[index].isAllowed = true }
    if kind(of: index) == .token, let name = knownName(credentials, of: index) {
      known.insert(name, at: time.unixSeconds)
    }
    forgiveFailures(account: account)
    letIn(
      index, account, credentials.attributes + attributes, now: now, effects: &effects)
  }

  /// A session that is in, here or on another shard, and is to stay so.
  private func isAnother(_ index: UInt32) -> Bool {
    sessions[index].isIn || sessions[index].phase == .away && !isEndingAway(index)
  }

  /// A claim does not hold; the client is told so when the refusal's delay is over.
  private mutating func refused(
    _ index: UInt32, _ refusal: LoginRefusal, now: Instant, effects: inout Effects
  ) {
    access.loginsRefused[LoginRefusal.allCases.firstIndex(of: refusal)!] += 1
    offend(.failedLogins, index, now: now, effects: &effects)
    guard sessions[index].phase == .login else { return }
    let place = sessions[index].login
    // A worker has given its own reason.
    if pending.records[place].detail.isEmpty { pending.records[place].detail = refusal.rawValue }
    let reason: CloseReason = refusal == .accountDisabled ? .accountDisabled : .loginRefused
    pending.records[place].phase = .refused(reason)
    recordLogin(
      index, account: claimedAccount(index), outcome: reason.name,
      detail: pending.records[place].detail, &effects)
    let due = refusalDue(since: pending.records[place].verifyingSince, now)
    pending.records[place].refusalDue = due
    if now < due {
      armTimer(of: index)
    } else {
      sendRefusal(index, reason, now: now, effects: &effects)
    }
  }

  /// A claim does not hold, and its client has left without waiting to hear so.
  private mutating func refusedBehindItsBack(
    _ offender: Offender, _ refusal: LoginRefusal, now: Instant, effects: inout Effects
  ) {
    access.loginsRefused[LoginRefusal.allCases.firstIndex(of: refusal)!] += 1
    offend(.failedLogins, offender, now: now, effects: &effects)
    recordLogin(
      of: offender.client, listener: offender.listener, account: offender.account?.text,
      outcome: CloseReason.loginRefused.name, detail: refusal.rawValue, &effects)
  }

  /// The time for a refusal has come.
  mutating func sendRefusal(
    _ index: UInt32, _ reason: CloseReason, now: Instant, effects: inout Effects
  ) {
    let detail = pending.records[sessions[index].login].detail
    close(
      index, reason, flush: true, detail: detail, now: now, effects: &effects)
  }

  /// Turns a client away for another reason than its claim.
  private mutating func turnAway(
    _ index: UInt32, _ reason: CloseReason, ban: BanMatch? = nil, now: Instant,
    effects: inout Effects
  ) {
    recordLogin(
      index, account: claimedAccount(index), outcome: reason.name, detail: "", &effects)
    pending.records[sessions[index].login].phase = .refused(reason)
    close(index, reason, flush: true, ban: ban, now: now, effects: &effects)
  }

  /// When a refusal goes out: a whole number of delays behind the claim, and as many for all as any
  /// has needed yet, so that the time says little of what was looked for and found.
  private mutating func refusalDue(since: Instant, _ now: Instant) -> Instant {
    let delay = configuration.access.logins.refusalDelay
    guard delay > .zero else { return now }
    let needed = now.since(since).nanoseconds / delay.nanoseconds + 1
    refusalDelays = min(max(refusalDelays, needed), Self.refusalDelaysMax)
    let (nanoseconds, overflow) = max(needed, refusalDelays).multipliedReportingOverflow(
      by: delay.nanoseconds)
    return overflow ? now : since + Interval(nanoseconds: nanoseconds)
  }

  mutating func recordLogin(
    _ index: UInt32, account: String?, outcome: String, detail: String, _ effects: inout Effects
  ) {
    recordLogin(
      of: sessions[index].client, listener: Int(sessions[index].listener), account: account,
      outcome: outcome, detail: detail, &effects)
  }

  private func recordLogin(
    of client: SocketAddress, listener: Int, account: String?, outcome: String, detail: String,
    _ effects: inout Effects
  ) {
    guard configuration.store != nil else { return }
    effects.records.append(
      .login(
        LoginRecord(
          account: account, client: client, listener: listeners[listener].configuration.name,
          outcome: outcome, detail: detail)))
  }

  // MARK: Asking a worker

  private mutating func askWorker(
    _ index: UInt32, pool: Int, timeout: Interval, now: Instant, effects: inout Effects
  ) {
    let place = sessions[index].login
    let request = AuthenticateRequest(
      time: time, uuid: sessions[index].uuid, clientAddress: sessions[index].client.description,
      listener: listener(of: index).name,
      account: pending.records[place].credentials.account ?? "",
      secret: pending.records[place].credentials.secret,
      attributes: pending.records[place].credentials.attributes.map { ($0.name, $0.value) },
      packets: pending.records[place].packets)
    let message = ContractWriter.authenticate(request)
    let call = call(of: index)
    for _ in pools[pool].rotation {
      guard let link = pools[pool].next() else { break }
      guard links[link].authenticate(call: call, request: message, timeout: timeout, now: now)
      else { continue }
      pending.records[place].askedLink = link
      markDirty(link)
      rearm(link)
      return
    }
    // Nobody can be asked: it waits until somebody can, as long as its deadline allows.
    gate.finished()
    pending.records[place].phase = .waiting
    if claimsWithoutWorker.count > 2 * pending.count + 64 {
      claimsWithoutWorker = claimsWithoutWorker.filter { isWaiting($0) }
    }
    claimsWithoutWorker.append(id(of: index))
  }

  /// Nobody waits for a worker's answer any more.
  mutating func cancelClaim(of index: UInt32) {
    let place = sessions[index].login
    if pending.records[place].isVerifiedByStore {
      verifications[id(of: index)] = Offender(
        client: sessions[index].client,
        account: claimedAccount(index).flatMap { AccountName($0) },
        listener: Int(sessions[index].listener))
    }
    let link = pending.records[place].askedLink
    guard link != Session.noLink else { return }
    links[link].cancelAuthentication(call: call(of: index))
    markDirty(link)
    gate.finished()
  }

  private func call(of index: UInt32) -> UInt64 {
    UInt64(index) << 32 | UInt64(sessions[index].generation)
  }

  /// A worker can be asked again: claims that waited for one are given out anew.
  mutating func retryClaims(now: Instant, effects: inout Effects) {
    guard !claimsWithoutWorker.isEmpty else { return }
    let claims = claimsWithoutWorker
    claimsWithoutWorker = []
    for id in claims where isWaiting(id) { gate.append(id, isKnown: true) }
    dispatchClaims(now: now, effects: &effects)
  }

  /// Takes what a worker has answered on clients at the door, if anything.
  mutating func takeAnswers(of link: LinkIndex, now: Instant, effects: inout Effects) {
    guard links[link].hasAnswers else { return }
    let answers = links[link].takeAnswers()
    for answer in answers {
      authenticated(answer.call, answer.outcome, now: now, effects: &effects)
    }
    // Each left room for another call.
    retryClaims(now: now, effects: &effects)
  }

  /// A worker has answered whether to let a client in, or will not.
  private mutating func authenticated(
    _ call: UInt64, _ outcome: AuthenticateOutcome, now: Instant, effects: inout Effects
  ) {
    let id = SessionID(
      index: UInt32(truncatingIfNeeded: call >> 32), generation: UInt32(truncatingIfNeeded: call))
    let place = atTheDoor(id).map { sessions[$0].login }
    if let place { pending.records[place].askedLink = Session.noLink }
    switch outcome {
    case .allowed(let name, let attributes):
      let claimed = place.flatMap { pending.records[$0].credentials.account }
      guard let account = AccountName(name.isEmpty ? claimed ?? "" : name) else {
        return failed(id, "a worker gave no account's name", now: now, effects: &effects)
      }
      verdict(
        .accepted(
          account,
          attributes: attributes.map { Credentials.Attribute(name: $0.name, value: $0.value) }),
        for: id, now: now, effects: &effects)
    case .refused(let reason):
      if !reason.isEmpty, let place {
        pending.records[place].detail =
          "\(LoginRefusal.refusedByWorker.rawValue): \(reason)"
      }
      verdict(.refused(.refusedByWorker), for: id, now: now, effects: &effects)
    case .failed(let detail): failed(id, detail, now: now, effects: &effects)
    }
  }

  /// A worker could not say: another one is asked, a few times.
  private mutating func failed(
    _ id: SessionID, _ detail: String, now: Instant, effects: inout Effects
  ) {
    gate.finished()
    defer { dispatchClaims(now: now, effects: &effects) }
    guard let index = atTheDoor(id),
      case .verifying = pending.records[sessions[index].login].phase
    else { return }
    let place = sessions[index].login
    pending.records[place].failures += 1
    guard pending.records[place].failures < Self.failuresMax else {
      access.loginsUnavailable += 1
      return close(
        index, .authUnavailable, flush: true, detail: detail, now: now, effects: &effects)
    }
    pending.records[place].phase = .waiting
    gate.append(id, isKnown: true)
  }
}
