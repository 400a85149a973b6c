internal import Gateway
internal import Primitives
internal import Upstream

/// When faults have stopped: what still waits, what must be equal, and what is left at the end.
extension Oracle {
  // MARK: Progress

  /// What still waits, in words; empty once everything has come through.
  ///
  /// To be asked again and again once all faults have ended and clients send nothing new. Sessions
  /// that a limit slows down are left out: their time is no fault's.
  func settled() -> [String] {
    var waiting: [String] = []
    for account in gateways where !account.gateway.isFinished {
      let number = account.gateway.number
      for record in account.open.sorted(by: { $0.number < $1.number }) {
        for problem in unsettled(record) {
          waiting.append("gateway \(number), visit \(record.number): \(problem)")
        }
      }
      for problem in unsettled(account.gateway) { waiting.append("gateway \(number): \(problem)") }
    }
    for stream in streams where !stream.hasEnded && stream.hasEvents {
      for visit in stream.events.open where visits[visit].stage == .over {
        waiting.append("stream \(stream.number) was not told of the end of visit \(visit)")
      }
    }
    return waiting
  }

  private func unsettled(_ record: VisitRecord) -> [String] {
    guard let figures = figures(of: record) else { return ["it has no session"] }
    if figures.isClosing { return ["it waits to be closed"] }
    var waiting: [String] = []
    if figures.queuedBytes > 0 { waiting.append("\(figures.queuedBytes) bytes are queued for it") }
    guard record.isIn else { return waiting }
    let answers = missingAnswers(record)
    if answers > 0 { waiting.append("\(answers) answers have not come") }
    let unread = record.visit.connection.toPeer.unreadByteCount
    if unread > 0 { waiting.append("\(unread) bytes are on their way to it") }
    guard !record.isSlowed, record.packets.violatedAt == nil else { return waiting }
    let unheard = record.visit.connection.toGateway.unreadByteCount
    if unheard > 0 { waiting.append("\(unheard) bytes of it were not read") }
    let packets = record.packets.missingCount
    if packets > 0, !record.packets.rules.mayDrop {
      waiting.append("\(packets) packets, or raw bytes, were not handled")
    }
    return waiting
  }

  private func missingAnswers(_ record: VisitRecord) -> Int {
    record.answers.missingCount {
      streams[$0 - 1].losesAnswers || streams[$0 - 1].gateway != record.gateway
    }
  }

  private func unsettled(_ gateway: VirtualGateway) -> [String] {
    var waiting: [String] = []
    if !gateway.isQuiet { waiting.append("shards have something to tell each other") }
    let metrics = gateway.metrics()
    for worker in metrics.workers {
      if worker.state != .ready, worker.state != .drained {
        waiting.append("\(worker.endpoint) is \(worker.state.rawValue)")
      }
      if worker.queuedBytes > 0 {
        waiting.append("\(worker.queuedBytes) bytes are queued for \(worker.endpoint)")
      }
    }
    let claims = metrics.access.loginsWaiting + metrics.access.loginsVerifying
    if claims > 0 { waiting.append("\(claims) claims are not decided") }
    if metrics.clientQueueBytes > 0 {
      waiting.append("\(metrics.clientQueueBytes) bytes are queued for clients")
    }
    return waiting
  }

  // MARK: Equality

  /// What must be equal once ``settled()`` has nothing to say, and nobody has said anything since.
  func checkCalm() {
    for account in gateways where !account.gateway.isFinished {
      for record in account.open.sorted(by: { $0.number < $1.number }) where record.isIn {
        checkCalm(record)
      }
      checkWorkers(account)
      checkListeners(account)
    }
    checkClosedPackets()
  }

