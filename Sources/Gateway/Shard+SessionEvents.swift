internal import Auth
internal import Primitives
internal import Upstream

/// Workers that want to are told of their sessions.
extension Shard {
  mutating func announceOpened(_ index: UInt32, to link: LinkIndex) {
    guard links[link].wantsSessionEvents else { return }
    let listener = listener(of: index)
    let before = links[link].queuedBytes
    var opened = SessionOpened(
      clientAddress: sessions[index].client.description, listener: listener.name,
      framer: listener.framerName, resumed: sessions[index].hadWorker,
      nextSequence: sessions[index].traffic.packetsIn - UInt64(sessions[index].packetsWaiting) + 1)
    opened.account = identities.account(at: sessions[index].identity)?.text ?? ""
    opened.attributes = attributes(of: index)
    opened.unauthenticated = sessions[index].phase == .login
    links[link].sendOpened(opened, of: sessions[index].uuid, time: time)
    sessions[index].isAnnounced = true
    if sessions[index].hadWorker {
      linkStates[Int(link)].inherited += links[link].queuedBytes - before
    }
    markDirty(link)
  }

  /// With packet balance every worker hears of every session.
  mutating func announceAll(to link: LinkIndex, pool: Int) {
    guard configuration.pools[pool].balance == .packet, links[link].wantsSessionEvents else {
      return
    }
    for index in live where self.pool(of: index) == pool && hasWorkers(index) {
      sessions[index].hadWorker = sessions[index].traffic.packetsIn > 0
      announceOpened(index, to: link)
    }
  }

  /// Workers know of the session, or would if there were any.
  func hasWorkers(_ index: UInt32) -> Bool {
    if sessions[index].phase == .login {
      return terms[Int(sessions[index].listener)].forwardsBefore
    }
    return sessions[index].phase != .closing
  }

  /// Whoever gets the session's packets is told whether it was let in.
  func workersAreTold(_ index: UInt32) -> Bool {
    let path = paths[Int(sessions[index].listener)]
    guard path.balancesPackets else {
      return sessions[index].link != Session.noLink
        && links[sessions[index].link].wantsSessionEvents
    }
    return pools[path.pool].rotation.allSatisfy { links[$0].wantsSessionEvents }
  }

  /// A client whose packets its workers got before is let in.
  mutating func announceAuthenticated(_ index: UInt32) {
    for link in linksFollowing(index) {
      links[link].sendAuthenticated(
        account: identities.account(at: sessions[index].identity)?.text ?? "",
        attributes: attributes(of: index), of: sessions[index].uuid, time: time)
      markDirty(link)
    }
  }

  private func attributes(of index: UInt32) -> [(name: String, value: String)] {
    identities.attributes(at: sessions[index].identity).map { ($0.name, $0.value) }
  }

  mutating func announceClosed(_ index: UInt32) {
    let following = linksFollowing(index)
    sessions[index].isAnnounced = false
    for link in following {
      links[link].sendClosed(
        reason: sessions[index].closeReason.rawValue, of: sessions[index].uuid, time: time)
      markDirty(link)
    }
  }

  /// The workers that were told of a session and are told what becomes of it.
  private func linksFollowing(_ index: UInt32) -> [LinkIndex] {
    guard sessions[index].isAnnounced else { return [] }
    let path = paths[Int(sessions[index].listener)]
    if path.balancesPackets {
      return pools[path.pool].rotation.filter { links[$0].wantsSessionEvents }
    }
    let link = sessions[index].link
    return link != Session.noLink && links[link].wantsSessionEvents ? [link] : []
  }
}
