internal import Auth
public import Primitives
internal import Framing
internal import Upstream

/// Clients come, speak and end their direction.
extension Shard {
  /// How many bytes a client that has something to read is to be read for now.
  ///
  /// When it is 0, the driver has been told by an effect to stop asking.
  public mutating func bytesToRead(
    _ id: SessionID, now: Instant, effects: inout Effects
  ) -> Int {
    guard let index = index(of: id) else { return 0 }
    guard sessions[index].pauses.isEmpty else {
      stopReading(index, effects: &effects)
      return 0
    }
    let isIn = sessions[index].phase != .login
    if isIn || terms[Int(sessions[index].listener)].forwardsBefore, !canForward(index) {
      pauseUntilWorkerTakes(index, effects: &effects)
      return 0
    }
    if !isIn { return loginBytesWanted(index) }
    // What is beyond a limit is kept until its time comes.
    return paths[Int(sessions[index].listener)].isLimited ? Self.limitedReadMax : .max
  }

  /// Bytes came from a client; they are cut, and packets are encoded for their worker.
  public mutating func clientReceived(
    _ id: SessionID, _ bytes: UnsafeRawBufferPointer, now: Instant, effects: inout Effects
  ) {
    guard let index = index(of: id) else { return }
    if sessions[index].recording.isSet {
      unsafe record(.fromClient, bytes, of: index, effects: &effects)
    }
    guard sessions[index].phase == .open else {
      if sessions[index].phase == .login {
        sessions[index].traffic.bytesIn += UInt64(bytes.count)
        unsafe loginReceived(index, bytes, now: now, effects: &effects)
      }
      return
    }
    sessions[index].activeAt = now
    sessions[index].traffic.bytesIn += UInt64(bytes.count)
    var rest = unsafe bytes
    if !sessions[index].received.isEmpty {
      guard unsafe completePacket(of: index, from: &rest, now: now, effects: &effects) else {
        return
      }
    }
    unsafe rest = unsafe forward(rest, of: index, now: now, effects: &effects)
    if Fault.forgetHalfPacket.isOn, rest.count == 1 { return }
    if sessions[index].phase == .open { unsafe sessions[index].received.append(rest) }
  }

  /// The client has ended its direction; what its worker still sends is delivered.
  public mutating func clientEnded(_ id: SessionID, now: Instant, effects: inout Effects) {
    guard let index = index(of: id), sessions[index].phase != .away else { return }
    if sessions[index].recording.isSet { record(.clientEnded, of: index, effects: &effects) }
    if sessions[index].phase == .login {
      pause(index, .ended, effects: &effects)
      return readLogin(index, now: now, effects: &effects)
    }
    guard sessions[index].phase == .open else { return }
    sessions[index].phase = .halfClosed
    sessions[index].activeAt = now
    pause(index, .ended, effects: &effects)
    if !Fault.forgetHalfCloseTimer.isOn { armTimer(of: index) }
  }

  /// The client's connection broke.
  public mutating func clientFailed(_ id: SessionID, now: Instant, effects: inout Effects) {
    guard let index = index(of: id), sessions[index].phase != .away else { return }
    // A reset behind an orderly end only says that nobody was left to read our answers.
    let reason =
      sessions[index].phase == .halfClosed ? CloseReason.clientClosed : .clientReset
    close(index, reason, flush: false, abort: true, now: now, effects: &effects)
  }

  /// Bytes read at a time from a session that limits may slow down.
  private static let limitedReadMax = 16 << 10

  // MARK: Cutting and forwarding

  /// Gives what waits at the front of a session to its worker, as far as it can take it.
  mutating func forwardReceived(of index: UInt32, now: Instant, effects: inout Effects) {
    if sessions[index].phase == .login { return readLogin(index, now: now, effects: &effects) }
    forwardHeld(of: index, now: now, effects: &effects)
    guard sessions[index].heldByteCount == 0 else { return }
    guard !sessions[index].received.isEmpty else { return sessions[index].received.removeAll() }
    let waiting = unsafe sessions[index].received.readable
    let before = waiting.count
    let rest = unsafe forward(waiting, of: index, now: now, effects: &effects)
    guard sessions[index].phase == .open || sessions[index].phase == .halfClosed else { return }
    sessions[index].received.removeFirst(before - rest.count)
    if sessions[index].received.isEmpty { sessions[index].received.removeAll() }
  }

  /// Gives the packets that were held during the login to the worker, as far as it can take them.
  private mutating func forwardHeld(of index: UInt32, now: Instant, effects: inout Effects) {
    while sessions[index].heldByteCount > 0 {
      let packet = unsafe HeldPackets.first(of: sessions[index].received.readable)
      guard
        unsafe offer(packet, of: index, now: now, effects: &effects) == .taken
      else { return }
      let byteCount = unsafe HeldPackets.byteCount(of: packet)
      sessions[index].received.removeFirst(byteCount)
      sessions[index].heldByteCount -= UInt32(byteCount)
    }
  }

