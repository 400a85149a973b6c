internal import Gateway
internal import Primitives
internal import Upstream

/// What is played on one listener: how its packets look, and who may play.
struct Game {
  var name: String
  var port: UInt16

  /// The games of a scenario, one for each listener.
  static func all(of scenario: Scenario) -> [Game] { [Game(name: "game", port: 7000)] }

  /// A gateway's configuration for them.
  static func configuration(
    _ games: [Game], _ workers: [WorkerProcess], _ scenario: Scenario
  ) -> GatewayConfiguration {
    var configuration = GatewayConfiguration()
    configuration.limits.sessionsMax = 4000
    var pool = PoolConfiguration(name: "main")
    pool.workers = workers.map(\.configuration)
    configuration.pools = [pool]
    configuration.listeners = games.map {
      ListenerConfiguration(name: $0.name, host: "198.51.100.1", port: $0.port, pool: 0)
    }
    return configuration
  }
}
