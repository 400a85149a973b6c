internal import Primitives
internal import Upstream

/// Packets that had not left for a worker when it was lost.
extension Shard {
  /// Takes the packet that a worker began to get and then refused, by ending the stream.
  ///
  /// It goes to no other: one that no worker can take would end them all. Its session is closed
  /// instead.
  mutating func takeRefused(_ messages: inout [UInt8], isCut: Bool) -> UInt32? {
    guard isCut else { return nil }
    var session: UInt32?
    var byteCount = 0
    unsafe messages.withUnsafeBytes { bytes in
      guard bytes.count > 0 else { return }
      byteCount = unsafe ContractWriter.messageByteCount(at: bytes)
      if unsafe ContractWriter.isPacket(bytes) { session = unsafe self.session(of: bytes) }
    }
    messages.removeFirst(byteCount)
    return session
  }

  /// Notes which sessions have packets in `messages`, for whoever is told of those sessions next.
  func countWaitingPackets(_ messages: [UInt8]) {
    unsafe messages.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let packet = unsafe nextPacket(&rest) {
        if let session = unsafe packet.session { sessions[session].packetsWaiting += 1 }
      }
    }
  }

  /// Gives the packets that had not left for a lost worker to those that have its sessions now.
  ///
  /// What sessions sent that are gone meanwhile goes, together, to the worker whose turn it is,
  /// unless that one follows sessions: it would get packets of one that it never heard of.
  mutating func reroute(_ messages: [UInt8], pool: Int) {
    let isPacketBalanced = configuration.pools[pool].balance == .packet
    let heir = messages.isEmpty ? nil : pools[pool].next()
    unsafe messages.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let (message, named) = unsafe nextPacket(&rest) {
        let session = named.flatMap { isOver($0) ? nil : $0 }
        let own = session.flatMap { isPacketBalanced ? pools[pool].next() : linkOrNil(of: $0) }
        guard let link = own ?? heir else {
          unsafe pools[pool].orphans.append(contentsOf: message)
          continue
        }
        if let named { noteGone(packetOf: named) }
        if session == nil, links[link].wantsSessionEvents {
          counters.packetsOfClosedSessions += 1
          continue
        }
        counters.packetsRerouted += 1
        linkStates[Int(link)].inherited += message.count
        unsafe links[link].sendEncoded(message)
        markDirty(link)
      }
    }
  }

  /// A session is about to end, here or where it is: the packets of those that are elsewhere and go
  /// on have gone along with them.
  private func isOver(_ index: UInt32) -> Bool {
    sessions[index].phase == .closing || sessions[index].phase == .away
  }

  /// Takes the next packet from the front of encoded messages, and whose it is if that is there.
  ///
  /// Events are passed over: the next worker is told of its sessions anew.
  private func nextPacket(
    _ rest: inout UnsafeRawBufferPointer
  ) -> (message: UnsafeRawBufferPointer, session: UInt32?)? {
    while rest.count > 0 {
      let byteCount = unsafe ContractWriter.messageByteCount(at: rest)
      let message = unsafe UnsafeRawBufferPointer(rebasing: rest[..<byteCount])
      unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[byteCount...])
      if unsafe ContractWriter.isPacket(message) { return unsafe (message, session(of: message)) }
    }
    return nil
  }

  private func session(of message: UnsafeRawBufferPointer) -> UInt32? {
    unsafe index(of: ContractWriter.uuid(of: message))
  }

  /// A packet of a session waits no longer; of one that is closing, none may have been counted.
  private func noteGone(packetOf index: UInt32) {
    if sessions[index].packetsWaiting > 0 { sessions[index].packetsWaiting -= 1 }
  }

  /// Takes the packets of sessions that leave out of those that wait, in one pass.
  ///
  /// What sessions sent that are gone goes along with the first, if no worker is here.
  mutating func takeOrphans(of pool: Int, for leaving: inout LeavingSessions) {
    guard !pools[pool].orphans.isEmpty else { return }
    let messages = pools[pool].orphans
    pools[pool].orphans = []
    let heir = pools[pool].rotation.isEmpty ? leaving.firstShard ?? pools[pool].nextShard() : nil
    unsafe messages.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let (message, named) = unsafe nextPacket(&rest) {
        if let named, sessions[named].phase == .away, sessions[named].packetsWaiting > 0 {
          sessions[named].packetsWaiting -= 1
          unsafe leaving.append(message, to: Int(sessions[named].shard))
        } else if let heir, named.map({ !waits($0) }) ?? true {
          if let named { noteGone(packetOf: named) }
          unsafe leaving.append(message, to: heir)
        } else {
          unsafe pools[pool].orphans.append(contentsOf: message)
        }
      }
    }
  }

  private func waits(_ index: UInt32) -> Bool {
    sessions[index].pauses.contains(.noWorker) && sessions[index].phase != .closing
  }

  /// Lets packets wait that came with sessions of another shard.
  mutating func keepOrphans(_ messages: [UInt8], of pool: Int) {
    unsafe messages.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let (message, _) = unsafe nextPacket(&rest) {
        unsafe pools[pool].orphans.append(contentsOf: message)
      }
    }
  }

  mutating func sendOrphans(of pool: Int) {
    let orphans = pools[pool].orphans
    pools[pool].orphans = []
    reroute(orphans, pool: pool)
  }

  /// Forgets the packets of a session that is told that no worker had them.
  mutating func dropOrphans(of index: UInt32) {
    guard sessions[index].packetsWaiting > 0 else { return }
    sessions[index].packetsWaiting = 0
    let pool = pool(of: index)
    var kept: [UInt8] = []
    unsafe pools[pool].orphans.withUnsafeBytes { bytes in
      var rest = unsafe bytes
      while let (message, session) = unsafe nextPacket(&rest) {
        if session != index { unsafe kept.append(contentsOf: message) }
      }
    }
    pools[pool].orphans = kept
  }

  private func linkOrNil(of index: UInt32) -> LinkIndex? {
    sessions[index].link == Session.noLink ? nil : sessions[index].link
  }
}
