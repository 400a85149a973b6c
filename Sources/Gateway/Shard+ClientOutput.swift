internal import Auth
public import Primitives
public import Upstream

/// What was gathered for clients is written, or waits in their queues.
extension Shard {
  /// Says where the bytes for a client lie; 0 slices when there is nothing to write now.
  ///
  /// Write them with one system call, report with ``clientWrote(_:gathered:written:now:effects:)``,
  /// and call again until it is 0.
  public mutating func gather(
    _ id: SessionID, into slices: UnsafeMutableBufferPointer<IOSlice>, now: Instant,
    effects: inout Effects
  ) -> Int {
    guard let index = index(of: id) else { return 0 }
    guard sessions[index].queue.isEmpty else {
      flushToQueue(index, now: now, effects: &effects)
      return 0
    }
    var piece = sessions[index].firstPiece
    var filled = 0
    while piece != Outbox.none, filled < slices.count {
      unsafe slices[filled] = unsafe IOSlice(
        base: outbox[piece].base, count: Int(outbox[piece].count))
      filled += 1
      piece = outbox[piece].next
    }
    return filled
  }

  /// The socket took `written` bytes of the first `gathered` pieces; fewer than all: it is full.
  public mutating func clientWrote(
    _ id: SessionID, gathered: Int, written: Int, now: Instant, effects: inout Effects
  ) {
    guard let index = index(of: id) else { return }
    if written > 0 { sessions[index].progressAt = now }
    var rest = written
    var handled = 0
    while handled < gathered, sessions[index].firstPiece != Outbox.none {
      let piece = outbox[sessions[index].firstPiece]
      guard rest >= Int(piece.count) else { break }
      rest -= Int(piece.count)
      handled += 1
      sessions[index].firstPiece = piece.next
    }
    guard handled < gathered else {
      if sessions[index].phase == .closing, sessions[index].firstPiece == Outbox.none {
        finish(index, abort: false, now: now, effects: &effects)
      }
      return
    }
    let skipped = Fault.wrongOffset.isOn ? 0 : rest
    queuePieces(of: index, skipping: skipped, now: now, effects: &effects)
  }

  /// The socket takes bytes again: the queue, as one slice; empty when there is nothing to write.
  public func queued(_ id: SessionID) -> IOSlice {
    guard let index = index(of: id) else { return unsafe IOSlice(base: nil, count: 0) }
    let bytes = unsafe sessions[index].queue.readable
    return unsafe IOSlice(base: bytes.baseAddress, count: bytes.count)
  }

  /// The socket took `written` bytes of the queue.
  public mutating func clientWroteQueued(
    _ id: SessionID, written: Int, now: Instant, effects: inout Effects
  ) {
    guard let index = index(of: id), written > 0 else { return }
    sessions[index].progressAt = now
    sessions[index].activeAt = now
    if !sessions[index].takesQueue {
      sessions[index].takesQueue = true
      // It may hold back its worker for longer now that it has shown that it takes something.
      if sessions[index].heldLink == Session.noLink { sessions[index].wasHeld = false }
    }
    sessions[index].queue.removeFirst(written)
    clientQueueBytes -= written
    if sessions[index].queue.count <= configuration.limits.clientQueueBytesMax / 4 {
      releaseHold(of: index, now: now, effects: &effects)
      sessions[index].wasHeld = false
    }
    resumeLinksPausedByTotal(now: now, effects: &effects)
    guard sessions[index].queue.isEmpty else { return }
    sessions[index].queue.removeAll()
    sessions[index].takesQueue = false
    effects.io.append(.awaitWritable(id, false))
    if sessions[index].phase == .closing {
      finish(index, abort: false, now: now, effects: &effects)
    }
  }

  /// Moves what was gathered to the queue without trying the socket.
  mutating func flushToQueue(_ index: UInt32, now: Instant, effects: inout Effects) {
    guard sessions[index].firstPiece != Outbox.none else { return }
    queuePieces(of: index, skipping: 0, now: now, effects: &effects)
  }

