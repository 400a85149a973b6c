internal import Gateway
internal import Primitives

/// What a plan's entries do to the network, the workers and the machine.
extension Simulation {
  func perform(_ entry: Plan.Entry) {
    guard !deeds.isCalm else { return }
    var random = Plan.random(of: entry, scenario)
    guard perform(entry.kind, entry.lasting, &random) else { return }
    deeds.count(entry.kind)
    trace.note("deed", entry.name.family.order, entry.name.index, entry.kind.order)
  }

  /// - Returns: false when there was nothing to do it to.
  private func perform(
    _ kind: DeedKind, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    switch kind {
    case .resetClient: cutOne(ofClients: true, &random)
    case .resetLink: cutOne(ofClients: false, &random)
    case .darkenClient: darkenOne(ofClients: true, lasting, &random)
    case .darkenLink: darkenOne(ofClients: false, lasting, &random)
    case .slowClient: slowOne(ofClients: true, lasting, &random)
    case .slowLink: slowOne(ofClients: false, lasting, &random)
    case .partition: partition(lasting, &random)
    case .crash, .exit, .stop, .takeNothing, .sendNothing, .notReady, .refuse, .swallow, .lie:
      disturbWorker(kind, lasting, &random)
    case .pause: pause(lasting, &random)
    case .shortage: takeDescriptors(lasting, &random)
    case .restart: restartGateway(lasting, &random)
    case .drain: drainWorker(removes: false, lasting, &random)
    case .remove: drainWorker(removes: true, lasting, &random)
    case .kick: kick(byAddress: false, &random)
    case .kickAddress: kick(byAddress: true, &random)
    case .closeListener: removeListener(closesSessions: true, lasting, &random)
    case .drainListener: removeListener(closesSessions: false, lasting, &random)
    case .record: record(lasting, &random)
    case .ask: ask(&random)
    case .ban: deeds.ban?(&random, lasting) ?? false
    case .diskFault: deeds.diskFault?(&random, lasting) ?? false
    case .kill: killOne(lasting, &random)
    case .powerLoss: losePower(lasting)
    }
  }

  func add(_ repair: Repair, after interval: Interval) {
    deeds.willEnd(repair, at: now + interval)
    add(.repair(repair), at: now + interval)
  }

  /// Ends what a deed began; what is calm already stays so.
  func perform(_ repair: Repair) {
    switch repair {
    case .replaceGateway(let gateway): return replaceEnded(gateway)
    case .takeRecorded(let id, let gateway, let left): return takeRecorded(id, gateway, left)
    case .liftBan(let subject, let listener): return liftBan(of: subject, listener: listener)
    case .enable(let account): return enable(account)
    default: break
    }
    guard !deeds.isCalm, !deeds.isTooEarly(for: repair, at: now) else { return }
    switch repair {
    case .light(let path, let end): network.light(path: path, to: end)
    case .restoreDelay(let path): restoreDelay(ofPath: path)
    case .restartWorker(let worker): workers[worker].restart()
    case .goOn(let worker): workers[worker].go()
    case .takePackets(let worker): workers[worker].setTakesPackets(true)
    case .sendAnswers(let worker): workers[worker].setSendsAnswers(true)
    case .beReady(let worker): workers[worker].setReady(true)
    case .beReachable(let worker): workers[worker].setReachability(.accepts)
    case .beNormal(let worker): workers[worker].lie = nil
    case .giveDescriptors(let gateway):
      gateways[gateway].clientsMax = scenario.descriptorsForClients
      gateways[gateway].wakeUp()
    case .addWorkers(let gateway): addMissingWorkers(to: gateway)
    case .addListener(let listener, let gateway): addListener(listener, to: gateway)
    case .calmDisk: deeds.calmDisk?()
    case .replaceGateway, .takeRecorded, .liftBan, .enable: break
    }
    trace.note("repair")
  }

  // MARK: The network

  private func live(ofClients: Bool) -> [Connection] {
    network.live.filter { connection in
      guard connection.phase == .established, !connection.gatewayClosed, !connection.peerClosed
      else { return false }
      if case .client = connection.peer { return ofClients }
      return !ofClients
    }
  }

  private func oneAlive(ofClients: Bool, _ random: inout SeededRandom) -> Connection? {
    let connections = live(ofClients: ofClients)
    return connections.isEmpty ? nil : random.pick(connections)
  }

