internal import Auth
public import Primitives

/// A client at the door: before anything is kept for it.
extension Shard {
  /// What becomes of a client that was accepted.
  public enum Admission {
    case session(SessionID)
    /// Send it these bytes, if there are any, and close its socket; with a reset where `resets`.
    case refused(farewell: [UInt8], resets: Bool)
  }

  /// A client was accepted.
  ///
  /// - Parameters:
  ///   - listener: as ``addListener(_:framers:effects:)`` numbers it; those of the configuration
  ///     come first, in order. One whose socket was to be closed takes nobody.
  ///   - entropy: 16 random bytes for its UUID.
  public mutating func accepted(
    listener: Int, client: SocketAddress, entropy: [16 of UInt8], now: Instant,
    effects: inout Effects
  ) -> Admission {
    precondition(listeners[listener].state == .listening, "a client of a closed socket")
    listenerCounters[listener].opened += 1
    let isAllowed = allows(client, listener: listener)
    if !isAllowed {
      if let ban = ban(of: client, listener: listener) {
        return refuse(client, listener, .banned, ban: ban, &effects)
      }
      if !gates[listener].admit(client, prefixes, now: now) {
        let offender = Offender(client: client, account: nil, listener: listener)
        offend(.refusedConnections, offender, now: now, effects: &effects)
        return refuse(client, listener, .connectionLimit, &effects)
      }
    }
    guard shutdown == nil, live.count < configuration.limits.sessionsMax,
      let index = takeSession()
    else {
      let reason = shutdown == nil ? CloseReason.overCapacity : .shutdown
      return refuse(client, listener, reason, &effects)
    }
    sessions[index].uuid = uuids.make(slot: index, entropy: entropy)
    sessions[index].phase = .open
    sessions[index].isRead = true
    sessions[index].isAllowed = isAllowed
    sessions[index].listener = UInt16(listener)
    sessions[index].client = client
    sessions[index].openedAt = now
    sessions[index].activeAt = now
    sessions[index].progressAt = now
    sessions[index].liveIndex = UInt32(live.count)
    live.append(index)
    listeners[listener].sessions += 1
    if !isAllowed {
      sessions[index].isCounted = true
      gates[listener].opened(client, prefixes)
    }
    beginRecording(index)
    if listeners[listener].configuration.authentication == nil {
      authenticateStreams(of: index)
      logOpened(index, &effects)
      assignWorker(to: index, now: now, effects: &effects)
    } else {
      beginLogin(index, now: now, effects: &effects)
    }
    armTimer(of: index)
    return .session(id(of: index))
  }

  private mutating func refuse(
    _ client: SocketAddress, _ listener: Int, _ reason: CloseReason, ban: BanMatch? = nil,
    _ effects: inout Effects
  ) -> Admission {
    listenerCounters[listener].closed[Int(reason.rawValue)] += 1
    logRefused(client, listener: listener, reason, detail: ban?.shownReason ?? "", &effects)
    // Nothing is kept for floods and the banned, not even by the system.
    let resets = reason == .banned || reason == .connectionLimit
    guard let template = listeners[listener].configuration.refusals[reason] else {
      return .refused(farewell: [], resets: resets)
    }
    return .refused(
      farewell: template.render(
        ReplyValues(
          now: time.unixSeconds, address: client.host,
          listener: listeners[listener].configuration.name, reason: ban?.shownReason ?? "",
          until: ban?.until, ban: ban?.id)), resets: false)
  }

  mutating func logOpened(_ index: UInt32, _ effects: inout Effects) {
    effects.log.append(
      .sessionOpened(
        SessionOpenedEvent(
          uuid: sessions[index].uuid, client: sessions[index].client,
          listener: listener(of: index).name,
          account: identities.account(at: sessions[index].identity))))
  }

  mutating func logRefused(
    _ client: SocketAddress, listener: Int, _ reason: CloseReason, account: String? = nil,
    detail: String, _ effects: inout Effects
  ) {
    guard let unlogged = refusalLog.admit(listener: listener, reason, second: time.unixSeconds)
    else { return }
    effects.log.append(
      .sessionRefused(
        SessionRefusedEvent(
          client: client, listener: listeners[listener].configuration.name, reason: reason,
          account: account, detail: detail, unlogged: unlogged)))
  }
}

/// The lengths of what configuration calls a prefix.
struct PrefixLengths: BitwiseCopyable {
  var ipv4: UInt8
  var ipv6: UInt8

  /// The network that an address belongs to.
  func network(of address: SocketAddress) -> AddressPrefix {
    AddressPrefix.of(address, ipv4: ipv4, ipv6: ipv6)
  }

  /// What a rule bans for an address: one IPv4 address, but a whole IPv6 network, as each customer
  /// has one.
  func banned(of address: SocketAddress) -> AddressPrefix {
    AddressPrefix.of(address, ipv4: 32, ipv6: ipv6)
  }
}

/// How many connections a listener takes from one address and one prefix.
struct ConnectionGate {
  private static let metersMax = 1 << 16

  let limits: ListenerLimits
  private(set) var perAddress: RateTable?
  private(set) var perPrefix: RateTable?
  private(set) var ofAddress = ConnectionCounts()
  private(set) var ofPrefix = ConnectionCounts()

  init(_ limits: ListenerLimits, random: inout SeededRandom) {
    self.limits = limits
    if let rate = limits.connectionsPerAddress {
      perAddress = RateTable(capacity: Self.metersMax, rate: rate, seed: random.next())
    }
    if let rate = limits.connectionsPerPrefix {
      perPrefix = RateTable(capacity: Self.metersMax, rate: rate, seed: random.next())
    }
  }

  /// Whether one more connection of `client` is within the limits; counts it as an attempt.
  mutating func admit(_ client: SocketAddress, _ prefixes: PrefixLengths, now: Instant) -> Bool {
    let address = AddressPrefix(client)
    if let most = limits.concurrentPerAddress, ofAddress.count(address) >= most { return false }
    if perAddress != nil, !perAddress!.take(address, now: now) { return false }
    guard limits.concurrentPerPrefix != nil || perPrefix != nil else { return true }
    let network = prefixes.network(of: client)
    if let most = limits.concurrentPerPrefix, ofPrefix.count(network) >= most { return false }
    if perPrefix != nil, !perPrefix!.take(network, now: now) { return false }
    return true
  }

  mutating func opened(_ client: SocketAddress, _ prefixes: PrefixLengths) {
    if limits.concurrentPerAddress != nil { _ = ofAddress.open(AddressPrefix(client)) }
    if limits.concurrentPerPrefix != nil { _ = ofPrefix.open(prefixes.network(of: client)) }
  }

  mutating func closed(_ client: SocketAddress, _ prefixes: PrefixLengths) {
    if limits.concurrentPerAddress != nil { ofAddress.close(AddressPrefix(client)) }
    if limits.concurrentPerPrefix != nil { ofPrefix.close(prefixes.network(of: client)) }
  }
}