  /// Queues bytes of the configuration for a client.
  mutating func reply(
    _ template: ReplyTemplate, to index: UInt32, reason: String? = nil, until: Int64? = nil,
    ban: Int64? = nil, account: String? = nil, now: Instant, _ effects: inout Effects
  ) {
    let bytes = template.render(
      ReplyValues(
        now: time.unixSeconds, account: account ?? "", address: sessions[index].client.host,
        listener: listener(of: index).name, reason: reason ?? "", until: until, ban: ban))
    guard !bytes.isEmpty else { return }
    flushToQueue(index, now: now, effects: &effects)
    guard sessions[index].phase != .vacant, sessions[index].phase != .closing else { return }
    let wasEmpty = sessions[index].queue.isEmpty
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe sessions[index].queue.append(bytes)
      if sessions[index].recording.isSet {
        unsafe record(.toClient, bytes, of: index, effects: &effects)
      }
    }
    clientQueueBytes += bytes.count
    guard wasEmpty else { return }
    // The time for taking it begins now, however long ago the last bytes went out.
    sessions[index].progressAt = now
    effects.io.append(.awaitWritable(id(of: index), true))
  }

  private mutating func queuePieces(
    of index: UInt32, skipping skipped: Int, now: Instant, effects: inout Effects
  ) {
    var skip = skipped
    var next = sessions[index].firstPiece
    sessions[index].firstPiece = Outbox.none
    let wasEmpty = sessions[index].queue.isEmpty
    if wasEmpty { sessions[index].progressAt = now }
    let before = sessions[index].queue.count
    while next != Outbox.none {
      let piece = outbox[next]
      next = piece.next
      // Checked before adding, so that one message of any allowed size always fits.
      guard
        sessions[index].queue.count < configuration.limits.clientQueueBytesMax
          || Fault.unboundedQueue.isOn
      else {
        clientQueueBytes += sessions[index].queue.count - before
        close(index, .slowClient, flush: false, abort: true, now: now, effects: &effects)
        return
      }
      unsafe sessions[index].queue.append(
        UnsafeRawBufferPointer(start: piece.base + skip, count: Int(piece.count) - skip))
      skip = 0
    }
    clientQueueBytes += sessions[index].queue.count - before
    if wasEmpty {
      if !Fault.loseClientWakeUp.isOn { effects.io.append(.awaitWritable(id(of: index), true)) }
      armTimer(of: index)
    }
    holdIfFilling(index, now: now, effects: &effects)
  }

  // MARK: Holding back a worker

  /// Stops reading from the worker while a client that does take bytes works off its queue.
  ///
  /// Without this a fast worker would have every client closed as slow that is merely slower than
  /// itself. How long is bounded, for a client that has taken nothing yet to a moment: then the
  /// worker is read again, and the queue fills until the client is closed, or is worked off.
  private mutating func holdIfFilling(_ index: UInt32, now: Instant, effects: inout Effects) {
    guard sessions[index].queue.count >= configuration.limits.clientQueueBytesMax / 2,
      sessions[index].heldLink == Session.noLink, deliveringLink != Session.noLink,
      !sessions[index].wasHeld, sessions[index].phase != .closing
    else { return }
    let isHere = deliveringLink < Session.remoteLinks
    guard !isHere || links[deliveringLink].isConnected else { return }
    sessions[index].heldLink = isHere ? deliveringLink : Session.othersLinks
    sessions[index].heldSince = now
    sessions[index].wasHeld = true
    if isHere {
      linkStates[Int(deliveringLink)].holds += 1
      if linkStates[Int(deliveringLink)].holds == 1 {
        pauseReading(deliveringLink, effects: &effects)
      }
    } else {
      holdsOnOthers += 1
    }
    armTimer(of: index)
  }

  mutating func releaseHold(of index: UInt32, now: Instant, effects: inout Effects) {
    let link = sessions[index].heldLink
    guard link != Session.noLink else { return }
    sessions[index].heldLink = Session.noLink
    if link == Session.othersLinks {
      holdsOnOthers -= 1
    } else {
      endHold(on: link, now: now, effects: &effects)
    }
  }

  /// One that has held back the reading from a link does so no longer.
  mutating func endHold(on link: LinkIndex, now: Instant, effects: inout Effects) {
    linkStates[Int(link)].holds -= 1
    if linkStates[Int(link)].holds == 0, !linksPausedByTotal.contains(link) {
      resumeReading(link, now: now, effects: &effects)
    }
  }

  /// So much waits for all clients together that nothing more is to be taken from workers.
  var isTotalReached: Bool {
    clientQueueBytes >= configuration.limits.clientQueueBytesTotalMax
  }

  /// Has the largest queues closed, unless enough is taken from them before.
  mutating func planShedding(now: Instant) {
    if shedAt == nil { shedAt = now + Self.totalPauseMax }
  }

  mutating func resumeLinksPausedByTotal(now: Instant, effects: inout Effects) {
    guard shedAt != nil || !linksPausedByTotal.isEmpty,
      clientQueueBytes <= configuration.limits.clientQueueBytesTotalMax / 2
    else { return }
    let paused = linksPausedByTotal
    linksPausedByTotal = []
    shedAt = nil
    for link in paused where linkStates[Int(link)].holds == 0 {
      resumeReading(link, now: now, effects: &effects)
    }
  }

  /// Closes the clients with the largest queues until half of the total is free.
  ///
  /// One pass counts what the queues of each size hold, a second closes from the largest down: the
  /// work is the same however many there are to close.
  mutating func shedQueues(now: Instant, effects: inout Effects) {
    shedAt = nil
    var bytesBySize = [Int](repeating: 0, count: 64)
    for index in live {
      let count = sessions[index].queue.count
      bytesBySize[Int.bitWidth - count.leadingZeroBitCount] += count
    }
    var toFree = clientQueueBytes - configuration.limits.clientQueueBytesTotalMax / 2
    var smallest = bytesBySize.count - 1
    while smallest > 1, toFree > bytesBySize[smallest] {
      toFree -= bytesBySize[smallest]
      smallest -= 1
    }
    for index in live {
      let count = sessions[index].queue.count
      guard Int.bitWidth - count.leadingZeroBitCount >= smallest,
        clientQueueBytes > configuration.limits.clientQueueBytesTotalMax / 2
      else { continue }
      close(index, .slowClient, flush: false, abort: true, now: now, effects: &effects)
    }
    resumeLinksPausedByTotal(now: now, effects: &effects)
  }

  mutating func pauseReading(_ link: LinkIndex, effects: inout Effects) {
    if linkStates[Int(link)].isRead { counters.workerReadPauses += 1 }
    links[link].readingPaused()
    rearm(link)
    setReading(link, false, effects: &effects)
  }

  private mutating func resumeReading(
    _ link: LinkIndex, now: Instant, effects: inout Effects
  ) {
    guard links[link].isConnected else { return }
    links[link].readingResumed(now: now)
    rearm(link)
    setReading(link, true, effects: &effects)
  }

  private mutating func setReading(_ link: LinkIndex, _ reads: Bool, effects: inout Effects) {
    guard linkStates[Int(link)].isRead != reads else { return }
    linkStates[Int(link)].isRead = reads
    effects.io.append(.readLink(link, reads))
  }
}
