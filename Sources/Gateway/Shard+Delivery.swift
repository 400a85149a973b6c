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
    guard isTotalReached, links[link].isReady || links[link].isDraining else { return true }
    if !linksPausedByTotal.contains(link) { linksPausedByTotal.append(link) }
    planShedding(now: now)
    pauseReading(link, effects: &effects)
    return false
  }

  /// Bytes came from a worker; they must stay where they are until all is delivered.
  public mutating func linkReceived(
    _ link: LinkIndex, _ bytes: UnsafeRawBufferPointer, now: Instant, effects: inout Effects
  ) -> Delivered {
    markDirty(link)
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
        return answerElsewhere(output, from: link, effects: &effects)
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
      let pool = links[link].pool
      unsafe broadcast(
        payload, to: audience,
        from: BroadcastSource(worker: links[link].id, pool: pool, isHere: true, place: .max),
        now: now, effects: &effects)
      if pools[pool].isSpread, !Fault.broadcastToOwnShard.isOn {
        unsafe send(payload, to: .broadcast(audience), from: link, effects: &effects)
      }
    }
  }

  /// The session a worker names, if it is there and served by the worker's pool.
  @inline(__always)
  private func session(named text: UnsafeRawBufferPointer, servedBy pool: Int) -> UInt32? {
    guard text.count == SessionUUID.byteCount else { return nil }
    let uuid = unsafe SessionUUID(copying: text)
    guard let index = candidateIndex(of: uuid), Int(index) < sessions.count,
      sessions[index].uuid == uuid || Fault.answerByPlace.isOn
    else { return nil }
    let listener = Int(sessions[index].listener)
    switch sessions[index].phase {
    case .open: break
    case .halfClosed: if Fault.dropAnswerToHalfClosed.isOn { return nil }
    case .login: guard terms[listener].forwardsBefore else { return nil }
    // A vacant place has a UUID too, which nobody was given.
    case .vacant, .closing, .away: return nil
    }
    return paths[listener].pool == pool ? index : nil
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
  mutating func give(
    _ payload: UnsafeRawBufferPointer, to index: UInt32, now: Instant, effects: inout Effects
  ) {
    let cutter = paths[Int(sessions[index].listener)].serverToClient
    if cutter.isRaw(sessions[index].toClient), sessions[index].unfinished.isEmpty {
      countAnswer(to: index)
      unsafe gather(payload, for: index, now: now, effects: &effects)
    } else {
      unsafe giveFramed(payload, cutter, to: index, now: now, effects: &effects)
    }
  }

  /// Half a packet is no answer yet: whoever has ended its direction waits for the rest.
  @inline(__always)
  private mutating func countAnswer(to index: UInt32) {
    if sessions[index].unanswered > 0 { sessions[index].unanswered -= 1 }
  }

  @inline(__always)
  private mutating func gather(
    _ payload: UnsafeRawBufferPointer, for index: UInt32, now: Instant, effects: inout Effects
  ) {
    sessions[index].traffic.messagesOut += 1
    sessions[index].traffic.bytesOut += UInt64(payload.count)
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
    _ payload: UnsafeRawBufferPointer, _ cutter: PacketCutter, to index: UInt32, now: Instant,
    effects: inout Effects
  ) {
    var bytes = unsafe payload
    if sessions[index].unfinishedLink != deliveringLink { dropUnfinished(of: index) }
    sessions[index].unfinishedLink = deliveringLink
    if !sessions[index].unfinished.isEmpty {
      unsafe sessions[index].unfinished.append(payload)
      unsafe bytes = unsafe sessions[index].unfinished.readable
    }
    guard
      let whole = unsafe wholePackets(bytes, cutter, &sessions[index].toClient)
    else {
      close(index, .workerViolation, flush: true, now: now, effects: &effects)
      return
    }
    let packets = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<whole])
    if sessions[index].unfinished.isEmpty {
      if whole > 0 {
        countAnswer(to: index)
        unsafe gather(packets, for: index, now: now, effects: &effects)
      }
      unsafe sessions[index].unfinished.append(UnsafeRawBufferPointer(rebasing: bytes[whole...]))
      return
    }
    guard whole > 0 else { return }
    countAnswer(to: index)
    unsafe gather(arena.keep(packets), for: index, now: now, effects: &effects)
    if arena.isExceeded { mustFlush = true }
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
    sessions[index].toClient.forgetFront()
  }

  /// How many bytes at the front are whole packets, or nil when they break the framer's rules.
  private func wholePackets(
    _ bytes: UnsafeRawBufferPointer, _ cutter: PacketCutter, _ state: inout FramerState
  ) -> Int? {
    var whole = 0
    while whole < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[whole...])
      switch unsafe cutter.step(rest, &state) {
      case .packet(let byteCount, _):
        whole += byteCount
        cutter.took(&state)
      case .needMore, .needAnyMore: return whole
      case .violation: return nil
      }
    }
    return whole
  }

  // MARK: To many clients

  /// The worker that a broadcast comes from.
  struct BroadcastSource {
    var worker: WorkerID
    var pool: Int
    /// It is a worker of this shard, which logs what no client of a listener can be given.
    var isHere: Bool
    /// How many of other shards' messages have come before it: for those who came before it did.
    var place: UInt64
  }

  mutating func broadcast(
    _ payload: UnsafeRawBufferPointer, to audience: Audience, from source: BroadcastSource,
    now: Instant, effects: inout Effects
  ) {
    let listeners = unsafe listenersTaking(payload, from: source, effects: &effects)
    var refusals = [Int](repeating: 0, count: paths.count)
    let window = pools[source.pool].configuration.activeWindow
    // Backwards: a session that closes here is replaced by the last, which has been served.
    for place in live.indices.reversed() {
      let index = live[place]
      let listener = Int(sessions[index].listener)
      guard listeners[listener] != .none, sessions[index].isIn,
        sessions[index].outputsBefore <= source.place, isIn(audience, index, window, now)
      else { continue }
      if listeners[listener] == .some, unsafe !takesBroadcast(payload, index) {
        refusals[listener] += 1
        continue
      }
      unsafe gather(payload, for: index, now: now, effects: &effects)
    }
    for listener in refusals.indices where refusals[listener] > 0 {
      refuseBroadcast(of: payload.count, to: listener, from: source, &effects)
    }
  }

  @inline(__always)
  private func isIn(
    _ audience: Audience, _ index: UInt32, _ window: Interval, _ now: Instant
  ) -> Bool {
    if audience == .all { return true }
    let isActive = sessions[index].traffic.packetsIn > 0 && sessions[index].packetAt + window >= now
    return isActive == (audience == .active)
  }

  /// Gives a broadcast to one session, if it can take it.
  mutating func broadcast(
    _ payload: UnsafeRawBufferPointer, to audience: Audience, reaching index: UInt32,
    now: Instant, effects: inout Effects
  ) {
    let path = paths[Int(sessions[index].listener)]
    let window = pools[path.pool].configuration.activeWindow
    guard isIn(audience, index, window, now) else { return }
    switch unsafe takers(payload, path) {
    case .none: return
    case .some: guard unsafe takesBroadcast(payload, index) else { return }
    case .all: break
    }
    unsafe gather(payload, for: index, now: now, effects: &effects)
  }

  /// Whether a broadcast is whole packets at the place of its stream that a session has come to.
  private func takesBroadcast(_ payload: UnsafeRawBufferPointer, _ index: UInt32) -> Bool {
    let cutter = paths[Int(sessions[index].listener)].serverToClient
    var state = sessions[index].toClient
    state.forgetFront()
    guard unsafe wholePackets(payload, cutter, &state) == payload.count else { return false }
    sessions[index].toClient.passed(state)
    return true
  }

  private mutating func refuseBroadcast(
    of byteCount: Int, to listener: Int, from source: BroadcastSource, _ effects: inout Effects
  ) {
    counters.broadcastsRefused += 1
    // The counter has those that the log leaves out.
    guard broadcastLog.admit(second: time.unixSeconds) != nil else { return }
    effects.log.append(
      .broadcastRefused(
        worker: source.worker, pool: pools[source.pool].configuration.name,
        listener: listeners[listener].configuration.name, bytes: byteCount))
  }

  /// Which of a listener's clients a broadcast can go to.
  private enum Takers { case all, some, none }

  /// Which listeners' clients a broadcast can go to: those whose framer finds whole packets in it.
  ///
  /// Where that depends on what a client was sent before, each is asked by itself.
  private mutating func listenersTaking(
    _ payload: UnsafeRawBufferPointer, from source: BroadcastSource, effects: inout Effects
  ) -> [Takers] {
    var taking = [Takers](repeating: .none, count: paths.count)
    for (listener, path) in paths.enumerated()
    where path.pool == source.pool || Fault.broadcastToOtherPools.isOn {
      taking[listener] = unsafe takers(payload, path)
      if taking[listener] == .none, source.isHere {
        refuseBroadcast(of: payload.count, to: listener, from: source, &effects)
      }
    }
    return taking
  }

  private func takers(_ payload: UnsafeRawBufferPointer, _ path: ListenerPath) -> Takers {
    var state = FramerState()
    guard path.serverToClient.isSameEverywhere else {
      return path.serverToClient.hasPlugin ? .none : .some
    }
    if path.serverToClient.isRaw(state) { return .all }
    let whole = unsafe wholePackets(payload, path.serverToClient, &state)
    return whole == payload.count ? .all : .none
  }
}

/// `OutputStreamRequest.Broadcast` of proto/upstream.proto.
enum Audience: UInt64 {
  case all = 0
  case active = 1
  case notActive = 2
}
