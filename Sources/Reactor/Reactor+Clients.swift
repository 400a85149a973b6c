internal import Gateway
internal import Glibc
internal import Primitives
internal import Upstream

/// Clients' sockets: accepted, read, written and closed as the shard says.
extension Reactor {
  mutating func accept(from index: Int) {
    for _ in 0..<Self.acceptsMax {
      guard listeners[index].fd >= 0 else { return }
      if descriptorsUsed >= clientsMax {
        return pauseAccepting(index, "the other descriptors are kept for workers")
      }
      switch Sockets.accept(listeners[index].fd) {
      case .none: return feed(index)
      case .skipped: continue
      case .exhausted(let code):
        pauseAccepting(index, errorText(code))
        return
      case .client(let fd, let address):
        open(fd, address, listener: index)
      }
    }
  }

  private var descriptorsUsed: Int {
    clientCount + lingering.count + group.descriptorsElsewhere.count
  }

  mutating func open(_ fd: Int32, _ address: SocketAddress, listener: Int) {
    let admission = shard.accepted(
      listener: listener, client: address, entropy: entropy.next(), now: now, effects: &effects)
    let id: SessionID
    switch admission {
    case .session(let session): id = session
    case .refused(let farewell, let resets):
      refuse(fd, farewell, resets: resets)
      return performEffects()
    }
    while clients.count <= Int(id.index) { clients.append(Client()) }
    clientCount += 1
    clients[Int(id.index)] = Client(fd: fd, interest: .readable)
    if !epoll.add(fd, .client(id), .readable) {
      Sockets.close(fd, abort: false)
      clients[Int(id.index)] = Client()
      clientCount -= 1
      shard.clientFailed(id, now: now, effects: &effects)
    }
    performEffects()
  }

  /// Sends what a refused client is to be told, if the socket takes it at once.
  private mutating func refuse(_ fd: Int32, _ farewell: [UInt8], resets: Bool) {
    guard !farewell.isEmpty else { return Sockets.close(fd, abort: resets) }
    _ = unsafe farewell.withUnsafeBytes { bytes in
      unsafe send(fd, bytes.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL))
    }
    guard epoll.add(fd, .lingering(fd), []) else { return Sockets.close(fd, abort: false) }
    linger(fd)
  }

  /// A descriptor was refused: wait until one is free, and at most a second.
  mutating func pauseAccepting(_ index: Int, _ detail: String) {
    epoll.remove(listeners[index].fd)
    group.descriptorsElsewhere.waitForOne()
    guard acceptPauses.pause(index, now: now) else { return }
    shard.acceptPaused(listener: index, detail, effects: &effects)
    performEffects()
  }

  /// Nobody waits to be accepted any more.
  mutating func feed(_ index: Int) {
    guard acceptPauses.feed(index) else { return }
    shard.acceptResumed(listener: index, effects: &effects)
    performEffects()
  }

  mutating func resumeAccepting() {
    for index in acceptPauses.resume() where listeners[index].fd >= 0 {
      _ = epoll.add(listeners[index].fd, .listener(index), .readable)
      // Asked at once: it may be that nobody waits any more, and then no event comes.
      accept(from: index)
    }
  }

  mutating func clientReady(_ id: SessionID, _ readiness: Readiness) {
    // A stale event of a turn in which the session has left for another shard.
    guard clients[Int(id.index)].fd >= 0 else { return }
    if readiness.contains(.writable) { writeQueued(id) }
    if readiness.contains(.readable) {
      readClient(id)
    } else if !readiness.isDisjoint(with: .broken) {
      shard.clientFailed(id, now: now, effects: &effects)
      performEffects()
    }
  }

  mutating func readClient(_ id: SessionID) {
    defer { performEffects() }
    let wanted = shard.bytesToRead(id, now: now, effects: &effects)
    guard wanted > 0 else { return }
    let count = unsafe recv(
      clients[Int(id.index)].fd, readBuffer.baseAddress!, min(readBuffer.count, wanted), 0)
    if count > 0 {
      unsafe shard.clientReceived(
        id, UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), now: now, effects: &effects)
    } else if count == 0 {
      shard.clientEnded(id, now: now, effects: &effects)
    } else if errno != EAGAIN && errno != EINTR {
      shard.clientFailed(id, now: now, effects: &effects)
    }
  }

  mutating func writeQueued(_ id: SessionID) {
    defer { performEffects() }
    unsafe slices[0] = shard.queued(id)
    guard unsafe slices[0].count > 0 else { return }
    let written = unsafe Sockets.write(clients[Int(id.index)].fd, slices, count: 1)
    if written > 0 {
      shard.clientWroteQueued(id, written: written, now: now, effects: &effects)
    } else if written != -Int(EAGAIN) && written != -Int(EINTR) {
      shard.clientFailed(id, now: now, effects: &effects)
    }
  }

  mutating func writeClient(_ id: SessionID) {
    while true {
      let count = unsafe shard.gather(id, into: slices, now: now, effects: &effects)
      guard count > 0 else { return }
      let written = unsafe Sockets.write(clients[Int(id.index)].fd, slices, count: count)
      if written < 0 && written != -Int(EAGAIN) && written != -Int(EINTR) {
        return shard.clientFailed(id, now: now, effects: &effects)
      }
      shard.clientWrote(
        id, gathered: count, written: max(written, 0), now: now, effects: &effects)
    }
  }

  mutating func setInterest(_ id: SessionID, _ wanted: Readiness, _ isOn: Bool) {
    guard clients[Int(id.index)].fd >= 0 else { return }
    let before = clients[Int(id.index)].interest
    let after = isOn ? before.union(wanted) : before.subtracting(wanted)
    guard before != after else { return }
    clients[Int(id.index)].interest = after
    epoll.change(clients[Int(id.index)].fd, .client(id), after)
  }

  mutating func closeClient(_ id: SessionID, _ manner: ClosingManner) {
    let fd = clients[Int(id.index)].fd
    guard fd >= 0 else { return }
    clients[Int(id.index)] = Client()
    clientCount -= 1
    switch manner {
    case .plain: Sockets.close(fd, abort: false)
    // It keeps its descriptor for now.
    case .lingering: return linger(fd)
    case .abort: Sockets.close(fd, abort: true)
    }
    descriptorFreed()
  }

  /// Ends our direction; `fd` is registered with epoll, as something else.
  private mutating func linger(_ fd: Int32) {
    guard shutdown(fd, Int32(SHUT_WR)) == 0, lingering.add(fd, now: now) else {
      return closeLingering(fd)
    }
    epoll.change(fd, .lingering(fd), .readable)
  }

  mutating func readLingering(_ fd: Int32) {
    // A stale event of a turn in which the socket was closed names none of ours.
    guard lingering.contains(fd) else { return }
    let count = unsafe recv(fd, readBuffer.baseAddress!, readBuffer.count, 0)
    if count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR)) { return }
    if lingering.remove(fd) { closeLingering(fd) }
  }

  mutating func closeLingering(_ fd: Int32) {
    Sockets.close(fd, abort: false)
    descriptorFreed()
  }

  /// Somebody may wait at the door for just this one.
  mutating func descriptorFreed() {
    guard number > 0 else { return acceptPauses.descriptorFreed(now: now) }
    if group.descriptorsElsewhere.closedOne() { post(.descriptorFreed, to: 0) }
  }
}
