internal import Auth
internal import Gateway
internal import Primitives
internal import Upstream

/// What a gateway does by itself: ban by rules, and end workers' connections.
extension Oracle {
  // MARK: Bans by rules

  /// A rule has banned somebody, from now on.
  func made(_ ban: TemporaryBan, _ account: GatewayAccount) {
    let second = unixSecond
    for account in gateways { account.ruleBans.removeAll { $0.until <= second } }
    // Of two gateways' bans the later record counts, and nobody here knows which that is.
    let isOthers = gateways.contains { other in
      other !== account && other.ruleBans.contains { $0.subject == ban.subject }
    }
    forgetRuleBans(of: ban.subject)
    if !isOthers { account.ruleBans.append(ban) }
  }

  /// An operator has decided something else, which may take the place of what a rule did.
  func forgetRuleBans(of subject: Subject) {
    for account in gateways { account.ruleBans.removeAll { $0.subject == subject } }
  }

  /// Nobody whom a rule has banned is let in by the same gateway before the ban's last second,
  /// whatever its store is doing.
  func judgeRuleBans(_ record: VisitRecord, _ account: GatewayAccount) -> Finding? {
    guard !account.ruleBans.isEmpty, figures(of: record)?.isAllowed == false else { return nil }
    let second = unixSecond
    let ban = account.ruleBans.first { ban in
      ban.until > second + 1 && ban.subject.covers(record.address, record.accountName)
    }
    return ban.map { Finding(.bans, "let in, though \($0.rule) has banned \($0.subject)") }
  }

  private var unixSecond: Int64 { Int64(simulation.unixMilliseconds / 1000) }

  // MARK: Drains

  /// A worker that is drained may finish what it has: its connection is not closed before it has
  /// ended the packet stream, or before the pool's timeout.
  func judgeDrain(
    of worker: WorkerID, pool: String, endpoint: String, _ reason: LinkEndReason,
    _ account: GatewayAccount
  ) {
    // A shutdown has a grace of its own.
    guard let since = account.drainingSince.removeValue(forKey: worker),
      [.drained, .removed, .goAway].contains(reason), !account.hasStartedShutdown
    else { return }
    let gateway = account.gateway
    guard let timeout = gateway.configuration.pools.first(where: { $0.name == pool })?.drainTimeout,
      now < since + timeout,
      let number = simulation.workers.first(where: { $0.configuration.authority == endpoint })?
        .number,
      let stream = streams.last(where: { $0.worker == number && $0.account === account }),
      stream.cutOffAt == now
    else { return }
    broken(
      .answers, "stream \(stream.number) was closed before its worker had finished",
      gateway: gateway.number)
  }

  /// Where nothing ever goes wrong, no worker is given up.
  func judgeLoss(of endpoint: String, _ reason: LinkEndReason, _ account: GatewayAccount) {
    guard workersAreLeftAlone, !account.hasStartedShutdown else { return }
    switch reason {
    case .drained, .removed, .shutdown: return
    default:
      broken(
        .progress, "\(endpoint) was lost, \(reason.name), and nothing was wrong with it",
        gateway: account.gateway.number)
    }
  }
}

extension Scenario {
  /// Something may happen to workers, to the ways there, or to a gateway's time.
  var disturbsWorkers: Bool {
    let families: [DeedFamily] = [
      .resets, .delays, .partitions, .crashes, .stalls, .lies, .pauses,
    ]
    // What passes little at a time leaves no room for heartbeats under load.
    return families.contains { self[keyPath: $0.rate] > 0 } || workerSocketBytes < 256 << 10
  }
}
