internal import Gateway
internal import Primitives

/// Who is ready: what epoll_wait says at a turn's start.
extension VirtualShard {
  private static let eventsMax = 1024
  /// Turns that are told of something that is not so, of a thousand.
  private static let spuriousPermille = 20

  /// Everything that is ready, in any order.
  func takeEvents() -> [ReadyEvent] {
    var events = clientEvents() + lingeringEvents()
    for link in links.indices {
      let readiness = readiness(ofLink: link)
      guard !readiness.isEmpty else { continue }
      events.append(.link(link, serial: links[link].serial, readiness))
    }
    for slot in listeners.indices where isReady(listener: slot) { events.append(.listener(slot)) }
    if !mailbox.isEmpty { events.append(.mailbox) }
    if isSignalled { events.append(.signal) }
    if let event = spuriousEvent() { events.append(event) }
    var order = Array(events.indices)
    random.shuffle(&order)
    return order.prefix(Self.eventsMax).map { events[$0] }
  }

  private func clientEvents() -> [ReadyEvent] {
    swap(&readyClients, &reportedClients)
    readyClients.removeAll(keepingCapacity: true)
    var events: [ReadyEvent] = []
    for slot in reportedClients {
      clients[slot].isListed = false
      let readiness = readiness(ofClient: slot)
      if !readiness.isEmpty { events.append(.client(clients[slot].id, readiness)) }
    }
    return events
  }

  private func lingeringEvents() -> [ReadyEvent] {
    swap(&readyLingering, &reportedLingering)
    readyLingering.removeAll(keepingCapacity: true)
    return reportedLingering.map { .lingering($0) }
  }

  /// Of what was reported some is not done with.
  func listReported() {
    for slot in reportedClients { list(slot) }
    for connection in reportedLingering { listLingering(connection) }
    reportedClients.removeAll(keepingCapacity: true)
    reportedLingering.removeAll(keepingCapacity: true)
  }

  /// Something that would be reported at once.
  var isAnythingReady: Bool {
    !readyClients.isEmpty || !readyLingering.isEmpty || !mailbox.isEmpty || isSignalled
      || links.indices.contains { !readiness(ofLink: $0).isEmpty }
      || listeners.indices.contains { isReady(listener: $0) }
  }

  // MARK: Levels

  /// There are bytes, the end or an error to be read.
  static func hasNews(_ connection: Connection) -> Bool {
    connection.toGateway.arrivedByteCount > 0 || connection.toGateway.endArrived
      || connection.phase == .reset
  }

  private func readiness(ofClient slot: Int) -> Readiness {
    guard let connection = clients[slot].connection else { return [] }
    return readiness(
      of: connection, reads: clients[slot].reads, awaitsWritable: clients[slot].awaitsWritable)
  }

  func readiness(ofLink link: Int) -> Readiness {
    guard let connection = links[link].connection, !links[link].isDetached else { return [] }
    guard links[link].isConnecting else {
      return readiness(
        of: connection, reads: links[link].reads, awaitsWritable: links[link].awaitsWritable)
    }
    let hasFailed = connection.phase == .refused || connection.phase == .reset
    return links[link].hasConnected || hasFailed ? .writable : []
  }

  private func readiness(
    of connection: Connection, reads: Bool, awaitsWritable: Bool
  ) -> Readiness {
    var readiness: Readiness = connection.phase == .reset ? .broken : []
    if reads, Self.hasNews(connection) { readiness.insert(.readable) }
    if awaitsWritable, connection.toPeer.room > 0 || connection.phase == .reset {
      readiness.insert(.writable)
    }
    return readiness
  }

  /// A listener without a pause has somebody waiting.
  private func isReady(listener slot: Int) -> Bool {
    listeners[slot].isOpen && !listeners[slot].queue.isEmpty && !acceptPauses.isPaused(slot)
  }

  /// Notes a client's descriptor that epoll would report.
  func list(_ slot: Int) {
    guard !clients[slot].isListed, !readiness(ofClient: slot).isEmpty else { return }
    clients[slot].isListed = true
    readyClients.append(slot)
  }

  func listLingering(_ connection: Connection) {
    guard Self.hasNews(connection), lingering.contains(Int32(connection.number)),
      !readyLingering.contains(where: { $0 === connection })
    else { return }
    readyLingering.append(connection)
  }

  // MARK: What is not so

  /// A report of what was not so, or is so no longer, which the system is free to make.
  private func spuriousEvent() -> ReadyEvent? {
    guard simulation.scenario.cutPermille > 0, random.chance(Self.spuriousPermille) else {
      return nil
    }
    switch random.draw(0...3) {
    case 0:
      guard !clients.isEmpty else { return nil }
      let client = clients[random.draw(0...clients.count - 1)]
      guard client.connection != nil else { return nil }
      let interest = interest(client.reads, client.awaitsWritable)
      guard readiness(ofClient: Int(client.id.index)).isEmpty, !interest.isEmpty else {
        return nil
      }
      return .client(client.id, interest)
    case 1:
      guard !links.isEmpty else { return nil }
      let number = random.draw(0...links.count - 1)
      let link = links[number]
      guard link.connection != nil, !link.isConnecting, !link.isDetached else { return nil }
      let interest = interest(link.reads, link.awaitsWritable)
      guard readiness(ofLink: number).isEmpty, !interest.isEmpty else { return nil }
      return .link(number, serial: link.serial, interest)
    case 2:
      // Whoever waited is gone.
      let quiet = listeners.indices.filter {
        listeners[$0].isOpen && listeners[$0].queue.isEmpty && !acceptPauses.isPaused($0)
      }
      return quiet.isEmpty ? nil : .listener(random.pick(quiet))
    default: return mailbox.isEmpty ? .mailbox : nil
    }
  }

  private func interest(_ reads: Bool, _ awaitsWritable: Bool) -> Readiness {
    var interest: Readiness = reads ? .readable : []
    if awaitsWritable { interest.insert(.writable) }
    return interest
  }
}
