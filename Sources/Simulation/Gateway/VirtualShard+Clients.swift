internal import Auth
internal import Gateway
internal import Primitives
internal import Upstream

/// Clients' sockets: accepted, read, written and closed as the shard says.
extension VirtualShard {
  // MARK: Accepting

  /// A client's first packet has come.
  func attempted(_ connection: Connection) {
    guard let slot = listeners.firstIndex(where: { $0.isOpen && $0.port == connection.port }) else {
      connection.gatewayClosed = true
      return simulation.network.refuse(connection, by: .gateway)
    }
    simulation.network.accept(connection, by: .gateway)
    listeners[slot].queue.append(connection)
    wakeUp()
  }

  func accept(from index: Int) {
    for _ in 0..<Self.acceptsMax {
      guard listeners[index].isOpen else { return }
      if gateway.clientCount + gateway.lingeringCount >= acceptedMax {
        return pauseAccepting(index, "the other descriptors are kept for workers")
      }
      guard !listeners[index].queue.isEmpty else { return feed(index) }
      let connection = listeners[index].queue.removeFirst()
      open(connection, listener: index)
    }
  }

  /// Clients beyond it wait to be accepted.
  private var acceptedMax: Int { max(1, gateway.clientsMax - listeners.count { $0.isOpen }) }

  private func open(_ connection: Connection, listener: Int) {
    let entropy: [16 of UInt8] = .init { _ in UInt8(truncatingIfNeeded: random.next()) }
    let admission = shard.accepted(
      listener: listener, client: connection.address, entropy: entropy, now: now,
      effects: &effects)
    guard case .session(let id) = admission else {
      if case .refused(let farewell, let resets) = admission {
        refuse(connection, farewell, resets: resets)
      }
      return performEffects()
    }
    gateway.clientCount += 1
    register(connection, id)
    simulation.oracle.accepted(connection, id, uuid: shard.uuid(of: id), by: gateway)
    performEffects()
    list(Int(id.index))
  }

  /// A session is here from now on.
  func register(_ connection: Connection, _ id: SessionID) {
    let slot = Int(id.index)
    while clients.count <= slot { clients.append(ClientSocket()) }
    if clients[slot].connection != nil {
      simulation.oracle.broken(.driver, "two sessions in place \(slot)", gateway: gateway.number)
    }
    clients[slot] = ClientSocket(
      connection: connection, id: id, isListed: clients[slot].isListed)
    (connection.gatewayShard, connection.gatewayPlace) = (number, slot)
  }

  private func refuse(_ connection: Connection, _ farewell: [UInt8], resets: Bool) {
    simulation.oracle.refused(connection, by: gateway)
    guard !farewell.isEmpty else { return close(connection, abort: resets) }
    _ = simulation.network.write(farewell, on: connection, from: .gateway)
    linger(connection)
  }

  private func pauseAccepting(_ index: Int, _ detail: String) {
    guard acceptPauses.pause(index, now: now) else { return }
    shard.acceptPaused(listener: index, detail, effects: &effects)
    performEffects()
  }

  private func feed(_ index: Int) {
    guard acceptPauses.feed(index) else { return }
    shard.acceptResumed(listener: index, effects: &effects)
    performEffects()
  }

  func resumeAccepting() {
    for index in acceptPauses.resume() where listeners[index].isOpen { accept(from: index) }
  }

  // MARK: Listeners

  func add(_ listener: ListenerConfiguration, _ token: UInt64) {
    guard !listeners.contains(where: { $0.isOpen && $0.port == listener.port }) else {
      effects.replies.append((token, .failed(.systemRefused("port in use"))))
      return
    }
    let slot: Int
    do throws(CommandError) {
      slot = try shard.addListener(
        listener, framers: ListenerFramers(listener), effects: &effects)
    } catch {
      effects.replies.append((token, .failed(error)))
      return
    }
    while listeners.count <= slot { listeners.append(Listener()) }
    listeners[slot] = Listener(port: listener.port, isOpen: true)
    effects.replies.append((token, .listenerAdded(shard.status(ofListener: slot))))
  }

  func stopListening(_ slot: Int) {
    guard listeners[slot].isOpen else { return }
    let queue = listeners[slot].queue
    listeners[slot] = Listener()
    acceptPauses.forget(slot)
    // The system resets whoever waited to be accepted.
    for connection in queue { simulation.network.abort(connection, from: .gateway) }
  }

  // MARK: Ready

  /// Something came for a client's descriptor.
  func clientChanged(_ connection: Connection) {
    guard let slot = slot(of: connection) else {
      listLingering(connection)
      if !readyLingering.isEmpty { wakeUp() }
      return
    }
    list(slot)
    if clients[slot].isListed { wakeUp() }
  }

  private func slot(of connection: Connection) -> Int? {
    let slot = connection.gatewayPlace
    guard slot >= 0, slot < clients.count, clients[slot].connection === connection else {
      return nil
    }
    return slot
  }

  func clientReady(_ id: SessionID, _ readiness: Readiness) {
    guard !clients[Int(id.index)].hasMoved else { return }
    if readiness.contains(.writable) { writeQueued(id) }
    if readiness.contains(.readable) {
      readClient(id)
    } else if readiness.contains(.broken) {
      shard.clientFailed(id, now: now, effects: &effects)
      performEffects()
    }
  }

