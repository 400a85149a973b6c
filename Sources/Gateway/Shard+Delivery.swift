public import Primitives
internal import Framing
internal import Upstream

/// Bytes of workers turn into bytes for clients.
extension Shard {
  /// How far the bytes of a worker were handled.
  public enum Delivered: Sendable {
    /// All of them: their memory may be used again once the effects are performed.
    case all
    /// Perform the effects, then call ``continueDelivery(from:now:effects:)``.
    case more
  }

  /// Whether a worker that has something to read is to be read now.
  public mutating func shouldRead(link: LinkIndex, now: Instant, effects: inout Effects) -> Bool {
    if linkStates[Int(link)].holds > 0 { return false }
    // What a worker says before it is ready is not for clients.
    guard clientQueueBytes >= configuration.limits.clientQueueBytesTotalMax,
      links[link].isReady || links[link].isDraining
    else { return true }
    if !linksPausedByTotal.contains(link) { linksPausedByTotal.append(link) }
    if shedAt == nil { shedAt = now + Self.totalPauseMax }
    pauseReading(link, effects: &effects)
    return false
  }

  /// Bytes came from a worker; they must stay where they are until all is delivered.
  public mutating func linkReceived(
    _ link: LinkIndex, _ bytes: UnsafeRawBufferPointer, now: Instant, effects: inout Effects
  ) -> Delivered {
    linkStates[Int(link)].isDirty = true
    let action = unsafe links[link].receive(bytes, now: now)
    perform(action, on: link, now: now, effects: &effects)
    return continueDelivery(from: link, now: now, effects: &effects)
  }

  public mutating func continueDelivery(
    from link: LinkIndex, now: Instant, effects: inout Effects
  ) -> Delivered {
    outbox.reset()
    arena.reset()
    mustFlush = false
    deliveringLink = link
    // A broadcast may need a piece for each session of the shard.
    let roomNeeded = live.count + 1
    while outbox.room >= roomNeeded && !mustFlush {
      switch links[link].nextDelivery(now: now) {
      case .nothing:
        takeAnswers(of: link, now: now, effects: &effects)
        return .all
      case .action(let action): perform(action, on: link, now: now, effects: &effects)
      case .output(let output, let inPlace):
        deliver(output, inPlace: inPlace, from: link, now: now, effects: &effects)
      }
    }
    return .more
  }

  private mutating func deliver(
    _ output: ContractReader.Output, inPlace: Bool, from link: LinkIndex, now: Instant,
    effects: inout Effects
  ) {
    switch output.target {
    case .none: counters.messagesWithoutTarget += 1
    case .session:
      guard let index = unsafe session(named: output.uuid, servedBy: links[link].pool) else {
        counters.messagesToUnknownSession += 1
        return
      }
      guard let payload = unsafe lasting(output.payload, inPlace: inPlace) else { return }
      unsafe give(payload, to: index, now: now, effects: &effects)
    case .broadcast:
      guard let audience = Audience(rawValue: output.broadcast) else {
        counters.messagesWithoutTarget += 1
        return
      }
      counters.broadcasts += 1
      guard let payload = unsafe lasting(output.payload, inPlace: inPlace) else { return }
      unsafe broadcast(payload, to: audience, from: link, now: now, effects: &effects)
    }
  }

  /// The session a worker names, if it is there and served by the worker's pool.
  @inline(__always)
  private func session(named text: UnsafeRawBufferPointer, servedBy pool: Int) -> UInt32? {
    guard text.count == SessionUUID.byteCount else { return nil }
    let uuid = unsafe SessionUUID(copying: text)
    guard let index = uuids.slot(of: uuid), Int(index) < sessions.count,
      sessions[index].uuid == uuid, sessions[index].phase != .closing,
      paths[Int(sessions[index].listener)].pool == pool,
      sessions[index].phase != .login || loginPaths[Int(sessions[index].listener)].forwardsBefore
    else { return nil }
    return index
  }

  /// The payload at a place where it stays until this delivery was flushed; nil when it is empty.
  @inline(__always)
  private mutating func lasting(
    _ payload: UnsafeRawBufferPointer, inPlace: Bool
  ) -> UnsafeRawBufferPointer? {
    guard payload.count > 0 else { return nil }
    if inPlace { return unsafe payload }
    if let copy = unsafe arena.copy(payload) { return unsafe copy }
    mustFlush = true
    return unsafe payload
  }

  // MARK: To one client

  @inline(__always)
  private mutating func give(
    _ payload: UnsafeRawBufferPointer, to index: UInt32, now: Instant, effects: inout Effects
  ) {
    if sessions[index].unanswered > 0 { sessions[index].unanswered -= 1 }
    let framer = paths[Int(sessions[index].listener)].serverToClient
    if case .raw = framer {
      unsafe gather(payload, for: index, now: now, effects: &effects)
    } else {
      unsafe giveFramed(payload, framer, to: index, now: now, effects: &effects)
    }
  }

