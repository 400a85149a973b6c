import Auth
import Framing
import Gateway
import Primitives
import Testing

@testable import Configuration

@Suite struct DocumentationTests {
  /// Goal: what the example says are defaults are the defaults.
  @Test func theExampleIsRightAndHoldsTheDefaults() throws {
    let text = try contents(of: "gatehouse.example.toml")
    #expect(problems(text) == [])
    #expect(warnings(text) == [])
    let example = try #require(loaded(text))
    #expect(example.limits == Limits())
    #expect(example.log == LogConfiguration())
    #expect(example.shards == GatewayConfiguration().shards)
    #expect(example.shutdownGrace == GatewayConfiguration().shutdownGrace)
    let (first, second) = (example.listeners[0], example.listeners[1])
    #expect(first.idleTimeout == second.idleTimeout)
    #expect(first.writeTimeout == second.writeTimeout)
    #expect(first.workerWait == second.workerWait)
    #expect(first.halfCloseTimeout == second.halfCloseTimeout)
    #expect(first.keepalive == second.keepalive)
    var pool = PoolConfiguration(name: "game")
    pool.workers = example.pools[0].workers
    #expect(example.pools[0] == pool)
    var worker = pool.workers[0]
    worker.port = pool.workers[1].port
    #expect(worker == pool.workers[1])
    #expect(example.store == StoreConfiguration(path: "gatehouse.db"))
    #expect(example.access == loaded(minimalText)?.access)
    #expect(second.limits == ListenerLimits())
    let authentication = try #require(second.authentication)
    let defaults = AuthenticationConfiguration(kind: .token, login: authentication.login)
    #expect(authentication.deadline == defaults.deadline)
    #expect(authentication.forwardsFirstPacket == defaults.forwardsFirstPacket)
    #expect(authentication.duplicateLogin == defaults.duplicateLogin)
  }

  /// Goal: no key of the example without its line, those in comments among them.
  @Test func theReferenceHasEveryKeyOfTheExample() throws {
    let reference =
      try contents(of: "docs/configuration.md") + contents(of: "docs/framers.md")
    var keysSeen = 0
    for line in try contents(of: "gatehouse.example.toml").split(separator: "\n") {
      let setting = line.hasPrefix("# ") ? line.dropFirst(2) : line
      let key = setting.prefix { $0.isLowercase || $0.isNumber || $0 == "_" }
      guard !key.isEmpty, setting.dropFirst(key.count).hasPrefix(" = ") else { continue }
      keysSeen += 1
      #expect(reference.contains("| `\(key)` | "), "\(key)")
    }
    #expect(keysSeen > 70)
  }

