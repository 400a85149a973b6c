internal import Auth
internal import Primitives

/// What applies to an account or an address now.
extension Shard {
  /// Whether a session is of an account, or its client within a prefix.
  func isOf(_ subject: Subject, _ index: UInt32) -> Bool {
    subject.covers(sessions[index].client, identities.account(at: sessions[index].identity))
  }

  func explain(_ subject: Subject, now: Instant) -> Explanation {
    let second = time.unixSeconds
    var explanation = Explanation()
    for index in live where isOf(subject, index) { explanation.sessions += 1 }
    explanation.bans = bans.bans(covering: subject, at: second)
    explanation.bans += unrecorded.bans(of: subject, prefixes: prefixesOf(subject), at: second)
    explanation.isAllowed = isAllowed(subject)
    for (listener, gate) in zip(listeners, gates) where listener.state != .vacant {
      if case .addresses(let prefix) = subject {
        explanation.counters += gate.counters(
          prefix, network: prefix.widened(ipv4: prefixes.ipv4, ipv6: prefixes.ipv6),
          listener: listener.configuration.name, now: now)
      }
    }
    for (rule, table) in zip(configuration.access.temporaryBans, offences) {
      guard let offender = offender(subject, rule.target) else { continue }
      explanation.counters.append(
        Explanation.Counter(
          listener: nil, name: "temporary_ban.\(rule.name)", used: table.used(offender, now: now),
          most: UInt64(rule.count)))
    }
    return explanation
  }

  private func prefixesOf(_ subject: Subject) -> [AddressPrefix] {
    guard case .addresses(let prefix) = subject else { return [] }
    return [prefix, prefix.widened(ipv4: 32, ipv6: prefixes.ipv6)]
  }

  /// What a rule would ban for a subject.
  private func offender(_ subject: Subject, _ target: TemporaryBanRule.Target) -> Subject? {
    switch (subject, target) {
    case (.account, .account): subject
    case (.addresses(let prefix), .address):
      .addresses(prefix.widened(ipv4: 32, ipv6: prefixes.ipv6))
    case (.account, .address), (.addresses, .account): nil
    }
  }

  private func isAllowed(_ subject: Subject) -> Bool {
    let slots = listeners.indices.filter { listeners[$0].state != .vacant }
    switch subject {
    case .account(let name): return slots.contains { allows(name, listener: $0) }
    case .addresses(let prefix):
      let address = SocketAddress(ipv6: prefix.bytes, port: 0)
      return slots.contains { allows(address, listener: $0) }
    }
  }
}

extension ConnectionGate {
  /// The counts of an address and of its network beside their bounds.
  func counters(
    _ address: AddressPrefix, network: AddressPrefix, listener: String, now: Instant
  ) -> [Explanation.Counter] {
    var counters: [Explanation.Counter] = []
    func add(_ name: String, _ used: UInt64, _ most: UInt64) {
      counters.append(
        Explanation.Counter(listener: listener, name: "limits.\(name)", used: used, most: most))
    }
    if let rate = limits.connectionsPerAddress, let table = perAddress {
      add("connections_per_address", table.used(address, now: now), rate.burst)
    }
    if let rate = limits.connectionsPerPrefix, let table = perPrefix {
      add("connections_per_prefix", table.used(network, now: now), rate.burst)
    }
    if let most = limits.concurrentPerAddress {
      add("concurrent_per_address", UInt64(ofAddress.count(address)), UInt64(most))
    }
    if let most = limits.concurrentPerPrefix {
      add("concurrent_per_prefix", UInt64(ofPrefix.count(network)), UInt64(most))
    }
    return counters
  }
}
