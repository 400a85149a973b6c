import Auth
import Primitives
import Testing

@testable import Gateway

/// Goal: workers are dealt over shards, and sessions follow them.
@Suite struct SpreadingTests {
  /// Goal: each worker is on the shard of its number, and each session with its worker.
  @Test func sessionsAreDealtOverAllWorkers() {
    let group = VirtualGroup(shards: 3, workers: 4)
    #expect((0..<4).map { group.shard(ofWorker: $0) } == [0, 1, 2, 0])
    let clients = (0..<8).map { _ in group.connect() }
    for client in clients { group.send(client, numbers: 0..<20) }
    group.settle()
    for client in clients {
      #expect(group.echoed(client) == Array(0..<20))
      let worker = group.workers(of: client)
      #expect(worker.count == 1)
      #expect(group.shard(of: client) == group.shard(ofWorker: worker[0]))
    }
    for worker in group.workers { #expect(worker.packets.count == 40) }
    #expect(group.shards.map { $0.openClients } == [4, 2, 2])
  }

  /// Goal: numbers of workers say where they are, and none comes twice.
  @Test func workersOfAllShardsHaveNumbersOfTheirOwn() {
    let group = VirtualGroup(shards: 3, workers: 6)
    let ids = group.shards.map { $0.workerStatuses().map(\.id.rawValue) }
    #expect(ids == [[1, 4], [2, 5], [3, 6]])
  }

  /// Goal: a gateway of one shard keeps the numbers that it has had.
  @Test func oneShardNumbersItsWorkersFromOne() {
    let world = VirtualWorld(workers: 3)
    #expect(world.workerStatuses().map(\.id.rawValue) == [1, 2, 3])
    #expect(!world.shard.pools[0].isSpread)
  }

  /// Goal: what can't be told to several shards stays at the door.
  @Test func someWorkersStayAtTheDoor() {
    let group = VirtualGroup(shards: 2, workers: 4) { configuration in
      configuration.pools[0].balance = .packet
    }
    #expect((0..<4).map { group.shard(ofWorker: $0) } == [0, 0, 0, 0])
    let client = group.connect()
    group.send(client, numbers: 0..<8)
    group.settle()
    #expect(group.shard(of: client) == 0)
    #expect(group.workers(of: client) == [0, 1, 2, 3])
  }

  /// Goal: a pool whose workers let clients in, or hear them before, is not spread.
  @Test func poolsOfTheDoor() {
    var configuration = GatewayConfiguration()
    configuration.pools = ["asked", "before", "plain"].map { PoolConfiguration(name: $0) }
    var asking = ListenerConfiguration(name: "a", host: "127.0.0.1", port: 1, pool: 2)
    asking.authentication = AuthenticationConfiguration(
      kind: .worker(pool: 0, timeout: .seconds(1)), login: Logins.description)
    var hearing = ListenerConfiguration(name: "b", host: "127.0.0.1", port: 2, pool: 1)
    hearing.authentication = AuthenticationConfiguration(
      kind: .token, login: LoginDescription(parts: [Logins.part], before: .forward))
    configuration.listeners = [asking, hearing]
    #expect((0..<3).map { configuration.isSpread(pool: $0) } == [false, false, true])
  }

  /// Goal: a new listener does not get a pool that is spread where it needs one at the door.
  @Test func listenersThatComeLaterAreRefused() {
    let group = VirtualGroup(shards: 2)
    let refused = group.door.addListener("later") {
      $0.authentication = AuthenticationConfiguration(
        kind: .worker(pool: 0, timeout: .seconds(1)), login: Logins.description)
    }
    #expect(refused.failure == .poolIsSpread("main"))
    let world = VirtualWorld()
    let taken = world.addListener("later") {
      $0.authentication = AuthenticationConfiguration(
        kind: .worker(pool: 0, timeout: .seconds(1)), login: Logins.description)
    }
    #expect(taken.failure == nil)
  }

  /// Goal: lists have each session once, in the order of their places at the door.
  @Test func listsOfSessionsJoin() {
    let group = VirtualGroup(shards: 3, workers: 3)
    for _ in 0..<7 { group.connect() }
    group.settle()
    var slots: [UInt32] = []
    for shard in group.shards {
      let token = shard.command(.listSessions(of: nil, cursor: 0, limit: 2))
      guard case .sessions(let first, let next)? = shard.replies(to: token).first else {
        Issue.record("no list")
        continue
      }
      #expect(first.count == 2 && first[0].slot < first[1].slot)
      slots += first.map(\.slot)
      guard let next else { continue }
      let rest = shard.command(.listSessions(of: nil, cursor: next, limit: 10))
      guard case .sessions(let last, nil)? = shard.replies(to: rest).first else {
        Issue.record("no rest")
        continue
      }
      slots += last.map(\.slot)
    }
    #expect(slots.sorted() == Array(0..<7))
    let metrics = group.metrics()
    #expect(metrics.reduce(0) { $0 + $1.listeners[0].sessionsOpen } == 7)
  }

  /// Goal: what clients sent, counted where they were, is counted once.
  @Test func countsAddUp() {
    let group = VirtualGroup(shards: 2)
    let clients = (0..<4).map { _ in group.connect() }
    for client in clients { group.send(client, numbers: 0..<5) }
    group.settle()
    group.remove(1)
    group.settle()
    for client in clients { group.send(client, numbers: 5..<7) }
    group.settle()
    for client in clients[..<2] { group.door.end(client) }
    group.advance(.seconds(1))
    let all = group.metrics().map { $0.listeners[0] }
    #expect(all.reduce(0) { $0 + $1.packetsIn } == 28)
    #expect(all.reduce(0) { $0 + $1.messagesOut } == 28)
    #expect(all.reduce(0) { $0 + $1.sessionsOpened } == 4)
    #expect(all.reduce(0) { $0 + $1.sessionsClosed.reduce(0, +) } == 2)
    #expect(all.reduce(0) { $0 + $1.sessionsOpen } == 2)
  }

  /// Goal: no count goes down while sessions are on their way: it would look like a new start.
  @Test func whatHasHappenedStaysCountedOnTheWay() {
    let group = VirtualGroup(shards: 2)
    let clients = (0..<4).map { _ in group.connect() }
    for client in clients { group.send(client, numbers: 0..<5) }
    group.settle()
    group.isHeld = { from, _ in from == 1 }
    group.remove(1)
    group.settle()
    var all = group.metrics().map { $0.listeners[0] }
    #expect(all.map(\.packetsIn) == [10, 10])
    #expect(all.map(\.messagesOut) == [10, 10])
    group.isHeld = { _, _ in false }
    group.settle()
    all = group.metrics().map { $0.listeners[0] }
    #expect(all.map(\.packetsIn) == [10, 10])
    #expect(all.map(\.bytesOut) == [all[0].bytesOut, all[0].bytesOut])
  }
}
