internal import Auth
internal import Gateway
internal import Primitives
internal import Upstream

/// What a plan's operators ask of gateways by the management API.
extension Simulation {
  private func gateway(_ random: inout SeededRandom) -> VirtualGateway {
    gateways[random.draw(0...gateways.count - 1)]
  }

  /// Has `gateway` carry out a command and is given its answer.
  private func ask(
    _ command: Command, of gateway: VirtualGateway,
    then body: @escaping (Reply, VirtualGateway) -> Void
  ) {
    deeds.wait(for: self.command(command, to: gateway.number), body)
  }

  // MARK: Workers

  func drainWorker(
    removes: Bool, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    let gateway = gateway(&random)
    let choice = random.next()
    ask(.listWorkers, of: gateway) { [unowned self] reply, gateway in
      guard case .workers(let workers) = reply, !workers.isEmpty else { return }
      let worker = workers[Int(choice % UInt64(workers.count))].id
      command(removes ? .removeWorker(worker) : .drainWorker(worker), to: gateway.number)
    }
    add(.addWorkers(gateway: gateway.number), after: lasting)
    return true
  }

  /// Those that are there are refused as duplicates; those that have drained come back.
  func addMissingWorkers(to number: Int) {
    for pool in gateways[number].configuration.pools {
      for worker in pool.workers { command(.addWorker(pool: pool.name, worker), to: number) }
    }
  }

  // MARK: Sessions

  func kick(byAddress: Bool, _ random: inout SeededRandom) -> Bool {
    let choice = random.next()
    ask(.listSessions(of: nil, cursor: 0, limit: 10_000), of: gateway(&random)) {
      [unowned self] reply, gateway in
      guard case .sessions(let sessions, _) = reply, !sessions.isEmpty else { return }
      let session = sessions[Int(choice % UInt64(sessions.count))]
      let address = AddressPrefix(session.client)
      command(
        byAddress ? .closeSessions(of: .addresses(address)) : .closeSession(session.uuid),
        to: gateway.number)
    }
    return true
  }

  // MARK: Listeners

  func removeListener(
    closesSessions: Bool, _ lasting: Interval, _ random: inout SeededRandom
  ) -> Bool {
    let gateway = gateway(&random)
    let listener = random.draw(0...gateway.configuration.listeners.count - 1)
    command(
      .removeListener(
        name: gateway.configuration.listeners[listener].name, closesSessions: closesSessions),
      to: gateway.number)
    add(.addListener(listener, gateway: gateway.number), after: lasting)
    return true
  }

  /// Tried again until the sessions are over that keep the name.
  func addListener(_ index: Int, to number: Int) {
    let gateway = gateways[number]
    let listener = gateway.configuration.listeners[index]
    let token = newToken()
    deeds.wait(for: token) { [unowned self] reply, _ in
      guard case .failed(.listenerNameTaken(sessions: .some)) = reply else { return }
      add(.addListener(index, gateway: number), after: .seconds(1))
    }
    gateway.post(.addListener(listener, token: token))
  }

  // MARK: Recordings

  func record(_ lasting: Interval, _ random: inout SeededRandom) -> Bool {
    let gateway = gateway(&random)
    let listeners = gateway.configuration.listeners
    var request = RecordingRequest(listener: random.pick(listeners.map(\.name)))
    request.bytesMax = random.pick([1024, 65_536, 16 << 20])
    request.sessionsMax = random.pick([1, 4, 64])
    request.duration = .seconds(UInt64(random.draw(1...20)))
    // Some are forgotten by whoever asked for them.
    let times = random.chance(200) ? 0 : random.draw(1...10)
    ask(.startRecording(request), of: gateway) { [unowned self] reply, gateway in
      guard case .recordingStarted(let id) = reply else { return }
      add(
        .takeRecorded(id, gateway: gateway.number, timesLeft: times), after: .milliseconds(300))
    }
    return true
  }

  func takeRecorded(_ id: RecordingID, _ gateway: Int, _ timesLeft: Int) {
    guard timesLeft > 0 else {
      command(.stopRecording(id), to: gateway)
      return
    }
    command(.takeRecorded(id), to: gateway)
    add(
      .takeRecorded(id, gateway: gateway, timesLeft: timesLeft - 1), after: .milliseconds(300))
  }

  // MARK: Questions

  func ask(_ random: inout SeededRandom) -> Bool {
    let number = random.draw(0...gateways.count - 1)
    switch random.draw(0...5) {
    case 0: command(.metrics, to: number)
    case 1: command(.health, to: number)
    case 2: command(.listWorkers, to: number)
    case 3: command(.listListeners, to: number)
    case 4: command(.listSessions(of: nil, cursor: 0, limit: random.draw(1...50)), to: number)
    default:
      ask(.listSessions(of: nil, cursor: 0, limit: 1), of: gateways[number]) {
        [unowned self] reply, gateway in
        guard case .sessions(let sessions, _) = reply, let session = sessions.first else { return }
        let subject =
          session.account.map { Subject.account($0) }
          ?? .addresses(AddressPrefix(session.client))
        command(.explain(subject), to: gateway.number)
      }
    }
    return true
  }
}