  private func checkCalm(_ record: VisitRecord) {
    guard let figures = figures(of: record), !figures.isClosing else { return }
    func check(_ isTrue: Bool, _ property: Property, _ text: @autoclosure () -> String) {
      if !isTrue { broken(Finding(property, text()), record) }
    }
    let answers = record.answers
    check(
      figures.bytesIn == record.bytesRead, .counters,
      "\(figures.bytesIn) bytes in, not \(record.bytesRead)")
    check(
      figures.messagesOut == UInt64(answers.receivedCount), .counters,
      "\(figures.messagesOut) messages out, \(answers.receivedCount) received")
    check(
      figures.bytesOut == UInt64(answers.receivedByteCount), .counters,
      "\(figures.bytesOut) bytes out, \(answers.receivedByteCount) received")
    guard !record.isSlowed else { return }
    check(
      figures.packetsIn == UInt64(record.packets.takenCount), .counters,
      "\(figures.packetsIn) packets in, \(record.packets.takenCount) taken")
    guard record.packets.violatedAt == nil, !record.packets.rules.mayDrop else { return }
    check(
      record.packets.missingCount == 0, .packets,
      "\(record.packets.missingCount) packets or raw bytes vanished")
  }

  /// What workers got is what was sent to them, as long as none of a gateway's was ever lost.
  private func checkWorkers(_ account: GatewayAccount) {
    guard account.linksLost == 0, !account.open.contains(where: \.isSlowed) else { return }
    let number = account.gateway.number
    for (status, own) in streamsByWorker(of: account) {
      let taken = UInt64(own.reduce(0) { $0 + $1.handledCount + $1.lostCount })
      let sent = UInt64(own.reduce(0) { $0 + $1.sentCount })
      if status.packetsSent != taken {
        broken(
          .counters, "\(status.endpoint): \(status.packetsSent) packets sent, \(taken) taken",
          gateway: number)
      }
      // Lies are no answers, and count as messages.
      let isExact = scenario.liesPerMinute == 0
      // Words for those who have left may still be on their way.
      let hasReadAll = own.allSatisfy { isReadUp($0.number) }
      if hasReadAll, status.messagesReceived < sent || isExact && status.messagesReceived > sent {
        broken(
          .counters, "\(status.endpoint): \(status.messagesReceived) messages, \(sent) sent",
          gateway: number)
      }
      if status.sessions > account.open.count {
        broken(.counters, "\(status.endpoint): \(status.sessions) sessions", gateway: number)
      }
    }
  }

  // MARK: Nothing left

  /// What is left though everybody has left; empty when nothing is.
  ///
  /// To be asked once clients have closed their sockets and time enough has passed for gateways to
  /// notice; gateways may still run, or have finished.
  func leftovers() -> [String] {
    var left: [String] = []
    for account in gateways {
      let gateway = account.gateway
      func add(_ problem: String) { left.append("gateway \(gateway.number): \(problem)") }
      if gateway.clientCount != 0 { add("\(gateway.clientCount) clients' sockets") }
      if !gateway.isQuiet { add("\(gateway.messagesUnderWay) messages between shards") }
      for shard in gateway.shards { for problem in leftovers(of: shard) { add(problem) } }
    }
    for record in visits where record.stage == .session {
      left.append("visit \(record.number) has a session")
    }
    for stream in streams where !stream.hasEnded {
      for visit in stream.events.open {
        left.append("stream \(stream.number) was not told of the end of visit \(visit)")
      }
    }
    for connection in simulation.network.live {
      guard case .client = connection.peer, connection.peerClosed, !connection.gatewayClosed,
        connection.gatewayPlace >= 0
      else { continue }
      left.append("connection \(connection.number) is open at the gateway's end")
    }
    return left
  }

  private func leftovers(of shard: VirtualShard) -> [String] {
    var left = shard.shard.leftovers()
    if shard.lingering.count != 0 { left.append("\(shard.lingering.count) lingering sockets") }
    if !shard.readyClients.isEmpty { left.append("\(shard.readyClients.count) ready clients") }
    if !shard.mailbox.isEmpty { left.append("\(shard.mailbox.count) messages in its mailbox") }
    let links = shard.links.count { $0.connection != nil }
    if shard.isFinished, links > 0 { left.append("\(links) workers' sockets") }
    if shard.isFinished, shard.listeners.contains(where: \.isOpen) {
      left.append("open listeners")
    }
    return shard.gateway.shards.count > 1 ? left.map { "shard \(shard.number): \($0)" } : left
  }
}
