internal import Gateway
internal import Primitives
internal import Upstream

/// The end of a run: faults stop, everything comes through, everybody leaves, nothing is left.
///
/// The bounds are of virtual time, and wide: what is awaited here comes in a fraction of them, or
/// never.
extension Simulation {
  /// Until then every worker is in rotation again: waits between attempts to connect grow to 30
  /// seconds, and a drain may take its pool's timeout before.
  static let recoveryMax = Interval.seconds(90)
  /// Within it something of what waits comes through: as long as the slowest of the listeners' and
  /// workers' timeouts.
  static let settlingMax = Interval.seconds(60)
  /// Until then whoever was told to leave has left.
  static let leavingMax = Interval.seconds(600)
  /// Until then, beyond its grace, a gateway that got SIGTERM has ended.
  static let endingMax = Interval.seconds(10)

  /// All faults end, and time passes until everything that waited has come through.
  func calmDown() {
    trace.note("calm-down")
    deeds.isCalm = true
    calmNetwork()
    for worker in workers { calm(worker) }
    for gateway in gateways {
      for shard in gateway.shards { shard.stalledUntil = now }
      gateway.clientsMax = scenario.descriptorsForClients
      gateway.wakeUp()
    }
    deeds.calmDisk?()
    for client in clients { client.calmDown() }
    guard recover() else { return }
    guard settle() else { return }
    oracle.checkCalm()
    // Whoever is still there is served like anybody.
    for client in clients { client.speakOnce() }
    advance(to: now + .seconds(1))
    _ = settle()
  }

  private func calmNetwork() {
    for path in network.paths.indices { network.light(path: path) }
    for slowed in deeds.slowed {
      network.setDelay(ofPath: slowed.path, latency: slowed.latency, jitter: slowed.jitter)
    }
    deeds.slowed = []
  }

  private func calm(_ worker: WorkerProcess) {
    worker.setReachability(.accepts)
    worker.restart()
    worker.go()
    worker.becomeNormal()
    worker.setTakesPackets(true)
    worker.setSendsAnswers(true)
    worker.setReady(true)
  }

  // MARK: Progress

  /// Every gateway runs, has all its listeners, and all its workers in rotation.
  private func recover() -> Bool {
    var missing: [String] = []
    var end = now + Self.recoveryMax
    var moved = oracle.summary.moved
    repeat {
      for number in gateways.indices where !deeds.isEnding[number] { complete(number) }
      let statuses = workerStatuses()
      missing = gateways.indices.flatMap { whatIsMissing($0, statuses[$0]) }
      // A listener can be had again when its last session is over, whose client may be slow.
      if now >= end, gateways.contains(where: isDraining), oracle.summary.moved > moved {
        moved = oracle.summary.moved
        end = now + Self.recoveryMax
      }
    } while !missing.isEmpty && now < end && !oracle.hasFailed
    return fail(unless: missing, within: Self.recoveryMax)
  }

  /// What each gateway says of its workers, a second later.
  private func workerStatuses() -> [[WorkerStatus]] {
    var statuses = [[WorkerStatus]](repeating: [], count: gateways.count)
    advance(to: now + .seconds(1))
    for number in gateways.indices {
      deeds.wait(for: command(.listWorkers, to: number)) { reply, _ in
        if case .workers(let workers) = reply { statuses[number] = workers }
      }
    }
    advance(to: now + .milliseconds(100))
    return statuses
  }

  private func complete(_ number: Int) {
    addMissingWorkers(to: number)
    for index in gateways[number].configuration.listeners.indices
    where !isListening(gateways[number].configuration.listeners[index].port, gateways[number]) {
      addListener(index, to: number)
    }
  }

  private func isListening(_ port: UInt16, _ gateway: VirtualGateway) -> Bool {
    gateway.door.listeners.contains { $0.isOpen && $0.port == port }
  }

  /// A listener that does not listen has sessions.
  private func isDraining(_ gateway: VirtualGateway) -> Bool {
    gateway.metrics().listeners.contains { status in
      let port = gateway.configuration.listeners.first { $0.name == status.name }?.port
      return status.sessionsOpen > 0 && !(port.map { isListening($0, gateway) } ?? true)
    }
  }

  private func whatIsMissing(_ number: Int, _ statuses: [WorkerStatus]) -> [String] {
    let gateway = gateways[number]
    if deeds.isEnding[number] { return ["gateway \(number) has not ended and begun again"] }
    var missing: [String] = []
    for listener in gateway.configuration.listeners where !isListening(listener.port, gateway) {
      missing.append("gateway \(number) does not listen for \(listener.name)")
    }
    if let failure = gateway.storeFailure {
      missing.append("the store of gateway \(number) fails: \(failure)")
    }
    for pool in gateway.configuration.pools {
      for worker in pool.workers
      where !statuses.contains(where: {
        $0.pool == pool.name && $0.endpoint == worker.authority && $0.state == .ready
      }) {
        missing.append("gateway \(number) has no ready worker \(worker.authority)")
      }
    }
    return missing
  }

  /// What waits comes through, however much it is, as long as some of it does.
  private func settle() -> Bool {
    var moved = oracle.summary.moved
    while !advance(upTo: Self.settlingMax, until: { oracle.settled().isEmpty }),
      !oracle.hasFailed, oracle.summary.moved > moved
    {
      moved = oracle.summary.moved
    }
    guard fail(unless: oracle.settled(), within: Self.settlingMax) else { return false }
    oracle.checkCalm()
    return !oracle.hasFailed
  }

  /// - Returns: true when nothing is there that has `left` waiting.
  private func fail(unless left: [String], within bound: Interval) -> Bool {
    guard !oracle.hasFailed else { return false }
    guard !left.isEmpty else { return true }
    let seconds = bound.nanoseconds / 1_000_000_000
    oracle.broken(.progress, "\(seconds) s after the last fault: " + Self.shortened(left))
    return false
  }

  // MARK: The end

  /// Clients leave, newcomers are served, gateways shut down; nothing may be left.
  func endEverything() {
    trace.note("end")
    for client in clients { client.leave() }
    guard waitUntilNothingIsLeft(for: Self.leavingMax), welcomeNewcomers(),
      waitUntilNothingIsLeft(for: Self.leavingMax)
    else { return }
    for gateway in gateways { gateway.post(.terminate) }
    let grace = gateways.map(\.configuration.shutdownGrace).max() ?? .zero
    let hasEnded = advance(upTo: grace + Self.endingMax) {
      gateways.allSatisfy { $0.isFinished && $0.lingeringCount == 0 }
    }
    guard !oracle.hasFailed else { return }
    guard hasEnded else {
      return oracle.broken(.leftovers, "a gateway goes on after SIGTERM and its grace")
    }
    // News of the last sessions' ends are under way to workers.
    _ = waitUntilNothingIsLeft(for: .seconds(5))
  }

  private func waitUntilNothingIsLeft(for limit: Interval) -> Bool {
    _ = advance(upTo: limit) { oracle.leftovers().isEmpty }
    let left = oracle.leftovers()
    guard !oracle.hasFailed, !left.isEmpty else { return !oracle.hasFailed }
    oracle.broken(.leftovers, "everybody has left: " + Self.shortened(left))
    return false
  }

  private static func shortened(_ problems: [String]) -> String {
    let more = problems.count > 5 ? ", and \(problems.count - 5) more" : ""
    return problems.prefix(5).joined(separator: "; ") + more
  }
}