  /// The descriptor of a session of which the shard has just said that it is there.
  private func descriptor(of id: SessionID) -> Connection? {
    let client = clients[Int(id.index)]
    if let connection = client.connection, client.id == id { return connection }
    simulation.oracle.broken(
      .driver, "a session that is closed has its turn", gateway: gateway.number)
    return nil
  }

  // MARK: Reading and writing

  private func readClient(_ id: SessionID) {
    defer { performEffects() }
    let wanted = shard.bytesToRead(id, now: now, effects: &effects)
    guard wanted > 0, let connection = descriptor(of: id) else { return }
    let arrived = connection.toGateway.arrivedByteCount
    if arrived > 0 {
      let bytes = simulation.network.read(
        connection, at: .gateway, bytesMax: cut(min(arrived, Self.readBytesMax, wanted)))
      simulation.trace.note("gateway reads", gateway.number, connection.number, bytes: bytes)
      simulation.oracle.gatewayRead(bytes, from: connection)
      unsafe withReadBuffer(bytes) {
        unsafe shard.clientReceived(id, $0, now: now, effects: &effects)
      }
    } else if connection.phase == .reset {
      shard.clientFailed(id, now: now, effects: &effects)
    } else if connection.toGateway.endArrived {
      simulation.oracle.gatewaySawEnd(of: connection)
      shard.clientEnded(id, now: now, effects: &effects)
    }
  }

  private func writeQueued(_ id: SessionID) {
    defer { performEffects() }
    unsafe slices[0] = shard.queued(id)
    guard unsafe slices[0].count > 0, let connection = descriptor(of: id) else { return }
    let written = write(connection, count: 1)
    if written > 0 {
      shard.clientWroteQueued(id, written: written, now: now, effects: &effects)
    } else if written < 0 {
      shard.clientFailed(id, now: now, effects: &effects)
    }
  }

  func writeClient(_ id: SessionID) {
    guard let connection = clients[Int(id.index)].connection else { return }
    while true {
      let count = unsafe shard.gather(id, into: slices, now: now, effects: &effects)
      guard count > 0 else { return }
      let written = write(connection, count: count)
      if written < 0 { return shard.clientFailed(id, now: now, effects: &effects) }
      shard.clientWrote(id, gathered: count, written: written, now: now, effects: &effects)
    }
  }

  /// One system call: the bytes that the socket took, 0 when it is full, -1 when it is broken.
  func write(_ connection: Connection, count: Int) -> Int {
    let total = (0..<count).reduce(0) { unsafe $0 + slices[$1].count }
    let room = simulation.network.room(on: connection, from: .gateway)
    let bytes = gathered(count, byteCount: cut(min(total, max(room, 1))))
    let written = simulation.network.write(bytes, on: connection, from: .gateway)
    simulation.trace.note("gateway writes", gateway.number, connection.number, written)
    return written
  }

  func setReading(_ id: SessionID, _ isOn: Bool) {
    withSocket(of: id) { slot in
      clients[slot].reads = isOn
      if isOn { list(slot) }
    }
  }

  func awaitWritable(_ id: SessionID, _ isOn: Bool) {
    withSocket(of: id) { slot in
      clients[slot].awaitsWritable = isOn
      if isOn { list(slot) }
    }
  }

  private func withSocket(of id: SessionID, _ body: (Int) -> Void) {
    let slot = Int(id.index)
    guard clients[slot].connection != nil, clients[slot].id == id else {
      return simulation.oracle.broken(
        .driver, "an effect for a session that is closed", gateway: gateway.number)
    }
    body(slot)
  }

  // MARK: Closing

  func closeClient(_ id: SessionID, _ manner: ClosingManner) {
    let slot = Int(id.index)
    guard let connection = clients[slot].connection, clients[slot].id == id else {
      return simulation.oracle.broken(
        .driver, "a session closed that is closed already", gateway: gateway.number)
    }
    clients[slot].connection = nil
    connection.gatewayPlace = -1
    gateway.clientCount -= 1
    simulation.oracle.gatewayClosed(connection, manner)
    switch manner {
    case .plain: close(connection, abort: false)
    case .lingering: linger(connection)
    case .abort: close(connection, abort: true)
    }
    acceptPauses.descriptorFreed(now: now)
  }

  func close(_ connection: Connection, abort: Bool) {
    if abort {
      simulation.network.abort(connection, from: .gateway)
    } else {
      simulation.network.close(connection, from: .gateway)
    }
  }

  private func linger(_ connection: Connection) {
    guard connection.phase == .established, lingering.add(Int32(connection.number), now: now)
    else { return close(connection, abort: false) }
    simulation.network.shutdown(connection, from: .gateway)
    listLingering(connection)
  }

  /// One read from a connection whose bytes are forgotten.
  func readLingering(_ connection: Connection) {
    guard lingering.contains(Int32(connection.number)) else { return }
    let bytes = simulation.network.read(connection, at: .gateway, bytesMax: Self.readBytesMax)
    guard bytes.isEmpty else { return }
    if lingering.remove(Int32(connection.number)) { close(connection, abort: false) }
  }
}
