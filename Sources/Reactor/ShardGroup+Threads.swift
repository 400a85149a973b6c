internal import CLinux
public import Gateway
internal import Synchronization
internal import Threading

/// Why a shard's thread does not run, for people.
public enum ShardFailure: Error, CustomStringConvertible, Sendable {
  /// The system gives no more threads.
  case noThread(shard: Int, count: Int)
  case system(SystemError, shard: Int)

  public var description: String {
    switch self {
    case .noThread(let shard, let count):
      "cannot start the thread of shard \(shard + 1) of \(count): the system gives no more; set "
        + "\"shards\" lower, or raise the limit (ulimit -u, or TasksMax of a unit)"
    case .system(let error, let shard): "cannot start shard \(shard + 1): \(error)"
    }
  }
}

extension ShardGroup {
  /// How a thread's start went, for the thread that waits for it.
  private final class Start: Sendable {
    let semaphore = Semaphore()
    let error = Mutex<SystemError?>(nil)
  }

  /// How long a shard may take over its last turn.
  private static let lastTurnMilliseconds: UInt32 = 1_000

  /// Starts the threads of all shards but the door, whose thread is the caller's.
  ///
  /// ``close()`` ends them, after a failure too.
  public func start(
    _ configuration: GatewayConfiguration, store: StoreConnection?,
    log: @escaping @Sendable (LogEvent) -> Void
  ) throws(ShardFailure) {
    var starts: [Start] = []
    for number in mailboxes.indices.dropFirst() {
      let start = Start()
      let isStarted = startThread { [self] in
        run(number, configuration, store, log, start)
      }
      guard isStarted else { throw .noThread(shard: number, count: count) }
      threads.withLock { $0 += 1 }
      starts.append(start)
    }
    for (number, start) in zip(1..., starts) {
      _ = start.semaphore.wait()
      if let error = start.error.withLock({ $0 }) { throw .system(error, shard: number) }
    }
  }

  private func run(
    _ number: Int, _ configuration: GatewayConfiguration, _ store: StoreConnection?,
    _ log: @escaping @Sendable (LogEvent) -> Void, _ start: Start
  ) {
    // The main thread has the process's name.
    unsafe clinux_name_thread("shard-\(number + 1)")
    do throws(SystemError) {
      var reactor = try Reactor(
        configuration, self, number: number, signalFD: -1, store, log, descriptorsForClients: 0)
      start.semaphore.signal()
      reactor.runBesideDoor()
    } catch {
      start.error.withLock { $0 = error }
      start.semaphore.signal()
    }
    threadEnded.signal()
  }

  /// The gateway has ended: ends the threads, and whoever waits, or asks from here on, gets no
  /// answer.
  public func close() {
    let running = threads.withLock { threads in
      defer { threads = 0 }
      return threads
    }
    if running > 0 { for mailbox in mailboxes.dropFirst() { mailbox.post(.end) } }
    for _ in 0..<running {
      // The first wait in vain is the last: threads that hang cost one second, once.
      guard threadEnded.wait(milliseconds: Self.lastTurnMilliseconds) else { break }
    }
    for mailbox in mailboxes { mailbox.close() }
  }
}
