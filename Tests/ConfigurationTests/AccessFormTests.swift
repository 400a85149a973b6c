import Auth
import Gateway
import Primitives
import Testing

@testable import Configuration

/// Goal: each key of whom to let in reaches its field, and what is wrong with one is told.
@Suite struct AccessFormTests {
  private func with(_ more: String, file: String = "f") throws -> GatewayConfiguration {
    try #require(loaded(minimalText + "\n" + more, file: file))
  }

  private func problemsWith(_ more: String) -> [String] {
    problems(minimalText + "\n" + more).map { String($0.drop { $0 != " " }.dropFirst(8)) }
  }

  // MARK: The store

  @Test func everyKeyOfTheStoreIsTaken() throws {
    let configuration = try with(
      """
      [store]
      path = "data/g.db"
      password_passes = 3
      password_memory = "8KiB"
      password_threads = 64
      login_history = "7d"
      """, file: "/etc/g/g.toml")
    var store = StoreConfiguration(path: "/etc/g/data/g.db")
    store.passwordPasses = 3
    store.passwordMemoryBytes = 8_192
    store.passwordThreads = 64
    store.loginHistoryDays = 7
    #expect(configuration.store == store)
  }

  @Test func thereIsAStoreUnlessItIsSwitchedOff() throws {
    #expect(try with("", file: "/e/g.toml").store == StoreConfiguration(path: "/e/gatehouse.db"))
    #expect(try with("[store]").store == StoreConfiguration(path: "gatehouse.db"))
    #expect(try with("[store]\nenabled = false").store == nil)
    #expect(loaded(paradoxPlexText)?.store == nil)
  }

