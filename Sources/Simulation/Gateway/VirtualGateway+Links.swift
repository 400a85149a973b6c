internal import Gateway
internal import Primitives
internal import Upstream

/// Workers' sockets: connected, read, written and closed as the shard says.
extension VirtualGateway {
  /// Some link would be reported by epoll.
  var isLinkReady: Bool { links.indices.contains { isReady($0) } }

  func isReady(_ link: Int) -> Bool {
    guard let connection = links[link].connection else { return false }
    if links[link].isConnecting { return links[link].hasConnected || connection.phase == .refused }
    let writable = links[link].awaitsWritable && connection.toPeer.room > 0
    return (writable && connection.phase == .established)
      || (links[link].reads && Self.hasNews(connection))
  }

  /// Something came for a link's descriptor.
  func linkChanged(_ connection: Connection, isConnected: Bool) {
    guard let link = links.firstIndex(where: { $0.connection === connection }) else { return }
    if isConnected { links[link].hasConnected = true }
    wakeUp()
  }

  /// Handles connecting and writing; returns whether there is something to read.
  func linkReady(_ link: Int) -> Bool {
    guard let connection = links[link].connection else { return false }
    if links[link].isConnecting {
      connectEnded(link, connection)
      return false
    }
    if links[link].awaitsWritable, connection.toPeer.room > 0, connection.phase == .established {
      links[link].awaitsWritable = false
      writeLink(link)
      performEffects()
    }
    return links[link].connection === connection && links[link].reads && Self.hasNews(connection)
  }

  private func connectEnded(_ link: Int, _ connection: Connection) {
    if connection.phase == .refused || connection.phase == .reset {
      closeLink(link)
      shard.linkConnectFailed(
        LinkIndex(link), "connection refused", now: now, effects: &effects)
    } else if links[link].hasConnected {
      links[link].isConnecting = false
      shard.linkConnected(LinkIndex(link), now: now, effects: &effects)
    }
    performEffects()
  }

  func readLink(_ link: Int) {
    defer { performEffects() }
    guard let connection = links[link].connection, !links[link].isConnecting,
      shard.shouldRead(link: LinkIndex(link), now: now, effects: &effects)
    else { return }
    let serial = links[link].serial
    let arrived = connection.toGateway.arrivedByteCount
    if arrived > 0 {
      let bytes = simulation.network.read(
        connection, at: .gateway, bytesMax: cut(min(arrived, Self.readBytesMax)))
      unsafe withReadBuffer(bytes) { buffer in
        var delivered = unsafe shard.linkReceived(
          LinkIndex(link), buffer, now: now, effects: &effects)
        performEffects()
        while case .more = delivered, links[link].serial == serial {
          delivered = shard.continueDelivery(
            from: LinkIndex(link), now: now, effects: &effects)
          performEffects()
        }
      }
    } else if connection.phase == .reset {
      shard.linkLost(
        LinkIndex(link), .connectionReset, "connection reset by peer", now: now,
        effects: &effects)
    } else if connection.toGateway.endArrived {
      shard.linkLost(LinkIndex(link), .connectionClosed, "", now: now, effects: &effects)
    }
  }

  func writeLink(_ link: Int) {
    guard let connection = links[link].connection, !links[link].isConnecting,
      !links[link].awaitsWritable
    else { return }
    while true {
      let count = unsafe shard.prepareLinkWrite(
        LinkIndex(link), into: slices, now: now, effects: &effects)
      guard count > 0, links[link].connection === connection else { return }
      let written = write(connection, count: count)
      guard written > 0 else {
        // Broken or full: what is broken is found by reading.
        links[link].awaitsWritable = true
        return
      }
      shard.linkWrote(LinkIndex(link), written, now: now, effects: &effects)
    }
  }

  func resolve(_ link: Int) {
    while links.count <= link { links.append(LinkSocket()) }
    links[link].serial += 1
    let serial = links[link].serial
    let worker = shard.worker(of: LinkIndex(link))
    simulation.resolve(worker, link: LinkIndex(link), serial: serial, for: self)
  }

  func connect(_ link: Int, to address: SocketAddress) {
    let connection = simulation.connect(self, to: address)
    connection.gatewayPlace = link
    links[link].connection = connection
    links[link].isConnecting = true
    links[link].hasConnected = false
    links[link].reads = true
    links[link].awaitsWritable = false
  }

  func closeLink(_ link: Int) {
    while links.count <= link { links.append(LinkSocket()) }
    if let connection = links[link].connection {
      simulation.network.close(connection, from: .gateway)
      simulation.linkClosed(connection)
    }
    links[link] = LinkSocket(serial: links[link].serial + 1)
  }
}
