internal import Auth
internal import Gateway
internal import Primitives

extension GatehouseForm {
  mutating func readLogins() {
    guard var reader = root.subtable("logins") else { return }
    var logins = LoginLimits()
    if reader.table.entry("per_second") != nil {
      logins.rate = reader.rateKeys(.events)
    } else if reader.take("burst") != nil {
      reader.note("burst", "there is no rate that it could be a burst of", expected: "per_second")
    }
    // Known here even when the rate is not given.
    _ = reader.take("per_second")
    logins.reservedPercent = reader.integer(
      "reserved_percent", Bounds.loginReservedPercent, default: logins.reservedPercent)
    logins.knownFor = reader.duration(
      "known_for", Bounds.loginKnownFor, default: logins.knownFor)
    logins.verificationsMax = reader.integer(
      "verifications", Bounds.loginVerifications, default: logins.verificationsMax)
    logins.pendingMax = reader.integer("pending", Bounds.sessions, default: logins.pendingMax)
    logins.refusalDelay = reader.duration(
      "refusal_delay", Bounds.loginRefusalDelay, default: logins.refusalDelay)
    root.add(reader.finish())
    draft.configuration.access.logins = logins
  }

  // MARK: Temporary bans

  /// Without a rule in the file the default ones hold, so that nobody can guess passwords for long.
  mutating func readTemporaryBans() {
    let isOn = root.boolean("temporary_bans", default: true)
    var readers = root.subtables("temporary_ban")
    var rules: [TemporaryBanRule] = []
    for index in readers.indices {
      let rule = readRule(&readers[index], number: index + 1)
      if rules.contains(where: { $0.name == rule.name }) {
        readers[index].note(
          "name", "another rule is named \"\(rule.name)\"", expected: "a name of its own")
      }
      rules.append(rule)
      root.add(readers[index].finish())
    }
    if !isOn && !rules.isEmpty {
      root.note(
        "temporary_bans", "they are switched off, and there are rules for them",
        expected: "no [[temporary_ban]], or true")
    }
    draft.configuration.access.temporaryBans = isOn && rules.isEmpty ? Self.defaultRules : rules
  }

  private static let defaultRules: [TemporaryBanRule] = {
    var failed = TemporaryBanRule(
      name: "failed-logins", trigger: .failedLogins, target: .address, count: 10,
      within: .seconds(5 * 60), duration: .seconds(15 * 60))
    failed.shownReason = defaultReason(.failedLogins)
    var violations = TemporaryBanRule(
      name: "violations", trigger: .violations, target: .address, count: 20,
      within: .seconds(60), duration: .seconds(10 * 60))
    violations.shownReason = defaultReason(.violations)
    return [failed, violations]
  }()

  private static func defaultReason(_ trigger: TemporaryBanRule.Trigger) -> String {
    switch trigger {
    case .failedLogins: "too many failed logins"
    case .violations: "too many violations"
    case .refusedConnections: "too many connections"
    }
  }

  private func readRule(_ reader: inout TableReader, number: Int) -> TemporaryBanRule {
    let name = reader.name("name", default: "temporary-ban-\(number)")
    let triggers = TemporaryBanRule.Trigger.allCases.map { (name: $0.rawValue, value: $0) }
    let targets = TemporaryBanRule.Target.allCases.map { (name: $0.rawValue, value: $0) }
    let trigger = reader.takeRequired("on", expected: list(triggers.map { "\"\($0.name)\"" }))
      .flatMap { reader.choice("on", $0, triggers) }
    let target = reader.choice("of", targets, default: .address)
    let count = reader.takeRequired("count", expected: "how many make a ban")
      .flatMap { reader.integer("count", $0, Bounds.offences) }
    _ = reader.takeRequired("within", expected: "a duration such as \"5m\"")
    _ = reader.takeRequired("duration", expected: "a duration such as \"15m\"")
    var rule = TemporaryBanRule(
      name: name, trigger: trigger ?? .failedLogins, target: target, count: count ?? 1,
      within: reader.duration("within", Bounds.offencesWithin, default: .seconds(1)),
      duration: reader.duration("duration", Bounds.banDuration, default: .seconds(1)))
    rule.growth = reader.integer("growth", Bounds.banGrowth, default: rule.growth)
    rule.durationMax = reader.duration(
      "max_duration", Bounds.banDuration, default: max(rule.durationMax, rule.duration))
    rule.forgetAfter = reader.duration(
      "forget_after", Bounds.banDuration, default: rule.forgetAfter)
    rule.shownReason =
      reader.text("reason", byteCount: Bounds.banReasonBytes)
      ?? Self.defaultReason(rule.trigger)
    if rule.durationMax < rule.duration {
      reader.note(
        "max_duration", "it is shorter than the first ban",
        expected: "at least \(rule.duration.configured)")
    }
    return rule
  }

  // MARK: Allowances

  mutating func readAccess() {
    guard var reader = root.subtable("access") else { return }
    if let node = reader.take("allow") {
      draft.configuration.access.allow = reader.subjects("allow", node)
    }
    let access = draft.configuration.access
    draft.configuration.access.ipv4PrefixLength = UInt8(
      reader.integer(
        "ipv4_prefix", Bounds.ipv4PrefixLength, default: Int(access.ipv4PrefixLength)))
    draft.configuration.access.ipv6PrefixLength = UInt8(
      reader.integer(
        "ipv6_prefix", Bounds.ipv6PrefixLength, default: Int(access.ipv6PrefixLength)))
    root.add(reader.finish())
  }
}

extension TableReader {
  private static let subjectExpected =
    "an address, a prefix such as \"192.0.2.0/24\", or \"account:NAME\""

  /// A list of addresses, prefixes and accounts; those that are wrong are noted and left out.
  fileprivate mutating func subjects(_ key: String, _ node: TomlNode) -> [Subject] {
    guard case .array(let elements) = node.value else {
      noteWrongType(key, node, expected: "a list: [\"192.0.2.0/24\", \"account:NAME\"]")
      return []
    }
    if elements.count > Bounds.allowances {
      note(
        key, "the list has \(elements.count) entries",
        expected: "up to \(Bounds.allowances); more have room in the store")
      return []
    }
    return elements.enumerated().compactMap { index, element in
      subject("\(key)[\(index + 1)]", element)
    }
  }

  private mutating func subject(_ key: String, _ node: TomlNode) -> Subject? {
    guard case .string(let text) = node.value else {
      noteWrongType(key, node, expected: Self.subjectExpected)
      return nil
    }
    let accountMark = "account:"
    if text.hasPrefix(accountMark) {
      if let name = AccountName(String(text.dropFirst(accountMark.count))) { return .account(name) }
      noteProblem(
        key, node, "\"\(shown(text))\" names no account",
        expected: "1 to \(AccountName.byteCountMax) bytes, no space at either end")
      return nil
    }
    if let prefix = AddressPrefix(text: text) { return .addresses(prefix) }
    if let cleared = AddressPrefix(text: text, clearingHostBits: true) {
      noteProblem(
        key, node, "\"\(shown(text))\" has bits behind its prefix",
        expected: Self.subjectExpected, suggestion: cleared.description)
      return nil
    }
    let looksLikeAddress = text.contains { $0 == ":" || $0 == "/" }
    noteProblem(
      key, node, "\"\(shown(text))\" is neither an address nor a prefix",
      expected: Self.subjectExpected,
      suggestion: AccountName(text) == nil || looksLikeAddress ? nil : accountMark + shown(text))
    return nil
  }
}
