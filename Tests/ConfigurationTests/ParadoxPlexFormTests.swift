import Gateway
import Primitives
import Testing
import Upstream

@testable import Configuration

@Suite struct ParadoxPlexFormTests {
  @Test func theirFileIsTakenAsItIs() throws {
    let configuration = try #require(loaded(paradoxPlexText, file: "/srv/config.toml"))
    var expected = GatewayConfiguration()
    expected.listeners = [
      ListenerConfiguration(name: "server", host: "0.0.0.0", port: 7999, pool: 0)
    ]
    var worker = WorkerConfiguration(host: "127.0.0.1", port: 45888)
    worker.aliveTimeout = .seconds(30)
    worker.readyTimeout = .seconds(5)
    expected.pools = [PoolConfiguration(name: "default")]
    expected.pools[0].workers = [worker]
    var management = ManagementConfiguration()
    management.tokenFile = "/srv/gatehouse.token"
    expected.management = management
    expected.log.level = .debug
    expected.savedListenersFile = "/srv/config.toml.listeners.json"
    #expect(configuration == expected)
    #expect(warnings(paradoxPlexText) == [])
  }

  @Test func theirDefaultsHold() throws {
    let text = "[[upstream]]\nhost = \"::1\"\nport = 1\n[management_server]"
    let configuration = try #require(loaded(text))
    #expect(configuration.listeners[0].host == "127.0.0.1")
    #expect(configuration.listeners[0].port == 7999)
    #expect(configuration.pools[0].workers[0].host == "::1")
    #expect(configuration.pools[0].workers[0].aliveTimeout == .seconds(30))
    #expect(configuration.pools[0].workers[0].readyTimeout == .seconds(30))
    #expect(configuration.management?.port == 8000)
  }

  @Test(arguments: [
    ("critical", LogLevel.error), ("normal", .info), ("debug", .debug), ("trace", .debug),
    ("off", .error),
  ])
  func theirLogLevelsAreMapped(name: String, level: LogLevel) throws {
    let text = paradoxPlexText.replacing("\"debug\"", with: "\"\(name)\"")
    #expect(loaded(text)?.log.level == level)
    #expect(warnings(text)?.count == (name == "off" ? 1 : 0))
  }

  @Test func tlsOfTheManagementAPIIsRefused() {
    let message =
      "the management API speaks plain HTTP; put a proxy that ends TLS in front of it; expected "
      + "an empty string"
    #expect(
      problems(paradoxPlexText.replacing("cert_path = \"\"", with: "cert_path = \"c.pem\""))
        == ["f:18:13: error: management_server.tls.cert_path: \(message)"])
    let other = "[[upstream]]\nhost = \"h\"\nport = 1\n[management_server_tls]\nkey_path = \"k\""
    #expect(problems(other) == ["f:5:12: error: management_server_tls.key_path: \(message)"])
  }

  @Test func whatIsWrongIsListedAtOnce() {
    let text = """
      [server]
      hots = "0.0.0.0"
      port = 70000
      [[upstream]]
      port = 1
      alive_timeout = 0
      [[upstream]]
      host = "a b"
      [management_server]
      log_level = "dbeug"
      """
    #expect(
      problems(text) == [
        "f:2:1: error: server.hots: unknown key (did you mean \"host\"?)",
        "f:3:8: error: server.port: 70000 is out of range; expected an integer from 1 to 65535",
        "f:4:1: error: upstream[1].host: missing; expected the worker's host",
        "f:6:17: error: upstream[1].alive_timeout: 0 is out of range; expected an integer from 1 "
          + "to 3600",
        "f:7:1: error: upstream[2].port: missing; expected the worker's port",
        "f:8:8: error: upstream[2].host: \"a b\" is not a host name; expected a host name or an "
          + "address",
        "f:10:13: error: management_server.log_level: \"dbeug\" is not one of its values; expected "
          + "\"critical\", \"normal\", \"debug\", \"trace\" or \"off\" (did you mean \"debug\"?)",
      ])
  }

  @Test func oneFileHasOneForm() {
    #expect(
      problems(paradoxPlexText + "\n[[listener]]\nnonsense = 1\n[limits]\nnonsense = 1") == [
        "f:20:3: error: listener: the file mixes two forms: \"listener\" is Gatehouse's form, "
          + "\"server\" is PersistentParadoxPlex's, and \"server\" came first; expected one form "
          + "for the whole file"
      ])
  }
}
