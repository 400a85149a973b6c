import Gateway
import Primitives
import Upstream

/// Connections to workers.
extension VirtualWorld {
  // MARK: What tests do

  /// The worker's process dies; what it had sent may still arrive.
  func crash(_ worker: Int, losingOutput: Bool = false) {
    for link in links.indices where links[link].worker === workers[worker] {
      guard !links[link].isBroken else { continue }
      workers[worker].disconnect(
        onItsWay: links[link].toWorker,
        losingOutput: losingOutput && !links[link].toGateway.isEmpty)
      links[link].toWorker = []
      if losingOutput { links[link].toGateway = [] }
      links[link].isBroken = true
    }
  }

  /// How many bytes the network holds on their way to a worker; nil: as many as usual.
  func setNetwork(of worker: Int, bytesMax: Int?) {
    networkBytesMax[workers[worker].port] = bytesMax
  }

  // MARK: What the driver does

  /// Handles connecting and writing; returns whether there is something to read.
  func linkReady(_ link: Int) -> Bool {
    if links[link].resolves {
      links[link].resolves = false
      let worker = shard.worker(of: LinkIndex(link))
      let address = SocketAddress(ipv4: 10, 0, 0, 1, port: worker.port)
      shard.linkResolved(LinkIndex(link), [address], now: now, effects: &effects)
      performEffects()
    }
    guard let worker = links[link].worker else { return false }
    if links[link].isConnecting {
      connectEnded(link, worker)
      return false
    }
    if links[link].awaitsWritable, room(of: link) > 0, !links[link].isBroken {
      links[link].awaitsWritable = false
      writeLink(link)
      performEffects()
    }
    return links[link].reads && (!links[link].toGateway.isEmpty || links[link].isBroken)
  }

  private func connectEnded(_ link: Int, _ worker: VirtualWorker) {
    switch worker.reachability {
    case .swallows: return
    case .refuses:
      closeLink(link)
      shard.linkConnectFailed(LinkIndex(link), "refused", now: now, effects: &effects)
    case .accepts:
      links[link].isConnecting = false
      worker.connect()
      shard.linkConnected(LinkIndex(link), now: now, effects: &effects)
    }
    performEffects()
  }

  func readLink(_ link: Int) {
    guard links[link].worker != nil, !links[link].isConnecting,
      shard.shouldRead(link: LinkIndex(link), now: now, effects: &effects)
    else { return performEffects() }
    note()
    let serial = links[link].serial
    if links[link].toGateway.isEmpty {
      shard.linkLost(LinkIndex(link), .connectionClosed, "", now: now, effects: &effects)
      return performEffects()
    }
    let byteCount = cut(min(links[link].toGateway.count, 256 << 10))
    let bytes = Array(links[link].toGateway[..<byteCount])
    links[link].toGateway.removeFirst(byteCount)
    withReadBuffer(bytes) {
      var delivered = shard.linkReceived(LinkIndex(link), $0, now: now, effects: &effects)
      performEffects()
      while case .more = delivered, links[link].serial == serial {
        delivered = shard.continueDelivery(from: LinkIndex(link), now: now, effects: &effects)
        performEffects()
      }
    }
  }

  private func room(of link: Int) -> Int {
    guard let worker = links[link].worker else { return 0 }
    let most = networkBytesMax[worker.port] ?? Self.networkBytesMax
    return max(most - links[link].toWorker.count, 0)
  }

  func writeLink(_ link: Int) {
    guard links[link].worker != nil, !links[link].isConnecting, !links[link].awaitsWritable
    else { return }
    while true {
      let count = shard.prepareLinkWrite(
        LinkIndex(link), into: slices, now: now, effects: &effects)
      guard count > 0, links[link].worker != nil else { return }
      let total = (0..<count).reduce(0) { $0 + slices[$1].count }
      let taken = links[link].isBroken ? 0 : min(cut(total), room(of: link))
      guard taken > 0 else {
        // When it is broken, reading finds what the worker said last, and the end.
        links[link].awaitsWritable = true
        return
      }
      note()
      append(taken, to: link)
      shard.linkWrote(LinkIndex(link), taken, now: now, effects: &effects)
    }
  }

  private func append(_ byteCount: Int, to link: Int) {
    var rest = byteCount
    var index = 0
    while rest > 0 {
      let part = min(rest, slices[index].count)
      links[link].toWorker.append(
        contentsOf: UnsafeRawBufferPointer(start: slices[index].base, count: part))
      rest -= part
      index += 1
    }
  }

  func resolve(_ link: Int) {
    while links.count <= link { links.append(LinkSocket()) }
    links[link].serial += 1
    links[link].resolves = true
  }

  func connect(_ link: Int, to address: SocketAddress) {
    links[link].worker = workers.first { $0.port == address.port }
    links[link].isConnecting = true
  }

  func closeLink(_ link: Int) {
    while links.count <= link { links.append(LinkSocket()) }
    if let worker = links[link].worker, !links[link].isConnecting {
      let losesOutput = !links[link].toGateway.isEmpty
      if losesOutput { worker.noteLossyStream() }
      worker.disconnect(onItsWay: links[link].toWorker, losingOutput: losesOutput)
    }
    let serial = links[link].serial + 1
    links[link] = LinkSocket()
    links[link].serial = serial
  }

  /// Lets a worker take what arrived and say what it has to say.
  func runWorker(of link: Int) {
    guard let worker = links[link].worker, worker.isRunning, !links[link].isConnecting,
      !links[link].isBroken
    else { return }
    if !links[link].toWorker.isEmpty {
      note()
      let bytes = links[link].toWorker
      links[link].toWorker = []
      guard worker.receive(bytes) else {
        worker.disconnect(onItsWay: [], losingOutput: false)
        links[link].isBroken = true
        return
      }
    }
    let output = worker.run(outputBytesMax: Self.networkBytesMax - links[link].toGateway.count)
    if !output.isEmpty { note() }
    links[link].toGateway += output
  }
}
