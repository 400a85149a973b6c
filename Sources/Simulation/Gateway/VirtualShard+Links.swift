internal import Gateway
internal import Primitives
internal import Upstream

/// Workers' sockets: connected, read, written and closed as the shard says.
extension VirtualShard {
  /// Something came for a link's descriptor.
  func linkChanged(_ connection: Connection, isConnected: Bool) {
    guard let link = links.firstIndex(where: { $0.connection === connection }) else { return }
    if isConnected { links[link].hasConnected = true }
    wakeUp()
  }

  func linkReady(_ link: Int, _ serial: Int, _ readiness: Readiness) {
    guard let connection = links[link].connection, links[link].serial == serial else { return }
    if links[link].isConnecting {
      connectEnded(link, connection)
    } else {
      if readiness.contains(.writable), !readiness.contains(.broken) { linkWritable(link) }
      if !links[link].reads, readiness.contains(.broken), links[link].connection != nil {
        links[link].isDetached = true
      }
      if !readiness.isDisjoint(with: [.readable, .broken]) { readableLinks.append(link) }
    }
    performEffects()
  }

  /// The socket takes bytes again.
  private func linkWritable(_ link: Int) {
    guard links[link].awaitsWritable else { return }
    links[link].awaitsWritable = false
    writeLink(link)
  }

  func setReading(link: Int, _ reads: Bool) {
    links[link].reads = reads
    links[link].isDetached = false
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
    let connection = simulation.connect(gateway, to: address)
    (connection.gatewayShard, connection.gatewayPlace) = (number, link)
    links[link].connection = connection
    links[link].isConnecting = true
    links[link].hasConnected = false
    links[link].reads = true
    links[link].awaitsWritable = false
    links[link].isDetached = false
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
