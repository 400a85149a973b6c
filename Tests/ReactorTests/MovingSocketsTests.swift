import Primitives
import Testing

@testable import Gateway
@testable import Reactor

/// Goal: what the system refuses on the way of a session costs that session alone.
@Suite struct MovingSocketsTests {
  /// Goal: a session whose socket the door could not register is over, or goes back, wherever it
  /// comes to.
  ///
  /// Method: the shard has had no client before, and has no worker for this one.
  @Test func aSessionComesWithoutASocket() throws {
    var configuration = GatewayConfiguration()
    configuration.shards = 2
    configuration.pools = [PoolConfiguration(name: "main")]
    configuration.listeners = [
      ListenerConfiguration(name: "game", host: "127.0.0.1", port: 7000, pool: 0)
    ]
    let group = try ShardGroup(configuration)
    let now = Instant(nanoseconds: 1_000_000_000)
    var effects = Effects()
    var door = Shard(
      configuration: configuration, number: 0, groupSeed: group.seed, seed: 1, now: now,
      unixMilliseconds: 1_800_000_000_000)
    door.start(now: now, effects: &effects)
    door.received(.rotation(pool: 0, count: 1), from: 1, now: now, effects: &effects)
    let client = SocketAddress(ipv4: 192, 0, 2, 7, port: 40_000)
    let entropy: [16 of UInt8] = .init(repeating: 7)
    _ = door.accepted(listener: 0, client: client, entropy: entropy, now: now, effects: &effects)

    var reactor = try Reactor(
      configuration, group, number: 1, signalFD: -1, nil, { _ in }, descriptorsForClients: 100)
    var came = 0
    for (receiver, message) in effects.messages where receiver == 1 {
      came += message.movingSessions?.count ?? 0
      reactor.receive(message, from: 0, message.movingSessions == nil ? [] : [-1])
    }
    reactor.postOutgoing()
    #expect(came == 1)
    #expect(reactor.clientCount == 0)
    var left = 0
    for message in group.mailboxes[0].take() {
      switch message {
      case .shard(.ended, _, _): left += 1
      case .shard(.returned(let batch), _, let sockets):
        left += batch.count
        #expect(sockets == [-1])
      default: break
      }
    }
    #expect(left == 1)
  }
}
