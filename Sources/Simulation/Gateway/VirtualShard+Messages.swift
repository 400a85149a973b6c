internal import Gateway
internal import Primitives

/// What shards of one process tell each other, and the sockets that go along.
extension VirtualShard {
  /// Messages that are late, of a thousand: the sender's thread had to wait before it posted them.
  private static let latePermille = 100
  private static let lateMax = Interval.milliseconds(20)

  func send(_ message: ShardMessage, to target: Int) {
    guard target != index, gateway.shards.indices.contains(target) else {
      return simulation.oracle.broken(
        .driver, "a message to shard \(target) of shard \(index)", gateway: number)
    }
    let sockets = (message.moving?.ids ?? []).compactMap { giveAway($0) }
    gateway.messagesUnderWay += 1
    gateway.movingSockets += sockets
    let isLate = random.chance(Self.latePermille)
    let delayMax = isLate ? Self.lateMax : simulation.scenario.turnDelayMax
    let at = max(now + random.draw(.zero...delayMax), lastArrivals[target])
    lastArrivals[target] = at
    simulation.trace.note("message", number, index << 8 | target, sockets.count)
    simulation.add(
      .mail(
        gateway: number, instance: gateway.instance, shard: target,
        .message(message, from: index, sockets: sockets)),
      at: at)
  }

  /// The socket of a session that goes to another shard; nothing of it is reported here any more.
  private func giveAway(_ id: SessionID) -> Connection? {
    let slot = Int(id.index)
    guard slot < clients.count, clients[slot].id == id, let connection = clients[slot].connection
    else {
      simulation.oracle.broken(.driver, "a session goes without a socket", gateway: number)
      return nil
    }
    clients[slot].connection = nil
    clients[slot].hasMoved = true
    connection.gatewayPlace = -1
    simulation.oracle.moves(connection, by: gateway)
    return connection
  }

  /// A message has its turn.
  func take(_ message: ShardMessage, from sender: Int, _ sockets: [Connection]) {
    gateway.messagesUnderWay -= 1
    guard let moving = message.moving else {
      shard.received(message, from: sender, now: now, effects: &effects)
      if index == 0 { acceptPauses.descriptorFreed(now: now) }
      return
    }
    let ids = shard.take(message, from: sender, now: now, effects: &effects)
    guard ids.count == sockets.count, ids.count == moving.uuids.count else {
      return simulation.oracle.broken(
        .driver, "\(ids.count) sessions came with \(sockets.count) sockets", gateway: number)
    }
    for (place, id) in ids.enumerated() {
      let connection = sockets[place]
      let slot = Int(id.index)
      gateway.movingSockets.removeAll { $0 === connection }
      while clients.count <= slot { clients.append(ClientSocket()) }
      if clients[slot].connection != nil {
        simulation.oracle.broken(.driver, "two sessions in place \(slot)", gateway: number)
      }
      clients[slot] = ClientSocket(
        connection: connection, id: id, isListed: clients[slot].isListed)
      (connection.gatewayShard, connection.gatewayPlace) = (index, slot)
      if let figures = shard.figures(of: id), figures.uuid != moving.uuids[place] {
        simulation.oracle.broken(.crossing, "session \(slot) is another's", gateway: number)
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
      .driver, "\(sockets.count) sessions come to shard \(index), which has ended",
      gateway: number)
  }
}

extension ShardMessage {
  /// The sessions that it brings.
  var moving: MovingSessions? {
    switch self {
    case .sessions(let sessions), .returned(let sessions): sessions
    default: nil
    }
  }
}
