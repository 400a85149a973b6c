internal import Gateway
internal import Glibc
internal import Primitives
internal import Upstream

/// Workers' sockets: connected, read, written and closed as the shard says.
extension Reactor {
  mutating func linkReady(_ link: UInt32, _ serial: UInt32, _ readiness: Readiness) {
    guard links[Int(link)].fd >= 0, links[Int(link)].serial == serial else { return }
    if links[Int(link)].isConnecting {
      connectEnded(link)
    } else {
      if readiness.contains(.writable), readiness.isDisjoint(with: .broken) { linkWritable(link) }
      if !links[Int(link)].reads, !readiness.isDisjoint(with: .broken) { detach(link) }
      if !readiness.isDisjoint(with: [.readable, .broken]) { readableLinks.append(link) }
    }
    performEffects()
  }

  mutating func connectEnded(_ link: UInt32) {
    let code = Sockets.takeError(links[Int(link)].fd)
    links[Int(link)].isConnecting = false
    guard code == 0 else {
      closeLink(link)
      return shard.linkConnectFailed(link, errorText(code), now: now, effects: &effects)
    }
    updateLinkInterest(link)
    shard.linkConnected(link, now: now, effects: &effects)
  }

  /// A connection broke whose bytes must not be read yet: it waits until they may be.
  mutating func detach(_ link: UInt32) {
    guard links[Int(link)].fd >= 0 else { return }
    epoll.remove(links[Int(link)].fd)
    links[Int(link)].isDetached = true
  }

  mutating func setReading(_ link: UInt32, _ reads: Bool) {
    links[Int(link)].reads = reads
    guard links[Int(link)].fd >= 0 else { return }
    guard links[Int(link)].isDetached else { return updateLinkInterest(link) }
    links[Int(link)].isDetached = false
    let source = EventSource.link(index: link, serial: links[Int(link)].serial)
    _ = epoll.add(links[Int(link)].fd, source, .readable)
  }

  mutating func readLink(_ link: UInt32) {
    guard links[Int(link)].fd >= 0, !links[Int(link)].isConnecting,
      shard.shouldRead(link: link, now: now, effects: &effects)
    else { return performEffects() }
    let serial = links[Int(link)].serial
    let count = unsafe recv(links[Int(link)].fd, readBuffer.baseAddress!, readBuffer.count, 0)
    if count > 0 {
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: readBuffer[..<count])
      var delivered = unsafe shard.linkReceived(link, bytes, now: now, effects: &effects)
      performEffects()
      while case .more = delivered, links[Int(link)].serial == serial {
        delivered = shard.continueDelivery(from: link, now: now, effects: &effects)
        performEffects()
      }
    } else if count == 0 {
      shard.linkLost(link, .connectionClosed, "", now: now, effects: &effects)
    } else if errno != EAGAIN && errno != EINTR {
      shard.linkLost(link, .connectionReset, errorText(errno), now: now, effects: &effects)
    }
    performEffects()
  }

  mutating func writeLink(_ link: UInt32) {
    guard links[Int(link)].fd >= 0, !links[Int(link)].isConnecting,
      !links[Int(link)].awaitsWritable
    else { return }
    while true {
      let count = unsafe shard.prepareLinkWrite(link, into: slices, now: now, effects: &effects)
      guard count > 0, links[Int(link)].fd >= 0 else { return }
      let written = unsafe Sockets.write(links[Int(link)].fd, slices, count: count)
      if written == -Int(EINTR) { continue }
      guard written >= 0 else {
        // Broken, it becomes writable at once; reading then finds what the worker said last.
        links[Int(link)].awaitsWritable = true
        if written == -Int(EAGAIN) { updateLinkInterest(link) }
        return
      }
      shard.linkWrote(link, written, now: now, effects: &effects)
    }
  }

  /// The socket takes bytes again.
  mutating func linkWritable(_ link: UInt32) {
    guard links[Int(link)].awaitsWritable else { return }
    links[Int(link)].awaitsWritable = false
    updateLinkInterest(link)
    writeLink(link)
  }

  func updateLinkInterest(_ link: UInt32) {
    let socket = links[Int(link)]
    guard !socket.isDetached else { return }
    var interest: Readiness = socket.reads ? .readable : []
    if socket.awaitsWritable { interest.insert(.writable) }
    epoll.change(socket.fd, .link(index: link, serial: socket.serial), interest)
  }

  mutating func resolve(_ link: UInt32) {
    while links.count <= Int(link) { links.append(LinkSocket()) }
    links[Int(link)].serial &+= 1
    let serial = links[Int(link)].serial
    let worker = shard.worker(of: link)
    Resolver.resolve(host: worker.host, port: worker.port) { [mailbox] outcome in
      mailbox.post(.resolved(link, serial: serial, outcome))
    }
  }

  mutating func connect(_ link: UInt32, to address: SocketAddress) {
    do throws(SystemError) {
      let fd = try Sockets.connect(address)
      let serial = links[Int(link)].serial
      links[Int(link)].fd = fd
      links[Int(link)].isConnecting = true
      guard epoll.add(fd, .link(index: link, serial: serial), .writable) else {
        throw SystemError("epoll_ctl")
      }
    } catch {
      closeLink(link)
      shard.linkConnectFailed(link, error.description, now: now, effects: &effects)
    }
  }

  mutating func closeLink(_ link: UInt32) {
    while links.count <= Int(link) { links.append(LinkSocket()) }
    if links[Int(link)].fd >= 0 { Sockets.close(links[Int(link)].fd, abort: false) }
    links[Int(link)] = LinkSocket(serial: links[Int(link)].serial &+ 1)
  }
}