  @Test func theLoginHistoryIsOfWholeDays() {
    #expect(
      problemsWith("[store]\nlogin_history = \"36h\"")
        == [
          "store.login_history: 36h is not a whole number of days; expected whole days"
        ])
  }

  // MARK: Logins

  @Test func everyKeyOfTheLoginsIsTaken() throws {
    let configuration = try with(
      """
      [logins]
      per_second = 5
      burst = 20
      reserved_percent = 90
      known_for = "1h"
      verifications = 1
      pending = 7
      refusal_delay = 0
      """)
    var logins = LoginLimits()
    logins.rate = Rate(perSecond: 5, burst: 20)
    logins.reservedPercent = 90
    logins.knownFor = .seconds(3_600)
    logins.verificationsMax = 1
    logins.pendingMax = 7
    logins.refusalDelay = .zero
    #expect(configuration.access.logins == logins)
    let withoutBurst = try with("[logins]\nper_second = 5")
    #expect(withoutBurst.access.logins.rate == Rate(perSecond: 5, burst: 5))
  }

  @Test func aBurstIsTheBurstOfARate() {
    #expect(
      problemsWith("[logins]\nburst = 5") == [
        "logins.burst: there is no rate that it could be a burst of; expected per_second"
      ])
  }

  // MARK: Limits

  @Test func everyKeyOfTheLimitsIsTaken() throws {
    let text = """
      [[listener]]
      address = "0.0.0.0:7999"
      [listener.limits]
      connections_per_address = { per_second = 1, burst = 2 }
      connections_per_prefix = { per_second = 3 }
      concurrent_per_address = 4
      concurrent_per_prefix = 5
      packets = { per_second = 6, burst = 7, action = "drop" }
      bytes = { per_second = "8KiB", burst = "9KiB", action = "close" }
      packet_size = { max = "10B", action = "drop" }
      [[pool]]
      [[pool.worker]]
      address = "127.0.0.1:45888"
      """
    var limits = ListenerLimits()
    limits.connectionsPerAddress = Rate(perSecond: 1, burst: 2)
    limits.connectionsPerPrefix = Rate(perSecond: 3, burst: 3)
    limits.concurrentPerAddress = 4
    limits.concurrentPerPrefix = 5
    limits.packets = Rate(perSecond: 6, burst: 7)
    limits.packetsAction = .drop
    limits.bytes = Rate(perSecond: 8_192, burst: 9_216)
    limits.bytesAction = .close
    limits.packetBytesMax = 10
    limits.packetBytesAction = .drop
    #expect(loaded(text)?.listeners[0].limits == limits)
    #expect(warnings(text) == [])
  }

  @Test(arguments: [
    ("packets = { burst = 1 }", "packets.per_second: missing; expected how many a second"),
    ("packets = 5", "packets: found an integer; expected a table: [listener[1].limits.packets]"),
    (
      "packets = { per_second = 0 }",
      "packets.per_second: 0 is out of range; expected an integer from 1 to 1000000"
    ),
    (
      "packets = { per_second = 1, bust = 1 }",
      "packets.bust: unknown key (did you mean \"burst\"?)"
    ),
    (
      "packet_size = { max = 1, action = \"slow-down\" }",
      "packet_size.action: \"slow-down\" is not one of its values; "
        + "expected \"drop\", \"close\" or \"ban\""
    ),
    ("packet_size = {}", "packet_size.max: missing; expected a byte size such as \"4KiB\""),
    (
      "bytes = { per_second = \"9999GiB\" }",
      "bytes.per_second: \"9999GiB\" is out of range; expected 1B to 1024GiB"
    ),
  ])
  func limitsThatAreWrong(line: String, problem: String) {
    let text = "[[listener]]\naddress = \"h:1\"\n[listener.limits]\n\(line)\n[[pool]]"
    let found = problems(text)
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix(" error: listener[1].limits.\(problem)") == true, "\(found)")
  }

  @Test func aBurstThatNoPacketFitsIsAWarning() {
    let text = """
      [[listener]]
      address = "0.0.0.0:7999"
      framer = { kind = "length-prefix", max = "1KB" }
      [listener.limits]
      bytes = { per_second = "100B", action = "drop" }
      [[pool]]
      [[pool.worker]]
      address = "127.0.0.1:45888"
      """
    #expect(
      warnings(text) == [
        "f:5:9: warning: listener[1].limits.bytes: packets longer than its burst of 100 bytes "
          + "never pass, and the framer lets 1000 through"
      ])
  }

  // MARK: Temporary bans

  @Test func everyKeyOfARuleIsTaken() throws {
    let configuration = try with(
      """
      [[temporary_ban]]
      name = "n"
      on = "violations"
      of = "account"
      count = 3
      within = "2s"
      duration = "1d"
      growth = 1
      max_duration = "2d"
      forget_after = "3d"
      reason = "why"
      [[temporary_ban]]
      on = "failed-logins"
      count = 10_000
      within = "30d"
      duration = "3650d"
      """)
    var first = TemporaryBanRule(
      name: "n", trigger: .violations, target: .account, count: 3, within: .seconds(2),
      duration: .seconds(86_400))
    first.growth = 1
    first.durationMax = .seconds(2 * 86_400)
    first.forgetAfter = .seconds(3 * 86_400)
    first.shownReason = "why"
    var second = TemporaryBanRule(
      name: "temporary-ban-2", trigger: .failedLogins, target: .address, count: 10_000,
      within: .seconds(30 * 86_400), duration: .seconds(3_650 * 86_400))
    second.durationMax = second.duration
    second.shownReason = "too many failed logins"
    #expect(configuration.access.temporaryBans == [first, second])
  }

  /// Goal: what the reference promises for a file without rules.
  @Test func theDefaultRules() throws {
    let rules = try with("").access.temporaryBans
    #expect(rules.map(\.trigger) == [.failedLogins, .violations])
    #expect(rules.map(\.target) == [.address, .address])
    #expect(rules.map(\.count) == [10, 20])
    #expect(rules.map(\.within.configured) == ["5m", "1m"])
    #expect(rules.map(\.duration.configured) == ["15m", "10m"])
    #expect(rules.map(\.growth) == [2, 2])
    let without = try #require(loaded("temporary_bans = false\n" + minimalText))
    #expect(without.access.temporaryBans == [])
  }

  @Test(arguments: [
    (
      "on = \"failed-login\"",
      "on: \"failed-login\" is not one of its values; expected "
        + "\"failed-logins\", \"violations\" or \"refused-connections\" "
        + "(did you mean \"failed-logins\"?)"
    ),
    (
      "on = \"violations\"\nmax_duration = \"5s\"",
      "max_duration: it is shorter than the first ban; expected at least 1m"
    ),
    ("", "on: missing; expected \"failed-logins\", \"violations\" or \"refused-connections\""),
  ])
  func rulesThatAreWrong(lines: String, problem: String) {
    let rule = "[[temporary_ban]]\ncount = 1\nwithin = \"1s\"\nduration = \"1m\"\n\(lines)"
    let found = problems(minimalText + "\n" + rule)
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix(" error: temporary_ban[1].\(problem)") == true, "\(found)")
  }

  @Test func rulesHaveNamesOfTheirOwnAndAreNotSwitchedOff() {
    let rule =
      "[[temporary_ban]]\nname = \"a\"\non = \"violations\"\ncount = 1\nwithin = 1\n"
      + "duration = 1\n"
    #expect(
      problems("temporary_bans = false\n" + rule + rule + minimalText) == [
        "f:1:18: error: temporary_bans: they are switched off, and there are rules for them; "
          + "expected no [[temporary_ban]], or true",
        "f:9:8: error: temporary_ban[2].name: another rule is named \"a\"; expected a name of its "
          + "own",
      ])
  }

  // MARK: Allowances

  @Test func everyKeyOfAccessIsTaken() throws {
    let configuration = try with(
      """
      [access]
      allow = ["192.0.2.7", "192.0.2.0/24", "2001:db8::/32", "account:Anna B"]
      ipv4_prefix = 32
      ipv6_prefix = 56
      """)
    let access = configuration.access
    #expect(
      access.allow == [
        .addresses(try #require(AddressPrefix(text: "192.0.2.7"))),
        .addresses(try #require(AddressPrefix(text: "192.0.2.0/24"))),
        .addresses(try #require(AddressPrefix(text: "2001:db8::/32"))),
        .account(try #require(AccountName("anna b"))),
      ])
    #expect(access.ipv4PrefixLength == 32)
    #expect(access.ipv6PrefixLength == 56)
  }

  @Test(arguments: [
    ("anna", "\"anna\" is neither an address nor a prefix", "account:anna"),
    ("192.0.2.7/24", "\"192.0.2.7/24\" has bits behind its prefix", "192.0.2.0/24"),
    ("192.0.2.0/33", "\"192.0.2.0/33\" is neither an address nor a prefix", nil),
    ("account:", "\"account:\" names no account", nil),
  ])
  func allowancesThatAreWrong(text: String, message: String, suggestion: String?) {
    let outcome = ConfigurationLoader.load(
      text: minimalText + "\n[access]\nallow = [\"::1\", \"\(text)\"]", file: "f")
    guard case .refused(let problems) = outcome else {
      Issue.record("it was not refused")
      return
    }
    #expect(problems.map(\.key) == ["access.allow[2]"])
    #expect(problems.map(\.message) == [message])
    #expect(problems.map(\.suggestion) == [suggestion])
    #expect(problems.map(\.column) == [17])
  }
}
