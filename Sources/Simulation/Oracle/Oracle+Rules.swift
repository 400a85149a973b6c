internal import Gateway
internal import Primitives
internal import Upstream

/// What a gateway does by itself: ban by rules, and end workers' connections.
extension Oracle {
  // MARK: Bans by rules

  /// Nobody whom a rule has banned is let in by the same gateway before the ban's last second,
  /// whatever its store is doing.
  func judgeRuleBans(_ record: VisitRecord) -> Finding? {
    let ban = bans.certainBan(
      of: record.address, record.accountName, gateway: record.gateway, now: now)
    guard let ban, figures(of: record)?.isAllowed == false else { return nil }
    return Finding(.bans, "let in, though \(ban.rule) has banned \(ban.subject)")
  }

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