  /// Takes just as much from `rest` as completes the packet that the session holds the front of.
  ///
  /// - Returns: false when the rest must wait, or the session is closed.
  private mutating func completePacket(
    of index: UInt32, from rest: inout UnsafeRawBufferPointer, now: Instant,
    effects: inout Effects
  ) -> Bool {
    let all = unsafe rest
    let cutter = paths[Int(sessions[index].listener)].clientToServer
    var taken = 0
    defer { unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: all[taken...]) }
    while !sessions[index].received.isEmpty {
      let held = sessions[index].received.count
      var wanted = 0
      if sessions[index].heldByteCount == 0 {
        switch unsafe cutter.step(sessions[index].received.readable, &sessions[index].fromClient) {
        case .needMore(let total): wanted = total - held
        // The packet's end may be near: what is copied too much is given back below.
        case .needAnyMore: wanted = max(held, Self.copiedAtOnce)
        case .packet(let byteCount, _):
          let surplus = held - byteCount
          if surplus <= taken {
            sessions[index].received.removeLast(surplus)
            taken -= surplus
          }
        case .violation: break
        }
      }
      if wanted > 0 {
        guard taken < all.count else { return false }
        let more = unsafe UnsafeRawBufferPointer(rebasing: all[taken...].prefix(wanted))
        unsafe sessions[index].received.append(more)
        taken += more.count
        continue
      }
      let before = sessions[index].received.count
      forwardReceived(of: index, now: now, effects: &effects)
      guard sessions[index].phase == .open else { return false }
      if sessions[index].received.count == before {
        unsafe sessions[index].received.append(UnsafeRawBufferPointer(rebasing: all[taken...]))
        taken = all.count
        return false
      }
    }
    return true
  }

  /// Bytes put behind half a packet at the least, when it is not known how many it lacks.
  private static let copiedAtOnce = 256

  /// Cuts packets and sends them; returns what is not a whole packet or could not be taken.
  private mutating func forward(
    _ bytes: UnsafeRawBufferPointer, of index: UInt32, now: Instant, effects: inout Effects
  ) -> UnsafeRawBufferPointer {
    let path = paths[Int(sessions[index].listener)]
    var rest = unsafe bytes
    while rest.count > 0 {
      switch unsafe path.clientToServer.step(rest, &sessions[index].fromClient) {
      case .packet(let found, let dropped):
        let byteCount = min(found, path.packetBytesMax)
        let packet = unsafe UnsafeRawBufferPointer(rebasing: rest[..<(byteCount - dropped)])
        guard
          unsafe offer(packet, of: index, now: now, effects: &effects) == .taken
        else { return unsafe rest }
        path.clientToServer.took(&sessions[index].fromClient)
        unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[byteCount...])
      case .needMore, .needAnyMore: return unsafe rest
      case .violation(let violation):
        refuse(violation, of: index, now: now, effects: &effects)
        return unsafe rest
      }
    }
    return unsafe rest
  }

  /// A client's bytes break its framer's rules.
  mutating func refuse(
    _ violation: FramingViolation, of index: UInt32, now: Instant, effects: inout Effects
  ) {
    offend(.violations, index, now: now, effects: &effects)
    // A client that has not been let in gets a line of the log anyway.
    if sessions[index].phase != .login { logViolation(violation, of: index, &effects) }
    close(
      index, .framingViolation, flush: true, detail: violation.description, now: now,
      effects: &effects)
  }

  private mutating func logViolation(
    _ violation: FramingViolation, of index: UInt32, _ effects: inout Effects
  ) {
    guard let unlogged = violationLog.admit(second: time.unixSeconds) else { return }
    effects.log.append(
      .framingViolation(
        FramingViolationEvent(
          uuid: sessions[index].uuid, client: sessions[index].client,
          listener: listener(of: index).name, violation: violation, unlogged: unlogged)))
  }

  private enum Offer { case taken, refused }

  /// Gives a packet to a session's worker, or drops it, as limits say.
  ///
  /// - Returns: ``Offer/refused`` when it must wait, or when the session was closed.
  @inline(__always)
  private mutating func offer(
    _ packet: UnsafeRawBufferPointer, of index: UInt32, now: Instant, effects: inout Effects
  ) -> Offer {
    guard canForward(index) else {
      pauseUntilWorkerTakes(index, effects: &effects)
      if Fault.countOffered.isOn { sessions[index].traffic.packetsIn += 1 }
      return .refused
    }
    if sessions[index].pauses.contains(.limited) { return .refused }
    if paths[Int(sessions[index].listener)].isLimited {
      switch admit(packetOf: packet.count, from: index, now: now) {
      case .forward: break
      case .forwardAndPause: slowDown(index, effects: &effects)
      case .drop:
        access.packetsDropped += 1
        return .taken
      case .close:
        closeAsLimited(index, bans: false, now: now, effects: &effects)
        return .refused
      case .ban:
        closeAsLimited(index, bans: true, now: now, effects: &effects)
        return .refused
      }
    }
    unsafe send(packet, of: index, now: now)
    return .taken
  }

  /// Gives one packet to a session's worker.
  ///
  /// - Precondition: ``canForward(_:)``.
  @inline(__always)
  mutating func send(_ packet: UnsafeRawBufferPointer, of index: UInt32, now: Instant) {
    let path = paths[Int(sessions[index].listener)]
    let link = path.balancesPackets ? nextForPacket(of: path.pool) : sessions[index].link
    sessions[index].traffic.packetsIn += 1
    sessions[index].unanswered &+= 1
    sessions[index].packetAt = now
    unsafe links[link].sendPacket(packet, of: sessions[index].uuid, time: time)
    markDirty(link)
  }

  // MARK: Pausing

  /// A worker is there, and its queue has room.
  @inline(__always)
  func canForward(_ index: UInt32) -> Bool {
    let path = paths[Int(sessions[index].listener)]
    if path.balancesPackets { return poolCanForward(path.pool) }
    let link = sessions[index].link
    return link != Session.noLink && linkCanForward(link)
  }

  @inline(__always)
  func linkCanForward(_ link: LinkIndex) -> Bool {
    links[link].takesPackets(queuedBytesMax: configuration.limits.workerQueueBytesMax)
  }

  private func poolCanForward(_ pool: Int) -> Bool {
    for link in pools[pool].rotation where linkCanForward(link) { return true }
    return false
  }

  /// The next worker in turn that can take a packet.
  ///
  /// - Precondition: there is one.
  private mutating func nextForPacket(of pool: Int) -> LinkIndex {
    while true {
      let link = pools[pool].next()!
      if linkCanForward(link) { return link }
    }
  }

  /// Stops reading a client until its worker takes more, or until it has one.
  mutating func pauseUntilWorkerTakes(_ index: UInt32, effects: inout Effects) {
    guard sessions[index].pauses.isDisjoint(with: [.noWorker, .workerBusy]) else { return }
    pause(index, .workerBusy, effects: &effects)
    let path = paths[Int(sessions[index].listener)]
    if path.balancesPackets {
      pools[path.pool].parked.append(id(of: index))
    } else {
      linkStates[Int(sessions[index].link)].parked.append(id(of: index))
    }
  }

  mutating func pause(_ index: UInt32, _ reason: Session.Pauses, effects: inout Effects) {
    sessions[index].pauses.insert(reason)
    stopReading(index, effects: &effects)
  }

  /// As ``pause(_:_:effects:)``, for a reason that is over soon: the driver is told when there is
  /// something to read before that, which is seldom.
  mutating func pauseShortly(_ index: UInt32, _ reason: Session.Pauses) {
    sessions[index].pauses.insert(reason)
  }

  private mutating func stopReading(_ index: UInt32, effects: inout Effects) {
    guard sessions[index].isRead else { return }
    sessions[index].isRead = false
    effects.io.append(.readClient(id(of: index), false))
  }

  mutating func unpause(_ index: UInt32, _ reason: Session.Pauses, effects: inout Effects) {
    sessions[index].pauses.remove(reason)
    guard sessions[index].pauses.isEmpty, !sessions[index].isRead else { return }
    sessions[index].isRead = true
    effects.io.append(.readClient(id(of: index), true))
  }

  /// Lets go on whoever waited for this link, or for any of its pool, to take more.
  mutating func unpark(_ link: LinkIndex, now: Instant, effects: inout Effects) {
    let pool = links[link].pool
    guard !linkStates[Int(link)].parked.isEmpty || !pools[pool].parked.isEmpty else { return }
    let parked = linkStates[Int(link)].parked + pools[pool].parked
    linkStates[Int(link)].parked = []
    pools[pool].parked = []
    for id in parked {
      // One that is closing has nothing more to give.
      guard let index = index(of: id), sessions[index].pauses.contains(.workerBusy),
        sessions[index].phase != .closing
      else { continue }
      unpause(index, .workerBusy, effects: &effects)
      if !sessions[index].pauses.contains(.noWorker) {
        forwardReceived(of: index, now: now, effects: &effects)
      }
    }
  }

  /// The process has no descriptor for another client: the driver has stopped accepting.
  public mutating func acceptPaused(listener: Int, _ detail: String, effects: inout Effects) {
    counters.acceptPauses += 1
    effects.log.append(
      .acceptPaused(listener: listeners[listener].configuration.name, detail: detail))
  }

  /// The driver accepts again.
  public func acceptResumed(listener: Int, effects: inout Effects) {
    effects.log.append(.acceptResumed(listener: listeners[listener].configuration.name))
  }
}

/// What the packet path needs to know of a listener, without strings.
struct ListenerPath: BitwiseCopyable {
  var clientToServer: PacketCutter
  var serverToClient: PacketCutter
  var pool: Int
  var balancesPackets: Bool
  /// The longest packet whose message is not too long; raw reads are cut to it.
  var packetBytesMax: Int
  /// There are ``Shard/sessionLimits``.
  var isLimited: Bool
}