  private func cutOne(ofClients: Bool, _ random: inout SeededRandom) -> Bool {
    guard let connection = oneAlive(ofClients: ofClients, &random) else { return false }
    network.cut(connection)
    return true
  }

  private func darkenOne(
    ofClients: Bool, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    guard let connection = oneAlive(ofClients: ofClients, &random) else { return false }
    let ends: [End] = random.pick([[.gateway], [.peer], [.gateway, .peer]])
    darken(connection.path, to: ends, lasting)
    return true
  }

  private func darken(_ path: Int, to ends: [End], _ lasting: Interval) {
    for end in ends {
      network.darken(path: path, to: end)
      add(.light(path: path, to: end), after: lasting)
    }
  }

  private func slowOne(
    ofClients: Bool, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    guard let connection = oneAlive(ofClients: ofClients, &random),
      !deeds.slowed.contains(where: { $0.path == connection.path })
    else { return false }
    let path = network.paths[connection.path]
    deeds.slowed.append((connection.path, path.latency, path.jitter))
    network.setDelay(
      ofPath: connection.path,
      latency: .milliseconds(UInt64(random.draw(50...800))),
      jitter: .milliseconds(UInt64(random.draw(0...400))))
    add(.restoreDelay(path: connection.path), after: lasting)
    return true
  }

  private func restoreDelay(ofPath path: Int) {
    guard let index = deeds.slowed.firstIndex(where: { $0.path == path }) else { return }
    let before = deeds.slowed.remove(at: index)
    network.setDelay(ofPath: path, latency: before.latency, jitter: before.jitter)
  }

  private func partition(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    let gateway = random.draw(0...gateways.count - 1)
    for worker in workers { darken(worker.path(to: gateway), to: [.gateway, .peer], lasting) }
    return true
  }

  // MARK: Workers

  private func disturbWorker(
    _ kind: DeedKind, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    let number = random.draw(0...workers.count - 1)
    let worker = workers[number]
    switch kind {
    case .crash:
      worker.crash()
      add(.restartWorker(number), after: lasting)
    case .exit:
      worker.exitGracefully()
      add(.restartWorker(number), after: lasting)
    case .stop:
      worker.stop()
      add(.goOn(worker: number), after: lasting)
    case .takeNothing:
      worker.setTakesPackets(false)
      add(.takePackets(worker: number), after: lasting)
    case .sendNothing:
      worker.setSendsAnswers(false)
      add(.sendAnswers(worker: number), after: lasting)
    case .notReady:
      worker.setReady(false)
      add(.beReady(worker: number), after: lasting)
    case .refuse, .swallow:
      worker.setReachability(kind == .refuse ? .refuses : .swallows)
      // Whoever is connected stays so: somebody has to come.
      if random.chance(500) { worker.crash() }
      add(.restartWorker(number), after: lasting / 2)
      add(.beReachable(worker: number), after: lasting)
    case .lie:
      worker.lie(random.pick(Lie.allCases))
      add(.beNormal(worker: number), after: lasting)
    default: return false
    }
    return true
  }

  // MARK: The gateways' machine

  private func pause(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    let gateway = gateways[random.draw(0...gateways.count - 1)]
    // A thread alone, or all of the process.
    let shard = gateway.shards.count > 1 ? random.draw(0...gateway.shards.count) : 0
    for index in gateway.shards.indices where index == shard || shard == gateway.shards.count {
      let other = gateway.shards[index]
      other.stalledUntil = max(other.stalledUntil, now + lasting)
    }
    return true
  }

  private func takeDescriptors(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    let number = random.draw(0...gateways.count - 1)
    gateways[number].clientsMax = random.draw(0...max(1, gateways[number].clientCount))
    add(.giveDescriptors(gateway: number), after: lasting)
    return true
  }

  private func restartGateway(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    let number = random.draw(0...gateways.count - 1)
    guard !deeds.isEnding[number], gateways[number].isRunning else { return false }
    deeds.isEnding[number] = true
    gateways[number].post(.terminate)
    add(.replaceGateway(number), after: lasting)
    return true
  }

  /// Starts a new gateway once the old one's process has ended.
  private func replaceEnded(_ number: Int) {
    guard deeds.isEnding[number] else { return }
    let old = gateways[number]
    guard old.isFinished, old.lingeringCount == 0 else {
      return add(.replaceGateway(number), after: .milliseconds(20))
    }
    deeds.isEnding[number] = false
    deeds.generations[number] += 1
    replaceGateway(number, generation: deeds.generations[number])
  }
}
