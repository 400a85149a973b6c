import Auth
import Primitives
import Testing

@testable import Gateway

/// Clients' sockets.
extension VirtualWorld {
  // MARK: What tests do

  /// A client connects; it is not open if the gateway turned it away.
  @discardableResult
  func connect(listener: Int = 0, from host: SocketAddress? = nil) -> Int {
    let number = clients.count
    clients.append(VirtualClient(listener: listener))
    let entropy: [16 of UInt8] = .init { _ in UInt8.random(in: 0...255, using: &random) }
    var address = host ?? SocketAddress(ipv4: 192, 0, 2, 7, port: 0)
    address.port = UInt16(truncatingIfNeeded: number)
    let admission = shard.accepted(
      listener: listener, client: address, entropy: entropy, now: now, effects: &effects)
    guard case .session(let id) = admission else {
      if case .refused(let farewell, _) = admission { clients[number].received = farewell }
      performEffects()
      return number
    }
    take(id, number)
    clients[number].uuid = shard.sessions[id.index].uuid.description
    performEffects()
    return number
  }

  // MARK: Between shards

  /// Sends a message, with the sockets of the sessions in it.
  func post(_ message: ShardMessage, to shard: Int) {
    note()
    var sockets: [Int] = []
    for id in message.movingSessions?.ids ?? [] {
      client(of: id) { $0.id = nil }
      sockets.append(clientOfSlot[Int(id.index)])
      openClients -= 1
    }
    guard let group else { return check(false, "a message without a group") }
    group.post(message, sockets, from: number, to: shard)
  }

  func receive(_ message: ShardMessage, _ sockets: [Int], from sender: Int) {
    shard.beginTurn(unixMilliseconds: Self.unixMilliseconds(now))
    if message.movingSessions != nil {
      let ids = shard.take(message, from: sender, now: now, effects: &effects)
      check(ids.count == sockets.count, "sockets without sessions")
      for (id, number) in zip(ids, sockets) {
        take(id, number)
        clients[number].isRead = true
        clients[number].awaitsWritable = false
      }
      performEffects()
      while shard.continueTaking(now: now, effects: &effects) { performEffects() }
    } else {
      shard.received(message, from: sender, now: now, effects: &effects)
    }
    performEffects()
    endTurn()
  }

  /// A client's socket is with this shard from here on.
  private func take(_ id: SessionID, _ number: Int) {
    while clientOfSlot.count <= Int(id.index) { clientOfSlot.append(-1) }
    clientOfSlot[Int(id.index)] = number
    clients[number].id = id
    clients[number].shard = self.number
    openClients += 1
  }

  // MARK: Listeners

  /// A listener comes while the gateway runs; its number, or why it can't come.
  func addListener(
    _ name: String, port: UInt16 = 7100, adjust: (inout ListenerConfiguration) -> Void = { _ in }
  ) -> Result<Int, CommandError> {
    var listener = ListenerConfiguration(name: name, host: "127.0.0.1", port: port, pool: 0)
    listener.origin = .runtime
    adjust(&listener)
    defer { performEffects() }
    do throws(CommandError) {
      let slot = try shard.addListener(
        listener, framers: ListenerFramers(listener), effects: &effects)
      check(openListeners.insert(slot).inserted, "a place for two listeners")
      return .success(slot)
    } catch {
      return .failure(error)
    }
  }

  /// What became of a listener that was to go.
  @discardableResult
  func removeListener(_ name: String, closing: Bool = false) -> Result<ListenerStatus, CommandError>
  {
    switch replies(to: command(.removeListener(name: name, closesSessions: closing))).first {
    case .listenerRemoved(let status)?: return .success(status)
    case .failed(let error)?: return .failure(error)
    default: preconditionFailure("removals are answered at once")
    }
  }

  func listeners() -> [ListenerStatus] {
    guard case .listeners(let all)? = replies(to: command(.listListeners)).first else {
      preconditionFailure("the list of listeners is answered at once")
    }
    return all
  }

  func send(_ client: Int, _ bytes: some Sequence<UInt8>) {
    precondition(!clients[client].hasEnded)
    clients[client].pending.append(contentsOf: bytes)
  }

  func send(_ client: Int, _ text: String) { send(client, text.utf8) }

  /// The client ends its direction.
  func end(_ client: Int) { clients[client].hasEnded = true }

  func reset(_ client: Int) { clients[client].isReset = true }

  /// The client's socket takes so many more bytes.
  func take(_ client: Int, _ byteCount: Int) {
    let (sum, overflow) = clients[client].room.addingReportingOverflow(byteCount)
    clients[client].room = overflow ? .max : sum
  }

  /// What a client got, as text.
  func text(_ client: Int) -> String { String(decoding: clients[client].received, as: UTF8.self) }

