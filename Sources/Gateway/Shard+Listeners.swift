internal import Auth
internal import Framing
internal import Primitives
internal import Upstream

/// Listeners come and go.
extension Shard {
  /// Listeners at one time, those included that are gone but for their last sessions.
  public static let listenersMax = 256

  /// Takes in a listener whose socket the driver has opened.
  ///
  /// The configuration must be as good as one that a shard starts with: its pool is there, and its
  /// framers are within their bounds.
  ///
  /// - Parameter framers: the listener's, laid out on another thread.
  /// - Returns: the number by which the driver and the shard speak of it; numbers of listeners that
  ///   are gone come again.
  public mutating func addListener(
    _ listener: ListenerConfiguration, framers: ListenerFramers, effects: inout Effects
  ) throws(CommandError) -> Int {
    guard shutdown == nil else { throw .shuttingDown }
    if let other = slot(named: listener.name) {
      throw .listenerNameTaken(
        sessions: listeners[other].state == .draining ? listeners[other].sessions : nil)
    }
    for pool in pools.indices where pools[pool].isSpread && listener.keepsAtDoor(pool) {
      throw .poolIsSpread(pools[pool].configuration.name)
    }
    guard let slot = place(listener, framers) else { throw .tooManyListeners }
    tellListener(slot, &effects)
    effects.log.append(
      .listenerAdded(
        listener: listener.name, address: listener.address,
        pool: configuration.pools[listener.pool].name, framer: listener.framerName))
    return slot
  }

  /// Gives a listener a place, with nothing in it of whoever had the place before; nil when there
  /// is none.
  mutating func place(
    _ listener: ListenerConfiguration, _ framers: ListenerFramers
  ) -> Int? {
    let slot: Int
    if let vacant = listeners.firstIndex(where: { $0.state == .vacant }) {
      slot = vacant
    } else {
      guard listeners.count < Self.listenersMax else { return nil }
      slot = listeners.count
      appendVacantSlot()
    }
    fill(slot, ListenerSlot(configuration: listener, state: .listening), framers)
    listeners[slot].banNumber = bans.number(ofListener: listener.name)
    return slot
  }

  /// Makes everything that is kept of a slot's listener that of `listener`.
  private mutating func fill(
    _ slot: Int, _ listener: ListenerSlot, _ framers: ListenerFramers
  ) {
    listeners[slot] = listener
    let listener = listener.configuration
    sessionLimits[slot] = SessionLimits(listener.limits)
    paths[slot] = ListenerPath(listener, framers, configuration)
    // What the path has pointed to is freed behind that.
    self.framers[slot] = framers
    terms[slot] = ListenerTerms(listener)
    // Connections are counted at the door.
    gates[slot] = ConnectionGate(
      isDoor ? listener.limits : ListenerLimits(), random: &random)
    listenerCounters[slot] = ListenerCounters()
    refusalLog.forget(listener: slot)
  }

  private mutating func appendVacantSlot() {
    let vacant = ListenerSlot.vacant
    let framers = ListenerFramers(vacant.configuration)
    listeners.append(vacant)
    sessionLimits.append(nil)
    paths.append(ListenerPath(vacant.configuration, framers, configuration))
    self.framers.append(framers)
    terms.append(ListenerTerms(vacant.configuration))
    gates.append(ConnectionGate(vacant.configuration.limits, random: &random))
    listenerCounters.append(ListenerCounters())
    refusalLog.appendListener()
  }

  /// Closes a listener's socket; its sessions stay until they end, or are ended now.
  ///
  /// - Parameter name: of a listener that is there, or is gone but for its last sessions.
  mutating func removeListener(
    named name: String, closesSessions: Bool, now: Instant, effects: inout Effects
  ) throws(CommandError) -> ListenerStatus {
    guard shutdown == nil else { throw .shuttingDown }
    guard let slot = slot(named: name) else { throw .unknownListener(name) }
    let wasListening = listeners[slot].state == .listening
    listeners[slot].state = .draining
    let sessions = listeners[slot].sessions
    if wasListening { effects.io.append(.stopListening(slot)) }
    if wasListening || closesSessions && sessions > 0 {
      effects.log.append(
        .listenerRemoved(
          listener: name, address: listeners[slot].configuration.address, sessions: sessions,
          closesSessions: closesSessions))
    }
    if closesSessions { closeSessions(ofListener: slot, now: now, effects: &effects) }
    noteIfForsaken(slot)
    return status(ofListener: slot)
  }

