internal import Gateway
internal import Primitives

/// What gateways count of sessions that are over, and of listeners altogether.
extension Oracle {
  /// What was on its way to workers when a session ended has come after so long.
  private static let arrivalMax = Interval.seconds(10)

  /// Packets that a gateway counted are those that workers have taken, once nothing is on its way.
  ///
  /// As long as no link was lost: what waits for another worker then is not told of by anybody.
  func checkClosedPackets() {
    for record in visits.reversed() where !record.packetsAreChecked {
      guard let ending = record.ending, record.closedAt + Self.arrivalMax <= now else { continue }
      record.packetsAreChecked = true
      switch ending.reason {
      // Packets that no worker has, or that one has refused, end with the session.
      case .noWorker, .packetRefused, .shutdown: continue
      default: break
      }
      guard !record.endedInShutdown, let account = record.account,
        account === gateways[record.gateway], !account.hasStartedShutdown,
        account.linksLost == 0,
        ending.packetsIn != UInt64(record.packets.takenCount)
      else { continue }
      broken(
        Finding(
          .counters,
          "\(ending.packetsIn) packets in at its end as \(ending.reason.name), "
            + "\(record.packets.takenCount) taken"),
        record)
    }
  }

  /// A listener's counts are those of its sessions.
  ///
  /// Those that were not let in have no line, and may have sent something.
  func checkListeners(_ account: GatewayAccount) {
    for counted in account.gateway.metrics().listeners {
      guard let seen = account.listeners.first(where: { $0.name == counted.name }) else { continue }
      var (packets, messages, bytes) = (seen.packetsIn, seen.messagesOut, seen.bytesOut)
      for record in account.open where record.listener.name == counted.name {
        guard let figures = figures(of: record) else { continue }
        packets += figures.packetsIn
        messages += figures.messagesOut
        bytes += figures.bytesOut
      }
      let isExact = seen.closedUnlogged == 0
      func check(_ count: UInt64, _ sum: UInt64, _ what: String) {
        if isExact ? count == sum : count >= sum { return }
        broken(
          .counters, "\(counted.name): \(count) \(what), its sessions have \(sum)",
          gateway: account.gateway.number)
      }
      check(counted.packetsIn, packets, "packets in")
      check(counted.messagesOut, messages, "messages out")
      check(counted.bytesOut, bytes, "bytes out")
    }
  }
}
