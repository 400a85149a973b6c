import Framing
import Gateway
import Primitives
import Testing
import Upstream

@testable import Configuration

@Suite struct GatehouseFormTests {
  @Test func theMinimalFileGetsEveryDefault() throws {
    let configuration = try #require(loaded(minimalText))
    var expected = GatewayConfiguration()
    expected.listeners = [
      ListenerConfiguration(name: "listener-1", host: "0.0.0.0", port: 7999, pool: 0)
    ]
    expected.pools = [PoolConfiguration(name: "default")]
    expected.pools[0].workers = [WorkerConfiguration(host: "127.0.0.1", port: 45888)]
    expected.store = StoreConfiguration(path: "gatehouse.db")
    expected.savedListenersFile = "f.listeners.json"
    expected.access.temporaryBans = configuration.access.temporaryBans
    #expect(configuration == expected)
    #expect(configuration.access.temporaryBans.map(\.name) == ["failed-logins", "violations"])
    #expect(warnings(minimalText) == [])
  }

  @Test(arguments: [0, 65, -1]) func thereAreOneToSixtyFourShards(count: Int) {
    #expect(
      problems("shards = \(count)\n" + minimalText) == [
        "f:1:10: error: shards: \(count) is out of range; expected an integer from 1 to 64"
      ])
  }

  /// Goal: each key reaches its field.
  ///
  /// Method: every key differs from its default.
  @Test func everyKeyOfAListenerAndAPoolIsTaken() throws {
    let configuration = try #require(loaded(Self.everyKey))
    var listener = ListenerConfiguration(name: "a", host: "::1", port: 1, pool: 1)
    listener.framerName = "x"
    listener.clientToServer = .lengthPrefix(
      try LengthPrefixFramer(
        lengthOffset: 2, lengthWidth: 3, endianness: .little, counts: .packet, adjustment: -1,
        packetBytesMax: 1_000))
    listener.serverToClient = .lengthPrefix(
      try LengthPrefixFramer(lengthWidth: 1, packetBytesMax: 9))
    listener.idleTimeout = .seconds(3_600)
    listener.writeTimeout = .milliseconds(500)
    listener.workerWait = .zero
    listener.halfCloseTimeout = .seconds(60)
    listener.keepalive = .zero
    #expect(configuration.listeners == [listener])
    var pool = PoolConfiguration(name: "two")
    pool.balance = .packet
    pool.activeWindow = .seconds(2)
    pool.drainTimeout = .zero
    var worker = WorkerConfiguration(host: "w_2", port: 65_535)
    worker.connectTimeout = .milliseconds(10)
    worker.readyTimeout = .seconds(7)
    worker.aliveTimeout = .seconds(3_600)
    pool.workers = [worker]
    #expect(configuration.pools[1] == pool)
    #expect(configuration.shards == 64)
    #expect(configuration.shutdownGrace == .seconds(90))
  }

  @Test func everyKeyOfTheOtherTablesIsTaken() throws {
    let text =
      minimalText + """

        [management]
        address = "localhost:9"
        token = "0123456789abcdef"
        recording = true
        [limits]
        sessions = 16_777_215
        message_size = "64MiB"
        client_queue = 4096
        client_queue_total = "1GiB"
        worker_queue = "64KiB"
        [log]
        level = "error"
        format = "json"
        """
    let configuration = try #require(loaded(text, file: "/etc/g/g.toml"))
    var management = ManagementConfiguration()
    management.host = "localhost"
    management.port = 9
    management.token = "0123456789abcdef"
    management.recording = true
    #expect(configuration.management == management)
    var limits = Limits()
    limits.sessionsMax = 16_777_215
    limits.messageBytesMax = 64 << 20
    limits.clientQueueBytesMax = 4_096
    limits.clientQueueBytesTotalMax = 1 << 30
    limits.workerQueueBytesMax = 65_536
    #expect(configuration.limits == limits)
    #expect(configuration.log.level == .error)
    #expect(configuration.log.format == .json)
  }

  @Test(arguments: [
    ("", "g.toml", "gatehouse.token"), ("", "a/b/g.toml", "a/b/gatehouse.token"),
    ("", "/g.toml", "/gatehouse.token"), ("token_file = \"t\"", "/e/g.toml", "/e/t"),
    ("token_file = \"/t\"", "/e/g.toml", "/t"),
  ])
  func theTokenFileBelongsToTheFilesFolder(line: String, file: String, path: String) throws {
    let configuration = try #require(
      loaded(minimalText + "\n[management]\n" + line, file: file))
    #expect(configuration.management?.tokenFile == path)
    #expect(configuration.management?.token == "")
  }

  @Test func theOrderOfTablesDoesNotMatter() {
    let lines = minimalText.split(separator: "\n").map(String.init)
    let turned = (lines[2...] + lines[..<2]).joined(separator: "\n")
    #expect(loaded(turned) == loaded(minimalText))
  }

  @Test func whatIsAllowedButNotMeantIsAWarning() {
    let text = """
      [[listener]]
      address = "0.0.0.0:7999"
      pool = "b"
      [[pool]]
      name = "a"
      [[pool]]
      name = "b"
      balance = "packet"
      [[pool.worker]]
      address = "w:1"
      [framer.unused]
      kind = "raw"
      [management]
      address = "0.0.0.0:8000"
      """
    #expect(
      warnings(text) == [
        "f:1:1: warning: listener[1].framer: with the raw framer and balance = \"packet\", one "
          + "message of a client may be spread over several workers",
        "f:4:1: warning: pool[1]: no listener uses the pool \"a\"",
        "f:4:1: warning: pool[1]: the pool has no worker; its sessions wait until one is added",
        "f:11:9: warning: framer.unused: no listener uses this framer",
        "f:14:11: warning: management.address: the management API speaks plain HTTP, and 0.0.0.0 "
          + "is not a loopback address: its token can be read on the way",
      ])
  }

  private static let everyKey = """
    shards = 64
    shutdown_grace = 90
    [[listener]]
    name = "a"
    address = "[::1]:1"
    pool = "two"
    framer = "x"
    framer_to_client = { kind = "length-prefix", width = 1, max = 9 }
    idle_timeout = "1h"
    write_timeout = "500ms"
    worker_wait = 0
    half_close_timeout = "1m"
    keepalive = "0s"
    [framer.x]
    kind = "length-prefix"
    offset = 2
    width = 3
    endian = "little"
    counts = "packet"
    adjustment = -1
    max = "1KB"
    [[pool]]
    name = "one"
    [[pool.worker]]
    address = "w.example:1"
    [[pool]]
    name = "two"
    balance = "packet"
    active_window = 2
    drain_timeout = "0ms"
    [[pool.worker]]
    address = "w_2:65535"
    connect_timeout = "10ms"
    ready_timeout = 7
    alive_timeout = "1h"
    """
}
