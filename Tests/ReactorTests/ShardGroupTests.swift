import Auth
import Glibc
import Synchronization
import Testing
import Threading
import Upstream

@testable import Gateway
@testable import Reactor

/// Goal: each command reaches the shards that it concerns, and no other.
@Suite struct ShardGroupTests {
  @Test func whatConcernsTheDoorIsAskedThereAlone() throws {
    let account = try #require(AccountName("anna"))
    let shards = try FakeShards(count: 3) { _, _ in .done }
    #expect(shards.perform(.listListeners) != nil)
    #expect(shards.perform(.explain(.account(account))) != nil)
    #expect(shards.perform(.removeListener(name: "a", closesSessions: true)) != nil)
    #expect(shards.asked.map(\.shard) == [0, 0, 0])
  }

  @Test func whatConcernsAllIsAskedEverywhere() throws {
    let shards = try FakeShards(count: 3) { shard, _ in .workers([worker(UInt32(3 - shard))]) }
    guard case .workers(let workers)? = shards.perform(.listWorkers) else {
      Issue.record("no workers")
      return
    }
    #expect(workers.map(\.id.rawValue) == [1, 2, 3])
    #expect(shards.asked.map(\.shard).sorted() == [0, 1, 2])
  }

  /// Goal: half an answer is none.
  @Test func oneShardThatDoesNotAnswerIsEnough() throws {
    let shards = try FakeShards(count: 3) { shard, _ in shard == 1 ? nil : .workers([]) }
    #expect(shards.perform(.listWorkers, timeoutMilliseconds: 50) == nil)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 4_096] as [UInt32])
  func aWorkersIdSaysWhereItIs(id: UInt32) throws {
    let shards = try FakeShards(count: 3) { _, _ in .done }
    #expect(shards.perform(.drainWorker(WorkerID(rawValue: id))) != nil)
    #expect(shards.perform(.removeWorker(WorkerID(rawValue: id))) != nil)
    #expect(shards.asked.map(\.shard) == [Int(id - 1) % 3, Int(id - 1) % 3])
  }

  /// Goal: an id that nobody has is no reason to fall over.
  @Test func anIdThatNobodyHasIsAskedSomewhere() throws {
    let shards = try FakeShards(count: 3) { _, _ in .failed(.unknownWorker) }
    for id in [0, UInt32.max] {
      guard case .failed(.unknownWorker)? = shards.perform(.drainWorker(WorkerID(rawValue: id)))
      else {
        Issue.record("worker \(id) is not unknown")
        return
      }
    }
  }

  @Test func aWorkerIsAddedWhereThereAreFewest() throws {
    let shards = try FakeShards(count: 3) { shard, command in
      if case .addWorker = command { return .workerAdded(worker(9)) }
      return .workers(shard == 2 ? [] : [worker(UInt32(shard + 1), port: UInt16(shard + 1))])
    }
    let configuration = WorkerConfiguration(host: "127.0.0.1", port: 9)
    #expect(shards.perform(.addWorker(pool: "main", configuration)) != nil)
    #expect(shards.asked.last?.shard == 2)
  }

  /// Goal: many who add the same workers at the same time do not get one on two shards.
  ///
  /// Method: the shards keep whatever is added to them. Each place for a worker depends on those
  /// before it, so that who looks and adds while others do would choose another one.
  @Test func theSameWorkerIsAddedOnce() throws {
    let added = Mutex<[[WorkerStatus]]>([[], [], []])
    let shards = try FakeShards(count: 3) { shard, command in
      added.withLock { added in
        guard case .addWorker(_, let new) = command else { return .workers(added[shard]) }
        added[shard].append(worker(UInt32(shard + 1), port: new.port))
        return .done
      }
    }
    let done = Semaphore()
    for thread in 0..<4 {
      let isStarted = startThread {
        for number in 0..<20 {
          let port = UInt16(1 + (number * (thread % 2 == 0 ? 1 : 7)) % 20)
          let configuration = WorkerConfiguration(host: "127.0.0.1", port: port)
          _ = shards.perform(.addWorker(pool: "main", configuration))
        }
        done.signal()
      }
      #expect(isStarted)
    }
    for _ in 0..<4 { #expect(done.wait(milliseconds: 30_000)) }
    let places = added.withLock { $0.map { Set($0.map(\.endpoint)) } }
    #expect(places.map(\.count).reduce(0, +) == 20, "\(places)")
  }

  @Test func aGatewayThatHasEndedAnswersNobody() throws {
    let shards = try FakeShards(count: 2) { _, _ in .workers([]) }
    shards.group.close()
    #expect(shards.perform(.listWorkers) == nil)
    #expect(shards.perform(.listListeners) == nil)
  }

  /// Goal: with one shard a group is its mailbox.
  @Test func oneShardIsAskedAsItIs() throws {
    let shards = try FakeShards(count: 1) { _, command in
      if case .addWorker = command { return .workerAdded(worker(9)) }
      return .workers([worker(2), worker(1)])
    }
    guard case .workers(let workers)? = shards.perform(.listWorkers) else {
      Issue.record("no workers")
      return
    }
    #expect(workers.map(\.id.rawValue) == [2, 1])
    let configuration = WorkerConfiguration(host: "127.0.0.1", port: 9)
    #expect(shards.perform(.addWorker(pool: nil, configuration)) != nil)
    #expect(shards.asked.count == 2)
  }
}

private func worker(_ id: UInt32, port: UInt16 = 1) -> WorkerStatus {
  WorkerStatus(
    id: WorkerID(rawValue: id), pool: "main", endpoint: "127.0.0.1:\(port)", state: .ready,
    sessions: 0, queuedBytes: 0, packetsSent: 0, messagesReceived: 0, reconnects: 0, lastEnd: nil,
    lastEndDetail: "")
}

/// A group whose shards are one thread that answers from a closure.
private final class FakeShards: Sendable {
  let group: ShardGroup
  private let answered: Answered
  private let ended = Semaphore()

  private final class Answered: Sendable {
    let all = Mutex<[(shard: Int, command: Command)]>([])
  }

  /// - Parameter reply: nil leaves a command without an answer.
  init(count: Int, _ reply: @escaping @Sendable (Int, Command) -> Reply?) throws {
    var configuration = GatewayConfiguration()
    configuration.pools = [PoolConfiguration(name: "main")]
    configuration.shards = count
    group = try ShardGroup(configuration)
    answered = Answered()
    let isStarted = startThread { [mailboxes = group.mailboxes, answered, ended] in
      Self.run(mailboxes, answered, reply)
      ended.signal()
    }
    #expect(isStarted)
  }

  deinit {
    group.door.post(.end)
    #expect(ended.wait(milliseconds: 30_000))
  }

  /// What was asked, in the order of the answers.
  var asked: [(shard: Int, command: Command)] { answered.all.withLock { $0 } }

  func perform(_ command: Command, timeoutMilliseconds: UInt32 = 30_000) -> Reply? {
    group.perform(command, timeoutMilliseconds: timeoutMilliseconds)
  }

  private static func run(
    _ mailboxes: [Mailbox], _ answered: Answered, _ reply: (Int, Command) -> Reply?
  ) {
    while true {
      var descriptors = mailboxes.map { pollfd(fd: $0.fd, events: Int16(POLLIN), revents: 0) }
      poll(&descriptors, nfds_t(descriptors.count), -1)
      for (shard, mailbox) in mailboxes.enumerated() where descriptors[shard].revents != 0 {
        for message in mailbox.take() {
          if case .end = message { return }
          guard case .command(let command, let token) = message else { continue }
          answered.all.withLock { $0.append((shard, command)) }
          if let answer = reply(shard, command) { mailbox.answer(token, answer) }
        }
      }
    }
  }
}
