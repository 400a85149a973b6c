internal import Auth
internal import Gateway
internal import Primitives
internal import Store
internal import Upstream

/// One process of the gateway: its shards, each with a loop of its own, and what they share.
///
/// The first shard is the door: it has the listeners, and the store and operators talk to it. The
/// others are told of what concerns them by messages, see ``VirtualShard``.
final class VirtualGateway {
  unowned let simulation: Simulation
  let number: Int
  let configuration: GatewayConfiguration
  /// Tells this process from those that had its number before.
  let instance: Int
  private(set) var shards: [VirtualShard] = []
  var store: VirtualStore?
  /// What the store fails with.
  var storeFailure: StoreError?
  /// Of the newest turn that is planned for it.
  var storeSerial: UInt64 = 0
  var storeDueAt = Instant.distantFuture
  private(set) var isRunning = false

  /// Clients' descriptors, those that go from shard to shard included.
  var clientCount = 0
  /// Descriptors for clients and listening sockets.
  var clientsMax: Int
  /// Messages between shards that have not been taken; after SIGKILL they never are.
  var messagesUnderWay = 0
  /// Clients' sockets that messages carry.
  var movingSockets: [Connection] = []
  /// Commands that several shards answer; never gone through.
  var groupCommands: [UInt64: GroupCommand] = [:]
  /// Workers that wait to be added, one at a time; the first one is being added.
  var additions: [Addition] = []
  var now: Instant { simulation.now }

  /// The shard that accepts clients.
  var door: VirtualShard { shards[0] }
  /// Nothing is on its way between the shards.
  var isQuiet: Bool { messagesUnderWay == 0 }
  /// Every shard has ended.
  var isFinished: Bool { shards.allSatisfy(\.isFinished) }
  var hasBegunShutdown: Bool { shards.contains { $0.shard.hasBegunShutdown } }
  var lingeringCount: Int { shards.reduce(0) { $0 + $1.lingering.count } }
  /// Until then some loop is held up.
  var stalledUntil: Instant { shards.reduce(shards[0].stalledUntil) { max($0, $1.stalledUntil) } }

  /// - Parameter generation: how many have had the number before.
  init(
    _ simulation: Simulation, number: Int, generation: Int = 0,
    configuration: GatewayConfiguration
  ) {
    self.simulation = simulation
    self.number = number
    self.configuration = configuration
    clientsMax = simulation.scenario.descriptorsForClients
    instance = Int(simulation.nextSerial())
    shards = VirtualShard.group(of: simulation.scenario.shards, in: self, generation: generation)
  }

  /// - Throws: ``StoreError`` when the bans can't be read; it may be tried again.
  func start() throws(StoreError) {
    try openStore()
    isRunning = true
    for shard in shards { shard.start() }
  }

  /// Another process has its place, and nothing of this one is asked for any more.
  func giveUpMemory() {
    for shard in shards { shard.giveUpMemory() }
    (movingSockets, groupCommands, additions) = ([], [:], [])
  }

  /// For the door.
  func post(_ mail: Mail) { door.post(mail) }

  /// What waits may have changed for every loop.
  func wakeUp() { for shard in shards { shard.wakeUp() } }

  /// Writes what waits, once all shards have ended.
  func shardEnded() {
    if isFinished, lingeringCount == 0 { closeStore() }
  }

  /// SIGKILL: the system closes what it had open, and nothing more is said or written.
  func kill() {
    isRunning = false
    for shard in shards { shard.kill() }
    for connection in movingSockets { simulation.network.close(connection, from: .gateway) }
    movingSockets = []
    clientCount = 0
    store?.kill()
    store = nil
  }
}
