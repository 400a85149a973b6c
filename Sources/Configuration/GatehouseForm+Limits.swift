internal import Auth
internal import Framing
internal import Gateway

extension GatehouseForm {
  /// Reads `[listener.limits]`; without it nothing is limited.
  mutating func readLimits(
    _ listenerReader: inout TableReader, _ listener: inout ListenerConfiguration
  ) {
    guard var reader = listenerReader.subtable("limits") else { return }
    var limits = ListenerLimits()
    limits.connectionsPerAddress = reader.rate("connections_per_address")
    limits.connectionsPerPrefix = reader.rate("connections_per_prefix")
    limits.concurrentPerAddress = reader.take("concurrent_per_address").flatMap {
      reader.integer("concurrent_per_address", $0, Bounds.sessions)
    }
    limits.concurrentPerPrefix = reader.take("concurrent_per_prefix").flatMap {
      reader.integer("concurrent_per_prefix", $0, Bounds.sessions)
    }
    limits.packets = reader.rate("packets") {
      limits.packetsAction = $0.limitAction(default: limits.packetsAction)
    }
    limits.bytes = reader.rate("bytes", .bytes) {
      limits.bytesAction = $0.limitAction(default: limits.bytesAction)
    }
    readPacketSize(&reader, &limits)
    limits.banFor = reader.duration("ban_for", Bounds.banDuration, default: limits.banFor)
    checkBytesBurst(reader, limits, listener)
    listenerReader.add(reader.finish())
    listener.limits = limits
  }

  private func readPacketSize(_ limitsReader: inout TableReader, _ limits: inout ListenerLimits) {
    guard var reader = limitsReader.subtable("packet_size") else { return }
    limits.packetBytesMax = reader.takeRequired("max", expected: "a byte size such as \"4KiB\"")
      .flatMap { reader.byteCount("max", $0, Bounds.packetBytes) }
    // There is nothing to wait for: a packet that is too long stays too long.
    limits.packetBytesAction = reader.choice(
      "action", [LimitAction.drop, .close, .ban].map { (name: $0.rawValue, value: $0) },
      default: limits.packetBytesAction)
    limitsReader.add(reader.finish())
  }

  /// A packet longer than the burst passes only where sessions are slowed down.
  private mutating func checkBytesBurst(
    _ reader: TableReader, _ limits: ListenerLimits, _ listener: ListenerConfiguration
  ) {
    guard let bytes = limits.bytes, limits.bytesAction != .slowDown,
      let packetBytesMax = listener.clientToServer.packetBytesMax,
      bytes.burst < UInt64(min(packetBytesMax, limits.packetBytesMax ?? .max))
    else { return }
    draft.warnings.append(
      ConfigurationProblem(
        at: reader.position(of: "bytes"), key: reader.path(of: "bytes"),
        "packets longer than its burst of \(bytes.burst) bytes never pass, and the framer lets "
          + "\(packetBytesMax) through"))
  }
}

extension TableReader {
  fileprivate mutating func limitAction(default: LimitAction) -> LimitAction {
    choice(
      "action", LimitAction.allCases.map { (name: $0.rawValue, value: $0) }, default: `default`)
  }
}
