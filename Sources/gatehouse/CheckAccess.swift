internal import Auth
internal import Configuration
internal import Framing
internal import Gateway
internal import Primitives

/// Who may come in by one listener, for an operator; each line is indented.
func accessSummary(of listener: ListenerConfiguration, pools: [PoolConfiguration]) -> String {
  var text = ""
  if let authentication = listener.authentication {
    text += "  authentication: \(described(authentication.kind, pools: pools)), "
    text += "deadline \(authentication.deadline.configured), packets of the login "
    text += authentication.forwardsFirstPacket ? "go to the worker, " : "stay here, "
    text += "an account that is in already: \(authentication.duplicateLogin.rawValue)\n"
    if let framer = listener.loginFramer { text += "  until the login: \(framer)\n" }
  } else {
    text += "  authentication: none, everybody is let in\n"
  }
  let limits = described(listener.limits)
  text += "  limits: \(limits.isEmpty ? "none" : limits.joined(separator: "; "))\n"
  if !listener.refusals.isEmpty {
    let names = listener.refusals.keys.map(\.name).sorted()
    text += "  answers to the refused: \(names.joined(separator: ", "))\n"
  }
  return text
}

/// Who may come in anywhere, and where that is kept; holds no secret.
func accessSummary(of configuration: GatewayConfiguration) -> String {
  var text = "store: none\n"
  if let store = configuration.store {
    let memory = store.passwordMemoryBytes
    text = "store: \(store.path), login history of \(store.loginHistoryDays) days\n"
    text += "  passwords: Argon2id, \(store.passwordPasses) passes over "
    text += "\(ByteCountText.describe(memory)), \(store.passwordThreads) at a time: "
    text += "up to \(ByteCountText.describe(memory * store.passwordThreads)) of memory\n"
  }
  let access = configuration.access
  let logins = access.logins
  text += "logins: "
  if let rate = logins.rate {
    text += "\(described(rate)), \(logins.reservedPercent)% of the burst for accounts known from "
    text += "the last \(logins.knownFor.configured), "
  }
  text += "\(logins.verificationsMax) verified at a time, \(logins.pendingMax) clients not let in "
  text += "yet, refusals after \(logins.refusalDelay.configured)\n"
  if access.temporaryBans.isEmpty { text += "temporary bans: none\n" }
  for rule in access.temporaryBans { text += "temporary ban \(rule.name): \(described(rule))\n" }
  text += "allowed always: "
  text += access.allow.isEmpty ? "none" : access.allow.map(described).joined(separator: ", ")
  text += "\nprefixes: /\(access.ipv4PrefixLength) of IPv4, /\(access.ipv6PrefixLength) of IPv6\n"
  return text
}

private func described(
  _ kind: AuthenticationConfiguration.Kind, pools: [PoolConfiguration]
) -> String {
  switch kind {
  case .token: return "token"
  case .password: return "password"
  case .ticket(let ticket):
    let keys = ticket.keys.map(\.id).joined(separator: ", ")
    let use = ticket.singleUse ? "for one login" : "for any number of logins"
    return "ticket for \(ticket.audience), keys \(keys), valid up to "
      + "\(Interval.seconds(UInt64(ticket.lifetimeSecondsMax)).configured), \(use)"
  case .worker(let pool, let timeout):
    return "a worker of pool \(pools[pool].name), timeout \(timeout.configured)"
  }
}

private func described(_ limits: ListenerLimits) -> [String] {
  var items: [String] = []
  if let rate = limits.connectionsPerAddress {
    items.append("connections of an address \(described(rate))")
  }
  if let rate = limits.connectionsPerPrefix {
    items.append("connections of a prefix \(described(rate))")
  }
  if let count = limits.concurrentPerAddress { items.append("\(count) at a time of an address") }
  if let count = limits.concurrentPerPrefix { items.append("\(count) at a time of a prefix") }
  if let rate = limits.packets {
    items.append("packets \(described(rate)), else \(limits.packetsAction.rawValue)")
  }
  if let rate = limits.bytes {
    items.append("bytes \(described(rate)), else \(limits.bytesAction.rawValue)")
  }
  if let byteCount = limits.packetBytesMax {
    let action = limits.packetBytesAction.rawValue
    items.append("packets up to \(ByteCountText.describe(byteCount)), else \(action)")
  }
  return items
}

private func described(_ rate: Rate) -> String { "\(rate.perSecond)/s (burst \(rate.burst))" }

private func described(_ rule: TemporaryBanRule) -> String {
  var text = "\(rule.count) \(rule.trigger.rawValue) of one \(rule.target.rawValue) within "
  text += "\(rule.within.configured): \(rule.duration.configured)"
  if rule.growth > 1 {
    text += ", each further time \(rule.growth) times as long, up to "
    text += "\(rule.durationMax.configured)"
  }
  return text
}

private func described(_ subject: Subject) -> String {
  switch subject {
  case .addresses(let prefix): prefix.description
  case .account(let name): "account:\(name)"
  }
}