  @inline(__always)
  private mutating func gather(
    _ payload: UnsafeRawBufferPointer, for index: UInt32, now: Instant, effects: inout Effects
  ) {
    sessions[index].messagesOut += 1
    sessions[index].bytesOut += UInt64(payload.count)
    sessions[index].activeAt = now
    if sessions[index].recording.isSet {
      unsafe record(.toClient, payload, of: index, effects: &effects)
    }
    if sessions[index].phase == .halfClosed { armTimer(of: index) }
    let isFirst = sessions[index].firstPiece == Outbox.none
    let piece = unsafe outbox.add(payload, after: isFirst ? Outbox.none : sessions[index].lastPiece)
    sessions[index].lastPiece = piece
    guard isFirst else { return }
    sessions[index].firstPiece = piece
    effects.io.append(.writeClient(id(of: index)))
  }

  /// Holds back what is not a whole packet, so that a packet always goes out in one piece.
  private mutating func giveFramed(
    _ payload: UnsafeRawBufferPointer, _ framer: Framer, to index: UInt32, now: Instant,
    effects: inout Effects
  ) {
    var bytes = unsafe payload
    if sessions[index].unfinishedLink != deliveringLink { dropUnfinished(of: index) }
    sessions[index].unfinishedLink = deliveringLink
    // What is unfinished holds no packet's end.
    let scanned = sessions[index].unfinished.count
    if scanned > 0 {
      unsafe sessions[index].unfinished.append(payload)
      unsafe bytes = unsafe sessions[index].unfinished.readable
    }
    guard let whole = unsafe wholePackets(bytes, framer, scanned: scanned) else {
      close(index, .workerViolation, flush: true, now: now, effects: &effects)
      return
    }
    let packets = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<whole])
    if sessions[index].unfinished.isEmpty {
      if whole > 0 { unsafe gather(packets, for: index, now: now, effects: &effects) }
      unsafe sessions[index].unfinished.append(UnsafeRawBufferPointer(rebasing: bytes[whole...]))
      return
    }
    guard whole > 0, let lasting = unsafe lasting(packets, inPlace: false) else { return }
    unsafe gather(lasting, for: index, now: now, effects: &effects)
    // Without room in the arena the outbox points into `unfinished`, which must not move before
    // the flush: what is whole goes to the session's queue instead.
    if mustFlush { flushToQueue(index, now: now, effects: &effects) }
    guard sessions[index].phase != .vacant else { return }
    sessions[index].unfinished.removeFirst(whole)
    if sessions[index].unfinished.isEmpty { sessions[index].unfinished.removeAll() }
  }

  /// Forgets all halves of packets of a worker that ended; another may soon have its place.
  mutating func dropUnfinished(from link: LinkIndex) {
    for index in live where sessions[index].unfinishedLink == link {
      dropUnfinished(of: index)
      sessions[index].unfinishedLink = Session.noLink
    }
  }

  /// Forgets half a packet whose rest will not come: its worker is gone, or another one speaks.
  mutating func dropUnfinished(of index: UInt32) {
    guard !sessions[index].unfinished.isEmpty else { return }
    counters.unfinishedDropped += 1
    sessions[index].unfinished.removeAll()
  }

  /// How many bytes at the front are whole packets, or nil when they break the framer's rules.
  ///
  /// - Parameter scanned: bytes at the front in which no packet ends.
  private func wholePackets(
    _ bytes: UnsafeRawBufferPointer, _ framer: Framer, scanned: Int = 0
  ) -> Int? {
    var whole = 0
    while whole < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[whole...])
      switch unsafe framer.step(rest, scanned: whole == 0 ? scanned : 0) {
      case .packet(let byteCount): whole += byteCount
      case .needMore, .needAnyMore: return whole
      case .violation: return nil
      }
    }
    return whole
  }

  // MARK: To many clients

  /// `OutputStreamRequest.Broadcast` of proto/upstream.proto.
  private enum Audience: UInt64 {
    case all = 0
    case active = 1
    case notActive = 2
  }

  private mutating func broadcast(
    _ payload: UnsafeRawBufferPointer, to audience: Audience, from link: LinkIndex, now: Instant,
    effects: inout Effects
  ) {
    let pool = links[link].pool
    let listeners = unsafe listenersTaking(payload, pool: pool, from: link, effects: &effects)
    let window = pools[pool].configuration.activeWindow
    // Backwards: a session that closes here is replaced by the last, which has been served.
    for place in live.indices.reversed() {
      let index = live[place]
      guard listeners[Int(sessions[index].listener)], sessions[index].isIn else { continue }
      if audience != .all {
        let isActive =
          sessions[index].packetsIn > 0 && sessions[index].packetAt + window >= now
        guard isActive == (audience == .active) else { continue }
      }
      unsafe gather(payload, for: index, now: now, effects: &effects)
    }
  }

  /// Which listeners' clients a broadcast can go to: those whose framer finds whole packets in it.
  private mutating func listenersTaking(
    _ payload: UnsafeRawBufferPointer, pool: Int, from link: LinkIndex, effects: inout Effects
  ) -> [Bool] {
    var taking = [Bool](repeating: false, count: paths.count)
    for (listener, path) in paths.enumerated() where path.pool == pool {
      if case .raw = path.serverToClient {
        taking[listener] = true
      } else if unsafe wholePackets(payload, path.serverToClient) == payload.count {
        taking[listener] = true
      } else {
        counters.broadcastsRefused += 1
        effects.log.append(
          .broadcastRefused(
            worker: links[link].id, pool: pools[pool].configuration.name,
            listener: configuration.listeners[listener].name, bytes: payload.count))
      }
    }
    return taking
  }
}
