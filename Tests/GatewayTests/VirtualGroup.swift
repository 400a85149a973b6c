import Primitives
import Testing

@testable import Gateway

/// Drives a gateway of several shards in memory.
///
/// Messages between two shards keep their order. With ``cuts`` some are longer under way than
/// others, and the shards' turns come in any order.
final class VirtualGroup {
  private struct Mail {
    var message: ShardMessage
    var sockets: [Int]
  }

  let outside: Outside
  private(set) var shards: [VirtualWorld] = []
  /// By sender and receiver.
  private var mail: [[[Mail]]]
  var random: SeededRandom
  /// Nothing that is sent from here to there arrives.
  var isHeld: (_ from: Int, _ to: Int) -> Bool = { _, _ in false }
  var cuts = false {
    didSet { for shard in shards { shard.cuts = cuts } }
  }

  /// A gateway with one pool of `workers`, dealt over the shards, and one listener of packets.
  init(
    seed: UInt64 = 1, shards count: Int = 2, workers: Int = 2, windowBytes: Int = 16 << 20,
    sessionEvents: Bool = false, adjust: (inout GatewayConfiguration) -> Void = { _ in }
  ) {
    outside = Outside(workers: workers, windowBytes: windowBytes)
    for worker in outside.workers { worker.sessionEvents = sessionEvents }
    random = SeededRandom(seed: seed)
    mail = Array(repeating: Array(repeating: [], count: count), count: count)
    var configuration = VirtualWorld.configuration(of: outside)
    configuration.shards = count
    configuration.listeners[0].clientToServer = .short
    adjust(&configuration)
    shards = (0..<count).map { VirtualWorld($0, configuration, outside, seed: seed) }
    for shard in shards {
      shard.group = self
      shard.start()
    }
    settle()
  }

  var door: VirtualWorld { shards[0] }
  var clients: [VirtualClient] { outside.clients }
  var workers: [VirtualWorker] { outside.workers }
  var now: Instant { outside.now }
  /// All shards have ended.
  var isFinished: Bool { shards.allSatisfy(\.isFinished) }

  // MARK: Time

  func post(_ message: ShardMessage, _ sockets: [Int], from sender: Int, to receiver: Int) {
    mail[sender][receiver].append(Mail(message: message, sockets: sockets))
  }

  /// One turn of each shard, then of the mail.
  ///
  /// - Returns: whether anything happened.
  @discardableResult
  func turn() -> Bool {
    var moved = false
    for shard in cuts ? shards.shuffled(using: &random) : shards {
      shard.turn()
      moved = moved || shard.moved
    }
    for sender in shards.indices {
      for receiver in shards.indices where !isHeld(sender, receiver) {
        moved = deliver(from: sender, to: receiver) || moved
      }
    }
    for shard in shards {
      for problem in shard.shard.audit() { shard.check(false, "shard \(shard.number): \(problem)") }
    }
    return moved
  }

  private func deliver(from sender: Int, to receiver: Int) -> Bool {
    let waiting = mail[sender][receiver].count
    guard waiting > 0 else { return false }
    let count = cuts ? Int.random(in: 0...waiting, using: &random) : waiting
    let arrived = mail[sender][receiver].prefix(count)
    mail[sender][receiver].removeFirst(count)
    for mail in arrived { shards[receiver].receive(mail.message, mail.sockets, from: sender) }
    return true
  }

  /// Turns until nothing moves any more, without any time passing.
  func settle(_ location: SourceLocation = #_sourceLocation) {
    for _ in 0..<100_000 {
      if turn() { continue }
      return checkGroup(location)
    }
    Issue.record("the group does not come to rest", sourceLocation: location)
  }

  func advance(_ interval: Interval) { _ = advance(upTo: interval) { false } }

  func advance(upTo limit: Interval, until isTrue: () -> Bool) -> Bool {
    let target = now + limit
    settle()
    while !isTrue() {
      guard now < target, !isFinished else { return false }
      let deadlines = shards.compactMap { $0.isFinished ? nil : $0.shard.nextDeadline }
      outside.now = min(max(now + .milliseconds(1), deadlines.min() ?? target), target)
      settle()
    }
    return true
  }

  /// What must be true when nothing is under way.
  private func checkGroup(_ location: SourceLocation) {
    guard mail.allSatisfy({ $0.allSatisfy(\.isEmpty) }) else { return }
    for other in shards.dropFirst() {
      for problem in door.shard.audit(with: other.shard) {
        Issue.record("shard \(other.number): \(problem)", sourceLocation: location)
      }
    }
  }

  // MARK: Clients and workers

  @discardableResult
  func connect(listener: Int = 0, from host: SocketAddress? = nil) -> Int {
    door.connect(listener: listener, from: host)
  }

  func send(_ client: Int, _ bytes: some Sequence<UInt8>) { door.send(client, bytes) }

  /// The shard that a client's socket is with.
  func shard(of client: Int) -> Int { clients[client].shard }

  /// The shard that a worker's link is on; nil when it has none.
  func shard(ofWorker worker: Int) -> Int? {
    shards.firstIndex { $0.links.contains { $0.worker === workers[worker] } }
  }

  func crash(_ worker: Int, losingOutput: Bool = false) {
    for shard in shards { shard.crash(worker, losingOutput: losingOutput) }
  }

  /// Crashes a worker that can't be reached any more.
  func remove(_ worker: Int, losingOutput: Bool = false) {
    workers[worker].reachability = .refuses
    crash(worker, losingOutput: losingOutput)
  }

  func logged<Found>(_ what: (LogEvent) -> Found?) -> [Found] {
    shards.flatMap { $0.log.compactMap(what) }
  }

  func metrics() -> [MetricsSnapshot] { shards.map { $0.metrics() } }

  /// What is left of sessions when all are over.
  func leftovers() -> [String] {
    shards.flatMap { shard in shard.shard.leftovers().map { "shard \(shard.number): \($0)" } }
  }
}
