internal import Auth
internal import Gateway
internal import Primitives

/// What gateways' drivers do, and what gateways say.
extension Oracle {
  func accepted(
    _ connection: Connection, _ id: SessionID, uuid: SessionUUID, by gateway: VirtualGateway
  ) {
    guard let record = record(of: connection) else { return }
    let account = account(of: gateway)
    let listener = account.listener(named: record.listener.name)
    account.listeners[listener].opened += 1
    record.stage = .session
    record.account = account
    record.acceptedAt = now
    record.lastReadAt = now
    record.packetsSeenAt = now
    (record.id, record.localID, record.shard) = (id, id, 0)
    name(record, uuid)
    account.opened(record)
    summary.sessions += 1
    checkAdmission(record, account)
    record.packetRate = record.listener.limits.packets.map { RateAccount($0, at: now) }
  }

  /// The socket of a session leaves a shard for another one.
  func moves(_ connection: Connection) {
    guard let record = record(of: connection) else { return }
    record.shard = nil
    summary.moves += 1
  }

  func came(_ connection: Connection, _ id: SessionID, uuid: SessionUUID, to shard: VirtualShard) {
    guard let record = record(of: connection) else { return }
    (record.shard, record.localID) = (shard.number, id)
    if uuid != record.uuid { broken(Finding(.crossing, "comes as \(uuid)"), record) }
    if shard.number == 0, id != record.id {
      broken(Finding(.driver, "comes back to another place"), record)
    }
  }

  /// Turned away at the door, without a session.
  func refused(_ connection: Connection, by gateway: VirtualGateway) {
    guard let record = record(of: connection) else { return }
    let account = account(of: gateway)
    let listener = account.listener(named: record.listener.name)
    account.listeners[listener].opened += 1
    account.listeners[listener].closedUnlogged += 1
    record.stage = .over
    summary.refused += 1
  }

  /// Connections at one time, and new ones, of an address and of a prefix.
  private func checkAdmission(_ record: VisitRecord, _ account: GatewayAccount) {
    let configuration = account.gateway.configuration
    if account.open.count > configuration.limits.sessionsMax {
      broken(Finding(.bounds, "\(account.open.count) sessions"), record)
    }
    let limits = record.listener.limits
    guard record.game.isLimited, figures(of: record)?.isAllowed == false else { return }
    let access = configuration.access
    let address = AddressPrefix(record.address)
    let prefix = AddressPrefix.of(
      record.address, ipv4: access.ipv4PrefixLength, ipv6: access.ipv6PrefixLength)
    let others = account.open.filter { $0.listener.name == record.listener.name }
    if let most = limits.concurrentPerAddress {
      let count = others.count { AddressPrefix($0.address) == address }
      if count > most { broken(Finding(.limits, "\(count) connections of its address"), record) }
    }
    if let most = limits.concurrentPerPrefix {
      let count = others.count { prefix.contains($0.address) }
      if count > most { broken(Finding(.limits, "\(count) connections of its prefix"), record) }
    }
    let name = record.listener.name
    let keys = [
      (
        GatewayAccount.RateKey(listener: name, prefix: address, isPrefix: false),
        limits.connectionsPerAddress
      ),
      (
        GatewayAccount.RateKey(listener: name, prefix: prefix, isPrefix: true),
        limits.connectionsPerPrefix
      ),
    ]
    for case (let key, .some(let rate)) in keys {
      if account.addressRates[key, default: RateAccount(rate, at: now)]
        .passed(1, slack: 0, at: now) == false
      {
        broken(Finding(.limits, "connections of \(key.prefix) come too fast"), record)
      }
    }
  }

  func gatewayRead(_ bytes: ArraySlice<UInt8>, from connection: Connection) {
    guard let record = record(of: connection), let account = record.account else { return }
    record.bytesRead += UInt64(bytes.count)
    record.lastReadAt = now
    summary.bytesIn += UInt64(bytes.count)
    account.listeners[account.listener(named: record.listener.name)].bytesIn += UInt64(bytes.count)
  }

  func gatewaySawEnd(of connection: Connection) {
    guard let record = record(of: connection), let account = record.account else { return }
    record.gatewaySawEnd = true
    account.halfClosed.append(record)
  }

  func gatewayClosed(_ connection: Connection, _ manner: ClosingManner) {
    guard let record = record(of: connection) else { return }
    guard record.stage == .session, let account = record.account else {
      return broken(Finding(.driver, "closed without a session"), record)
    }
    record.stage = .over
    record.closedAt = now
    record.wasBroken = connection.phase == .reset || connection.peerClosed
    account.closed(record)
  }