  func session(_ client: Int) -> SessionStatus? {
    let token = command(.listSessions(of: nil, cursor: 0, limit: 10_000))
    guard case .sessions(let sessions, _)? = replies(to: token).first else { return nil }
    return sessions.first { $0.uuid.description == clients[client].uuid }
  }

  // MARK: The store

  /// Answers the oldest claim that was not answered yet.
  func answerClaim(_ verdict: LoginVerdict) {
    answer(claims.removeFirst(), verdict)
  }

  func answer(_ claim: LoginRequest, _ verdict: LoginVerdict) {
    shard.verdict(verdict, for: claim.session, now: now, effects: &effects)
    performEffects()
  }

  /// The store says which bans are in force.
  func setBans(_ bans: [Ban], allowed: [Ban] = [], event: Int64 = 0) {
    var builder = BanTable.Builder(listeners: configuration.listeners.map(\.name))
    for ban in bans { builder.add(ban, allows: false) }
    for ban in allowed { builder.add(ban, allows: true) }
    shard.bansChanged(builder.finish(), event: event)
  }

  // MARK: What the driver does

  /// The client a session belongs to; effects never name a session that is closed.
  func client(of id: SessionID, _ body: (inout VirtualClient) -> Void) {
    let number = clientOfSlot[Int(id.index)]
    guard clients[number].id == id else {
      Issue.record("an effect for a session that is closed")
      return
    }
    body(&clients[number])
  }

  func clientReady(_ number: Int) {
    guard let id = clients[number].id else { return }
    if clients[number].awaitsWritable, clients[number].room > 0 || clients[number].isReset {
      writeQueued(number, id)
    }
    guard clients[number].id == id else { return }
    let client = clients[number]
    let isReadable = client.unreadBytes > 0 || client.isReset
    if client.isRead, isReadable || (client.hasEnded && !client.gatewaySawEnd) {
      readClient(number, id)
    } else if client.isReset {
      shard.clientFailed(id, now: now, effects: &effects)
      performEffects()
    }
  }

  private func readClient(_ number: Int, _ id: SessionID) {
    defer { performEffects() }
    let wanted = shard.bytesToRead(id, now: now, effects: &effects)
    guard wanted > 0 else {
      performEffects()
      return check(!clients[number].isRead, "asked again and again whether to read a client")
    }
    note()
    // A reset throws away what was not read.
    if clients[number].isReset {
      shard.clientFailed(id, now: now, effects: &effects)
    } else if clients[number].unreadBytes > 0 {
      let taken = clients[number].takePending(
        cut(min(clients[number].unreadBytes, 256 << 10, wanted)))
      withReadBuffer(taken) {
        shard.clientReceived(id, $0, now: now, effects: &effects)
        performEffects()
      }
    } else {
      clients[number].gatewaySawEnd = true
      shard.clientEnded(id, now: now, effects: &effects)
    }
  }

  private func writeQueued(_ number: Int, _ id: SessionID) {
    defer { performEffects() }
    slices[0] = shard.queued(id)
    guard slices[0].count > 0 else { return }
    let written = write(number, count: 1)
    if written > 0 {
      shard.clientWroteQueued(id, written: written, now: now, effects: &effects)
    } else if written < 0 {
      shard.clientFailed(id, now: now, effects: &effects)
    }
  }

  func writeClient(_ id: SessionID) {
    let number = clientOfSlot[Int(id.index)]
    while true {
      let count = shard.gather(id, into: slices, now: now, effects: &effects)
      guard count > 0 else { return }
      let written = write(number, count: count)
      if written < 0 { return shard.clientFailed(id, now: now, effects: &effects) }
      shard.clientWrote(id, gathered: count, written: written, now: now, effects: &effects)
    }
  }

  /// One system call: returns the bytes the socket took, or -1 when it is broken.
  private func write(_ number: Int, count: Int) -> Int {
    if clients[number].isReset { return -1 }
    let total = (0..<count).reduce(0) { $0 + slices[$1].count }
    let taken = min(cut(total), clients[number].room)
    guard taken > 0 else { return 0 }
    note()
    var rest = taken
    for index in 0..<count where rest > 0 {
      let part = min(rest, slices[index].count)
      clients[number].received.append(
        contentsOf: UnsafeRawBufferPointer(start: slices[index].base, count: part))
      rest -= part
    }
    clients[number].writes.append(taken)
    clients[number].receivedAt = now
    if clients[number].room != .max { clients[number].room -= taken }
    return taken
  }

  func closeClient(_ id: SessionID, _ manner: ClosingManner) {
    openClients -= 1
    client(of: id) {
      $0.id = nil
      if case .abort = manner { $0.wasAborted = true }
      $0.closedAt = now
    }
  }
}