  /// Goal: a default in the reference is the default, for the keys of whom to let in.
  @Test func theReferenceHasTheDefaultsOfAccess() throws {
    let reference = try contents(of: "docs/configuration.md")
    let access = AccessConfiguration()
    let store = StoreConfiguration(path: "")
    let defaults: [(key: String, shown: String)] = [
      ("password_passes", "\(store.passwordPasses)"),
      ("password_memory", "\"\(ByteCountText.describe(store.passwordMemoryBytes))\""),
      ("password_threads", "\(store.passwordThreads)"),
      ("login_history", "\"\(store.loginHistoryDays)d\""),
      ("reserved_percent", "\(access.logins.reservedPercent)"),
      ("known_for", "\"\(access.logins.knownFor.configured)\""),
      ("verifications", "\(access.logins.verificationsMax)"),
      ("pending", "\(access.logins.pendingMax)"),
      ("refusal_delay", "\"\(access.logins.refusalDelay.configured)\""),
      ("ipv4_prefix", "\(access.ipv4PrefixLength)"), ("ipv6_prefix", "\(access.ipv6PrefixLength)"),
    ]
    for (key, shown) in defaults {
      let line = try #require(
        reference.split(separator: "\n").first { $0.hasPrefix("| `\(key)` | ") }, "\(key)")
      #expect(line.contains(" | `\(shown)` | "), "\(key)")
    }
  }

  /// Goal: bounds in the reference are the bounds, for the keys of whom to let in.
  @Test func theReferenceHasTheBoundsOfAccess() throws {
    let reference = try contents(of: "docs/configuration.md")
    func shown(_ bounds: ClosedRange<Int>) -> String {
      "\(bounds.lowerBound) to \(bounds.upperBound)"
    }
    func shown(_ bounds: ClosedRange<Interval>) -> String {
      let lowest = bounds.lowerBound == .zero ? "0" : bounds.lowerBound.configured
      return "\(lowest) to \(bounds.upperBound.configured)"
    }
    let bounds: [(key: String, shown: String)] = [
      ("deadline", shown(Bounds.loginDeadline)), ("timeout", shown(Bounds.workerVerdictTimeout)),
      ("keys", shown(Bounds.ticketKeys)), ("audience", shown(Bounds.audienceBytes)),
      ("lifetime", shown(Bounds.ticketLifetime)), ("per_second", shown(Bounds.eventsPerSecond)),
      ("burst", shown(Bounds.eventsBurst)), ("known_for", shown(Bounds.loginKnownFor)),
      ("reserved_percent", shown(Bounds.loginReservedPercent)),
      ("verifications", shown(Bounds.loginVerifications)), ("pending", shown(Bounds.sessions)),
      ("refusal_delay", shown(Bounds.loginRefusalDelay)), ("count", shown(Bounds.offences)),
      ("within", shown(Bounds.offencesWithin)), ("duration", shown(Bounds.banDuration)),
      ("growth", shown(Bounds.banGrowth)), ("forget_after", shown(Bounds.banDuration)),
      ("ipv4_prefix", shown(Bounds.ipv4PrefixLength)),
      ("ipv6_prefix", shown(Bounds.ipv6PrefixLength)),
      ("connections_per_address", shown(Bounds.eventsPerSecond)),
      ("concurrent_per_address", shown(Bounds.sessions)),
      ("password_passes", shown(Bounds.passwordPasses)),
      ("password_threads", shown(Bounds.passwordThreads)),
      ("login_history", shown(Bounds.loginHistory)), ("shards", shown(Bounds.shards)),
    ]
    for (key, shown) in bounds {
      let lines = reference.split(separator: "\n").filter { $0.hasPrefix("| `\(key)` | ") }
      #expect(lines.contains { $0.contains(" | \(shown)") }, "\(key): \(shown)")
    }
  }

  /// Goal: what a reader copies from the README or the reference can be used.
  @Test(arguments: [
    ("README.md", 1), ("docs/configuration.md", 4), ("docs/framers.md", 1),
  ])
  func theBlocksAreRight(file: String, count: Int) throws {
    let text = try contents(of: file)
    let blocks = text.split(separator: "```toml\n").dropFirst().map { block in
      String(block.prefix(upTo: block.firstRange(of: "```")?.lowerBound ?? block.endIndex))
    }
    #expect(blocks.count == count)
    for block in blocks {
      #expect(problems(block) == [])
      #expect(warnings(block) == [])
    }
  }

  /// Goal: the shortest configuration stays as short as the reference promises.
  @Test func theReferenceBeginsWithFiveLines() throws {
    let text = try contents(of: "docs/configuration.md")
    let block = try #require(text.split(separator: "```toml\n").dropFirst().first)
    let end = try #require(block.firstRange(of: "```"))
    #expect(block[..<end.lowerBound].split(separator: "\n").count == 5)
  }

  private static let framerKeys = [
    "raw": "",
    "length-prefix": "encoding offset width endian mask xor_offset terminator canonical escapes "
      + "multiplier counts adjustment leading trailing min max",
    "delimiter": "delimiter keep telnet min max",
    "fixed": "size leading",
    "table": "offset width endian sizes length lengths unknown max",
    "switch": "each case otherwise",
    "sequence": "step",
    "plugin": "file arguments min max",
  ]

  /// Goal: no framer, and no key of one, without its line; and no line without its key.
  @Test func theReferenceHasEveryFramerAndItsKeys() throws {
    let text = try contents(of: "docs/framers.md")
    #expect(Set(Self.framerKeys.keys) == Set(TableReader.framerKinds))
    for (kind, names) in Self.framerKeys {
      let heading = "### `kind = \"\(kind)\"`\n"
      let start = try #require(text.firstRange(of: heading), "\(kind)").upperBound
      let rest = text[start...]
      let section = rest.prefix(upTo: rest.firstRange(of: "\n##")?.lowerBound ?? rest.endIndex)
      let keys = names.split(separator: " ").map(String.init)
      for key in keys { #expect(section.contains("| `\(key)` | "), "\(kind): \(key)") }
      // Every key is one that the reader takes, as all others are unknown to it.
      let settings = keys.map { "\($0) = []\n" }.joined()
      let found = problems(
        minimalText + "[framer.x]\nkind = \"\(kind)\"\n" + settings)
      #expect(!found.contains { $0.contains("unknown key") }, "\(kind): \(found)")
    }
  }
}