  func verdict(_ verdict: LoginVerdict, for session: SessionID, at gateway: VirtualGateway) {
    let account = account(of: gateway)
    let slot = Int(session.index)
    guard slot < account.visitOfSlot.count, account.visitOfSlot[slot] >= 0 else { return }
    let record = visits[account.visitOfSlot[slot]]
    // It may be about one that was there before.
    guard record.id == session, record.isOpen else { return }
    record.verdict = verdict
    broken(problem(of: verdict, record), record)
  }

  // MARK: The log

  func logged(_ event: LogEvent, by gateway: VirtualGateway) {
    let account = account(of: gateway)
    switch event {
    case .sessionOpened(let opened): letIn(opened, account)
    case .sessionClosed(let closed): sessionClosed(closed, account)
    case .workerDraining(let worker, _, _): account.drainingSince[worker] = now
    case .workerLost(let worker, let pool, let endpoint, let reason, _, _, _):
      account.linksLost += 1
      judgeDrain(of: worker, pool: pool, endpoint: endpoint, reason, account)
      judgeLoss(of: endpoint, reason, account)
    case .temporaryBan(let ban, _):
      account.bansLogged += 1
      let left = max(ban.until * 1000 - Int64(simulation.unixMilliseconds), 0)
      bans.banned(
        ban.subject, by: gateway.number, rule: ban.rule, until: now + .milliseconds(UInt64(left)))
    case .shutdownStarted: account.hasStartedShutdown = true
    case .listenerGone(let name): account.forgetListener(name)
    case .sessionRefused(let refused): judgeRefusal(refused, account)
    case .framingViolation, .bansApplied, .workerReady, .workerNotReady, .workerAdded,
      .workerRemoved, .listenerAdded, .listenerRemoved, .acceptPaused, .acceptResumed,
      .shutdownFinished, .broadcastRefused, .recordingStarted, .recordingEnded:
      break
    }
  }

  private func letIn(_ event: SessionOpenedEvent, _ account: GatewayAccount) {
    guard let record = record(of: event.uuid) else {
      return broken(.crossing, "\(event.uuid) was let in, which nobody has")
    }
    if record.isIn { broken(Finding(.authentication, "let in twice"), record) }
    record.isIn = true
    record.accountName = event.account
    account.listeners[account.listener(named: record.listener.name)].letIn += 1
    if let finding = judgeLogin(event.account, record) { broken(finding, record) }
    broken(judgeBans(record) ?? judgeRuleBans(record), record)
  }

  private func judgeLogin(_ account: AccountName?, _ record: VisitRecord) -> Finding? {
    let name = account?.text
    switch record.visit.login {
    case .none:
      if name != nil { return Finding(.authentication, "let in as \(name!) without a login") }
    case .accepted(let expected):
      if name != expected {
        return Finding(.authentication, "let in as \(name ?? "nobody"), not \(expected)")
      }
    case .refused: return Finding(.authentication, "let in as \(name ?? "nobody"), not refused")
    case .undecided: break
    }
    guard let authentication = record.listener.authentication else { return nil }
    if case .worker = authentication.kind { return nil }
    guard case .accepted(let account, _)? = record.verdict, account.text == name else {
      return Finding(.authentication, "let in by no verdict of its own")
    }
    return nil
  }

  private func sessionClosed(_ event: SessionClosedEvent, _ account: GatewayAccount) {
    guard let record = record(of: event.uuid) else {
      return broken(.crossing, "\(event.uuid) was closed, which nobody has")
    }
    guard record.ending == nil else {
      return broken(Finding(.counters, "closed twice"), record)
    }
    record.ending = event
    record.endedInShutdown = account.hasStartedShutdown
    let listener = account.listener(named: record.listener.name)
    account.listeners[listener].closed[Int(event.reason.rawValue)] += 1
    account.listeners[listener].packetsIn += event.packetsIn
    account.listeners[listener].messagesOut += event.messagesOut
    account.listeners[listener].bytesOut += event.bytesOut
    summary.closed[Int(event.reason.rawValue)] += 1
    judgeEnding(event, record)
  }

