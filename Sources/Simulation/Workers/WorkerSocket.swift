internal import Primitives

/// One connection of a worker's process with a gateway, and what is known of it.
final class WorkerSocket {
  /// An answer that HTTP/2 has not taken yet.
  struct Queued {
    enum Target {
      case session(String)
      case everybody(audience: UInt8)
    }
    var target: Target
    var byteCount: Int
  }

  let connection: Connection
  let worker: WorkerConnection
  /// The packet stream has begun.
  private(set) var isOpen = false
  /// Its number, which the oracle gives.
  private(set) var stream = 0
  /// Of the answer sent last.
  var serial: UInt32 = 0
  /// Answers, oldest first; those before ``queueStart`` are gone.
  var queue: [Queued] = []
  var queueStart = 0
  /// Answers that are still thought about.
  var lateCount = 0
  /// Sessions heard of on this connection, the latest ones; may be over.
  var sessions: [String] = []
  var requestsEnded = false
  /// The worker has returned from the packet stream.
  var hasFinished = false
  /// It has said something that ends the connection: nothing sensible follows.
  var hasLied = false
  /// The gateway has closed, and what was not handled by then never is.
  var isForsaken = false

  /// Bytes of HTTP/2 that the system has not taken; those before ``outputStart`` are gone.
  var output: [UInt8] = []
  var outputStart = 0
  private(set) var writtenByteCount = 0
  /// How much had been written with the end of the last message.
  private var messagesEnd = 0

  init(_ connection: Connection, _ worker: WorkerConnection) {
    self.connection = connection
    self.worker = worker
  }

  /// The worker has closed its descriptor.
  var isClosed: Bool { connection.peerClosed }
  var queuedCount: Int { queue.count - queueStart }
  var hasOutput: Bool { outputStart < output.count }

  /// The gateway, which has closed, may not have read all of what HTTP/2 was given.
  var losesAnswers: Bool {
    hasLied || worker.waitingByteCount > 0
      || writtenByteCount - connection.toGateway.unreadTotal < messagesEnd
  }

  /// The gateway has closed, though nothing had broken and the worker was not through.
  var isCutOff: Bool {
    guard connection.phase == .established, !connection.toGateway.isEnded, !hasLied else {
      return false
    }
    return !hasFinished || losesAnswers
  }

  /// The gateway has read all that the worker ever said.
  var isReadUp: Bool {
    !hasOutput && worker.waitingByteCount == 0 && connection.toGateway.unreadTotal == 0
  }

  func open(_ stream: Int) {
    isOpen = true
    self.stream = stream
  }

  func remember(_ uuid: String) {
    guard !sessions.contains(uuid) else { return }
    if sessions.count == 32 { sessions.removeFirst() }
    sessions.append(uuid)
  }

  func takeQueued() -> Queued? {
    guard queueStart < queue.count else { return nil }
    return queue[queueStart]
  }

  func dropQueued() {
    queueStart += 1
    guard queueStart == queue.count else { return }
    queue.removeAll(keepingCapacity: true)
    queueStart = 0
  }

  /// Fetches more of what HTTP/2 has to say; false when there is nothing.
  func fetchOutput() -> Bool {
    let waiting = worker.waitingByteCount
    do {
      output = try worker.takeOutput(bytesMax: 16 << 10)
    } catch {
      preconditionFailure("nghttp2 can't frame a worker's answers: \(error)")
    }
    outputStart = 0
    if worker.waitingByteCount < waiting { messagesEnd = writtenByteCount + output.count }
    return hasOutput
  }

  func wrote(_ byteCount: Int) {
    outputStart += byteCount
    writtenByteCount += byteCount
  }
}

extension Flow {
  /// How many bytes were written and never read.
  var unreadTotal: Int { unreadByteCount + forgotten.count }
}