  private mutating func closeSessions(
    ofListener slot: Int, now: Instant, effects: inout Effects
  ) {
    // Backwards: a session that closes is replaced by the last, which has been looked at.
    for place in live.indices.reversed() {
      let index = live[place]
      guard Int(sessions[index].listener) == slot, sessions[index].phase != .closing else {
        continue
      }
      close(index, .listenerRemoved, flush: true, now: now, effects: &effects)
    }
  }

  /// Makes room where a listener is gone for good.
  ///
  /// At the end of a turn, because what happens in a turn may still look at the listener of a
  /// session that it ended.
  mutating func vacateSlots(effects: inout Effects) {
    guard hasForsakenSlot else { return }
    hasForsakenSlot = false
    for slot in listeners.indices where listeners[slot].isForsaken {
      endRecordings(ofListener: slot, effects: &effects)
      effects.log.append(.listenerGone(listener: listeners[slot].configuration.name))
      fill(slot, .vacant, ListenerFramers(ListenerSlot.vacant.configuration))
      // When the gateway ends, sessions may be left there that the door has given up.
      for shard in 1..<groupCount where shutdown == nil {
        effects.tell(shard, .listenerGone(slot: slot))
      }
    }
  }

  // MARK: At other shards

  /// Tells the other shards of a listener, before any session of it can be there.
  func tellListener(_ slot: Int, _ effects: inout Effects) {
    for shard in 1..<groupCount {
      effects.tell(shard, .listener(slot: slot, listeners[slot].configuration, framers[slot]))
    }
  }

  /// The door has a new listener.
  mutating func takeListener(
    _ slot: Int, _ listener: ListenerConfiguration, _ framers: ListenerFramers
  ) {
    while listeners.count <= slot { appendVacantSlot() }
    fill(slot, ListenerSlot(configuration: listener, state: .listening), framers)
  }

  /// A listener is gone for good, its last session with it.
  mutating func loseListener(_ slot: Int) {
    fill(slot, .vacant, ListenerFramers(ListenerSlot.vacant.configuration))
  }

  // MARK: Their slots

  /// To be called when a slot may have lost the last that names it.
  mutating func noteIfForsaken(_ slot: Int) {
    if listeners[slot].isForsaken { hasForsakenSlot = true }
  }

  /// Looks up the listeners' numbers in the ban table that is in force.
  mutating func renumberListeners() {
    for slot in listeners.indices where listeners[slot].state != .vacant {
      listeners[slot].banNumber = bans.number(ofListener: listeners[slot].configuration.name)
    }
  }

  func slot(named name: String) -> Int? {
    listeners.firstIndex { $0.state != .vacant && $0.configuration.name == name }
  }

  // MARK: For operators

  func listenerStatuses() -> [ListenerStatus] {
    listeners.indices.filter { listeners[$0].state != .vacant }.map { status(ofListener: $0) }
  }

  public func status(ofListener slot: Int) -> ListenerStatus {
    let listener = listeners[slot].configuration
    return ListenerStatus(
      name: listener.name, host: listener.host, port: listener.port,
      framer: listener.framerName, authentication: listener.authentication?.kind.name ?? "none",
      pool: configuration.pools[listener.pool].name, sessions: listeners[slot].sessions,
      state: listeners[slot].state == .listening ? .listening : .draining,
      origin: listener.origin)
  }
}

extension ListenerConfiguration {
  /// `host:port`, with brackets around an IPv6 address.
  public var address: String { endpoint(host, port) }
}

func endpoint(_ host: String, _ port: UInt16) -> String {
  host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}

extension ListenerPath {
  /// - Parameter framers: have to live as long as the path is used.
  init(
    _ listener: ListenerConfiguration, _ framers: ListenerFramers,
    _ configuration: GatewayConfiguration
  ) {
    self.init(
      clientToServer: framers.clientToServer.cutter,
      serverToClient: framers.serverToClient.cutter, pool: listener.pool,
      balancesPackets: configuration.pools[listener.pool].balance == .packet,
      packetBytesMax: configuration.limits.messageBytesMax
        - ContractWriter.packetOverheadBytesMax,
      isLimited: SessionLimits(listener.limits) != nil)
  }
}