  private func judgeEnding(_ event: SessionClosedEvent, _ record: VisitRecord) {
    func check(_ isTrue: Bool, _ property: Property, _ text: @autoclosure () -> String) {
      if !isTrue { broken(Finding(property, text()), record) }
    }
    check(record.isIn, .authentication, "closed as one that was in")
    check(
      event.reason != .workerViolation || record.wasSentNonsense, .answers,
      "closed for what its worker sent, which was in order")
    check(event.client == record.address, .counters, "closed as \(event.client)")
    check(
      event.bytesIn == record.bytesRead, .counters,
      "\(event.bytesIn) bytes in, not \(record.bytesRead)")
    check(
      event.packetsIn >= UInt64(record.packets.takenCount), .counters,
      "\(event.packetsIn) packets in, but \(record.packets.takenCount) taken")
    check(
      event.messagesOut >= UInt64(record.answers.receivedCount), .counters,
      "\(event.messagesOut) messages out, but \(record.answers.receivedCount) received")
    // Who leaves without ending its direction first may not have sent all that it wanted to.
    guard event.reason == .clientClosed, record.clientEnded, record.gatewaySawEnd else { return }
    broken(judgeLastAnswers(event, record), record)
    guard !record.wasHindered else { return }
    guard record.packets.violatedAt == nil, !record.packets.rules.mayDrop else { return }
    guard !record.game.form.isRaw else { return }
    // All that it sent was read, and nothing kept it from its worker.
    let withheld = record.packets.rules.withheld == nil ? 0 : 1
    check(
      event.packetsIn == UInt64(record.packets.sentCount - withheld), .packets,
      "ended after \(event.packetsIn) of \(record.packets.sentCount - withheld) packets")
  }

  // MARK: Turns

  /// After each turn of a gateway's loop.
  func turnEnded(_ shard: VirtualShard) {
    let gateway = shard.gateway
    let account = account(of: gateway)
    for record in account.halfClosed {
      if record.shard == nil { record.wasHindered = true }
      guard let figures = figures(of: record) else { continue }
      if figures.isHindered { record.wasHindered = true }
      if figures.isClosing { record.tookItsTime = true }
    }
    for record in account.closed {
      if record.ending == nil {
        if !record.listenerIsGone {
          account.listeners[account.listener(named: record.listener.name)].closedUnlogged += 1
        }
        if record.isIn { broken(Finding(.counters, "closed without a recorded reason"), record) }
      }
      if let reason = record.ending?.reason {
        broken(problem(of: reason, record, account), record)
      }
      settleIfOver(record)
    }
    if shard.number > 0 { account.endedAway += account.closed }
    account.closed.removeAll(keepingCapacity: true)
    if gateway.isQuiet { account.endedAway.removeAll(keepingCapacity: true) }
    noteReadAnswers(account)
    audit(shard, account)
  }

  private func audit(_ shard: VirtualShard, _ account: GatewayAccount) {
    guard account.open.count < 64 || shard.auditedAt + .milliseconds(100) <= now else { return }
    shard.auditedAt = now
    let place = shard.gateway.shards.count > 1 ? "shard \(shard.number): " : ""
    for problem in shard.shard.audit(readBytesMax: VirtualShard.readBytesMax) {
      broken(.audit, place + problem, gateway: shard.gateway.number)
    }
    for problem in account.driverProblems(shard) {
      broken(.driver, place + problem, gateway: shard.gateway.number)
    }
    if shard.number > 0, shard.gateway.isRunning, shard.gateway.isQuiet {
      for problem in shard.gateway.door.shard.audit(with: shard.shard) {
        broken(.audit, "door and " + place + problem, gateway: shard.gateway.number)
      }
    }
    for record in account.open where record.packetRate != nil && record.shard == shard.number {
      checkRate(record)
    }
  }

  /// Packets that were let through since the last look, by the gateway's own count.
  private func checkRate(_ record: VisitRecord) {
    guard let figures = figures(of: record), !figures.isAllowed else { return }
    let passed = figures.packetsIn - record.packetsSeen
    let window = now.since(record.packetsSeenAt)
    (record.packetsSeen, record.packetsSeenAt) = (figures.packetsIn, now)
    // What goes to workers before the login is not limited.
    guard record.isIn, passed > 0 else { return }
    let isSlowed = record.listener.limits.packetsAction == .slowDown
    if record.packetRate?.passed(
      passed, slack: isSlowed ? 1 : 0, at: now, within: window) == false
    {
      broken(Finding(.limits, "\(passed) packets come too fast"), record)
    }
  }
}
