internal import CLinux
public import Gateway
internal import Primitives
internal import Synchronization
internal import Threading
internal import Upstream

/// All shards of a gateway, as other threads know them: what is asked of the gateway is asked here.
///
/// Shard 0 is the door, which every client comes in by and which knows all accounts and bans; the
/// others carry the sessions of their own workers.
public final class ShardGroup: Sendable {
  /// By the shards' numbers.
  let mailboxes: [Mailbox]
  let descriptorsElsewhere = DescriptorsElsewhere()
  /// For the disguise of sessions' numbers in UUIDs, which all shards read.
  let seed = EntropyPool.word()
  private let pools: [PoolPlaces.Pool]
  /// Held while it is decided where a worker goes, so that of two who add it the second finds it.
  private let adding = Mutex(())
  /// Those beside the door's that run.
  let threads = Mutex(0)
  let threadEnded = Semaphore()

  /// - Throws: ``SystemError`` when there is no descriptor left.
  public init(_ configuration: GatewayConfiguration) throws(SystemError) {
    var mailboxes: [Mailbox] = []
    for _ in 0..<configuration.shards { mailboxes.append(try Mailbox()) }
    self.mailboxes = mailboxes
    pools = PoolPlaces.pools(of: configuration)
  }

  public var count: Int { mailboxes.count }
  /// What concerns clients' coming, bans and verdicts is posted here alone.
  public var door: Mailbox { mailboxes[0] }

  /// Has the gateway carry out a command and waits for its answer; from any thread but a shard's.
  ///
  /// - Parameter isAnsweredAtOnce: see
  ///   ``Mailbox/perform(_:timeoutMilliseconds:isAnsweredAtOnce:)``.
  /// - Returns: nil when one of the shards that were asked did not answer within
  ///   `timeoutMilliseconds`, or when the gateway has ended.
  public func perform(
    _ command: Command, timeoutMilliseconds: UInt32, isAnsweredAtOnce: Bool = false
  ) -> Reply? {
    let shard: Int
    switch command.route(shards: count) {
    case .door: shard = 0
    case .shard(let number): shard = number
    case .every:
      return askAll(command, timeoutMilliseconds).map { MergedReplies.merge($0, to: command) }
    case .placed(let worker, let pool):
      return add(worker, to: pool, command, timeoutMilliseconds)
    }
    return mailboxes[shard].perform(
      command, timeoutMilliseconds: timeoutMilliseconds, isAnsweredAtOnce: isAnsweredAtOnce)
  }

  /// Has the gateway take in a listener; see ``Mailbox/add(_:on:timeoutMilliseconds:)``.
  public func add(
    _ listener: ListenerConfiguration, on socket: ListeningSocket, timeoutMilliseconds: UInt32
  ) -> Reply? {
    door.add(listener, on: socket, timeoutMilliseconds: timeoutMilliseconds)
  }

  /// All answers by the shards' numbers; nil when one is missing.
  private func askAll(_ command: Command, _ timeoutMilliseconds: UInt32) -> [Reply]? {
    let deadline = Clock.monotonic() + .milliseconds(UInt64(timeoutMilliseconds))
    let questions = mailboxes.map { $0.ask(command) }
    var replies: [Reply] = []
    for (mailbox, question) in zip(mailboxes, questions) {
      guard let question else { continue }
      // Every one is asked for, so that no question is left in a mailbox that nobody waits for.
      let left = deadline.since(Clock.monotonic()).milliseconds
      let reply = mailbox.reply(to: question, within: UInt32(clamping: left))
      if let reply { replies.append(reply) }
    }
    return replies.count == count ? replies : nil
  }

  private func add(
    _ worker: WorkerConfiguration, to pool: String?, _ command: Command,
    _ timeoutMilliseconds: UInt32
  ) -> Reply? {
    let asked: (Mailbox, Mailbox.Question)? = adding.withLock { _ in
      var workers: [[WorkerStatus]] = []
      guard let replies = askAll(.listWorkers, timeoutMilliseconds) else { return nil }
      for reply in replies {
        guard case .workers(let some) = reply else { return nil }
        workers.append(some)
      }
      let shard = PoolPlaces.shard(for: worker, pool: pool, pools: pools, workers: workers)
      // Posted before the next one looks: its question comes behind it.
      return mailboxes[shard].ask(command).map { (mailboxes[shard], $0) }
    }
    guard let (mailbox, question) = asked else { return nil }
    return mailbox.reply(to: question, within: timeoutMilliseconds)
  }
}
