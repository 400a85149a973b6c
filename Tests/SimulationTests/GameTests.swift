import Auth
import Framing
import Gateway
import Primitives
import Testing

@testable import Simulation

@Suite struct GameTests {
  private func scenario(_ seed: UInt64) -> Scenario {
    var scenario = Scenario(seed: seed)
    scenario.games = 4
    scenario.pools = 2
    scenario.packetBalancePermille = 500
    scenario.rawPermille = 200
    scenario.loginPermille = 600
    scenario.preludePermille = 500
    scenario.limitedPermille = 500
    scenario.temporaryBanRules = 2
    return scenario
  }

  private func configuration(_ scenario: Scenario) -> GatewayConfiguration {
    Game.configuration(Game.all(of: scenario), [], scenario)
  }

  @Test func gamesFollowFromTheSeed() {
    for seed in 0..<50 as Range<UInt64> {
      #expect(configuration(scenario(seed)) == configuration(scenario(seed)))
    }
    #expect(configuration(scenario(1)) != configuration(scenario(2)))
  }

  /// Goal: what is drawn is what a configuration file could say.
  @Test func listenersCanBeMade() throws {
    var shapes: Set<String> = []
    var kinds: Set<String> = []
    for seed in 0..<100 as Range<UInt64> {
      let configuration = configuration(scenario(seed))
      #expect(Set(configuration.listeners.map(\.port)).count == 4)
      for listener in configuration.listeners {
        _ = try CompiledFramer(
          listener.clientToServer, untilAuthenticated: listener.loginFramer)
        _ = try CompiledFramer(listener.serverToClient)
        let pool = configuration.pools[listener.pool]
        #expect(!(pool.balance == .packet && listener.clientToServer == .raw))
        shapes.insert(listener.framerName)
        if let authentication = listener.authentication { kinds.insert(authentication.kind.name) }
      }
    }
    #expect(shapes.count == PacketShape.allCases.count)
    #expect(kinds.count == Credential.Kind.allCases.count)
  }

  @Test func aDefaultScenarioAsksNobodyAndLimitsNobody() {
    for seed in 0..<50 as Range<UInt64> {
      let games = Game.all(of: Scenario(seed: seed))
      #expect(games.allSatisfy { $0.login == nil && !$0.isLimited })
    }
  }

  @Test func aGameHasRoomForItsLogins() {
    for seed in 0..<100 as Range<UInt64> {
      for game in Game.all(of: scenario(seed)) {
        guard let login = game.login else { continue }
        #expect(game.form.shape(ofPacket: login.packetNumber).takesLogins)
      }
    }
  }
}
