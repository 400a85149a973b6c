internal import Gateway
internal import Primitives

/// What shards of one process tell each other, and the sockets that go along.
extension VirtualShard {
  /// Messages that are late, of a thousand: the sender's thread had to wait before it posted them.
  private static let latePermille = 100
  private static let lateMax = Interval.milliseconds(20)

  func send(_ message: ShardMessage, to target: Int) {
    guard target != number, gateway.shards.indices.contains(target) else {
      return simulation.oracle.broken(
        .driver, "a message to shard \(target) of shard \(number)", gateway: gateway.number)
    }
    let sockets = (message.movingSessions?.ids ?? []).compactMap { giveAway($0) }
    gateway.messagesUnderWay += 1
    gateway.movingSockets += sockets
    let isLate = random.chance(Self.latePermille)
    let delayMax = isLate ? Self.lateMax : simulation.scenario.turnDelayMax
    let at = max(now + random.draw(.zero...delayMax), lastArrivals[target])
    lastArrivals[target] = at
    simulation.trace.note("message", gateway.number, number << 8 | target, sockets.count)
    simulation.add(
      .mail(
        gateway: gateway.number, instance: gateway.instance, shard: target,
        .message(message, from: number, sockets: sockets)),
      at: at)
  }

  /// The socket of a session that goes to another shard; nothing of it is reported here any more.
  private func giveAway(_ id: SessionID) -> Connection? {
    let slot = Int(id.index)
    guard slot < clients.count, clients[slot].id == id, let connection = clients[slot].connection
    else {
      simulation.oracle.broken(.driver, "a session goes without a socket", gateway: gateway.number)
      return nil
    }
    clients[slot].connection = nil
    clients[slot].hasMoved = true
    connection.gatewayPlace = -1
    simulation.oracle.moves(connection)
    return connection
  }

  /// A message has its turn.
  func take(_ message: ShardMessage, from sender: Int, _ sockets: [Connection]) {
    gateway.messagesUnderWay -= 1
    guard let moving = message.movingSessions else {
      shard.received(message, from: sender, now: now, effects: &effects)
      if number == 0 { acceptPauses.descriptorFreed(now: now) }
      return
    }
    let ids = shard.take(message, from: sender, now: now, effects: &effects)
    guard ids.count == sockets.count, ids.count == moving.uuids.count else {
      return simulation.oracle.broken(
        .driver, "\(ids.count) sessions came with \(sockets.count) sockets",
        gateway: gateway.number)
    }
    for (place, id) in ids.enumerated() {
      let connection = sockets[place]
      gateway.movingSockets.removeAll { $0 === connection }
      register(connection, id)
      if let figures = shard.figures(of: id), figures.uuid != moving.uuids[place] {
        simulation.oracle.broken(
          .crossing, "session \(id.index) is another's", gateway: gateway.number)
      }
      simulation.oracle.came(connection, id, uuid: moving.uuids[place], to: self)
    }
    performEffects()
    while shard.continueTaking(now: now, effects: &effects) { performEffects() }
    for id in ids { list(Int(id.index)) }
  }

  /// Nobody is there to take it.
  func drop(_ mail: Mail) {
    guard gateway.isRunning, case .message(_, _, let sockets) = mail else { return }
    gateway.messagesUnderWay -= 1
    guard !sockets.isEmpty else { return }
    simulation.oracle.broken(
      .driver, "\(sockets.count) sessions come to shard \(number), which has ended",
      gateway: gateway.number)
  }
}
