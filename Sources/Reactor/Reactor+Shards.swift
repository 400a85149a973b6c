internal import Gateway
internal import Primitives

/// What shards tell each other, and the sockets that move with their sessions.
extension Reactor {
  /// How much longer than their grace other shards may take to shut down: clients linger.
  static let shardsPatience = Interval.seconds(2)

  /// Another shard has not shut down, and may still.
  var waitsForShards: Bool { shardsRunning > 0 && now < shardsDeadline }

  /// Runs a shard that is not the door, until its group ends.
  mutating func runBesideDoor() {
    start()
    var hasFinished = false
    while !isEndedAtOnce {
      turn()
      guard isFinished, lingering.count == 0, !hasFinished else { continue }
      // It goes on to answer commands for as long as the door does.
      hasFinished = true
      post(.shardFinished, to: 0)
      postOutgoing()
    }
  }

  // MARK: Sending

  /// Takes the sessions' sockets along, which are this shard's no more.
  mutating func tell(_ receiver: Int, _ message: ShardMessage) {
    var sockets: [Int32] = []
    if let ids = message.movingSessions?.ids {
      sockets.reserveCapacity(ids.count)
      for id in ids { sockets.append(release(id)) }
      if number == 0 { group.descriptorsElsewhere.left(sockets.count { $0 >= 0 }) }
    }
    post(.shard(message, from: number, sockets: sockets), to: receiver)
  }

  private mutating func release(_ id: SessionID) -> Int32 {
    let fd = clients[Int(id.index)].fd
    guard fd >= 0 else { return -1 }
    epoll.remove(fd)
    clients[Int(id.index)] = Client()
    clientCount -= 1
    return fd
  }

  /// Keeps a message until the end of the turn: so many as there are cost one lock.
  mutating func post(_ message: Mailbox.Message, to receiver: Int) {
    outgoing[receiver].append(message)
    hasOutgoing = true
  }

  mutating func postOutgoing() {
    hasOutgoing = false
    for receiver in outgoing.indices where !outgoing[receiver].isEmpty {
      group.mailboxes[receiver].post(outgoing[receiver])
      outgoing[receiver].removeAll(keepingCapacity: true)
    }
  }

  // MARK: Receiving

  mutating func receive(_ message: ShardMessage, from sender: Int, _ sockets: [Int32]) {
    guard message.movingSessions != nil else {
      return shard.received(message, from: sender, now: now, effects: &effects)
    }
    let ids = shard.take(message, from: sender, now: now, effects: &effects)
    precondition(ids.count == sockets.count, "sessions and sockets are not as many")
    if number == 0 { group.descriptorsElsewhere.cameBack(sockets.count { $0 >= 0 }) }
    var failed: [SessionID] = []
    for (id, fd) in zip(ids, sockets) where !keep(fd, of: id) { failed.append(id) }
    performEffects()
    for id in failed {
      shard.clientFailed(id, now: now, effects: &effects)
      performEffects()
    }
    while shard.continueTaking(now: now, effects: &effects) { performEffects() }
  }

  /// False when the system has no room for the socket, or it was closed for that before.
  private mutating func keep(_ fd: Int32, of id: SessionID) -> Bool {
    // Without a socket, too, it has a place here, to be closed by the shard or sent on.
    while clients.count <= Int(id.index) { clients.append(Client()) }
    guard fd >= 0 else { return false }
    guard epoll.add(fd, .client(id), .readable) else {
      Sockets.close(fd, abort: false)
      descriptorFreed()
      return false
    }
    clients[Int(id.index)] = Client(fd: fd, interest: .readable)
    clientCount += 1
    return true
  }
}
